"""A program with attaching enabled and nobody there: as if nothing had been added."""

from __future__ import annotations

from tests.e2e.game import Game
from tests.support.interpreters import Interpreter
from tests.support.program import Program

HOOKS = """\
# What could slow a program down, with somebody listening.
import sys
import threading

events = [sys.monitoring.get_events(tool) for tool in range(6)] if hasattr(sys, "monitoring") else []
print("hooks", sys.gettrace(), sys.getprofile(), any(events), flush=True)
print("threads", [thread.name for thread in threading.enumerate()], flush=True)
"""


def test_the_game_is_played_while_nobody_is_attached(interpreter: Interpreter) -> None:
    with Game(interpreter) as game:
        game.say_name()
        game.play()


def test_nothing_is_traced_while_nobody_is_attached(interpreter: Interpreter) -> None:
    with Program(interpreter, HOOKS, enable={"secret": "s"}) as program:
        assert program.wait_line("^hooks (.*)$")[1] == "None None False"
        assert program.wait_line("^threads (.*)$")[1] == "['MainThread']"
        assert program.returncode() == 0
        assert program.errors == ""
