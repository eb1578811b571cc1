"""The command `remora` and processes behind one port: choosing one, and outliving the port's owner."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.command import Remora
from tests.support.interpreters import NEWEST
from tests.support.ports import free_port
from tests.support.program import Program

WORKING = """\
#
import time
def work(n):
    return n + 1  # @work
n = 0
while True:
    n = work(n)
    time.sleep(0.01)
"""


class Pair:
    """Two programs behind one port; the first one owns it."""

    def __init__(self, stack: ExitStack) -> None:
        self.address = ("127.0.0.1", free_port())
        self.qualifier = f"tcp://my_secret@127.0.0.1:{self.address[1]}"
        self.first, self.second = (self._start(stack, name) for name in ("first", "second"))

    def _start(self, stack: ExitStack, name: str) -> Program:
        enable = {"secret": "my_secret", "address": self.address, "name": name}
        program = stack.enter_context(Program(NEWEST, WORKING, enable=enable))
        _ = program.address
        return program


@pytest.fixture
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        yield Pair(stack)


def test_one_is_chosen_by_number_by_name_and_in_the_qualifier(pair: Pair, remora: Remora) -> None:
    rows = json.loads(remora("ls", pair.qualifier, "--json").output)
    assert [row["pid"] for row in rows] == sorted([pair.first.pid, pair.second.pid])
    (own,) = (row for row in json.loads(remora("ls", "--json").output) if row["pid"] == pair.second.pid)
    assert own["address"] == f"127.0.0.1:{pair.address[1]}"
    second = str(pair.second.pid)
    for target, options in (
        (pair.qualifier, ("--pid", second)),
        (pair.qualifier, ("--name", "sec*")),
        (f"{pair.qualifier}#{second}", ()),
        (second, ()),
    ):
        ran = remora.exec(target, f"break program.py:{pair.second.line('work')}", "continue", options=options)
        assert ran.lines[-1]["stop"]["frame"]["path"] == str(pair.second.path), ran


def test_without_a_terminal_the_candidates_are_named(pair: Pair, remora: Remora) -> None:
    ran = remora("exec", pair.qualifier, "-c", "where")
    assert ran.code == 2
    assert f"{pair.first.pid} first; {pair.second.pid} second" in ran.errors
    assert "--pid PID or --name GLOB" in ran.errors
    ran = remora("exec", pair.qualifier, "--name", "third", "-c", "where")
    assert ran.code == 3
    assert "no process named third" in ran.errors


def test_at_a_terminal_one_is_picked(pair: Pair, remora: Remora) -> None:
    with remora.terminal("attach", pair.qualifier) as terminal:
        terminal.wait("2 processes match:")
        terminal.wait("Which one")
        terminal.enter("9")
        terminal.wait("The number in front of it")
        terminal.enter(str(pair.second.pid))
        terminal.wait(rf"{pair.second.pid}.*second")
        terminal.enter("quit -c")
        assert terminal.returncode() == 0


def test_a_session_comes_back_by_itself_when_the_ports_owner_dies(pair: Pair, remora: Remora) -> None:
    line = pair.second.line("work")
    with remora.terminal("attach", f"{pair.qualifier}#{pair.second.pid}") as terminal:
        terminal.enter(f"break program.py:{line}")
        terminal.wait("Breakpoint 1")
        terminal.enter("continue")
        terminal.wait("Breakpoint 1 .* work")
        terminal.press("")
        pair.first.signal(signal.SIGKILL)
        terminal.wait("Connected again; all is as it was")
        terminal.enter("print n * 0 + 4711")
        terminal.wait("^4711")
        (row,) = json.loads(remora("ls", pair.qualifier, "--json").output)
        assert (row["pid"], row["state"]) == (pair.second.pid, "stopped")
        terminal.enter("quit -c")
        assert terminal.returncode() == 0


def test_a_session_ends_when_the_program_behind_the_owner_dies(pair: Pair, remora: Remora) -> None:
    with remora.start_exec(pair.qualifier, "threads", "continue", options=("--name", "second")) as running:
        running.result("threads")
        pair.second.signal(signal.SIGKILL)
        assert running.returncode() == 7
