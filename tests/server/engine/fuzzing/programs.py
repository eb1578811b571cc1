"""Random small programs: the same number gives the same text. Runs under the Python to be tested.

They end, print nothing and do the same in each run. Every function has a variable `x`, a small number.
"""

from __future__ import annotations

import random
import sys

__all__ = ["START", "Scope", "Writer", "make"]

START = "x = 1  # the steps begin here"

_HEAD = """\
import contextlib
import functools


class Manager:
    def __init__(self, swallows):
        self.swallows = swallows

    def __enter__(self):
        x = 1
        return x

    def __exit__(self, *error):
        x = 2
        return self.swallows and error[0] is ValueError


@contextlib.contextmanager
def managed(x):
    x = x + 1
    try:
        yield x
    finally:
        x = 0


class AsyncManager:
    async def __aenter__(self):
        x = await Pause()
        return x

    async def __aexit__(self, *error):
        x = await Pause()
        return error[0] is KeyError


class Pause:
    def __await__(self):
        x = 1
        yield
        return x


class Items:
    def __init__(self, count):
        self.x = count

    def __iter__(self):
        return self

    def __next__(self):
        self.x -= 1
        if self.x < 0:
            raise StopIteration
        return self.x

    @property
    def half(self):
        x = self.x
        return x // 2


def drive(coroutine):
    x = 0
    while x < 1000:
        x += 1
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value


def decorated(function):
    @functools.wraps(function)
    def wrapper(x):
        x = x + 1
        return function(x)
    return wrapper


def add(*numbers):
    x = sum(numbers)
    return x % 7


def leaf(x):
    x += 1
    return x % 7


def fails(x):
    if x % 2:
        raise ValueError(x)
    return x


def recurses(x):
    if x <= 0:
        return 0
    return 1 + recurses(x - 1)
"""


class Scope:
    """What may be written where."""

    def __init__(self, kind: str, calls: list[str]) -> None:
        self.kind = kind  # function, generator, coroutine or agenerator
        self.calls = calls
        self.in_loop = False
        self.in_finally = False
        self.budget = 9


