"""Attach, break, look, step, change, detach: through `remora exec --json` and at the prompt."""

from __future__ import annotations

from tests.e2e.game import Game
from tests.support.command import Remora
from tests.support.interpreters import Interpreter
from tests.support.program import Program


def test_a_script_debugs_the_game(interpreter: Interpreter, remora: Remora) -> None:
    with Game(interpreter) as game:
        game.copy_to(remora.folder)
        game.say_name()
        line = game.after_guess
        commands = [
            f"break guessing_game.py:{line}",
            "continue",
            "print guess",
            "locals",
            "where",
            "threads",
            "set number = 15",
            "next",
            "print guesses_taken",
            "detach",
        ]
        with remora.start_exec(game.qualifier, *commands) as run:
            placed = run.result(commands[0])
            assert placed["verified"] is True
            assert placed["line"] == line
            assert placed["path"] == str(game.path)
            game.stdin_line("7")

            stop = run.stop("continue")
            assert stop["reason"] == "breakpoint"
            assert stop["frame"] == {"name": "<module>", "path": str(game.path), "line": line}
            assert run.result("print guess") == {"value": "7", "type": "int"}
            shown = {one["name"]: one["value"] for one in run.result("locals")}
            assert shown["guess"] == "7"
            assert shown["name"] == "'Ada'"
            (frame,) = run.result("where")
            assert frame["line"] == line
            (thread,) = run.result("threads")
            assert thread["name"] == "MainThread"
            run.result("set number = 15")
            assert run.stop("next")["frame"]["line"] == line + 1
            assert run.result("print guesses_taken") == {"value": "1", "type": "int"}
            run.result("detach")
            assert run.returncode() == 0
        game.wait_for_question()
        game.play(15, 15)


def test_attach_again_as_often_as_you_like(interpreter: Interpreter, remora: Remora) -> None:
    with Game(interpreter) as game:
        game.copy_to(remora.folder)
        game.say_name()
        line = game.after_guess
        breaking = f"break guessing_game.py:{line} if guess > 3"
        for attempt in range(3):
            with remora.start_exec(game.qualifier, breaking, "continue", "set guesses_taken = -9") as run:
                assert run.result(breaking)["verified"]
                if attempt == 0:
                    # The condition is false for this one, so the game goes on by itself.
                    assert game.guess(0) == "too low"
                    game.wait_for_question()
                game.stdin_line("40")
                assert run.stop("continue")["frame"]["line"] == line
                run.result("set guesses_taken = -9")
                assert run.returncode() == 0  # the end of the commands detaches
            game.wait_line("too high")
            game.wait_for_question()
        game.play()


def test_frames_are_walked_and_listed(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, "lines.py", enable={"secret": None}) as program:
        program.wait_line("ready")
        place = f"break lines.py:{program.line('repeat')}"
        commands = [place, "continue", "print text", "up", "print number", "down", "print word", "list"]
        with remora.start_exec(program.qualifier, *commands) as run:
            # No copy here: everything works from the server's text.
            run.result(place)
            program.stdin_line("abc")
            assert run.stop("continue")["frame"]["name"] == "answer"
            assert run.result("print text")["value"] == "'ABC'"
            run.result("up")
            assert run.result("print number")["value"] == "1"
            run.result("down")
            assert run.result("print word")["value"] == "'abc'"
            assert "repeated = text * times" in str(run.result("list"))
            assert run.returncode() == 0
        program.wait_line("^1 ABCABC$")
        program.stdin_line("quit")
        assert program.returncode() == 0


def test_a_file_is_pending_until_it_is_imported(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, "late_import.py", enable={"secret": None}) as program:
        program.wait_line("ready")
        (remora.folder / "late_module.py").write_text((program.directory / "late_module.py").read_text())
        with remora.start_exec(program.qualifier, "break late_module.py:3", "continue", "locals") as run:
            assert run.result("break late_module.py:3")["verified"] is False
            program.stdin_line("now")
            assert run.stop("continue")["frame"]["name"] == "late"
            assert {one["name"]: one["value"] for one in run.result("locals")}["doubled"] == "42"
            assert run.returncode() == 0
        program.wait_line("^42$")
        program.stdin_line("end")
        assert program.returncode() == 0


def test_the_first_command_that_fails_ends_the_script(interpreter: Interpreter, remora: Remora) -> None:
    with Game(interpreter) as game:
        game.say_name()
        ran = remora.exec(game.qualifier, "pause", "print no_such_name", "print name")
        assert ran.code == 1
        commands = [line for line in ran.lines if "command" in line]
        assert [line["ok"] for line in commands][-1] is False
        assert "print name" not in [line["command"] for line in commands]
        game.play()
