"""Several places on one line, named at the prompt by column and by number."""

from __future__ import annotations

from tests.support.command import Remora
from tests.support.interpreters import NEWEST
from tests.support.program import Program

PROGRAM = """\
import sys


def both(number):
    first, second = (lambda n: n + 1), (lambda n: n * 2)  # @lambdas
    return first(second(number))


print("ready", flush=True)
for line in sys.stdin:
    print("both", both(int(line)), flush=True)
"""


def test_two_lambdas_on_a_line(remora: Remora) -> None:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")
        line = program.line("lambdas")
        text = next(each for each in PROGRAM.splitlines() if "@lambdas" in each)
        first, second = text.index("n + 1") + 1, text.index("n * 2") + 1
        with remora.terminal("attach", program.qualifier, "--source", str(program.directory)) as terminal:
            terminal.wait("remora❯")
            terminal.enter(f"break program.py:{line}#3")
            terminal.wait(rf"Breakpoint 1 at program\.py:{line}:{second}$")
            program.stdin_line("4")
            terminal.wait("Breakpoint 1 .*<lambda>")
            terminal.enter("print n")
            terminal.wait("^4$")  # the first one would have 8
            terminal.enter("save breakpoints kept")
            terminal.wait("1 breakpoint is in kept")
            terminal.enter("clear 1")
            terminal.wait("removed")
            terminal.enter("load kept")
            terminal.wait(rf"Breakpoint 2 at program\.py:{line}:{second}$")
            terminal.enter(f"tbreak {line}:{first + 2}")
            terminal.wait(rf"Breakpoint 3 at program\.py:{line}:{first} ")
            terminal.enter("continue")
            terminal.wait("Temporary breakpoint 3 .*<lambda>")
            terminal.enter("print n")
            terminal.wait("^8$")
            terminal.enter(f"break {line}#4")
            terminal.wait(f"has 3 places that can stop, at the columns 5, {first}, {second}")
            terminal.enter(f"break {line + 1}#2")
            terminal.wait("no several places")
            terminal.enter("continue")
            program.wait_line("both 9")
            terminal.enter("quit -c")
            assert terminal.returncode() == 0
