# needs 3.10+


#> over over over over over -> match one two body return
def matches():
    value = [1, 2]  # @start
    match value:  # @match
        case [1]:  # @one
            value = 1
        case [1, other]:  # @two
            value = other  # @body
    return value  # @return


#> over over over -> guard body return
def guards():
    match 3:  # @start
        case number if number > 2:  # @guard
            number += 1  # @body
    return number  # @return
