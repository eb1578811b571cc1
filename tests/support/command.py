"""Runs the real `remora` command as a person or a script would, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.program import clean_environment

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
