"""Runs the real `remora` command as a person or a script would, in a process of its own."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.program import clean_environment
from tests.support.terminal import COLUMNS, ROWS, Terminal

REMORA = str(Path(sys.executable).with_name("remora"))


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    output: str
    errors: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its output as one JSON object a line."""
        return [json.loads(line) for line in self.output.splitlines()]

    def results(self) -> list[Any]:
        """What the commands gave, in order; every one has to be ok."""
        commands = [line for line in self.lines if "command" in line]
        assert all(line["ok"] for line in commands), self
        return [line.get("result") for line in commands]


def client_environment(configuration: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which nothing of the person who runs the tests is read or changed."""
    return clean_environment({"REMORA_CONFIG_DIR": str(configuration), "NO_COLOR": "1", **(extra or {})})


@dataclass(frozen=True)
class Remora:
    """The `remora` command with a configuration folder and a current folder of its own."""

    configuration: Path
    folder: Path

    def __call__(
        self, *arguments: str | os.PathLike[str], timeout: float = 60, env: Mapping[str, str] | None = None
    ) -> Ran:
        """Runs it to its end, without a terminal."""
        run = subprocess.run(
            [REMORA, *(os.fspath(one) for one in arguments)],
            cwd=self.folder,
            env=client_environment(self.configuration, env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ran(run.returncode, run.stdout, run.stderr)

    def exec(self, qualifier: str, *commands: str, options: tuple[str, ...] = (), timeout: float = 60) -> Ran:
        """`remora exec --json` with these commands."""
        each = [part for command in commands for part in ("-c", command)]
        return self("exec", qualifier, *options, "--json", *each, timeout=timeout)

    def start_exec(self, qualifier: str, *commands: str, options: tuple[str, ...] = ()) -> Running:
        """The same, not waited for."""
        each = [part for command in commands for part in ("-c", command)]
        arguments = ["exec", qualifier, *options, "--json", *each]
        return Running(arguments, env=client_environment(self.configuration), cwd=self.folder)

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> Running:
        """Runs it, not waited for; it has to print JSON, a line each."""
        return Running(arguments, env=client_environment(self.configuration, env), cwd=self.folder)

    def terminal(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        size: tuple[int, int] = (COLUMNS, ROWS),
        background: str = "",
    ) -> Terminal:
        """Runs it in a terminal, with a person (the test) before it."""
        environment = client_environment(self.configuration, env)
        command = [REMORA, *arguments]
        return Terminal(command, env=environment, cwd=self.folder, size=size, background=background)


class Running:
    """A `remora` command that runs on while the test does something else; its output comes line by line."""

    def __init__(self, arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None:
        self.process = subprocess.Popen(
            [REMORA, *arguments],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.seen: list[dict[str, Any]] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._errors: list[str] = []
        self._threads = [
            threading.Thread(target=read, daemon=True) for read in (self._read_output, self._read_errors)
        ]
        for thread in self._threads:
            thread.start()

    def _read_output(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _read_errors(self) -> None:
        assert self.process.stderr
        self._errors.extend(self.process.stderr)

    def line(self, timeout: float = 20) -> dict[str, Any]:
        """The next JSON object."""
        try:
            text = self._lines.get(timeout=timeout)
        except queue.Empty:
            text = ""
        if not text:
            raise AssertionError(f"no more output\nbefore: {self.seen}\nerrors: {''.join(self._errors)}")
        found: dict[str, Any] = json.loads(text)
        self.seen.append(found)
        return found

    def result(self, command: str, timeout: float = 20) -> Any:
        """What `command` gave; it has to be the next command, and ok. Events in between are passed over."""
        return self.answer(command, timeout).get("result")

    def stop(self, command: str, timeout: float = 20) -> dict[str, Any]:
        """The stop that `command` waited for."""
        found: dict[str, Any] = self.answer(command, timeout)["stop"]
        return found

    def answer(self, command: str, timeout: float = 20) -> dict[str, Any]:
        """The whole answer to `command`."""
        while "command" not in (line := self.line(timeout)):
            pass
        assert line["command"] == command, line
        assert line["ok"], line
        return line

    def kill(self) -> None:
        self.process.kill()

    def returncode(self, timeout: float = 20) -> int:
        return self.process.wait(timeout)

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for thread in self._threads:
            thread.join(5)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()
