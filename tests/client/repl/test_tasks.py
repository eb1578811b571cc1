"""Tasks at the prompt: looked at in place of a thread, one after the other, and by name."""

from __future__ import annotations

from tests.support.command import Remora
from tests.support.interpreters import NEWEST
from tests.support.program import Program

PROGRAM = """\
import asyncio, sys


async def inner(number):
    halved = number / 2
    await asyncio.Event().wait()  # @inner


async def outer(number):
    await inner(number * 10)  # @outer


async def main():
    tasks = [asyncio.create_task(outer(number), name=f"job-{number}") for number in (1, 2)]
    await asyncio.sleep(0)
    print("ready", flush=True)
    while True:
        await asyncio.sleep(0.01)  # @turn


asyncio.run(main())
"""
PROMPT = r"^(#\d )?remora❯ *$"


def test_a_task_is_looked_at_in_place_of_a_thread(remora: Remora) -> None:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")
        lines = {name: program.line(name) for name in ("inner", "outer", "turn")}
        with remora.terminal("attach", program.qualifier, "--source", str(program.directory)) as terminal:
            terminal.wait("remora❯")
            for line, pattern in (
                ("task job-1 where", rf"(?s)#\d +outer +program\.py:{lines['outer']}.*#\d +inner"),
                (f"tbreak program.py:{lines['turn']}", "Breakpoint 1"),
            ):
                terminal.enter(line)
                terminal.wait(pattern)
            terminal.wait(rf"→ +{lines['turn']} ")
            for line, pattern in (
                (
                    "task job-2",
                    rf"(?s)→ +\d+ +job-2 +waiting.*#\d +outer .*→ +#\d +inner +program\.py:{lines['inner']}",
                ),
                ("print halved", r"^10\.0$"),
                ("where", r"(?s)#\d +outer .*→ +#\d +inner"),
                ("up", rf"→ +{lines['outer']} "),
                ("print number", r"^2$"),
                ("task job-1 print number", r"^10$"),
                ("print number", r"^2$"),
                ("tasks", r"(?s)^   +\d+ +job-1 .*^→ +\d+ +job-2 "),
                ("tasks -with job -exec print halved", r"(?s)job-1.*^5\.0$.*job-2.*^10\.0$"),
                ("tasks -exec print halved", r"(?s)Task-1.*NameError.*job-1"),
                ("thread 1", rf"→ +{lines['turn']} "),
                ("print halved", "NameError"),
                ("task nobody", "There is no task nobody"),
            ):
                terminal.wait(PROMPT)
                terminal.enter(line)
                terminal.wait(pattern)
            terminal.enter("quit -c")
            assert terminal.returncode() == 0
