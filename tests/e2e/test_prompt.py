"""The prompt of `remora attach`, as a person uses it in a terminal."""

from __future__ import annotations

from tests.e2e.game import Game
from tests.support.command import Remora
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

#: The line where the program stands, in the source that is shown.
ARROW = r"^.?→ +\d+ │"


def test_a_person_debugs_the_game(interpreter: Interpreter, remora: Remora) -> None:
    with Game(interpreter) as game:
        game.copy_to(remora.folder)
        game.say_name()
        line = game.after_guess
        with remora.terminal("attach", game.qualifier) as terminal:
            terminal.wait(r"guessing_game\.py")
            terminal.enter(f"break guessing_game.py:{line}")
            terminal.wait(rf"(?i)breakpoint 1.*guessing_game\.py:{line}")

            game.stdin_line("7")
            terminal.wait(rf"^\W*{line}\W+guesses_taken \+= 1")  # the source, with the line marked
            terminal.enter("print guess")
            terminal.wait(r"^7$")
            terminal.enter("locals")
            terminal.wait(r"guess\b.*7")
            terminal.wait(r"name\b.*'Ada'")
            terminal.enter("where")
            terminal.wait(rf"<module>.*guessing_game\.py:{line}|guessing_game\.py:{line}.*<module>")
            terminal.enter("next")
            terminal.wait(rf"^\W*{line + 1}\W+if guess < number")
            terminal.enter("number = 15")
            terminal.enter("print number")
            terminal.wait(r"^15$")
            terminal.enter("list")
            terminal.wait(r"while guesses_taken < 6")

            terminal.enter("clear 1")
            terminal.wait(r"(?i)cleared|deleted|removed")
            terminal.enter(f"break {line}, guess > 3")
            terminal.wait(r"(?i)breakpoint 2")
            terminal.enter("continue")
            game.wait_for_question()
            assert game.guess(2) == "too low"
            game.wait_for_question()
            game.stdin_line("9")
            terminal.wait(r"guesses_taken \+= 1")
            terminal.enter("print guess")
            terminal.wait(r"^9$")
            terminal.enter("detach")
            assert terminal.returncode() == 0
        game.wait_line("too low")
        game.wait_for_question()

        with remora.terminal("attach", game.qualifier) as terminal:
            terminal.wait(r"guessing_game\.py")
            terminal.enter("quit -c")
            assert terminal.returncode() == 0
        game.play(15, 15)


def test_up_and_down(remora: Remora) -> None:
    with Program(NEWEST, "lines.py", enable={"secret": None}) as program:
        program.wait_line("ready")
        with remora.terminal("attach", program.qualifier) as terminal:
            terminal.wait(r"lines\.py")
            terminal.enter(f"break lines.py:{program.line('repeat')}")
            terminal.wait("(?i)breakpoint 1")
            program.stdin_line("abc")
            terminal.wait(r"repeated = text \* times")
            terminal.enter("up")
            terminal.wait(r"print\(number, answer\(word\)")
            terminal.enter("print number")
            terminal.wait("^1$")
            terminal.enter("down")
            terminal.wait(r"repeated = text")
            terminal.enter("return")
            terminal.wait(r"'ABCABC'")
            terminal.enter("quit -c")
            terminal.returncode()
        program.wait_line("^1 ABCABC$")
        program.stdin_line("quit")
        assert program.returncode() == 0


def test_ctrl_c_pauses_a_busy_loop(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, "loop.py", enable={"secret": None}) as program:
        program.wait_line("started")
        with remora.terminal("attach", program.qualifier) as terminal:
            terminal.wait(r"loop\.py")
            terminal.enter("pause")
            terminal.wait(ARROW)
            terminal.enter("continue")
            terminal.wait("· running$")  # the bar below
            terminal.press("\x03")
            terminal.wait(ARROW)
            terminal.enter("running = False")
            terminal.enter("print running")
            terminal.wait("^False$")
            terminal.enter("detach")
            assert terminal.returncode() == 0
        program.wait_line("^ended$")
        assert program.returncode() == 0
