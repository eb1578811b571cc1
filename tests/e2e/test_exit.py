"""A program that was debugged ends as if it had not been."""

from __future__ import annotations

from tests.support.command import Remora
from tests.support.interpreters import Interpreter
from tests.support.program import Program

# Nothing here imports threading: whichever thread does so first is the main one to it, and is waited for.
BARE = """\
# Waits, says something, ends.
import sys
print("ready", flush=True)
sys.stdin.readline()
print("ending", flush=True)  # @ending
"""


def test_a_program_without_threads_ends_after_a_session(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, BARE, enable={"secret": None}) as program:
        program.wait_line("ready")
        commands = [f"break program.py:{program.line('ending')}", "continue", "threads"]
        with remora.start_exec(program.qualifier, *commands) as run:
            run.result(commands[0])
            program.stdin_line("")
            run.stop("continue")
            (thread,) = run.result("threads")
            assert thread["name"] == "MainThread"
            assert run.returncode() == 0
        assert program.returncode() == 0
        assert program.errors == ""
