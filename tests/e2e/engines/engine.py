"""Runs a program that has a cluster of its own, and talks to it line by line with deadlines."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.program import clean_environment, markers

JOBS = """\
# What the workers run.
import os


def job(number):
    double = 2 * number
    return f"{double} {os.getpid()}"  # @double
"""


class Jobs:
    """A module that a cluster's workers import."""

    def __init__(self, folder: Path, text: str = JOBS, name: str = "jobs") -> None:
        self.folder, self.name = folder, name
        self.path = folder / f"{name}.py"
        self.path.write_text(text)

    def line(self, marker: str) -> int:
        return markers(self.path)[marker]


class Engine:
    """A program of this folder in a process of its own; leaving the block ends it and all that it started."""

    def __init__(
        self, program: str, jobs: Jobs, *arguments: str, env: Mapping[str, str] | None = None
    ) -> None:
        path = Path(__file__).with_name(program)
        self._errors = open(jobs.folder / "errors", "w+b")  # noqa: SIM115 - closed in `close`
        self.process = subprocess.Popen(
            [sys.executable, str(path), jobs.name, *arguments],
            cwd=jobs.folder,
            env=clean_environment({"PYTHONPATH": str(jobs.folder), "HOME": str(jobs.folder), **(env or {})}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,
        )
        self.seen: list[str] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line.strip())

    def say(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def answer(self, word: str, timeout: float = 60) -> str:
        """What stands behind a word at the beginning of a line; other lines are kept for later."""
        deadline = time.monotonic() + timeout
        while True:
            for line in self.seen:
                if line.split()[:1] == [word]:
                    self.seen.remove(line)
                    return line.partition(" ")[2]
            try:
                self.seen.append(self._lines.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                self._errors.seek(0)
                told = self._errors.read()[-4000:].decode("utf-8", "replace")
                raise AssertionError(f"no {word!r} among {self.seen}\n{told}") from None

    def ask(self, line: str, timeout: float = 60) -> str:
        self.say(line)
        return self.answer(line.split(maxsplit=1)[0], timeout)

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait(10)
        self._reader.join(10)
        self.process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
