"""Where a pause may land: in the program, not in what the debugger evaluates; in a thread that still runs."""

from __future__ import annotations

from tests.support.dap import DapClient
from tests.support.interpreters import Interpreter
from tests.support.program import Program

SPINNING = """\
#
def spin():
    turns = 0
    while True:
        turns += 1  # @turn


spin()
"""

ENDING = """\
#
import sys
import threading

ended = threading.Event()
threading.Thread(target=sys.stdin.readline, name="ending").start()
while True:
    ended.wait(0.001)
"""


def test_a_pause_never_lands_in_a_condition(interpreter: Interpreter) -> None:
    with Program(interpreter, SPINNING, enable={}) as program:
        with DapClient.connect(program.address).attach(justMyCode=False) as client:
            slow = "[n for n in range(20000)] == turns"
            client.set_breakpoints(program.path, [{"line": program.line("turn"), "condition": slow}])
            for _ in range(8):
                client.pause(1)
                top = client.top(client.wait_stopped(reason="pause")["threadId"])
                assert top["name"] == "spin"
                client.continue_(1)
            client.disconnect()


def test_the_pause_of_a_thread_that_ends_meanwhile_stops_another(interpreter: Interpreter) -> None:
    with Program(interpreter, ENDING, enable={}) as program:
        with DapClient.connect(program.address).attach() as client:
            (ending,) = (one["id"] for one in client.threads() if one["name"] == "ending")
            pausing = client.begin("pause", threadId=ending)
            program.stdin_line("")
            client.finish(pausing)
            stop = client.wait_stopped()
            assert client.stack(stop["threadId"])
            client.disconnect()
