"""`await` at the prompt: in the stopped task's loop, in a loop of its own, with a limit, and given up."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.server.test_inspection import Stopped
from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

TASKS = """\
#
import asyncio, contextvars, sys
who = contextvars.ContextVar("who", default="nobody")
ticks = []
async def tick():
    while True:
        ticks.append(len(ticks))
        print("TICK", flush=True)
        await asyncio.sleep(0.01)
async def fetch(value, delay=0.05):
    await asyncio.sleep(delay)
    return value, who.get()
async def aiter(count):
    for number in range(count):
        await asyncio.sleep(0)
        yield number
async def quits():
    sys.exit(7)
async def handler(first):
    who.set("the handler")
    second = first + 1
    await asyncio.sleep(0)
    seen = second  # @here
    await asyncio.sleep(0.02)
    return seen
async def main():
    ticking = asyncio.ensure_future(tick())
    await asyncio.sleep(0.02)
    print("RESULT", await asyncio.gather(*[handler(number) for number in range(5)]), flush=True)
    ticking.cancel()
def plain():
    number = 20
    return number  # @plain
input()
asyncio.run(main())
plain()
print("DONE", flush=True)
"""


@pytest.fixture
def stopped(interpreter: Interpreter) -> Iterator[Stopped]:
    with Program(interpreter, TASKS, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("here")]})
        program.stdin_line("")
        yield Stopped(program, client)


def test_await_runs_in_the_loop_of_the_stopped_task(stopped: Stopped) -> None:
    assert stopped.evaluate("await fetch(second)") == "(1, 'the handler')"
    assert stopped.evaluate("[(await fetch(n))[0] for n in (first, second)]") == "[0, 1]"
    assert stopped.evaluate("third = await fetch(3)\nthird[0] + first") == "3"
    assert stopped.evaluate("[number async for number in aiter(second + 2)]") == "[0, 1, 2]"
    # A function inside it sees the frame's variables, too.
    assert (
        stopped.evaluate("[n for n, _ in await asyncio.gather(*(fetch(second) for _ in 'ab'))]") == "[1, 1]"
    )
    assert stopped.evaluate("asyncio.current_task().get_name()").startswith("'Task-")
    before = int(stopped.evaluate("len(ticks)"))
    assert stopped.refusal("await fetch(1 / 0)") == "ZeroDivisionError: division by zero"
    stopped.evaluate("await asyncio.sleep(0.2)")
    assert int(stopped.evaluate("len(ticks)")) > before, "the other tasks run on"
    stopped.client.set_breakpoints(stopped.program.path, [])
    stopped.client.continue_(stopped.thread)
    stopped.program.wait_line(r"RESULT \[1, 2, 3, 4, 5\]")
    stopped.program.wait_line("DONE")
    assert stopped.program.returncode() == 0
    assert stopped.program.errors == ""


def test_what_it_prints_is_the_clients_and_what_others_print_the_programs(stopped: Stopped) -> None:
    stopped.evaluate("await asyncio.sleep(0.1)\nprint('for your eyes')\nawait asyncio.sleep(0)")
    stopped.client.set_breakpoints(stopped.program.path, [])
    stopped.client.continue_(stopped.thread)
    assert stopped.program.returncode() == 0
    assert "for your eyes" not in stopped.program.output
    ticks = stopped.program.output.count("TICK")
    shown = "".join(
        event["body"]["output"]
        for event in stopped.client.events
        if event["event"] == "output" and event["body"]["category"] == "stdout"
    )
    assert ticks >= 5 and "TICK" in shown and "for your eyes\n" in shown


def test_it_can_be_cancelled_and_has_a_limit(stopped: Stopped) -> None:
    client = stopped.client

    def cancelled(text: str) -> None:
        number = client.begin("evaluate", expression=text, frameId=stopped.frame, context="repl")
        client.request("threads")
        client.request("cancel", requestId=number)
        began = time.monotonic()
        with pytest.raises(Refused) as caught:
            client.finish(number)
        assert caught.value.code == "cancelled"
        assert time.monotonic() - began < 5

    cancelled("await asyncio.sleep(3600)")
    cancelled("await asyncio.sleep(0)\nwhile True: pass")  # deaf to being cancelled
    cancelled("try:\n await asyncio.sleep(3600)\nfinally:\n await asyncio.sleep(3600)")
    assert "interrupted after 5 seconds" in stopped.refusal("await asyncio.Event().wait()", "watch")
    assert stopped.evaluate("await fetch(1)") == "(1, 'the handler')"
    client.set_breakpoints(stopped.program.path, [])
    client.continue_(stopped.thread)
    stopped.program.wait_line(r"RESULT \[1, 2, 3, 4, 5\]")
    assert stopped.program.returncode() == 0


def test_an_exit_of_another_task_is_the_programs(stopped: Stopped) -> None:
    stopped.evaluate("quitting = asyncio.ensure_future(quits())\nawait asyncio.sleep(0.1)")
    assert stopped.evaluate("1 + 1") == "2"
    stopped.client.set_breakpoints(stopped.program.path, [])
    stopped.client.continue_(stopped.thread)
    assert stopped.program.returncode() == 7


def test_without_a_loop_it_runs_in_one_of_its_own_and_says_so(interpreter: Interpreter) -> None:
    with Program(interpreter, TASKS, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("plain")]})
        program.stdin_line("")
        stopped = Stopped(program, client)
        assert stopped.evaluate("await fetch(number)") == "(20, 'nobody')"
        said = client.expect_event("output", category="console")["output"]
        assert said.startswith("Awaited in an event loop of its own: this thread runs none.")
        client.continue_(stopped.thread)
        assert program.returncode() == 0
        assert program.errors == ""


def test_a_loop_that_cannot_be_entered_twice_is_left_alone() -> None:
    source = TASKS.replace(
        "asyncio.run(main())",
        """\
class Closed(asyncio.SelectorEventLoop):
    __slots__ = ()
    def __getattribute__(self, name):
        if name in ("_run_once",) and "run_forever" not in sys._getframe(1).f_code.co_name:
            raise AttributeError(name)
        return super().__getattribute__(name)
loop = Closed()
loop.run_until_complete(main())
""",
    )
    with Program(NEWEST, source, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("here")]})
        program.stdin_line("")
        stopped = Stopped(program, client)
        assert stopped.evaluate("await fetch(second)") == "(1, 'the handler')"
        said = client.expect_event("output", category="console")["output"]
        assert "the one of this thread cannot run inside a stop" in said
        client.set_breakpoints(program.path, [])
        client.continue_(stopped.thread)
        program.wait_line(r"RESULT \[1, 2, 3, 4, 5\]")
