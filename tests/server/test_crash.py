"""Looking at exceptions after the fact: `remora.post_mortem`, and programs that wait when they crash."""

from __future__ import annotations

import time

import pytest

from tests.support.dap import DapClient
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program, interrupt
from tests.support.waiting import until

CAUGHT = """\
#
def divide(dividend, divisor):
    return dividend / divisor
def work():
    secret_of_work = 7
    try:
        divide(1, 0)
    except ZeroDivisionError:
        print("SEEN", remora.post_mortem(), flush=True)
    return secret_of_work
input()
work()
try:
    remora.post_mortem()
except ValueError as error:
    print("REFUSED", error, flush=True)
try:
    remora.post_mortem(KeyError("never raised"))
except ValueError as error:
    print("REFUSED", error, flush=True)
"""


def test_a_caught_exception_is_looked_at_with_its_frames(interpreter: Interpreter) -> None:
    with Program(interpreter, CAUGHT, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach()
        program.stdin_line("")
        stop = client.wait_stopped()
        assert (stop["reason"], stop["description"]) == ("exception", "ZeroDivisionError, post mortem")
        stack = client.stack(stop["threadId"])
        assert [frame["name"] for frame in stack] == ["divide", "work", "<module>"]
        assert client.evaluate("dividend, divisor", stack[0]["id"])["result"] == "(1, 0)"
        assert client.evaluate("secret_of_work", stack[1]["id"])["result"] == "7"
        assert client.evaluate("type($exc).__name__", stack[0]["id"])["result"] == "'ZeroDivisionError'"
        client.continue_(stop["threadId"])
        program.wait_line("SEEN True")
        program.wait_line("REFUSED .* outside of an except block")
        program.wait_line("REFUSED .* was not raised")
        assert program.returncode() == 0


def test_nobody_attached_nothing_happens(interpreter: Interpreter) -> None:
    with Program(interpreter, CAUGHT, enable={}) as program:
        program.stdin_line("")
        program.wait_line("SEEN False")
        assert program.returncode() == 0


CRASHES = {
    "main": "crash()",
    "thread": "import threading\nt = threading.Thread(target=crash)\nt.start()\nt.join()",
    "task": """\
import asyncio, gc
async def fails():
    crash()
async def main():
    asyncio.ensure_future(fails())
    await asyncio.sleep(0.01)
    gc.collect()
remora.wait_on_crash(20)  # again: now asyncio is there
asyncio.run(main())
""",
    "unraisable": """\
import gc
class Ends:
    def __del__(self):
        crash()
thing = Ends()
del thing
gc.collect()
""",
}


@pytest.mark.parametrize("kind", CRASHES)
def test_a_crash_waits_for_a_client(interpreter: Interpreter, kind: str) -> None:
    source = f"""#
import os
remora.wait_on_crash(20)
def crash():
    evidence = 42
    os.stat("/nowhere/at/all")
{CRASHES[kind]}
"""
    with Program(interpreter, source, enable={}, warnings="ignore") as program:
        host, port = program.address
        program.wait_line(
            rf"remora: FileNotFoundError was not caught; waiting for 20 s .* {host}:{port}", errors=True
        )
        assert "FileNotFoundError: " in program.errors  # the traceback does not wait
        with DapClient.connect(program.address) as client:
            client.attach()
            stop = client.wait_stopped(reason="exception")
            frame = client.top(stop["threadId"])
            assert frame["name"].endswith("crash")
            assert client.evaluate("evidence", frame["id"])["result"] == "42"
            client.continue_(stop["threadId"])
        assert program.returncode() == (1 if kind == "main" else 0)


def test_who_comes_to_a_crash_finds_the_program_waiting_and_then_stopped(interpreter: Interpreter) -> None:
    source = """#
import time
remora.wait_on_crash(20)
from remora import _api
at_once = _api.post_mortem
def on_a_busy_machine(error):
    time.sleep(0.3)
    return at_once(error)
_api.post_mortem = on_a_busy_machine
1 / 0
"""
    with Program(interpreter, source, enable={}) as program:
        program.wait_line("waiting for 20 s", errors=True)
        with DapClient.connect(program.address) as client:
            until(
                lambda: client.request("remora/processes")["processes"][0]["state"] == "waiting", "its wait"
            )
            client.attach()
            assert "stopped" in [thread["remora"]["state"] for thread in client.threads()]
            assert client.request("remora/processes")["processes"][0]["state"] == "stopped"
            client.continue_(client.wait_stopped()["threadId"])
        assert program.returncode() == 1


def test_it_waits_no_longer_than_told() -> None:
    source = "#\nimport remora\nremora.wait_on_crash(0.3)\n1 / 0\n"
    with Program(NEWEST, source, enable={}) as program:
        program.wait_line("waiting for 0.3 s", errors=True)
        assert program.returncode() == 1


def test_ctrl_c_ends_the_waiting() -> None:
    source = "#\nimport remora\nremora.wait_on_crash()\n1 / 0\n"
    with Program(NEWEST, source, enable={}) as program:
        program.wait_line("was not caught; waiting for a debugger", errors=True)
        began = time.monotonic()
        interrupt(program)
        assert program.returncode() == 1
        assert time.monotonic() - began < 5


def test_it_is_asked_for_after_enabling_and_ends_with_it() -> None:
    source = """
import sys, threading
import remora
before = sys.excepthook, threading.excepthook, sys.unraisablehook
try:
    remora.wait_on_crash()
except RuntimeError as error:
    print("REFUSED", error)
remora.enable_attach(None, ("127.0.0.1", 0))
remora.wait_on_crash()
remora.disable_attach()
assert before == (sys.excepthook, threading.excepthook, sys.unraisablehook)
1 / 0
"""
    with Program(NEWEST, source) as program:
        assert program.returncode() == 1
        assert "REFUSED Call remora.enable_attach() before" in program.output
        assert "waiting" not in program.errors


def test_a_thread_that_is_to_be_left_alone_does_not_wait() -> None:
    source = "#\nimport remora\nremora.wait_on_crash()\nremora.trace_this_thread(False)\n1 / 0\n"
    assert NEWEST is not None
    with Program(NEWEST, source, enable={}) as program:
        assert program.returncode() == 1
        assert "waiting" not in program.errors
