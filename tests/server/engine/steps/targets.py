# Steps into one call of several on a line, and into what steps usually do not enter.
import functools
import textwrap


def inner(value):
    return value + 1  # @inner


def other(value):
    return value * 2  # @other


def both(first, second):
    return first + second  # @both


def wraps(function):
    @functools.wraps(function)
    def wrapper(*values):
        return function(*values)  # @wrapper

    return wrapper


@wraps
def wrapped(value):
    return value  # @wrapped


class Maker:
    def __init__(self, value):
        self.value = value  # @init

    def give(self):
        return self.value  # @give


#> into_inner over over over -> inner start=2 after end
#> into_other over over -> other start=6 after
#> into_both over over -> both start=8 after
#> into_inner out into_both out -> inner start=2 both start=8
def nested_calls():
    total = both(inner(1), other(3))  # @start
    return total  # @after


#> into_Maker over into_give -> init start=None give
#> into_wrapped into_function -> wrapper wrapped
#> into_give out -> give start=3
def other_calls():
    total = [wrapped(1), Maker(3).give()]  # @start
    return total  # @after


#> over into_inner over over -> if inner if=2 last
def in_a_header():
    total = 0  # @start
    if total or inner(1) + other(2):  # @if
        total = 1  # @last
    return total


#> in_all -> textwrap.py:dedent
#> in -> after
def library():
    text = textwrap.dedent("  text")  # @start
    return text  # @after
