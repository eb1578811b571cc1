# Classes, decorators, properties.
import functools


def traced(function):
    @functools.wraps(function)  # @traced_wraps
    def wrapper(*values):
        result = function(*values)  # @wrapper_call
        return result  # @wrapper_return
    return wrapper  # @traced_return


@traced
def decorated(value):
    return value + 1  # @decorated


#> over over -> call return
#> over in in over over over over -> call wrapper_call decorated wrapper_call=2 wrapper_return call=2 return
#> over in out -> call wrapper_call call=2
def calls_decorated():
    value = 1  # @start
    value = decorated(value)  # @call
    return value  # @return


#> over over over -> class_ return end
#> over in over over over over -> class_ class_ attribute method class_=None return
def class_body():
    value = 1  # @start
    class Inner:  # @class_
        attribute = value  # @attribute
        def method(self):  # @method
            return 1
    return Inner  # @return


#> [3.11+] over over over over over -> define def define def after
#> [3.11+] over in over over over -> define def define def after
#> [3.10-] over over over -> define def after
#> [3.10-] over in in out -> define def traced_wraps def=<function>
def decorates():
    value = 1  # @start
    @traced  # @define
    def inner():  # @def
        return value
    return inner  # @after


class Thing:
    def __init__(self, value):
        self.value = value  # @init

    @property
    def doubled(self):
        return self.value * 2  # @property

    def __add__(self, other):
        return Thing(self.value + other)  # @add

    def __getattr__(self, name):
        return name  # @getattr

    def __repr__(self):
        return "<thing>"


#> over over over over over -> get plus missing return end
#> in over over -> init start=None get
#> over in over over -> get property get=4 plus
#> over over in in over over over -> get plus add init add=None plus=<thing> missing
#> over over over in over over -> get plus missing getattr missing='nothing' return
def uses_thing():
    thing = Thing(2)  # @start
    value = thing.doubled  # @get
    thing = thing + value  # @plus
    value = thing.nothing  # @missing
    return value  # @return


def factorial(number):
    if number == 0:  # @fact_test
        return 1  # @fact_base
    rest = factorial(number - 1)  # @fact_call
    return number * rest  # @fact_return


#> over over -> call return
#> over in over over over over -> call fact_test fact_call fact_return call=6 return
#> over in over in over over over -> call fact_test fact_call fact_test fact_call fact_return fact_call=2
#> over in over in out -> call fact_test fact_call fact_test fact_call=2
def recursion():
    number = 3  # @start
    number = factorial(number)  # @call
    return number  # @return
