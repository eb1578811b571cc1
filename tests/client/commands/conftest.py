"""A debuggee and a session in this process, for tests that run commands one by one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from remora_client._fragments import plain
from remora_client._model import Stop
from remora_client._options import AttachOptions, ConnectOptions
from remora_client._sessions._session import Session
from remora_client._targets import open_session
from remora_client.commands import Context, run_script_line, stop_lines, wait_after
from tests.support.interpreters import NEWEST
from tests.support.program import Program

PROGRAM = '''\
# A program for commands.
import sys


class Counter:
    """Counts."""

    def __init__(self, start):
        self.value = start  # @init

    def add(self, number, *, twice=False):
        before = self.value  # @add
        self.value += number * (2 if twice else 1)
        return before  # @returned


def walk(depth):
    if depth:  # @walk
        return walk(depth - 1)
    raise ValueError("the bottom")  # @raise


def handle(word):
    counter = Counter(10)  # @handle
    first = counter.add(1)
    total = 0
    for number in range(4):  # @for
        total += number  # @loop
    mapping = {"word": word, "numbers": list(range(100)), "nested": {"deep": [1, 2, {"x": "y" * 60}]}}
    try:
        walk(6)
    except ValueError:
        pass
    print("handled", word, total, flush=True)  # @print
    return total + first  # @end


print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "quit":
        break
    result = handle(line.strip())  # @call
print("bye", flush=True)
'''


class Debugging:
    """A program at the other end of a session, and commands to run in it."""

    def __init__(self, program: Program, runner: asyncio.Runner) -> None:
        self.program = program
        self.runner = runner
        folder = str(program.directory)
        opening = open_session(program.qualifier, ConnectOptions(), AttachOptions([folder]))
        self.session: Session = runner.run(opening)
        self.ctx = Context(self.session, timeout=10)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.session.listen(lambda event, body: self.events.append((event, body)))
        self.stop: Stop | None = None
        self.text = ""

    def run(self, *lines: str) -> Any:
        """Run commands; gives what the last one gave. `text` is what a person would see of it."""
        return [self.runner.run(self._run(line)) for line in lines][-1]

    async def _run(self, line: str) -> Any:
        result = await run_script_line(self.ctx, line)
        self.text = plain(result.text)
        if result.resumed:
            self.stop = await wait_after(self.ctx, result)
            if self.stop is not None:
                self.text += plain(await stop_lines(self.ctx, self.stop))
        return result.data

    def to(self, marker: str, word: str = "hello") -> None:
        """Stop at a line, once."""
        self.run(f"tbreak program.py:{self.line(marker)}")
        self.program.stdin_line(word)
        self.run("wait" if self.session.stop is None else "continue")
        assert self.at(marker), self.text

    def line(self, marker: str) -> int:
        return self.program.line(marker)

    def at(self, marker: str) -> bool:
        """Does the program stand at that line?"""
        return (
            self.stop is not None
            and self.stop.frame is not None
            and self.stop.frame.line == self.line(marker)
        )

    def close(self) -> None:
        self.runner.run(self.session.detach())


@contextlib.contextmanager
def debug(source: str) -> Iterator[Debugging]:
    """Run a program that says when it is ready, and attach to it."""
    assert NEWEST is not None
    with Program(NEWEST, source, enable={"secret": None}) as program, asyncio.Runner() as runner:
        program.wait_line("ready")
        with contextlib.closing(Debugging(program, runner)) as found:
            yield found


@pytest.fixture
def debugging() -> Iterator[Debugging]:
    with debug(PROGRAM) as found:
        yield found
