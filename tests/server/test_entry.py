"""`stopOnEntry`: debugging begins with a stop, at the first line that the program goes on with."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.dap import DapClient
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

SCRIPT = """\
# A comment.
import json  # @first
value = json.loads("1")  # @second
"""
WAITS = """\
# Enabled.
import remora
def prepare():
    print(remora.wait_for_attach(), flush=True)
    value = 1  # @behind
    return value
prepare()
"""
BUSY = """\
# Enabled.
import time
print("runs", flush=True)
while True:
    time.sleep(0.01)
"""


def _attach_to_waiting(program: Program, **arguments: Any) -> DapClient:
    found = program.wait_line(r"^remora: tcp://127.0.0.1:(\d+) is process \d+, waiting", errors=True)
    return DapClient.connect(("127.0.0.1", int(found[1]))).attach(stopOnEntry=True, **arguments)


@pytest.mark.parametrize(
    ("words", "my_code"), [(["{script}"], True), (["{script}"], False), (["-m", "program"], True)]
)
def test_a_program_started_with_wait_stops_at_its_first_line(
    interpreter: Interpreter, words: list[str], my_code: bool
) -> None:
    options = ["-m", "remora", "--listen", "127.0.0.1:0", "--no-secret", "--wait", *words]
    with (
        Program(interpreter, SCRIPT, argv=options) as program,
        _attach_to_waiting(program, justMyCode=my_code) as client,
    ):
        stop = client.wait_stopped()
        thread = stop["threadId"]
        assert (stop["reason"], stop["description"]) == ("entry", "stopped on entry")
        assert (client.top(thread)["name"], client.top(thread)["line"]) == ("<module>", program.line("first"))
        client.next(thread)
        client.wait_stopped(reason="step")
        assert client.top(thread)["line"] == program.line("second")
        client.next(thread)  # behind its last line the program is over, whatever has started it
        client.expect_event("terminated")
        assert "stopped" not in [event["event"] for event in client.events]
        assert program.returncode() == 0


@pytest.mark.parametrize(("words", "name"), [(["{script}"], "program.py"), (["-m", "program"], "program")])
def test_a_program_that_waits_has_its_own_name(interpreter: Interpreter, words: list[str], name: str) -> None:
    options = ["-m", "remora", "--listen", "127.0.0.1:0", "--no-secret", "--wait", *words]
    with (
        Program(interpreter, SCRIPT, argv=options) as program,
        _attach_to_waiting(program) as client,
    ):
        assert client.expect_event("process")["name"] == name
        client.disconnect()
        assert program.returncode() == 0


@pytest.mark.parametrize("my_code", [True, False])
def test_one_that_calls_wait_for_attach_stops_behind_the_call(
    interpreter: Interpreter, my_code: bool
) -> None:
    with (
        Program(interpreter, WAITS, enable={}) as program,
        DapClient.connect(program.address).attach(stopOnEntry=True, justMyCode=my_code) as client,
    ):
        stop = client.wait_stopped(reason="entry")
        top = client.top(stop["threadId"])
        assert (top["name"], top["line"]) == ("prepare", program.line("behind"))
        program.wait_line("^True$")
        client.continue_(stop["threadId"])
        client.expect_event("terminated")


def test_one_that_nobody_holds_back_is_paused(interpreter: Interpreter) -> None:
    with (
        Program(interpreter, BUSY, enable={}) as program,
        DapClient.connect(program.address).attach(stopOnEntry=True) as client,
    ):
        client.wait_stopped(reason="pause")
        assert [each["name"] for each in client.stack(1)] == ["<module>"]
        client.disconnect()


def test_who_does_not_ask_is_not_stopped(interpreter: Interpreter) -> None:
    with Program(interpreter, WAITS, enable={}) as program:
        with DapClient.connect(program.address).attach() as client:
            client.expect_event("terminated")
        assert program.returncode() == 0


def test_an_observer_cannot_have_the_program_stop() -> None:
    assert NEWEST is not None
    with Program(NEWEST, WAITS, enable={"secret": "drive", "observer_secret": "look"}) as program:
        with DapClient.connect(program.address, login=False) as observer:
            observer.login("look", user="observer")
            observer.attach(stopOnEntry=True)
            with DapClient.connect(program.address, "drive").attach() as client:
                client.expect_event("terminated")
        assert program.returncode() == 0
