# ruff: noqa
# fmt: off
"""Programs whose lines hooks must report as a tracer does. Every function here is one; nothing imports this."""


class Manager:
    def __init__(self, swallow=False): self.swallow = swallow
    def __enter__(self): return self
    def __exit__(self, *what): return self.swallow
    async def __aenter__(self): return self
    async def __aexit__(self, *what): return self.swallow


def fail(kind=ValueError):
    raise kind("no")


def straight():
    a = 1
    b = 2; c = 3
    return a + b + c


def docstring_and_pass():
    """Says nothing."""
    pass


def one_line(): return 1


def for_over_two_lines():
    total = 0
    for number in range(3):
        total += number
    return total


def for_on_one_line():
    total = 0
    for number in range(3): total += number
    return total


def for_else_and_continue():
    total = 0
    for number in range(4):
        if number == 1:
            continue
        total += number
    else:
        total += 100
    for number in range(4):
        if number: break
    else:
        total = 0
    return total


def while_on_one_line():
    n = 3
    while n: n -= 1
    return n


def while_true():
    n = 0
    while True:
        n += 1
        if n > 3:
            break
    return n


def while_with_and():
    a, b = 3, 5
    while a and \
            b:
        a -= 1
        b -= 1
    else:
        b = 9
    return a, b


def nested_loops():
    out = []
    for a in range(3):
        for b in range(3): out.append(a * b) if a else None
        while b > 0:
            b -= 1
            if b == 1: continue
            out.append(b)
    return out


def multi_line_call():
    return max(
        1,
        abs(
            -2),
        *[
            3,
            4],
    )


def multi_line_operators():
    a = (1 +
         2 *
         3)
    b = (a if a > 3
         else
         4)
    return {
        "a": a,
        "b":
            b,
    }


def chained_comparison():
    a = 3
    return (1 <
            a
            < 5 and
            a != 4 or
            a)


def comprehensions():
    one = [n for n in range(3)]
    many = [n
            for n in range(4)
            if n % 2]
    inner = [[a * b for a in range(2)] for b in range(2)]
    return one, many, inner, {n: n for n in one}, {n for n in many}


def generator_expressions():
    total = sum(n for n in range(4))
    return total, list(
        n * m
        for n in range(3)
        for m in range(2)
        if n)


def lambdas():
    f = lambda x: x + 1
    g = lambda x: (x +
                   2)
    return f(1), g(2), (lambda: [f(n) for n in range(2)])()


def closures():
    def add(n):
        count = n
        def more(m):
            nonlocal count
            count += m
            return count
        return more
    f = add(1)
    return f(2), f(3)


def defaults_and_annotations():
    def f(a: int = 1,
          b: "str" = "x",
          *c, d=2) -> \
            int:
        return a, b, c, d
    return f(), f(2, d=3)


def decorators():
    def twice(f):
        def wrapper(*a):
            return f(*a) * 2
        return wrapper
    @twice
    @(lambda f: f)
    def g(x):
        return x + 1
    return g(1)


def classes():
    def mark(cls):
        cls.marked = True
        return cls
    @mark
    class A:
        x = 1
        y: int = 2
        def f(self):
            return self.x
        @property
        def g(self): return self.y
        @staticmethod
        def h():
            return 5
    class B(A):
        def f(self):
            return super().f() + 1
    return B().f(), A().g, A.h(), B.marked


def try_except():
    try:
        1 / 0
    except ValueError:
        a = 1
    except (KeyError, ZeroDivisionError) as error:
        a = repr(error)
    else:
        a = 2
    return a


def try_else():
    try:
        a = 1
    except ValueError:
        a = 2
    else:
        a = 3
    return a


def try_finally():
    try:
        a = 1
    finally:
        b = 2
    return a + b


def return_in_try_finally():
    def f(x):
        try:
            if x:
                return "early"
            a = 1
        finally:
            b = 2
        return a, b
    return f(0), f(1)


def finally_in_loop():
    out = []
    for n in range(4):
        try:
            if n == 1:
                continue
            if n == 3:
                break
            out.append(n)
        finally:
            out.append("f")
    return out


def nested_try():
    log = []
    try:
        try:
            try:
                fail()
            except KeyError:
                log.append(1)
            finally:
                log.append(2)
        except ValueError as error:
            log.append(3)
            try:
                raise TypeError from error
            except TypeError:
                log.append(4)
        else:
            log.append(5)
        finally:
            log.append(6)
            try:
                fail(KeyError)
            except KeyError: log.append(7)
    finally:
        log.append(8)
    return log


def return_in_finally():
    try:
        fail()
    finally:
        return 1


def reraise():
    def f():
        try:
            fail()
        except ValueError:
            raise
    try:
        f()
    except ValueError as error:
        return str(error)


def exception_leaves():
    a = 1
    try:
        b = (a +
             fail(KeyError))
    finally:
        a = 3


def exception_with_columns():
    values = {"a": {"b": [1, 2]}}
    return values["a"]["b"][1] + values["a"]["c"][1] + (
        values["x"])


def exception_chain():
    try:
        fail()
    except ValueError as error:
        raise RuntimeError("worse") from error


def with_block():
    with Manager() as a:
        b = 1
    return b


def with_on_one_line():
    with Manager() as a: b = 1
    return b


def with_several():
    with Manager() as a, \
            Manager() as b, Manager(
                True) as c:
        fail()
    return a is not b


