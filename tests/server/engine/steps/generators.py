# Generators: a yield goes to the consumer, a resumption comes from it.


def numbers(limit):
    for number in range(limit):  # @gen_for
        yield number  # @yield


#> over over over over over over -> for add for add for return
#> over in over over over over -> for gen_for yield for=0 add for
#> over in over out over -> for gen_for yield for=0 add
def consumes():
    total = 0  # @start
    for number in numbers(2):  # @for
        total += number  # @add
    return total  # @return


def counted():
    first = yield 1  # @y1
    second = yield first  # @y2
    return second  # @gen_return


#> over over over over -> next send send2 return
#> over in over over in over over -> next y1 next=1 send y2 send='x' send2
#> over over over in over over return -> next send send2 gen_return send2=9 return return=9
def sends():
    source = counted()  # @start
    next(source)  # @next
    source.send("x")  # @send
    try: source.send(9)  # @send2
    except StopIteration as end: return end.value  # @return


def delegates():
    result = yield from counted()  # @from
    return result  # @delegates_return


#> over over over -> next send return
#> over in in over over over -> next from y1 next=1 send return
def delegated():
    source = delegates()  # @start
    next(source)  # @next
    source.send(5)  # @send
    return source  # @return


#> over in over over over over -> list gen_for yield gen_for yield gen_for
#> over in over over over over over -> list gen_for yield gen_for yield gen_for list=None
#> over in out -> list gen_for list=None
def consumed_by_c():
    limit = 2  # @start
    found = list(numbers(limit))  # @list
    return found  # @return


#> over over over -> sum return end
#> over in over over over -> sum sum sum sum sum=None
def generator_expression():
    limit = 2  # @start
    total = sum(n * 2 for n in range(limit))  # @sum
    return total  # @return


#> over over over -> close return end
#> over in -> close finally
def closes():
    def guarded():
        try:
            yield 1  # @guarded
        finally:
            limit = 0  # @finally
    source = guarded()
    next(source)  # @start
    source.close()  # @close
    return source  # @return


#> over over over -> throw handled end
#> over in over over -> throw caught y2 throw=2
def throws():
    def guarded():
        try:
            yield 1  # @guarded
        except ValueError:  # @caught
            yield 2  # @y2
    source = guarded()
    next(source)  # @start
    source.throw(ValueError)  # @throw
    return source  # @handled


class Countdown:
    def __repr__(self):
        return "<countdown>"

    def __init__(self):
        self.left = 2

    def __iter__(self):
        return self  # @iter

    def __next__(self):
        self.left -= 1  # @next_first
        if not self.left:  # @next_test
            raise StopIteration  # @stop
        return self.left  # @next_return


#> over over over over -> for body for return
#> over in over over -> for iter for=<countdown> body
#> over in out in over over over over -> for iter for=<countdown> next_first next_test next_return for=1 body
def iterator_class():
    source = Countdown()  # @start
    for left in source:  # @for
        left += 1  # @body
    return left  # @return
