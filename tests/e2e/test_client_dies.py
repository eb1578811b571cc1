"""A client that is killed takes nothing with it, and one that can show nothing any more ends."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pexpect

from tests.e2e.game import Game
from tests.support.command import REMORA, Remora, client_environment
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

assert NEWEST
CHATTY = """\
import time
while True:
    print("chat", flush=True)
    time.sleep(0.02)
"""


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


def test_a_prompt_that_nobody_reads_any_more_ends(remora: Remora) -> None:
    """`remora attach … | head -1` whose input goes on: only the program's output meets the closed pipe."""
    with Program(NEWEST, CHATTY, enable={}, name="chatty.py") as program:
        prompt = subprocess.Popen(
            [REMORA, "attach", program.qualifier],
            cwd=remora.folder,
            env=client_environment(remora.configuration),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with prompt:
            assert prompt.stdin
            assert prompt.stdout
            assert prompt.stderr
            try:
                assert b"Attached to" in prompt.stdout.readline()
                prompt.stdout.close()
                assert prompt.wait(20) == 0
                assert prompt.stderr.read() == b""
            finally:
                prompt.kill()


def test_a_terminal_that_vanishes(remora: Remora, tmp_path: Path) -> None:
    """Without the signal that says so, as under `nohup`."""
    errors, code = tmp_path / "errors", tmp_path / "code"
    with Program(NEWEST, CHATTY, enable={}, name="chatty.py") as program:
        attach = f"{REMORA} attach {program.qualifier} 2>{errors}"
        line = f"trap '' HUP; {attach}; echo $? >{code}~; mv {code}~ {code}"
        shell: Any = pexpect.spawn(
            "/bin/sh",
            ["-c", line],
            env={**client_environment(remora.configuration), "TERM": "xterm-256color"},
            timeout=20,
        )
        shell.expect("It is running")
        shell.expect("chat")
        shell.ptyproc.fileobj.close()
        deadline = time.monotonic() + 20
        while not code.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        shell.closed = shell.ptyproc.closed = True
    assert code.read_text() == "1\n"
    assert errors.read_text().startswith("remora: The output cannot be written")
    assert "Traceback" not in errors.read_text()
    assert "Exception" not in errors.read_text()
