"""A call that the person makes, with breakpoints in it: the program stops there, and then as before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.dap import DapClient, Refused
from tests.support.interpreters import Interpreter
from tests.support.program import Program

PROGRAM = """\
#
import threading, time
counted = []
def count():
    while True:
        counted.append(1)
        time.sleep(0.005)
threading.Thread(target=count, daemon=True).start()
def double(number):
    result = number * 2  # @double
    return result
def outer():
    return double(1) + double(2)
def work():
    here = 5  # @work
    return here
while True:
    work()
    time.sleep(0.01)
"""


@pytest.fixture
def program(interpreter: Interpreter) -> Iterator[Program]:
    with Program(interpreter, PROGRAM, enable={}) as started:
        yield started


def where(client: DapClient, thread: int) -> list[tuple[str, int]]:
    return [(frame["name"], frame["line"]) for frame in client.stack(thread)]


def begin_call(client: DapClient, expression: str, thread: int) -> int:
    return client.begin("remora/call", expression=expression, frameId=client.top(thread)["id"])


def stop_at_work(client: DapClient, program: Program) -> int:
    client.attach({program.path: [program.line("work"), program.line("double")]})
    thread = int(client.wait_stopped(reason="breakpoint")["threadId"])
    assert where(client, thread)[0] == ("work", program.line("work"))
    return thread


def test_a_breakpoint_in_the_call_stops(program: Program) -> None:
    with DapClient.connect(program.address) as client:
        thread = stop_at_work(client, program)
        assert client.evaluate("double(4)", client.top(thread)["id"])["result"] == "8"  # runs through
        calling = begin_call(client, "outer()", thread)
        for number in (1, 2):
            assert client.wait_stopped(reason="breakpoint")["threadId"] == thread
            stack = where(client, thread)
            assert stack[0] == ("double", program.line("double"))
            assert stack[1][0] == "outer"
            assert stack[2][0] == "work"
            assert client.evaluate("number", client.top(thread)["id"])["result"] == str(number)
            if number == 1:
                client.next(thread)
                client.wait_stopped(reason="step")
                assert client.evaluate("result", client.top(thread)["id"])["result"] == "2"
            client.continue_(thread)
        answer = client.finish(calling)
        assert answer["result"] == "6"
        back: dict[str, Any] = client.wait_stopped()
        assert back["description"] == "back from the call"
        assert "hitBreakpointIds" not in back
        assert where(client, thread)[0] == ("work", program.line("work"))
        assert client.evaluate("len(counted) * 0 + 7", client.top(thread)["id"])["result"] == "7"
        client.set_breakpoints(program.path, [{"line": program.line("work") + 1}])
        client.continue_(thread)
        client.wait_stopped(reason="breakpoint")
        assert client.evaluate("here", client.top(thread)["id"])["result"] == "5"
        client.disconnect()


def test_calls_in_calls_and_failures(program: Program) -> None:
    with DapClient.connect(program.address) as client:
        thread = stop_at_work(client, program)
        first = begin_call(client, "double(10)", thread)
        client.wait_stopped(reason="breakpoint")
        second = begin_call(client, "double(20)", thread)
        client.wait_stopped(reason="breakpoint")
        assert [name for name, _ in where(client, thread)][:3] == ["double", "double", "work"]
        client.continue_(thread)
        assert client.finish(second)["result"] == "40"
        client.wait_stopped(description="back from the call")
        assert client.evaluate("number", client.top(thread)["id"])["result"] == "10"
        client.step_out(thread)
        if (stopped := client.wait_stopped()).get("description") != "back from the call":
            client.continue_(thread)  # it stands at its return
            client.wait_stopped(description="back from the call")
        assert client.finish(first)["result"] == "20", stopped
        failing = begin_call(client, "double(None)", thread)
        client.wait_stopped(reason="breakpoint")
        client.continue_(thread)
        with pytest.raises(Refused, match="TypeError"):
            client.finish(failing)
        client.wait_stopped(description="back from the call")
        quiet = begin_call(client, "1 + 1", thread)
        assert client.finish(quiet)["result"] == "2"
        assert where(client, thread)[0][0] == "work"
        begin_call(client, "double(3)", thread)
        client.wait_stopped(reason="breakpoint")
        client.disconnect()  # in the middle of a call
    with DapClient.connect(program.address) as client:
        stop_at_work(client, program)  # it ran on
        client.disconnect()
