"""The real old ptvsd under the old Pythons: where they are, and programs that run under them.

The packages come from the package index into a cache of this machine, once. What is missing is skipped, and
the reason says what it was.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.interpreters import Interpreter
from tests.support.packages import cache_folder, install
from tests.support.ports import free_port
from tests.support.program import Program

SECRET = "my_secret"
_PYTHONS = {"2.7": ("2.7.18", (2, 7, 18)), "3.6": ("3.6.15", (3, 6, 15))}


@cache
def package(version: str) -> str | None:
    """The folder to put on PYTHONPATH for a ptvsd of that version; None: it cannot be had here."""
    folder = cache_folder("ptvsd") / version
    if (folder / "ptvsd").is_dir():
        return str(folder)
    options = ["-m", "pip", "install", "--no-deps", "--no-compile", "--disable-pip-version-check"]
    for python in dict.fromkeys((getattr(sys, "_base_executable", sys.executable), sys.executable)):
        if not install([python, *options], f"ptvsd=={version}", folder):
            return str(folder)
    return None


@cache
def python(name: str) -> Interpreter | None:
    """Python 2.7 or 3.6; None: it is not here."""
    release, version = _PYTHONS[name]
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    path = root / "versions" / release / "bin" / "python"
    return Interpreter(str(path), f"cpython-{name}", version, "cpython") if path.exists() else None


@dataclass(frozen=True)
class OldServer:
    """A ptvsd under a Python."""

    version: str
    python: str

    def __str__(self) -> str:
        return f"ptvsd-{self.version}-python-{self.python}"

    @property
    def number(self) -> int:
        """Of its protocol."""
        return {"2.1.0": 4, "2.2.0": 6, "3.0.0": 6, "3.1.0": 7, "3.2.1": 8}[self.version]

    def find(self) -> tuple[Interpreter, str]:
        """The interpreter and the folder of the package; skips the test when one is missing."""
        interpreter, folder = python(self.python), package(self.version)
        if interpreter is None:
            pytest.skip(f"there is no Python {_PYTHONS[self.python][0]} here")
        if folder is None:
            pytest.skip(f"ptvsd {self.version} cannot be installed here")
        return interpreter, folder


#: What the field is full of.
SERVERS = [OldServer(version, name) for version in ("2.2.0", "3.0.0", "3.2.1") for name in _PYTHONS]


class OldProgram(Program):
    """A program with an old ptvsd in it. `{enable}` in its text becomes the call of `enable_attach`.

    Lines that end in `# only 2` are for Python 2, those in `# only 3` for Python 3 only.
    """

    def __init__(
        self,
        server: OldServer,
        text: str,
        *,
        name: str = "guess.py",
        arguments: str = "",
        secret: str = SECRET,
        env: dict[str, str] | None = None,
        argv: Sequence[str] | None = None,
    ) -> None:
        interpreter, folder = server.find()
        self.server, self.port = server, free_port()
        enable = (
            f"import ptvsd; ptvsd.enable_attach({secret!r}, address=('127.0.0.1', {self.port}){arguments})"
        )
        other = "# only 3" if server.python == "2.7" else "# only 2"
        lines = [line for line in text.splitlines() if not line.endswith(other)]
        super().__init__(
            interpreter,
            "\n".join(lines).replace("{enable}", enable) + "\n",
            name=name,
            env={"PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
            warnings="ignore",
            pythonpath=None,
            argv=argv,
        )

    @property
    def qualifier(self) -> str:
        return f"tcp://{SECRET}@127.0.0.1:{self.port}"

    def seconds_used(self) -> float:
        """What it has used of the processor until now."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def check_well(self, window: float = 0.3) -> None:
        """It is alive and idle: a server that was left in the wrong way spins."""
        assert self.process.poll() is None, self._story()
        before = self.seconds_used()
        time.sleep(window)  # not to wait for something: the window that is measured
        assert self.seconds_used() - before < window / 2, "the server spins"


GAME = """\
# The guessing game of the old days.
import sys
{enable}


def judge(guess, number):
    if guess < number:  # @judge
        answer = 'too low'
    elif guess > number:
        answer = 'too high'
    else:
        answer = 'right'
    return answer  # @answer


def play(number):
    tries = 0
    while True:
        sys.stdout.flush()
        text = raw_input('guess? ')  # only 2
        text = input('guess? ')  # only 3
        guess = int(text)
        tries = tries + 1
        verdict = judge(guess, number)  # @call
        print 'VERDICT', guess, verdict  # only 2
        print('VERDICT', guess, verdict)  # only 3
        if verdict == 'right':
            return tries


play(42)
"""


class OldGame(OldProgram):
    """The game, and somebody who plays it."""

    def __init__(self, server: OldServer, **more: Any) -> None:
        super().__init__(server, GAME, **more)
        self.wait_for_question()

    def wait_for_question(self) -> None:
        self.wait_line(r"guess\? ")

    def guess(self, number: int) -> str:
        """Types a guess; the game's verdict."""
        self.stdin_line(str(number))
        return self.wait_line(r"VERDICT (.*)\n")[1]

    def win(self) -> None:
        assert self.guess(42) == "42 right"
        assert self.returncode() == 0