def with_that_swallows():
    with Manager(True):
        fail()
        a = 1
    return 2


def with_that_swallows_on_one_line():
    with Manager(True): fail()
    return 2


def with_bad_target():
    try:
        with Manager() as (a, b):
            c = 1
    except TypeError as error:
        return repr(error)


def with_in_loop_with_break():
    n = 0
    for n in range(5):
        with Manager():
            if n == 2:
                break
            if n == 1:
                continue
            n += 1
    return n


def return_in_with():
    def f():
        with Manager():
            with Manager(True):
                return 1
    return f()


def with_exception_passes():
    with Manager():
        with Manager() as b:
            fail()


def with_multi_line_exception():
    with Manager(True) as a: print(
        end=fail())
    return a.swallow


def generators():
    def g():
        yield 1
        x = yield 2
        try:
            yield x
        finally:
            x = 4
        yield 5
    it = g()
    out = [next(it), next(it), it.send("x")]
    return out + list(it)


def generator_on_one_line():
    def g(): yield 1; yield 2
    return list(g())


def generator_loop_on_one_line():
    def g():
        for n in range(3): yield n
    return list(g())


def generator_closed_and_thrown():
    log = []
    def g():
        while True:
            try:
                yield 1
            except KeyError:
                log.append("key")
            finally:
                log.append("finally")
    a = g()
    next(a)
    a.throw(KeyError)
    a.close()
    return log


def yield_from():
    def inner():
        got = yield 1
        return got
    def outer():
        x = yield from inner()
        y = (yield from
             inner())
        return x, y
    it = outer()
    out = [next(it), it.send("a")]
    try:
        it.send("b")
    except StopIteration as end:
        out.append(end.value)
    return out


def unfinished_generator():
    def g():
        a = 1
        yield a
        b = 2
        yield b
    return next(g())


def coroutines():
    async def leaf(n):
        await asyncio.sleep(0)
        return n
    async def main():
        a = await leaf(1)
        b = [await leaf(n) for n in range(2)]
        c = (await leaf(a) +
             await leaf(2))
        return a, b, c
    return asyncio.run(main())


def async_with_and_for():
    async def numbers():
        for n in range(3):
            await asyncio.sleep(0)
            yield n
    async def main():
        out = []
        async with Manager() as a, \
                Manager():
            async for n in numbers():
                out.append(n)
            else:
                out.append("end")
        async for n in numbers(): out.append(n)
        async with Manager(True):
            fail()
        return out, [n async for n in numbers() if n], {n: 1 async for n in numbers()}
    return asyncio.run(main())


def async_tasks():
    log = []
    async def work(name):
        for n in range(2):
            log.append((name, n))
            await asyncio.sleep(0)
        return name
    async def main():
        done = await asyncio.gather(work("a"), work("b"))
        task = asyncio.ensure_future(work("c"))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            log.append("cancelled")
        return done
    return asyncio.run(main()), log


def async_generator_finalised():
    log = []
    async def g():
        try:
            yield 1
            yield 2
        finally:
            log.append("end")
    async def main():
        async for n in g():
            break
        it = g()
        await it.__anext__()
        await it.aclose()
    asyncio.run(main())
    return log


def assertions():
    assert 1, "never"
    try:
        assert (1 ==
                2), \
            "message"
    except AssertionError as error:
        return str(error)


def deletions_and_walrus():
    a = b = 1
    del a, \
        b
    if (n := 3) > 2: n += 1
    while (n := n - 1): pass
    return n


def conditions():
    out = []
    for n in range(5):
        if n == 0:
            out.append("a")
        elif n == 1: out.append("b")
        elif n == 2 or \
                n == 3:
            pass
        else:
            out.append("c")
    return out


def conditions_always():
    if 1:
        a = 1
    else:
        a = 2
    if 0:
        a = 3
    while 0: a = 5
    if not a: pass
    return a


def f_strings():
    name = "x"
    return f"{name!r:>10} {name}" \
        f"{len(name)}" + f"""
    {name}
    {
        name.upper()}"""


def star_expressions():
    a, *b = [*range(3), *"ab"]
    (c,
     (d, e)) = 1, (2,
                   3)
    return a, b, {**{"x": 1}, "y": 2}, c, d, e


def imports():
    import os.path as p, sys
    from os import (path,
                    sep)
    return p is path


def globals_and_augmented():
    global counted
    counted = 0
    counted += 1
    values = [1, 2]
    values[0] += (
        5)
    return counted, values


def recursion():
    def factorial(n):
        if n < 2: return 1
        return n * factorial(n - 1)
    return factorial(5)


def empty_loops():
    for n in []: pass
    for n in []:
        a = 1
    while False:
        a = 2
    for n in range(2): pass
    return 3


def loop_ends_in_conditional():
    out = []
    for n in range(6):
        if n % 2:
            if n > 2: out.append(n)
    while out:
        try: out.pop()
        finally: n += 1
    return n


def loop_in_exception_handler():
    for n in range(3):
        try:
            if n: fail()
        except ValueError:
            for m in range(2): n += m
            continue
        n += 5
    return n


def jump_back_to_multi_line_for():
    out = []
    for a, \
            b in zip(
                range(3),
                range(3)):
        out.append(a
                   + b)
    return out


def semicolons_in_loop():
    n = 0
    while n < 3: n += 1; m = n
    for m in range(2): n += 1; n += 2
    return n, m
