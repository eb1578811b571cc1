"""What functions return and yield, at `break -r`, `break -y` and after steps, by the real command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.command import Ran, Remora
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

assert NEWEST
PROGRAM = """\
#
import time

def price(count):
    return count * 10  # @price

def stream():
    for number in range(2):
        yield number  # @stream

def total():
    found = 0
    for count in range(3):
        found += price(count)  # @called
    found += sum(stream())
    return found

while True:
    print("total", total(), flush=True)
    time.sleep(0.05)
"""


@pytest.fixture
def program(interpreter: Interpreter) -> Iterator[Program]:
    with Program(interpreter, PROGRAM, enable={}) as started:
        started.wait_line("total 31")
        yield started


def answers(ran: Ran) -> list[dict[str, Any]]:
    return [line for line in ran.lines if "command" in line]


def test_break_at_a_return(program: Program, remora: Remora) -> None:
    ran = remora.exec(
        program.qualifier,
        "break -r price if $retval == 20",
        "continue",
        "print $retval",
        "print count",
        "next",
        "retval",
        "breakpoints",
    )
    assert ran.code == 0, ran
    _, stopped, value, count, stepped, returned, listed = answers(ran)
    assert stopped["stop"]["reason"] == "function breakpoint"
    assert stopped["stop"]["frame"]["line"] == program.line("price")
    assert (value["result"]["value"], count["result"]["value"]) == ("20", "2")
    assert stepped["stop"]["frame"]["line"] == program.line("called")
    assert returned["result"]["value"] == "20"
    assert listed["result"][0]["at"] == "return"


def test_another_value_for_the_caller(program: Program, remora: Remora, interpreter: Interpreter) -> None:
    """Where the interpreter lets it be done; elsewhere it says that it does not."""
    replaces = not interpreter.is_pypy and interpreter.version < (3, 12)
    ran = remora.exec(
        program.qualifier,
        "break -r price if count == 2",
        "continue",
        "set $retval = count + 1000",
        "print $retval",
        "clear 1",
    )
    if replaces:
        assert ran.code == 0, ran
        assert answers(ran)[3]["result"]["value"] == "1002"
        program.wait_line("total 1013")
        ran = remora.exec(program.qualifier, "break -r price if count == 1", "continue", "return 500")
        assert ran.code == 0, ran
        assert answers(ran)[-1]["stop"]["frame"]["line"] == program.line("called")
        program.wait_line("total 521")
    else:
        assert ran.code == 1
        assert "CPython 3.9 to 3.11" in answers(ran)[-1]["error"]
    program.wait_line("total 31")


def test_break_at_a_yield(program: Program, remora: Remora) -> None:
    ran = remora.exec(program.qualifier, "break -y stream", "continue", "p $retval", "continue", "p $retval")
    assert ran.code == 0, ran
    values = [line["result"]["value"] for line in answers(ran) if line["command"] == "p $retval"]
    assert values == ["0", "1"]
    assert answers(ran)[1]["stop"]["text"] == "yielding"


def test_next_shows_what_a_call_returned(program: Program, remora: Remora, interpreter: Interpreter) -> None:
    line = program.line("called")
    ran = remora.exec(
        program.qualifier, f"break program.py:{line} if count == 2", "continue", "next", "retval"
    )
    if interpreter.monitored:
        assert ran.results()[-1] == {"value": "20", "type": "int", "name": "(price) returned"}
    else:
        assert "No call has just returned" in answers(ran)[-1]["error"]


def test_what_a_person_sees(remora: Remora) -> None:
    with Program(NEWEST, PROGRAM, enable={}) as program:
        program.wait_line("total")
        with remora.terminal("attach", program.qualifier) as terminal:
            terminal.wait("running")
            terminal.enter("break -r price if count == 2")
            terminal.wait("return of price at program.py")
            terminal.wait("returning")
            terminal.wait("price returned: 20")
            terminal.enter("break program.py:/found += price/")
            terminal.enter("continue")
            terminal.wait("Breakpoint 2")
            terminal.enter("next")
            terminal.wait("↩ price returned: ")
            terminal.enter("break -y price")
            terminal.wait("yields nothing: it is no generator")
            terminal.enter("break -r program.py:3")
            terminal.wait("name a function")


def test_messages_at_functions(program: Program, remora: Remora) -> None:
    ran = remora.exec(
        program.qualifier,
        "trace price 'called with {count}'",
        "break -r -log 'gives {$retval}' price",
        "break program.py:/found += sum/",
        "continue",
        "continue",
    )
    assert ran.code == 0, ran
    told = [line["body"]["output"].strip() for line in ran.lines if line.get("event") == "output"]
    logged = [text for text in told if "called" in text or "gives" in text]
    assert logged[-2:] == ["called with 2", "gives 20"], ran
