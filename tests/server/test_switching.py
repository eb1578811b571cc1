"""The program's switch interval is short while the server works, and its own at any other time."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import pytest

from remora._interpreter._switching import SwitchInterval
from remora._network._loop import Loop
from tests.support.dap import DapClient
from tests.support.interpreters import Interpreter
from tests.support.program import Program

BUSY = """\
import sys

print("started", flush=True)
sys.setswitchinterval(float(sys.argv[1]))
for line in sys.stdin:
    for _ in range(3_000_000):
        pass
    print("interval", round(sys.getswitchinterval(), 6), flush=True)
"""
THEIRS = 0.0123


@pytest.fixture
def program_interval() -> Iterator[float]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(THEIRS)
    yield sys.getswitchinterval()
    sys.setswitchinterval(before)


def test_it_is_short_while_the_loop_works(program_interval: float) -> None:
    loop, seen, worked = Loop(), [], threading.Event()
    loop.post(lambda: seen.append(sys.getswitchinterval()))
    loop.post(worked.set)
    loop.start(lambda run: run())
    try:
        assert worked.wait(10)
    finally:
        loop.post(loop.stop)
        assert loop.join(10)
    assert seen[0] < 0.001
    assert sys.getswitchinterval() == program_interval


def test_what_the_program_sets_meanwhile_stays(program_interval: float) -> None:
    interval = SwitchInterval()
    interval.shorten()
    sys.setswitchinterval(0.03)
    chosen = sys.getswitchinterval()
    interval.restore()
    assert sys.getswitchinterval() == chosen


def test_ours_that_the_program_read_and_set_again_does_not_stay(program_interval: float) -> None:
    interval = SwitchInterval()
    interval.shorten()
    read = sys.getswitchinterval()
    interval.restore()
    sys.setswitchinterval(read)
    interval.shorten()
    interval.restore()
    assert sys.getswitchinterval() == program_interval


def test_one_that_is_shorter_still_is_left_alone(program_interval: float) -> None:
    sys.setswitchinterval(0.00001)
    chosen = sys.getswitchinterval()
    interval = SwitchInterval()
    interval.shorten()
    assert sys.getswitchinterval() == chosen
    interval.restore()
    assert sys.getswitchinterval() == chosen


def test_a_child_forked_while_the_loop_works_has_the_programs_own(program_interval: float) -> None:
    loop = Loop()
    loop._switch_interval.shorten()
    child = os.fork()
    if child == 0:
        loop.abandon()
        os._exit(0 if sys.getswitchinterval() == program_interval else 1)
    loop._switch_interval.restore()
    loop._close()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_program_has_its_own_after_a_client(interpreter: Interpreter) -> None:
    with Program(interpreter, BUSY, [str(THEIRS)], enable={}) as program:
        program.wait_line("started")
        before = interval(program)
        for _ in range(2):
            with DapClient.connect(program.address).attach() as client:
                client.pause(1)
                client.continue_(client.wait_stopped()["threadId"])
                client.disconnect()
            assert interval(program) == before


def interval(program: Program) -> str:
    program.stdin_line("")
    return program.wait_line(r"interval (\S+)")[1]
