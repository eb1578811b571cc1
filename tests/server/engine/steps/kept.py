# Exceptions that were caught in a call and are kept: they hold the frames of the call.

KEPT = []


def fails():
    raise KeyError("key")


def keeps():
    try:  # @tries
        fails()  # @fails_
    except KeyError as error:
        KEPT.append(error)  # @kept
    return len(KEPT)


def keeps_deep(depth):
    return keeps_deep(depth - 1) if depth else keeps()


def is_long(turns):
    total = 0
    for _ in range(turns):
        total += is_short(total)
    while turns: turns -= 1
    return total


def is_short(value):
    return value + 1


#> over over over -> second third stepped=2
#> out -> stepped=4
#> until until until -> second third stepped=6
def over_a_call_that_keeps():
    def stepped():
        value = keeps()  # @start
        value = keeps_deep(20)  # @second
        return value  # @third

    stepped()  # @stepped
    return 1


#> over over over -> again kept_too stepped_too=7
#> over over in over -> again kept_too tries fails_
def over_long_calls():
    def stepped_too():
        value = is_long(3000)  # @start
        value = sum(map(is_short, range(3000)))  # @again
        return keeps()  # @kept_too

    stepped_too()  # @stepped_too
