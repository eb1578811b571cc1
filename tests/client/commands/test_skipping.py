"""What steps pass by: library code, and files, functions and modules that the person names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from remora_client._errors import ClientError
from tests.client.commands.conftest import Debugging
from tests.support.interpreters import INTERPRETERS, Interpreter
from tests.support.program import Program

PROGRAM = """\
import sys, textwrap


def quiet(number):
    return number + 1  # @quiet


def loud(number):
    return quiet(number)  # @loud


print("ready", flush=True)
for line in sys.stdin:
    first = loud(1)  # @first
    second = textwrap.dedent(line)  # @second
    print("done", flush=True)  # @third
"""


@pytest.fixture(params=INTERPRETERS, ids=str)
def stepping(request: pytest.FixtureRequest) -> Iterator[Debugging]:
    interpreter: Interpreter = request.param
    with Program(interpreter, PROGRAM, enable={"secret": None}) as program, asyncio.Runner() as runner:
        program.wait_line("ready")
        found = Debugging(program, runner)
        found.ctx.interactive = True
        try:
            found.run(f"b program.py:{found.line('first')}")
            program.stdin_line("x")
            found.runner.run(found.session.wait_for_stop(10))
            yield found
        finally:
            found.close()


def test_steps_pass_by(stepping: Debugging) -> None:
    assert stepping.run("skip func quiet") == [{"kind": "function", "pattern": "quiet"}]
    stepping.run("step")
    assert stepping.at("loud")
    stepping.run("step")
    assert not stepping.at("quiet")
    assert "passed" in stepping.text
    assert "(skip function); step! enters it" in stepping.text
    assert stepping.run("skip -d 1") == []
    stepping.run(f"b program.py:{stepping.line('second')}", "continue")
    assert stepping.at("second")
    stepping.run("step")
    assert stepping.at("third")
    assert "textwrap.py (stdlib); step! enters it" in stepping.text
    stepping.program.stdin_line("y")
    stepping.run("continue")
    assert stepping.at("first")
    stepping.run("skip module __main__", "step")
    assert "step! enters" in stepping.text or stepping.stop is not None


def test_step_with_a_mark_enters_anything(stepping: Debugging) -> None:
    stepping.run(f"b program.py:{stepping.line('second')}", "continue")
    stepping.run("step!")
    assert stepping.stop is not None
    assert stepping.stop.frame is not None
    assert stepping.stop.frame.name == "dedent"
    stepping.run("return", "clear -all", "jmc off")
    assert "Just my code is off" in stepping.text
    assert stepping.run("jmc") == {"justMyCode": False}


def test_refusals(stepping: Debugging) -> None:
    for command, says in (
        ("skip folder x", "file, func or module"),
        ("skip -d 3", "no skip 3"),
        ("jmc maybe", "on or off"),
        ("watch first", "cannot stop"),
        ("connect tcp://elsewhere", "remora attach tcp://elsewhere"),
        ("call", "As in"),
    ):
        with pytest.raises(ClientError, match=says):
            stepping.run(command)
    assert stepping.run("call loud(3)") == {"value": "4", "type": "int"}
    assert stepping.run("skip func")[0]["pattern"] in ("<module>", "program")
    stepping.run("skip -all")
