"""A word that is both a command and a variable, in each way that the option `bare-names` has."""

from __future__ import annotations

from tests.support.command import Remora
from tests.support.interpreters import NEWEST
from tests.support.program import Program

PROGRAM = """\
import sys


def count(n):
    u = n * 2
    return u  # @end


print("ready", flush=True)
for line in sys.stdin:
    print("counted", count(int(line)), flush=True)
"""


def test_a_word_that_is_both(remora: Remora) -> None:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")
        with remora.terminal("attach", program.qualifier, "--source", str(program.directory)) as terminal:
            terminal.wait("remora❯")
            terminal.enter(f"break program.py:{program.line('end')}")
            terminal.wait("Breakpoint 1 at")
            program.stdin_line("21")
            terminal.wait("→ +")
            for line, pattern in (
                ("u", r"(?s)u is also a variable: p u.*#1 +<module>"),
                ("down", "#0 +count"),
                ("set bare-names variable", "bare-names is variable"),
                ("u", "^42$"),
                (":u", "#1 +<module>"),
                ("down", "#0 +count"),
                ("set bare-names ask", "bare-names is ask"),
                ("u", r"u is a variable, too\. Run the command up\? \[y/N\] *$"),
                ("n", "^42$"),
                ("u", "^42$"),  # not asked again
                ("n", r"Run the command next\? \[y/N\] *$"),
                ("y", r"→ Step"),
            ):
                terminal.wait(r"remora❯ *$|\[y/N\] *$")
                terminal.enter(line)
                terminal.wait(pattern)
            terminal.wait(r"remora❯ *$")
            terminal.enter("quit -c")
            assert terminal.returncode() == 0
