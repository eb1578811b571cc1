"""Exceptions that belong together: shown as a tree, and each can be looked at. By the real command."""

from __future__ import annotations

import pytest

from remora_client import attach
from tests.support.command import Remora
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

assert NEWEST
CHAIN = """\
#
import time

def read(name):
    size = len(name)
    raise KeyError(name)  # @read

def load(name):
    try:
        return read(name)
    except KeyError as error:
        depth = 1
        raise ValueError("no settings") from error  # @load

while True:
    try:
        load("main")
    except ValueError:
        pass
    time.sleep(0.05)
"""
GROUP = """\
#
import remora

def fetch(number):
    place = f"host-{number}"
    try:
        {}[place]  # @looked
    except KeyError as error:
        raise OSError(f"no {place}") from error  # @fetch

remora.wait_for_attach(30)
failed = []
for number in range(3):
    try:
        fetch(number)
    except OSError as error:
        failed.append(error)
failed.append(RuntimeError("made by hand"))
try:
    raise ExceptionGroup("all failed", failed)
except ExceptionGroup as group:
    remora.post_mortem(group)
print("end", flush=True)
"""


def test_a_cause_is_looked_at(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, CHAIN, enable={}) as program:
        ran = remora.exec(
            program.qualifier,
            "catch raised ValueError",
            "continue",
            "exceptions 2",
            "print $exc",
            "print size",
            "where",
            "exceptions 1",
            "print $exc",
            "print depth",
            "exceptions 2",
            "next",
            "where",
        )
        assert ran.code == 0, ran
        _, _, chosen, error, size, stack, _, own, depth, _, stepped, after = (
            line for line in ran.lines if "command" in line
        )
        assert chosen["result"]["shown"] == 2
        assert error["result"]["value"] == "KeyError('main')"
        assert size["result"]["value"] == "4"
        assert stack["result"][0]["line"] == program.line("read")
        assert (own["result"]["value"], depth["result"]["value"]) == ("ValueError('no settings')", "1")
        # A step is one of the program's, whatever was looked at.
        assert stepped["stop"]["frame"]["name"] == "<module>"
        assert after["result"][0]["name"] == "<module>"


def test_a_group_is_a_tree(remora: Remora) -> None:
    with Program(NEWEST, GROUP, enable={}) as program:
        ran = remora.exec(
            program.qualifier, "continue", "exceptions", "exceptions 2", "print place", "exceptions 5",
            "print place", "print $exc", "exceptions 8", "print $exc", "exceptions 99",
        )  # fmt: skip
        assert ran.code == 1
        lines = [line for line in ran.lines if "command" in line]
        details = lines[1]["result"]["details"]
        numbers = [
            (each["remora"]["number"], [inner["remora"]["number"] for inner in each["innerException"]])
            for each in details["innerException"]
        ]
        assert numbers == [(2, [3]), (4, [5]), (6, [7]), (8, [])]
        assert lines[3]["result"]["value"] == "'host-0'"
        assert lines[5]["result"]["value"] == "'host-1'"
        assert lines[6]["result"]["value"] == "KeyError('host-1')"
        assert lines[8]["result"]["value"] == "RuntimeError('made by hand')"
        assert "only 1 to 8" in lines[9]["error"]
        program.wait_line("end")


def test_what_a_person_sees(remora: Remora) -> None:
    with (
        Program(NEWEST, GROUP, enable={}) as program,
        remora.terminal("attach", program.qualifier) as terminal,
    ):
        terminal.wait(r"ExceptionGroup: all failed.*\[1\] ←")
        terminal.wait(r"holds OSError: no host-0  \[2\]")
        terminal.wait(r"from KeyError: 'host-0'  \[3\]")
        terminal.enter("exceptions 3")
        terminal.wait(r"from KeyError: 'host-0'  \[3\] ←")
        terminal.wait(r"fetch at \S*program.py:7")
        terminal.enter("exceptions 8")
        terminal.wait("It was never raised")


@pytest.mark.parametrize("number", [1, 3])
def test_from_python(number: int) -> None:
    with Program(NEWEST, GROUP, enable={}) as program, attach(program.qualifier) as session:
        assert session.wait_for_stop(timeout=20)
        assert session.select_exception(number)
        assert session.exception_info().shown == number
        names = {1: "<module>", 3: "fetch"}
        assert session.stack()[0].name == names[number]
        assert not session.select_exception(8)
