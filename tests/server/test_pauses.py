"""Where a pause may land: in the program, not in what the debugger evaluates; in a thread that still runs."""

from __future__ import annotations

from tests.support.dap import DapClient
from tests.support.interpreters import NEWEST, Interpreter
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


BRIEF = """\
#
import sys, threading, time
from remora._interpreter import _frames

def leaf():
    return 1  # @leaf

def begin_and_end():
    while True:
        brief = threading.Thread(target=leaf)
        brief.start()
        brief.join()
        counts[0] += 1

look = _frames.current_frames
def look_too_early():
    found = look()
    time.sleep(0.004)
    return found
_frames.current_frames = look_too_early

counts = [0]
for _ in range(2):
    threading.Thread(target=begin_and_end, daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    before, end = counts[0], time.monotonic() + 5
    while counts[0] == before and time.monotonic() < end:
        time.sleep(0.001)
    print("goes on", counts[0] > before, flush=True)
"""


def test_no_thread_is_forgotten_that_is_held_while_the_threads_are_listed() -> None:
    """It may have the ident of one that has just ended."""
    with Program(NEWEST, BRIEF, enable={}) as program:
        program.wait_line("ready")
        for _ in range(6):
            with DapClient.connect(program.address).attach({program.path: [program.line("leaf")]}) as client:
                for _ in range(15):
                    thread = client.wait_stopped()["threadId"]
                    for number in [client.begin("threads") for _ in range(8)]:
                        client.finish(number)
                    client.continue_(thread)
                client.disconnect()
            program.stdin_line("")
            program.wait_line("goes on True")
