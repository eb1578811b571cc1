"""A client that is killed takes nothing with it."""

from __future__ import annotations

import time

from tests.e2e.game import Game
from tests.support.command import Remora
from tests.support.interpreters import Interpreter


def test_killing_the_client_at_a_stop_lets_the_game_run_on(interpreter: Interpreter, remora: Remora) -> None:
    with Game(interpreter) as game:
        game.copy_to(remora.folder)
        game.say_name()
        place = f"break guessing_game.py:{game.after_guess}"
        for _ in range(2):  # the next client attaches, and dies as well
            with remora.start_exec(
                game.qualifier, place, "continue", "set guesses_taken = -9", "continue"
            ) as run:
                assert run.result(place)["verified"]
                game.stdin_line("30")
                run.stop("continue")
                run.result("set guesses_taken = -9")
                game.stdin_line("31")  # it goes on, and stops again for this one
                game.wait_for_question()
                while "command" in (line := run.line()) or line["event"] != "stopped":
                    pass
                run.kill()
                run.returncode()
                killed = time.monotonic()
                game.wait_for_question()
                assert time.monotonic() - killed < 1
        game.play()


def test_a_client_at_a_terminal_dies(interpreter: Interpreter, remora: Remora) -> None:
    with Game(interpreter) as game:
        game.copy_to(remora.folder)
        game.say_name()
        with remora.terminal("attach", game.qualifier) as terminal:
            terminal.wait(r"guessing_game\.py")
            terminal.enter(f"break guessing_game.py:{game.after_guess}")
            terminal.wait(r"(?i)breakpoint 1")
            game.stdin_line("30")
            terminal.wait(r"guesses_taken \+= 1")
            terminal.kill()
            killed = time.monotonic()
            game.wait_for_question()
            assert time.monotonic() - killed < 1
        assert remora("ls", game.qualifier).code == 0
        game.play()
