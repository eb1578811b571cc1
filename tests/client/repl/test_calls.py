"""`call` at the prompt: a breakpoint inside stops there, one prompt deeper, and continue leads back."""

from __future__ import annotations

from tests.support.command import Remora
from tests.support.interpreters import NEWEST
from tests.support.program import Program

PROGRAM = """\
import sys


def double(number):
    result = number * 2  # @double
    return result


def work(number):
    return number + 1  # @work


print("ready", flush=True)
for line in sys.stdin:
    print("worked", work(int(line)), flush=True)
"""


def test_a_call_stops_one_prompt_deeper(remora: Remora) -> None:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")
        work, double = program.line("work"), program.line("double")
        with remora.terminal("attach", program.qualifier, "--source", str(program.directory)) as terminal:
            terminal.wait("remora❯")
            for marker in (work, double):
                terminal.enter(f"break program.py:{marker}")
                terminal.wait("Breakpoint . at")
            program.stdin_line("7")
            terminal.wait(rf"→ +{work} ")
            terminal.wait("^remora❯ *$")
            terminal.enter("print double(5)")
            terminal.wait("^10$")  # runs through
            terminal.enter("call double(6)")
            terminal.wait(rf"(?s)Inside double\(6\).*Breakpoint 2  double at program\.py:{double}")
            terminal.wait(r"^\(2\) remora❯ *$")
            terminal.enter("where")
            terminal.wait(r"(?s)#2 +<module>.*#1 +work.*→ +#0 +double")
            terminal.wait(r"^\(2\) remora❯ *$")
            terminal.enter("debug double(8)")
            terminal.wait(r"^\(3\) remora❯ *$")
            terminal.enter("print number")
            terminal.wait("^8$")
            terminal.enter("continue")
            terminal.wait(r"↩ double\(8\) gave 16$")
            terminal.wait(r"Back from the call +double at")
            terminal.wait(r"^\(2\) remora❯ *$")
            terminal.enter("set number = 'ab'")
            terminal.wait("number = 'ab'")
            terminal.enter("continue")
            terminal.wait(r"↩ double\(6\) gave 'abab'$")
            terminal.wait(rf"Back from the call +work at program\.py:{work}")
            terminal.wait(r"^remora❯ *$")
            terminal.enter("print $_")
            terminal.wait("^'abab'$")
            terminal.enter("call double({})")
            terminal.wait(r"^\(2\) remora❯ *$")
            terminal.enter("continue")
            terminal.wait(r"↩ double\(\{\}\) TypeError")
            terminal.wait(r"^remora❯ *$")
            terminal.enter("continue")
            program.wait_line("worked 8")
            terminal.enter("quit -c")
            assert terminal.returncode() == 0


def test_a_script_is_told_of_the_stop_and_of_the_value(remora: Remora) -> None:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")
        commands = [f"break program.py:{program.line('work')}", f"break program.py:{program.line('double')}"]
        commands += ["continue", "call double(6)", "continue", "print number"]
        with remora.start_exec(program.qualifier, *commands) as run:
            run.result(commands[0])
            run.result(commands[1])
            program.stdin_line("7")
            run.stop("continue")
            assert run.stop("call double(6)")["frame"]["name"] == "double"
            assert run.stop("continue")["frame"]["name"] == "work"
            assert run.result("print number") == {"value": "7", "type": "int"}
            assert run.returncode() == 0
        program.wait_line("worked 8")
