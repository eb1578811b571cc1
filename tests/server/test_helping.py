"""An evaluation that needs what another stopped thread has: it is noticed, helped, and said."""

from __future__ import annotations

import time

import pytest

from tests.server.test_inspection import Stopped
from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program
from tests.support.waiting import until

LOCKED = """\
#
import logging, sys, threading, time
lock = threading.Lock()
has_it = threading.Event()
events = []
def hold():
    while True:
        with lock:
            has_it.set()
            until = time.monotonic() + 0.2
            while time.monotonic() < until:
                events.append("held")
        time.sleep(0.001)
        events.append("free")
def ask():
    with lock:
        return "it came"
def work():
    has_it.wait()
    while not lock.locked():
        pass
    here = 1  # @here
    return here
input()
threading.Thread(target=hold, daemon=True).start()
work()
input()
print("DONE", flush=True)
"""


def test_others_run_on_until_the_lock_is_free(interpreter: Interpreter) -> None:
    with Program(interpreter, LOCKED, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("here")]})
        program.stdin_line("")
        stopped = Stopped(program, client)
        _wait_until_held(client, 2)
        assert stopped.evaluate("ask()") == "'it came'"
        said = client.expect_event("output", category="console")["output"]
        assert said.startswith("It waited for what another stopped thread had: the others ran on for ")
        # They are held again: nothing is appended any more.
        _wait_until_held(client, 2)
        count = stopped.evaluate("len(events)")
        time.sleep(0.05)
        assert stopped.evaluate("len(events)") == count
        client.continue_(stopped.thread)
        program.stdin_line("")
        program.wait_line("DONE")
        assert program.returncode() == 0


def _wait_until_held(client: DapClient, count: int) -> None:
    until(
        lambda: sum(one["remora"]["state"] == "stopped" for one in client.threads()) >= count,
        f"{count} threads to be held",
    )


def test_the_thread_that_the_person_stands_in_is_not_let_go() -> None:
    source = LOCKED.replace("    here = 1  # @here\n", "    with lock:\n        here = 1  # @here\n").replace(
        "threading.Thread(target=hold", "threading.Thread(target=spin"
    )
    source = source.replace("def ask", "def spin():\n    has_it.set()\n    while True: ready = 1\ndef ask")
    source = source.replace("    while not lock.locked():\n        pass\n", "")
    with Program(NEWEST, source, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("here")]})
        program.stdin_line("")
        stopped = Stopped(program, client)
        _wait_until_held(client, 2)
        other = next(one["id"] for one in client.threads() if one["id"] != stopped.thread)
        frame = client.top(other)["id"]
        number = client.begin("evaluate", expression="ask()", frameId=frame, context="repl")
        said = client.expect_event("output", category="console")["output"]
        assert said == "This takes longer than 5 s. Ctrl-C gives it up.\n"
        assert stopped.evaluate("1 + 1") == "2"
        client.continue_(stopped.thread)
        assert client.finish(number)["result"] == "'it came'"
        program.stdin_line("")
        program.wait_line("DONE")


def test_what_only_sleeps_is_not_helped() -> None:
    with Program(NEWEST, LOCKED, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("here")]})
        program.stdin_line("")
        stopped = Stopped(program, client)
        _wait_until_held(client, 2)
        count = stopped.evaluate("len(events)")
        stopped.evaluate("time.sleep(1)")
        assert stopped.evaluate("len(events)") == count
        assert not [each for each in client.events if "ran on" in str(each["body"].get("output"))]


def test_a_breakpoint_that_a_helper_comes_to_is_kept(interpreter: Interpreter) -> None:
    source = LOCKED.replace('events.append("free")', 'events.append("free")  # @free')
    with Program(interpreter, source, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("here")]})
        program.stdin_line("")
        stopped = Stopped(program, client)
        _wait_until_held(client, 2)
        client.set_breakpoints(program.path, [program.line("free")])
        assert stopped.evaluate("ask()") == "'it came'"
        assert stopped.evaluate("1 + 1") == "2"
        client.continue_(stopped.thread)
        stop = client.wait_stopped(reason="breakpoint")
        assert stop["threadId"] != stopped.thread
        client.set_breakpoints(program.path, [])
        client.continue_(stop["threadId"])
        program.stdin_line("")
        program.wait_line("DONE")


def test_cancelling_what_waits_for_a_lock_answers_when_it_came(interpreter: Interpreter) -> None:
    with Program(interpreter, LOCKED, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("here")]})
        program.stdin_line("")
        stopped = Stopped(program, client)
        _wait_until_held(client, 2)
        number = client.begin("evaluate", expression="ask()", frameId=stopped.frame, context="repl")
        client.request("cancel", requestId=number)
        with pytest.raises(Refused) as caught:
            client.finish(number)
        assert caught.value.code == "cancelled"
        assert stopped.evaluate("1 + 1") == "2"
