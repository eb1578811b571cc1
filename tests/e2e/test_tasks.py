"""Tasks with their chains of awaits, of a program that runs and of one that is stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.command import Remora
from tests.support.interpreters import NEWEST, OWN, Interpreter
from tests.support.program import Program


@pytest.fixture
def program_of_tasks() -> Iterator[Program]:
    with Program(NEWEST, "asyncio_awaiting.py", enable={"secret": None}) as program:
        program.wait_line("started")
        yield program


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


def test_tasks_that_wait_for_tasks(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, "asyncio_awaiting.py", enable={"secret": None}) as program:
        program.wait_line("started")
        with remora.start_exec(program.qualifier, "tasks", "tasks -with nobody", "tasks") as run:
            listed = run.result("tasks")
            assert run.result("tasks -with nobody") == []
            assert [each["id"] for each in run.result("tasks")] == [each["id"] for each in listed]
            assert run.returncode() == 0
        waits = {each["name"]: each.get("waitsFor") for each in listed}
        assert waits["directly"] == waits["waiting"] == waits["shielding"] == "task leaf"
        gathered = [each["name"] for each in listed if each["frames"][-1] == at(program, "leaf")]
        two = [each for each in gathered if each.startswith("Task-")]
        assert waits["gathering"] == f"tasks {', '.join(two)}"
        if "grouping" in waits:
            assert waits["grouping"] == "tasks member-9, member-10"
        numbers = {each["name"]: each["id"] for each in listed}
        assert all(f"Task-{number}" == name for name, number in numbers.items() if name in ("Task-1", *two))
        assert sorted(numbers.values())[-1] < 30
        program.stdin_line("")
        program.wait_line("ended")


def test_tasks_in_words(program_of_tasks: Program, remora: Remora) -> None:
    text = remora("exec", program_of_tasks.qualifier, "-c", "tasks", "-c", "tasks -with nobody").output
    assert re.search(r"^ +\d+ +leaf +waiting +leaf at asyncio_awaiting.py:\d+  in Event.wait$", text, re.M)
    assert re.search(r" directly at asyncio_awaiting.py:\d+  waits for task leaf$", text, re.M)
    assert text.endswith("No such task.\n")


TRIO = """\
import trio
async def leaf(n):
    while True:
        await trio.sleep(0.01)
        turn = n  # @turn
async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leaf, 1, name="one")
        nursery.start_soon(leaf, 2, name="two")
trio.run(main)
"""


def test_tasks_of_trio(remora: Remora) -> None:
    with Program(OWN, TRIO, enable={"secret": None}, warnings="ignore") as program:
        place = f"break {program.path.name}:{program.line('turn')} task two"
        commands = [place, "continue", "tasks", "print n", "continue", "print n"]
        with remora.start_exec(program.qualifier, *commands) as run:
            run.result(place)
            run.stop("continue")
            listed = run.result("tasks")
            assert run.result("print n")["value"] == "2"
            run.stop("continue")
            assert run.result("print n")["value"] == "2"
            assert run.returncode() == 0
        states = {each["name"]: each["state"] for each in listed}
        assert (states["one"], states["two"]) == ("waiting", "running")
        assert any(frame["name"] == "leaf" for each in listed for frame in each["frames"])


UVLOOP = """\
import asyncio, uvloop
async def leaf(n):
    while True:
        await asyncio.sleep(0.01)
        turn = n  # @turn
async def main():
    await asyncio.gather(asyncio.create_task(leaf(1), name="one"), asyncio.create_task(leaf(2), name="two"))
RUN
"""


@pytest.mark.parametrize(
    "run",
    [
        "uvloop.run(main())",
        "loop = uvloop.new_event_loop(); loop.create_task(main()); loop.run_forever()",
        "uvloop.new_event_loop().run_until_complete(main())",
    ],
)
def test_tasks_of_uvloop(run: str, remora: Remora) -> None:
    """Its loops are written in C: no frame of theirs is on any stack."""
    pytest.importorskip("uvloop", reason="uvloop is for CPython on Unix")
    with Program(OWN, UVLOOP.replace("RUN", run), enable={"secret": None}, warnings="ignore") as program:
        place = f"break {program.path.name}:{program.line('turn')} task two"
        with remora.start_exec(program.qualifier, place, "continue", "tasks") as running:
            running.result(place)
            running.stop("continue")
            listed = running.result("tasks")
            assert running.returncode() == 0
        tasks = {each["name"]: each for each in listed}
        assert (tasks["one"]["state"], tasks["two"]["state"]) == ("waiting", "running")
        assert "leaf" in [frame["name"] for frame in tasks["one"]["frames"]]
