"""The guessing game as a debuggee, and somebody who plays it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.interpreters import Interpreter
from tests.support.program import Program

SECRET = "my_secret"


class Game(Program):
    """The example's game with one line changed: its first comment became a call of `enable_attach`."""

    def __init__(self, interpreter: Interpreter, **enable: Any) -> None:
        super().__init__(interpreter, "guessing_game.py", enable={"secret": SECRET, **enable})

    @property
    def qualifier(self) -> str:
        """With the secret."""
        return super().qualifier.replace("://", f"://{SECRET}@")

    @property
    def after_guess(self) -> int:
        """The line after the guess was read."""
        return self.line_with("guesses_taken += 1")

    def copy_to(self, folder: Path) -> None:
        shutil.copy(self.path, folder)

    def say_name(self, name: str = "Ada") -> None:
        """Answers the game's first question; it waits for a guess afterwards."""
        self.address  # noqa: B018 - its line is printed first
        self.wait_line("What is your name")
        self.stdin_line(name)
        self.wait_line(f"Well, {name}")
        self.wait_for_question()

    def wait_for_question(self) -> None:
        """Waits until the game asks for a guess."""
        self.wait_line(r"Take a guess\.\n> ")

    def guess(self, number: int) -> str:
        """Types a guess and returns the word that the game answers with."""
        self.stdin_line(str(number))
        return self.wait_line(r"too low|too high|Good job|Nope")[0]

    def play(self, low: int = 1, high: int = 20) -> None:
        """Plays to the end and wins: five guesses do for twenty numbers. The game waits for the first one."""
        while (said := self.guess((low + high) // 2)) != "Good job":
            middle = (low + high) // 2
            low, high = (middle + 1, high) if said == "too low" else (low, middle - 1)
            self.wait_for_question()
        assert self.returncode() == 0
        assert self.errors == ""


def tls_enable(certificate: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of `enable_attach` for a certificate made by the `certificate` fixture."""
    return {"certfile": certificate["certfile"], "keyfile": certificate["keyfile"]}
