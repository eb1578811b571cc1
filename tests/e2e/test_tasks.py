"""Tasks with their chains of awaits, of a program that runs and of one that is stopped."""

from __future__ import annotations

from typing import Any

from tests.support.command import Remora
from tests.support.interpreters import Interpreter
from tests.support.program import Program


def at(program: Program, marker: str) -> dict[str, Any]:
    name = {"in_generator": "numbers", "turn": "busy"}.get(marker, marker)
    return {"name": name, "path": str(program.path), "line": program.line(marker)}


def test_tasks_and_what_they_wait_for(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, "asyncio_waiting.py", enable={"secret": None}) as program:
        program.wait_line("started")
        commands = ["tasks", f"break asyncio_waiting.py:{program.line('turn')}", "continue", "tasks"]
        with remora.start_exec(program.qualifier, *commands) as run:
            chains = [each["frames"] for each in run.result("tasks")]
            run.result(commands[1])
            run.stop("continue")
            stopped = run.result("tasks")
            assert run.returncode() == 0
        assert any(chain[-2:] == [at(program, "in_generator"), at(program, "consume")] for chain in chains)
        assert any(chain[-2:] == [at(program, "inner"), at(program, "outer")] for chain in chains)
        (running,) = (each for each in stopped if each["state"] == "running")
        assert running["frames"] == [at(program, "turn")]
        assert len(stopped) == 4
        program.stdin_line("")
        program.wait_line("ended")