class Writer:
    """Writes one program, by chance."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines = _HEAD.splitlines()
        self.functions = ["leaf", "fails", "recurses"]
        self.generators: list[str] = []
        self.coroutines: list[str] = []
        self.agenerators: list[str] = []
        self.count = 0

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def name(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def program(self) -> str:
        kinds = ["function", "generator", "function", "coroutine", "agenerator", "function"]
        for kind in self.random.sample(kinds, self.random.randint(2, 5)):
            self.define(kind)
        self.begin_main("def main():")
        scope = Scope("function", [])
        scope.budget = 12
        self.block(1, scope)
        self.line(1, "return x")
        return "\n".join(self.lines) + "\n"

    def begin_main(self, definition: str) -> None:
        self.line(0, "")
        self.line(0, "")
        self.line(0, definition)
        self.line(1, START)

    def define(self, kind: str) -> None:
        self.line(0, "")
        self.line(0, "")
        name = self.name(kind[:3])
        if kind == "function" and self.random.random() < 0.25:
            self.line(0, "@decorated")
        prefix = "async " if kind in ("coroutine", "agenerator") else ""
        self.line(0, f"{prefix}def {name}(x):")
        self.block(1, Scope(kind, []))
        if kind in ("generator", "agenerator"):
            self.line(1, "yield x")
        if kind != "agenerator":
            self.line(1, "return x % 7")
        {
            "function": self.functions,
            "generator": self.generators,
            "coroutine": self.coroutines,
            "agenerator": self.agenerators,
        }[kind].append(name)

    def block(self, depth: int, scope: Scope) -> None:
        for _ in range(self.random.choice((1, 1, 2, 2, 3))):
            self.statement(depth, scope)

    def statement(self, depth: int, scope: Scope) -> None:
        scope.budget -= 1
        names = _SIMPLE + (_COMPOUND if depth < 4 and scope.budget > 0 else ())
        if scope.kind == "generator":
            names += ("yield_", "yield_", "yield_from", "guarded_yield")
        elif scope.kind == "coroutine":
            names += ("await_", "await_", "await_", "async_with", "async_for")
        elif scope.kind == "agenerator":
            names += ("await_", "async_yield", "async_yield")
        getattr(self, self.random.choice(names))(depth, scope)

    # -- expressions

    def value(self) -> str:
        return self.random.choice(("x", "x", "x + 1", "2", "3", "leaf(x)", "x % 3"))

    def call(self) -> str:
        inner = self.value()
        name = self.random.choice((*self.functions, *self.functions[-2:]))
        if self.random.random() < 0.2:
            inner = f"{self.random.choice(self.functions)}({inner})"
        return f"{name}({inner})"

    def source(self) -> str:
        if self.generators and self.random.random() < 0.6:
            return f"{self.random.choice(self.generators)}({self.value()})"
        return self.random.choice(("range(2)", "range(3)", "Items(2)", "(1, 2)", "[]"))

    # -- simple statements

    def assign(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"x = {self.value()}")

    def calls(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"x = {self.call()}")

    def long_call(self, depth: int, scope: Scope) -> None:
        self.line(depth, "x = add(")
        for _ in range(self.random.randint(1, 3)):
            self.line(depth + 1, f"{self.random.choice((self.call(), self.value()))},")
        self.line(depth, ")")

    def long_expression(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"x = ({self.call()} +")
        self.line(depth + 1, f"{self.value()})")

    def long_choice(self, depth: int, scope: Scope) -> None:
        self.line(depth, "x = (")
        self.line(depth + 1, self.call())
        if self.random.random() < 0.5:
            self.line(depth + 1, f"if {self.call()}")
            self.line(depth + 1, f"else {self.call()}")
        else:
            self.line(depth + 1, f"{self.random.choice(('and', 'or'))} {self.call()}")
        self.line(depth, ")")

    def long_test(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"{self.random.choice(('if', 'assert'))} ({self.call()} == 1 or")
        self.line(depth + 2, f"{self.call()} == 2")
        if self.lines[-2].strip().startswith("if"):
            self.line(depth, "        ): x = 4")
        else:
            self.line(depth + 2, "or True), x")

    def two(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"x = {self.value()}; x = {self.call()}")

    def comprehension(self, depth: int, scope: Scope) -> None:
        body = self.random.choice(("i", "leaf(i)", f"{self.random.choice(self.functions)}(i)"))
        left, right = self.random.choice((("[", "]"), ("{", "}"), ("(", ")")))
        self.line(depth, f"x = sum({left}{body} for i in {self.source()}{right}) % 7")

    def lambdas(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"x = max([1, 2], key=lambda i: {self.random.choice(self.functions)}(i))")

    def called_lambda(self, depth: int, scope: Scope) -> None:
        name = self.name("lam")
        self.line(depth, f"{name} = lambda i: {self.random.choice(self.functions)}(i)")
        self.line(depth, f"x = {name}(x)")

    def library(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"x = functools.reduce(lambda a, b: add(a, b), [1, x, {self.call()}])")

    def takes_all(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"x = len(list({self.source()}))")

    def next_of(self, depth: int, scope: Scope) -> None:
        if not self.generators:
            return self.calls(depth, scope)
        name = self.name("gen")
        self.line(depth, f"{name} = {self.random.choice(self.generators)}({self.value()})")
        self.line(depth, f"x = next({name}, 0)")
        follow = self.random.choice(("next", "send", "close", "throw", "drop", ""))
        if follow == "drop" and sys.version_info < (3, 13):
            follow = ""  # a frame that is traced keeps what its variables held at the last event
        if follow == "next":
            self.line(depth, f"x = next({name}, 0)")
        elif follow == "close":
            self.line(depth, f"{name}.close()")
        elif follow == "drop":
            self.line(depth, f"del {name}")
        elif follow:
            self.line(depth, "try:")
            argument = "x" if follow == "send" else "ValueError(1)"
            self.line(depth + 1, f"x = {name}.{follow}({argument}) or 0")
            self.line(depth, "except (StopIteration, ValueError):")
            self.line(depth + 1, "x = 3")
        if sys.version_info < (3, 13):
            self.line(depth, f"{name}.close()")
        return None

    def property_(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"x = Items({self.value()}).half")

    def runs_coroutine(self, depth: int, scope: Scope) -> None:
        if not self.coroutines or scope.kind in ("coroutine", "agenerator"):
            return self.calls(depth, scope)
        self.line(depth, f"x = drive({self.random.choice(self.coroutines)}({self.value()}))")
        return None

    def raises(self, depth: int, scope: Scope) -> None:
        if self.random.random() < 0.5:
            self.line(depth, f"if {self.value()} > 2:")
            self.line(depth + 1, "raise ValueError(x)")
        else:
            self.line(depth, "x = fails(x)")

    def jumps(self, depth: int, scope: Scope) -> None:
        if scope.in_loop and not scope.in_finally:
            self.line(depth, f"if {self.value()} > 1:")
            self.line(depth + 1, self.random.choice(("break", "continue")))
        else:
            self.line(depth, f"x = {self.value()} if {self.call()} else {self.value()}")

    def leaves(self, depth: int, scope: Scope) -> None:
        if scope.in_finally and self.random.random() < 0.7:
            return self.assign(depth, scope)
        self.line(depth, f"if {self.value()} > 2:")
        self.line(depth + 1, "return" if scope.kind == "agenerator" else f"return {self.value()}")
        return None

    def one_line_loop(self, depth: int, scope: Scope) -> None:
        self.line(
            depth,
            self.random.choice(
                (
                    "while x < 3: x += 1",
                    f"for i in range(2): x = {self.call()}",
                    "for i in range(3): pass",
                )
            ),
        )

    def text(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"x = len(f'{{{self.call()}}} {{x}}')")

    def asserts(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"assert {self.call()} is not None, x")

    # -- compound statements

    def if_(self, depth: int, scope: Scope) -> None:
        test = self.random.choice(
            (f"{self.value()} > 1", f"(x := {self.call()}) > 1", f"x and {self.call()}")
        )
        self.line(depth, f"if {test}:")
        self.block(depth + 1, scope)
        if self.random.random() < 0.3:
            self.line(depth, f"elif {self.call()}:")
            self.block(depth + 1, scope)
        if self.random.random() < 0.5:
            self.line(depth, "else:")
            self.block(depth + 1, scope)

    def for_(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"for {self.random.choice('xi')} in {self.source()}:")
        self.loop_body(depth, scope)

    def while_(self, depth: int, scope: Scope) -> None:
        count = self.name("n")
        self.line(depth, f"{count} = 0")
        self.line(depth, f"while {count} < {self.random.randint(1, 3)}:")
        self.line(depth + 1, f"{count} += 1")
        self.loop_body(depth, scope)

    def loop_body(self, depth: int, scope: Scope) -> None:
        was, scope.in_loop = (scope.in_loop, scope.in_finally), True
        scope.in_finally = False
        self.block(depth + 1, scope)
        scope.in_loop, scope.in_finally = was
        if self.random.random() < 0.3:
            self.line(depth, "else:")
            self.block(depth + 1, scope)

    def try_(self, depth: int, scope: Scope) -> None:
        self.line(depth, "try:")
        self.block(depth + 1, scope)
        catches = self.random.random() < 0.75
        if catches:
            if self.random.random() < 0.3:
                self.line(depth, "except KeyError:")
                self.line(depth + 1, "pass")
            self.line(
                depth, self.random.choice(("except ValueError:", "except ValueError as error:", "except:"))
            )
            self.block(depth + 1, scope)
            if self.random.random() < 0.2:
                self.line(depth + 1, "raise")
            if self.random.random() < 0.3:
                self.line(depth, "else:")
                self.block(depth + 1, scope)
        if not catches or self.random.random() < 0.4:
            self.line(depth, "finally:")
            was, scope.in_finally = scope.in_finally, True
            self.block(depth + 1, scope)
            scope.in_finally = was

    def with_(self, depth: int, scope: Scope) -> None:
        managers = ("Manager(True)", "Manager(False)", "managed(x)", "contextlib.suppress(ValueError)")
        chosen = [self.random.choice(managers) for _ in range(self.random.choice((1, 1, 2)))]
        self.line(depth, f"with {', '.join(chosen)}:")
        self.block(depth + 1, scope)

    def function(self, depth: int, scope: Scope) -> None:
        name = self.name("inner")
        if self.random.random() < 0.4:
            self.line(depth, "@decorated")
        default = self.random.choice(("", f"=leaf({self.random.randint(0, 5)})"))
        self.line(depth, f"def {name}(x{default}):")
        self.block(depth + 1, Scope("function", []))
        self.line(depth + 1, "return x % 7")
        self.line(depth, f"x = {name}({self.value()})")

    def class_(self, depth: int, scope: Scope) -> None:
        name = self.name("Class")
        self.line(depth, f"class {name}:")
        self.line(depth + 1, f"x = {self.random.choice(self.functions)}(2)")
        self.line(depth + 1, "def method(self, x):")
        self.line(depth + 2, f"x = {self.call()}")
        self.line(depth + 2, "return x")
        self.line(depth, f"x = {name}().method({self.value()})")

    def match(self, depth: int, scope: Scope) -> None:
        if sys.version_info < (3, 10):
            return self.if_(depth, scope)
        self.line(depth, f"match {self.call()}:")
        for case in ("1 | 2", f"i if leaf(i) > {self.random.randint(2, 4)}", "_"):
            self.line(depth + 1, f"case {case}:")
            self.block(depth + 2, scope)
        return None

    # -- what suspends

    def yield_(self, depth: int, scope: Scope) -> None:
        self.line(depth, self.random.choice((f"yield {self.value()}", f"x = (yield {self.call()}) or 1")))

    def yield_from(self, depth: int, scope: Scope) -> None:
        names = [f"{name}(2)" for name in self.generators]
        self.line(depth, f"x = (yield from {self.random.choice((*names, 'range(2)'))}) or 1")

    def guarded_yield(self, depth: int, scope: Scope) -> None:
        self.line(depth, "try:")
        self.line(depth + 1, f"yield {self.value()}")
        self.line(depth, "finally:")
        self.line(depth + 1, f"x = {self.call()}")

    def await_(self, depth: int, scope: Scope) -> None:
        names = [f"{name}(x)" for name in self.coroutines]
        self.line(depth, f"x = await {self.random.choice((*names, 'Pause()'))}")

    def async_with(self, depth: int, scope: Scope) -> None:
        self.line(depth, "async with AsyncManager():")
        self.block(depth + 1, scope)

    def async_for(self, depth: int, scope: Scope) -> None:
        if not self.agenerators:
            return self.await_(depth, scope)
        self.line(depth, f"async for x in {self.random.choice(self.agenerators)}(x):")
        self.loop_body(depth, scope)
        return None

    def async_yield(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"yield {self.call()}")


_SIMPLE = (
    "assign", "calls", "calls", "calls", "long_call", "long_expression", "long_choice", "long_test", "two",
    "comprehension", "lambdas",
    "called_lambda", "library", "takes_all", "next_of", "property_", "runs_coroutine", "raises", "jumps",
    "leaves", "one_line_loop", "text", "asserts",
)  # fmt: skip
_COMPOUND = ("if_", "for_", "while_", "try_", "try_", "try_", "with_", "with_", "function", "class_", "match")


def make(seed: int) -> str:
    """The program of this number."""
    return Writer(seed).program()
