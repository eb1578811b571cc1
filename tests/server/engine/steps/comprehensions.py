# Comprehensions, lambdas and callbacks.


def double(value):
    return value * 2  # @double


#> over over over -> squares return end
def on_one_line():
    limit = 3  # @start
    squares = [n * n for n in range(limit)]  # @squares
    return squares  # @return


#> over over -> doubles return
#> [3.12+] over in out over -> doubles double doubles=0 return
#> [3.12+] over in out in -> doubles double doubles=0 double
#> [3.11-] over in in out -> doubles doubles double doubles=0
#> [3.11-] over in out over -> doubles doubles doubles=[0,2] return
def calling():
    limit = 2  # @start
    doubles = [double(n) for n in range(limit)]  # @doubles
    return doubles  # @return


#> over over over -> set_ dict_ return
def set_and_dict():
    limit = 2  # @start
    one = {n for n in range(limit)}  # @set_
    two = {n: n for n in one}  # @dict_
    return two  # @return


def odd(value):
    if value % 2:  # @odd_test
        raise ValueError(value)  # @odd_raises
    return value  # @odd_returns


#> over over over over -> try all_ except odd
#> [3.12+] over over in over over over over -> try all_ odd_test odd_returns all_=2 except odd
def raises_in_one():
    found = [2, 1]  # @start
    try:  # @try
        found = [odd(n) for n in found]  # @all_
    except ValueError:  # @except
        found.clear()  # @odd
    return found


#> over over over over -> define call return end
#> over over in over over -> define call define call=2 return
def lambdas():
    value = 1  # @start
    add = lambda number: number + 1  # @define
    value = add(value)  # @call
    return value  # @return


#> over over over -> sort return end
#> over in over over -> sort double sort=4 return
#> over in over in -> sort double sort=4 return
#> over in out -> sort double sort=4
def sorted_by_c():
    numbers = [2, 1]  # @start
    numbers.sort(key=double)  # @sort
    return numbers  # @return


#> over over over -> map return end
#> over in in -> map double double
def mapped():
    numbers = [2, 1]  # @start
    numbers = list(map(double, numbers))  # @map
    return numbers  # @return


#> over over -> call return
#> over in over over over -> call default_first default_return call=3 return
def defaults():
    def inner(value=double(1)):
        value += 1  # @default_first
        return value  # @default_return
    value = 0  # @start
    value = inner()  # @call
    return value  # @return
