"""Hooks are called where tracing reports lines, for programs that nobody thought of.

The programs are random nests of statements which decide by a fixed sequence of random choices (`maybe`),
raise by it (`step`), and stop after a number of steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.bytecode.debuggees import REWRITTEN, Worker, assert_alike

if TYPE_CHECKING:
    from collections.abc import Iterator

PRELUDE = """
import itertools, types

choices = itertools.cycle({choices})
fuel = iter(range(60))

class OutOfFuel(BaseException): pass

def maybe():
    if next(fuel, None) is None: raise OutOfFuel
    return next(choices) % 2

def step():
    if maybe() and maybe(): raise (ValueError, KeyError, TypeError)[next(choices) % 3]
    return next(choices)

class Manager:
    def __enter__(self): return self if maybe() else step()
    def __exit__(self, *what): return maybe() and what[0] is not OutOfFuel
    async def __aenter__(self): return await pause() or self
    async def __aexit__(self, *what): return await pause() and what[0] is not OutOfFuel

@types.coroutine
def pause():
    return (yield next(choices))

async def numbers():
    for n in range(next(choices) % 3):
        yield n
        await pause()

def drive(it):
    out = []
    try:
        while maybe() or maybe():
            if maybe() and maybe() and out:
                out.append(it.throw(ValueError))
            elif out:
                out.append(it.send(next(choices)))
            else:
                out.append(it.send(None))
        it.close()
    except StopIteration as end:
        out.append(end.value)
    return out

"""


@dataclass(frozen=True)
class Around:
    """What a statement is in."""

    depth: int = 3
    loop: bool = False
    function: str = "plain"  # or "generator", "async"


def indented(block: list[str]) -> list[str]:
    return ["    " + line for line in block]


EXPRESSIONS = (
    "step()",
    "[step() for n in range(2)]",
    "[step()\n for n in range(2)\n if maybe()]",
    "(lambda: step())()",
    "sum(\n  (step(),\n   step()),\n  step())",
    "(step() if maybe() else\n  0)",
    "sum(n for n in range(step() % 3))",
    "(maybe() and\n  step() or\n  maybe())",
    "{step(): step(), **{1: step()}}",
)


@st.composite
def simple(draw: st.DrawFn, around: Around) -> list[str]:
    kinds = ["x = {}", "{}", "x = y = {}; z = 1", "if maybe(): x = {}", "for n in range(2): x = {}", "pass"]
    kinds += [
        "while maybe(): x = {}",
        "with Manager(): x = {}",
        "raise KeyError({})",
        "return {}",
        "assert {}",
    ]
    if around.loop:
        kinds += ["break", "continue", "if maybe(): break"]
    if around.function == "generator":
        kinds += ["x = yield {}", "yield {}", "x = yield from [{}, 1]"]
    if around.function == "async":
        kinds += ["await pause()", "x = [await pause(), {}]", "x = [n async for n in numbers()]"]
        kinds += ["async for n in numbers(): x = {}", "async with Manager(): x = {}"]
    return draw(st.sampled_from(kinds)).format(draw(st.sampled_from(EXPRESSIONS))).split("\n")


@st.composite
def block(draw: st.DrawFn, around: Around) -> list[str]:
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        lines += draw(statement(around))
    return lines


@st.composite
def statement(draw: st.DrawFn, around: Around) -> list[str]:
    if around.depth == 0:
        return draw(simple(around))
    inner = replace(around, depth=around.depth - 1)
    kind = draw(st.sampled_from([draw_simple, draw_if, draw_loop, draw_try, draw_with, draw_function]))
    return kind(draw, inner)


def draw_simple(draw: st.DrawFn, inner: Around) -> list[str]:
    return draw(simple(inner))


def draw_block(draw: st.DrawFn, inner: Around) -> list[str]:
    return indented(draw(block(inner)))


def draw_if(draw: st.DrawFn, inner: Around) -> list[str]:
    lines = ["if maybe():", *draw_block(draw, inner)]
    if draw(st.booleans()):
        lines += ["elif maybe() and \\", "        maybe():", *draw_block(draw, inner)]
    if draw(st.booleans()):
        lines += ["else:", *draw_block(draw, inner)]
    return lines


def draw_loop(draw: st.DrawFn, inner: Around) -> list[str]:
    heads = ["for n in range(3):", "while maybe():", "while True:", "for a in (", "while maybe() or \\"]
    if inner.function == "async":
        heads.append("async for n in numbers():")
    head = draw(st.sampled_from(heads))
    rest = {"for a in (": ["        1,", "        2):"], "while maybe() or \\": ["        maybe():"]}
    lines = [head, *rest.get(head, ()), *draw_block(draw, replace(inner, loop=True))]
    if head == "while True:":
        lines.insert(1, "    maybe()")
    if draw(st.booleans()):
        lines += ["else:", *draw_block(draw, inner)]
    return lines


def draw_try(draw: st.DrawFn, inner: Around) -> list[str]:
    lines = ["try:", *draw_block(draw, inner)]
    handlers: list[str] = draw(
        st.lists(
            st.sampled_from(
                ["except ValueError:", "except KeyError as error:", "except (TypeError,\n        OSError):"]
            ),
            max_size=2,
            unique=True,
        )
    )
    for handler in handlers:
        lines += [*handler.split("\n"), *draw_block(draw, inner)]
    if draw(st.booleans()) and handlers:
        lines += ["else:", *draw_block(draw, inner)]
    if not handlers or draw(st.booleans()):
        lines += ["finally:", *draw_block(draw, inner)]
    return lines


def draw_with(draw: st.DrawFn, inner: Around) -> list[str]:
    heads = [
        "with Manager():",
        "with Manager() as a, Manager() as b:",
        "with Manager() as a, \\\n        Manager():",
    ]
    if inner.function == "async":
        heads += [f"async {head}" for head in heads]
    return [*draw(st.sampled_from(heads)).split("\n"), *draw_block(draw, inner)]


def draw_function(draw: st.DrawFn, inner: Around) -> list[str]:
    kind = draw(st.sampled_from(["plain", "generator", "async"]))
    body = draw_block(draw, Around(inner.depth, False, kind))
    call = "x = g()" if kind == "plain" else "x = drive(g())"
    head = "async def g():" if kind == "async" else "def g():"
    ends = {"plain": [], "generator": ["    yield 1"], "async": ["    await pause()"]}[kind]
    return [head, *body, *ends, call]


@st.composite
def programs(draw: st.DrawFn) -> str:
    choices = draw(st.lists(st.integers(0, 20), min_size=5, max_size=30))
    body = [*draw(block(Around())), *draw(block(Around()))]
    return PRELUDE.format(choices=choices) + "\n".join(["def program():", *indented(body)]) + "\n"


@pytest.fixture(scope="module", params=REWRITTEN, ids=str)
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    with Worker(request.param) as started:
        yield started


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(source=programs())
def test_random_programs(worker: Worker, source: str) -> None:
    # Up to 3.10 a block has one way to its handler, while tracing reports a line there or not, depending on
    # what has raised. The hook is called always.
    assert_alike(worker.ask(source, "program"), exactly=worker.interpreter.version >= (3, 11))
