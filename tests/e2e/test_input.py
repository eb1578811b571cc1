"""What the program reads, from the client and from its own standard input, by the real command."""

from __future__ import annotations

import os
import pty
import re
import subprocess

import pytest

from remora_client import attach
from tests.support.command import Remora
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import PYTHONPATH, Program, clean_environment

assert NEWEST
PROGRAM = """\
#
import sys

print("ready", flush=True)
while True:
    line = sys.stdin.readline().strip()
    if line == "end":
        break
    first = input("first? ")  # @ask
    second = input()
    print("got", first, second, sys.stdin is sys.__stdin__, flush=True)
"""


def test_from_the_client_and_then_from_the_pipe(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, PROGRAM, enable={}) as program:
        program.wait_line("ready")
        with remora.start_exec(
            program.qualifier, f"break program.py:{program.line('ask')}", "continue", "stdin Ada", "continue"
        ) as run:
            run.result(f"break program.py:{program.line('ask')}")
            program.stdin_line("go")
            run.stop("continue")
            assert run.answer("stdin Ada")["ok"]
            program.stdin_line("Bob")
            program.wait_line("first. got Ada Bob True")
            program.stdin_line("go")
            run.stop("continue")
            assert run.returncode() == 0
        program.stdin_line("Eve")
        program.stdin_line("Joe")
        program.wait_line("got Eve Joe True")
        program.stdin_line("end")
        assert program.returncode() == 0


def test_from_the_client_alone(interpreter: Interpreter, remora: Remora) -> None:
    """Until it leaves: then who waits reads the program's own input."""
    with Program(interpreter, PROGRAM, enable={}) as program:
        program.wait_line("ready")
        with remora.terminal("attach", program.qualifier) as terminal:
            terminal.wait("running")
            terminal.enter(f"break program.py:{program.line('ask')}")
            terminal.wait("Breakpoint 1")
            program.stdin_line("go")
            terminal.wait("Breakpoint 1  ")
            terminal.enter("stdin -take")
            terminal.wait("nothing else")
            program.stdin_line("not this")
            terminal.enter("continue")
            terminal.wait("reads a line, and waits for yours")
            terminal.enter("stdin Ada")
            terminal.wait("reads a line, and waits for yours")
            terminal.kill()
        program.wait_line("got Ada not this True")
        program.stdin_line("end")
        assert program.returncode() == 0


READS = """\
#
import sys, time

while sys.stdin is sys.__stdin__:  # until there is something from the client
    time.sleep(0.01)
print("got", input(), flush=True)
"""
RUNS = "\nwhile True:\n    time.sleep(0.05)\n"


def test_a_script_waits_until_its_line_is_read(remora: Remora) -> None:
    with Program(NEWEST, READS + RUNS, enable={}) as program:
        ran = remora.exec(program.qualifier, "stdin Ada")
        assert (ran.code, ran.results()) == (0, [{"read": True}])
        program.wait_line("got Ada")
    with Program(NEWEST, READS, enable={}) as program:
        ran = remora.exec(program.qualifier, "stdin Ada")
        assert ran.code == 0, ran
        assert [set(each) for each in ran.results()] in ([{"read"}], [{"ended", "exitCode"}])
        assert program.returncode() == 0


def test_a_line_that_is_not_read_is_told(remora: Remora) -> None:
    with Program(NEWEST, "#\nimport sys, time\n" + RUNS, enable={}) as program:
        ran = remora.exec(program.qualifier, "pause", "stdin x", "stdin y")
        assert ran.code == 1
        assert [line["result"] for line in ran.lines if line.get("ok")] == [
            None,
            {"read": False},
            {"read": False},
        ]
        assert "has not read 2 lines that stdin gave" in ran.lines[-1]["error"]
        ran = remora("exec", program.qualifier, "-c", "stdin x", "--timeout", "8")
        assert ran.code == 1
        assert "not read the line yet; --timeout or Ctrl-C ends the waiting" in ran.output
        assert "The line was not read in the time given" in ran.errors
        with attach(program.qualifier) as session:
            assert session.unread_input() == 0
            session.send_input("one")
            session.send_input("two")
            assert session.unread_input() == 2
            session.pause()
            assert session.evaluate("sys.stdin.readline()").value == "'one\\n'"
            assert session.unread_input() == 1
            session.go()
            session.pause()
        with attach(program.qualifier) as session:
            session.pause()
            assert session.evaluate("sys.stdin is sys.__stdin__").value == "True"


def test_input_at_a_terminal(remora: Remora) -> None:
    """There the built-in `input` reads past `sys.stdin`."""
    with Program(NEWEST, PROGRAM, enable={}) as other:
        path = other.path
        other.stdin_line("end")
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [NEWEST.path, path], stdin=theirs, stdout=theirs, stderr=theirs,
            env=clean_environment({"PYTHONPATH": PYTHONPATH, "PYTHONUNBUFFERED": "1"}),
        )  # fmt: skip
        os.close(theirs)
        try:
            seen = read_until(ours, b"ready")
            port = int(seen.decode().partition("REMORA_ADDRESS 127.0.0.1 ")[2].split()[0])
            line = other.line("ask")
            with remora.start_exec(
                f"tcp://127.0.0.1:{port}",
                f"break program.py:{line}",
                "continue",
                "stdin Ada",
                "stdin Bob",
                "continue",
            ) as run:
                run.result(f"break program.py:{line}")
                os.write(ours, b"go\n")
                run.stop("continue")
                run.answer("stdin Ada")
                run.answer("stdin Bob")
                read_until(ours, b"got Ada Bob True")
                os.write(ours, b"go\n")
                run.stop("continue")
                assert run.returncode() == 0
            os.write(ours, b"Eve\nJoe\nend\n")
            read_until(ours, b"got Eve Joe True")
        finally:
            process.kill()
            process.wait()
            os.close(ours)


def read_until(descriptor: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        seen += os.read(descriptor, 1000)
    return seen


@pytest.mark.parametrize("how", ["read", "readlines", "iterate"])
def test_other_ways_to_read(how: str, remora: Remora) -> None:
    ways = {"read": "sys.stdin.read()", "readlines": "''.join(sys.stdin.readlines())"}
    reading = ways.get(how, "''.join(sys.stdin)")
    text = f"#\nimport sys, remora\nremora.wait_for_attach(30)\nremora.breakpoint()\nprint(repr({reading}))\n"
    with Program(NEWEST, text, enable={}) as program:
        program.stdin_line("own")
        program.close_stdin()
        ran = remora.exec(program.qualifier, "continue", "stdin one", "stdin two", "stdin", "continue")
        assert [line["ok"] for line in ran.lines if line.get("command", "").startswith("stdin")] == [
            True
        ] * 3, ran
        program.wait_line(re.escape(repr("one\ntwo\n\nown\n")))
