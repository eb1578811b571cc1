"""The lines of the callers in a stack, also of those that were stepped in and have run on since."""

from __future__ import annotations

from tests.support.dap import DapClient
from tests.support.interpreters import Interpreter
from tests.support.program import Program

PROGRAM = """\
import time
def leaf(number):
    return number + 1  # @leaf
def middle(number):
    found = leaf(number)  # @middle
    return found
def work():
    first = middle(1)  # @first
    second = 2  # @second
    third = middle(3)  # @third
    return first + second + third
while True:
    work()
    time.sleep(0.01)
"""


def test_a_caller_that_was_stepped_in_is_where_it_is(interpreter: Interpreter) -> None:
    with Program(interpreter, PROGRAM, enable={}) as program, DapClient.connect(program.address) as client:
        line = program.line
        client.attach({program.path: [line("first")]})
        thread = int(client.wait_stopped(reason="breakpoint")["threadId"])

        def stack() -> list[tuple[str, int]]:
            return [(frame["name"], frame["line"]) for frame in client.stack(thread)][:3]

        client.set_breakpoints(program.path, [line("leaf")])
        client.next(thread)  # cut short by the breakpoint, so that the callers still are being stepped in
        client.wait_stopped(reason="breakpoint")
        assert stack() == [("leaf", line("leaf")), ("middle", line("middle")), ("work", line("first"))]
        client.continue_(thread)
        client.wait_stopped(reason="breakpoint")
        assert stack() == [("leaf", line("leaf")), ("middle", line("middle")), ("work", line("third"))]
        client.step_out(thread)
        client.wait_stopped(reason="step")
        client.step_out(thread)
        client.wait_stopped(reason="step")
        assert ("work", line("third")) in stack()
