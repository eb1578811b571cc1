"""`remora.on_stop`: a function of the program's is told of each stop, and nobody waits for it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from tests.support.dap import DapClient
from tests.support.interpreters import NEWEST, ROOT, Interpreter
from tests.support.program import Program, threads_and_sockets
from tests.support.waiting import until

HOOKED = """\
#
import os, sys, threading, time
import remora

stops = []

@remora.on_stop
def hook(stop):
    stops.append(stop)
    {body}

def double(number):
    return number * 2  # @double

def work():
    time.sleep(0.01)  # @work

{before}
while True:
    work()
"""


def start(body: str = "print(stop, flush=True)", **more: Any) -> Program:
    assert NEWEST is not None
    interpreter = more.pop("interpreter", NEWEST)
    text = HOOKED.format(body=body, before=more.pop("before", ""))
    return Program(interpreter, text, enable={}, **more)


def stop_at_work(client: DapClient, program: Program) -> int:
    client.attach({program.path: [program.line("work")]})
    return int(client.wait_stopped()["threadId"])


def test_it_is_told_what_stopped_where_while_it_stands(interpreter: Interpreter) -> None:
    with start(interpreter=interpreter) as program, DapClient.connect(program.address) as client:
        thread = stop_at_work(client, program)
        told, _, seconds = program.wait_line(r"^Stop\((.*)\)$")[1].rpartition(", time=")
        ident = told.partition("ident=")[2].partition(",")[0]
        assert told == (
            f"reason='breakpoint', description='', text='', thread='MainThread', ident={ident}, "
            f"all_threads=True, function='work', file='{program.path}', line={program.line('work')}"
        )
        assert abs(float(seconds) - time.time()) < 20
        assert int(ident) > 0
        client.next(thread)
        client.wait_stopped(reason="step")
        program.wait_line(r"^Stop\(reason='step'")
        client.disconnect()


def test_a_stop_in_a_call_is_told_and_an_evaluation_is_none() -> None:
    with start("print(stop.reason, stop.function, stop.description, flush=True)") as program:
        with DapClient.connect(program.address) as client:
            thread = stop_at_work(client, program)
            client.set_breakpoints(program.path, [program.line("double")])
            frame = client.top(thread)["id"]
            assert client.evaluate("double(3)", frame)["result"] == "6"
            call = client.begin("remora/call", expression="double(4)", frameId=frame)
            client.wait_stopped(reason="breakpoint")
            client.continue_(thread)
            client.finish(call)
            client.expect_event("stopped")
            program.wait_line(r"^breakpoint work \nbreakpoint double \nbreakpoint work back from the call$")
            client.disconnect()


def test_one_that_hangs_holds_nobody_and_breakpoints_do_not_stop_it() -> None:
    body = "time.sleep(3600)  # @inside"
    with start(body) as program, DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("work"), program.line("inside")]})
        for _ in range(110):  # more than wait for it
            stop = client.wait_stopped()
            assert client.top(stop["threadId"])["line"] == program.line("work")
            client.continue_(stop["threadId"])
        client.wait_stopped()
        assert client.evaluate("len(stops)", client.top(1)["id"])["result"] == "1"
        names = [thread["name"] for thread in client.threads()]
        assert names == ["MainThread"]
        client.disconnect()


def test_a_failure_is_told_once(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with start("raise ValueError('a detail')", env={"REMORA_LOG": str(file)}) as program:
        with DapClient.connect(program.address) as client:
            thread = stop_at_work(client, program)
            for _ in range(3):
                client.continue_(thread)
                client.wait_stopped()
            said = client.expect_event("output", category="important")["output"]
            assert said == "The program's on_stop hook failed (ValueError); REMORA_LOG has where.\n"
            again = [event for event in client.drain() if event["event"] == "output"]
            assert [event for event in again if "on_stop" in event["body"]["output"]] == []
            client.disconnect()
        assert program.errors == ""
    log = file.read_text()
    assert (log.count("ValueError: a detail"), log.count("told once")) == (1, 1)


def test_no_thread_is_left_and_none_takes_it_back() -> None:
    with start("print('told', flush=True)") as program:
        assert program.address
        with DapClient.connect(program.address) as client:
            thread = stop_at_work(client, program)
            program.wait_line("^told$")
            until(lambda: threads_and_sockets(program.pid)[0] <= 2, "its thread's end")
            client.evaluate("remora.on_stop(None)", client.top(thread)["id"])
            client.continue_(thread)
            client.wait_stopped()
            assert client.evaluate("len(stops)", client.top(thread)["id"])["result"] == "1"
            client.disconnect()


def test_a_forked_child_has_it(interpreter: Interpreter) -> None:
    body = "print('told in', os.getpid(), flush=True)"
    before = "child = os.fork()\nif child: print('child', child, flush=True); os.waitpid(child, 0)"
    with start(body, interpreter=interpreter, before=before, warnings="default") as program:
        child = int(program.wait_line(r"^child (\d+)$")[1])
        deadline = time.monotonic() + 20
        while True:
            with DapClient.connect(program.address) as client:
                known = [row["pid"] for row in client.request("remora/processes")["processes"]]
                if child in known:
                    client.request("remora/open", pid=child)
                    client.login(None)
                    stop_at_work(client, program)
                    program.wait_line(rf"^told in {child}$")
                    client.disconnect()
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(child, 9)


def test_the_page_has_a_hook_that_works() -> None:
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    text = page.partition("## What stops")[2].partition("```python\n")[2].partition("```")[0]
    assert NEWEST is not None
    program = f"#\n{text}while True:\n    pass  # @here\n"
    with Program(NEWEST, program, enable={}) as started, DapClient.connect(started.address) as client:
        client.attach({started.path: [started.line("here")]})
        client.wait_stopped()
        started.wait_line(
            rf"^breakpoint at .*program.py:{started.line('here')} in <module>, thread MainThread$"
        )
        client.disconnect()
