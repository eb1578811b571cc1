# Plain control flow. Above each function: the steps made from its @start, and where each of them ends.


def helper(value):
    double = value * 2  # @helper_first
    return double  # @helper_return


#> over over over over -> call after return end
#> over in over over over -> call helper_first helper_return call=2 after
#> over in out over -> call helper_first call=2 after
#> over in return over over -> call helper_first helper_return=2 call=2 after
#> out -> end
#> return over -> return=3 end
#> until until until -> call after return
def calls():
    first = 1  # @start
    second = helper(first)  # @call
    third = second + 1  # @after
    return third  # @return


#> over over over over -> odd over_if odd2 over_if2
def branches():
    flags = (True, False)  # @start
    if flags[0]:  # @odd
        flags = ()  # @over_if
    elif flags:
        flags = 3
    if flags:  # @odd2
        pass
    else:
        flags = 4  # @over_if2
    return flags


#> over over over over over over -> body start body start else return
#> over over until until -> body start body else
def for_else():
    for number in range(2):  # @start
        number += 1  # @body
    else:
        number = 0  # @else
    return number  # @return


#> over over over over over over over over -> while body while body while else return end
def while_else():
    count = 0  # @start
    while count < 2:  # @while
        count += 1  # @body
    else:
        count = 9  # @else
    return count  # @return


#> over over over over over over -> for test continue for test break
def continue_break():
    numbers = [1, 2]  # @start
    for number in numbers:  # @for
        if number == 1:  # @test
            continue  # @continue
        break  # @break
    return numbers


#> over over over over over -> first second third return end
def one_line_statements():
    first = 1  # @start
    second = 2; third = 3  # @first
    if third: first = 4  # @second
    while first < 4: first += 1  # @third
    return second  # @return


#> over over over -> inner last return
#> over in out over -> inner deep_return inner=7 last
def nested_functions():
    def deep():
        return 7  # @deep_return
    value = 1  # @start
    value = deep()  # @inner
    value += 1  # @last
    return value  # @return


#> [cpython 3.10+ 3.13-] over over over -> second third return
#> [3.14+] over over over over -> second third third return
#> [3.9] over over over over -> second third third return
#> [pypy3.11] over over over over -> second third third return
def walrus():
    if (size := len("four")) > 3:  # @start
        size += 1  # @second
    while (size := size - 3) > 0: pass  # @third
    return size  # @return


#> over over -> delete return
def deletes():
    value = {1: 2}  # @start
    del value[1]  # @delete
    return value  # @return


#> over over over -> assert check return
def asserts():
    value = 1  # @start
    assert value  # @assert
    assert value == 1, "never"  # @check
    return value  # @return


#> over over over over -> global_ nonlocal_ use end
def declarations():
    """Docstrings and declarations are no lines to stop at."""
    global shared
    shared = 1  # @start
    shared += 1  # @global_
    number: int
    number = 3  # @nonlocal_
    number += shared  # @use


shared = 0
