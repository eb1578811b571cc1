# Statements over several lines.


def add(*numbers):
    return sum(numbers)  # @add


#> over over over over -> one two start after
#> over in over over over -> one add one=3 two start
#> over in out over over -> one add one=3 two start
def call_over_lines():
    total = add(  # @start
        add(1, 2),  # @one
        add(3, 4),  # @two
    )
    return total  # @after


#> over over over over over over over -> text text2 text name none last after
def strings():
    text = ""  # @start
    text = f"""one {text}  # @text
    two {len(text)}"""  # @text2
    name = (  # @none
        "a"  # @name
        "b"
    )
    name = name.replace("a", "b")  # @last
    return text + name  # @after


#> [cpython 3.10+] over over over over -> second third inside after
#> [3.9] over over over over over -> second third second inside after
#> [pypy3.11] over over over over over -> second third second inside after
def condition_over_lines():
    first = True  # @start
    if (first and  # @second
            len("x") == 1):  # @third
        first = 1  # @inside
    return first  # @after


#> over over over over over -> key1 key2 value after end
def dictionary():
    size = 1  # @start
    value = {  # @value
        "a": size + len("x"),  # @key1
        "b": 2 + len("x"),  # @key2
    }
    return value  # @after


def twice(size):
    return size * 2  # @twice


#> over over over over -> first second value after
#> over over in out until -> first second twice second=2 after
def choice_in_brackets():
    size = 1  # @start
    value = (  # @value
        len("x")  # @first
        and twice(size)  # @second
    )
    return value  # @after
