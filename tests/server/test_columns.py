"""Several places on one line: a breakpoint with a column stops at one of them, on every interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.dap import DapClient
from tests.support.interpreters import Interpreter
from tests.support.program import Program

PROGRAM = """\
#
import time
def both(number):
    first, second = (lambda n: n + 1), (lambda n: n * 2)  # @lambdas
    same = [(lambda n: n - 3), (lambda n: n - 3)]  # @same
    return first(second(number)) + sum(each(number) for each in same)  # @uses
def short(n): return n + 5  # @short
while True:
    both(4)
    short(7)
    time.sleep(0.01)
"""
FIRST, SECOND = "n + 1", "n * 2"


@pytest.fixture
def program(interpreter: Interpreter) -> Iterator[Program]:
    with Program(interpreter, PROGRAM, enable={}) as started:
        yield started


def column_of(text: str) -> int:
    line = next(line for line in PROGRAM.splitlines() if text in line)
    return line.index(text) + 1


def own_name(frame: dict[str, Any]) -> str:
    """Without the functions around it, which Python knows from 3.11 on."""
    return str(frame["name"]).rpartition(".")[2]


def test_only_the_place_meant_stops(program: Program) -> None:
    with DapClient.connect(program.address) as client:
        line = program.line("lambdas")
        client.attach({})
        wanted = {"line": line, "column": column_of("lambda n: n * 2") + 3}
        (made,) = client.set_breakpoints(program.path, [wanted])
        assert made["verified"]
        assert (made["line"], made["column"]) == (line, column_of(SECOND))
        for _ in range(3):
            thread = int(client.wait_stopped(reason="breakpoint")["threadId"])
            top = client.top(thread)
            assert (own_name(top), top["line"]) == ("<lambda>", line)
            assert client.evaluate("n", top["id"])["result"] == "4"
            client.continue_(thread)
        places = [{"line": line, "column": column_of(FIRST)}, {"line": program.line("short"), "column": 15}]
        first, short = client.set_breakpoints(program.path, places)
        assert first["column"] == column_of(FIRST)
        assert short["column"] == column_of("return n + 5")
        seen = []
        for _ in range(5):
            stopped = client.wait_stopped(reason="breakpoint")
            thread = int(stopped["threadId"])
            top = client.top(thread)
            seen.append((own_name(top), client.evaluate("n", top["id"])["result"]))
            client.continue_(thread)
        under_way = ("<lambda>", "4")
        assert set(seen) - {under_way} == {("<lambda>", "8"), ("short", "7")}
        assert seen.count(under_way) <= 1
        client.disconnect()


def test_where_a_line_can_stop(program: Program, interpreter: Interpreter) -> None:
    with DapClient.connect(program.address) as client:
        client.attach({})
        source = {"source": {"path": str(program.path)}}

        def columns(marker: str) -> list[object]:
            found = client.request("breakpointLocations", {**source, "line": program.line(marker)})
            return [each.get("column") for each in found["breakpoints"]]

        assert columns("lambdas") == [5, column_of(FIRST), column_of(SECOND)]
        assert columns("short") == [1, column_of("return n + 5")]
        uses = ["return first", "each(number) for"]
        assert columns("uses") == [column_of(text) for text in uses]
        whole = client.request("breakpointLocations", {**source, "line": 2, "endLine": 3})["breakpoints"]
        assert whole == [{"line": 2}, {"line": 3}]
        (made,) = client.set_breakpoints(program.path, [{"line": program.line("same"), "column": 36}])
        assert made["verified"]
        if interpreter.version < (3, 11) and interpreter.implementation == "cpython":
            assert "the same code for several places" in made["message"]
        else:
            assert "message" not in made
        client.disconnect()
