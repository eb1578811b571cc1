"""Leaving the prompt: what quit, Ctrl-D and kill do, and what they ask before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.command import Remora
from tests.support.interpreters import NEWEST
from tests.support.program import Program
from tests.support.terminal import Terminal

PROGRAM = """\
import sys

print("ready", flush=True)
for line in sys.stdin:
    number = int(line)
    print("doubled", number * 2, flush=True)  # @double
print("bye", flush=True)
"""
ASKED = r"Leave, and let it run on\? \[y/N\] *$"


@pytest.fixture
def program() -> Iterator[Program]:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": None}) as started:
        started.wait_line("ready")
        yield started


@pytest.fixture
def terminal(remora: Remora, program: Program) -> Iterator[Terminal]:
    with remora.terminal("attach", program.qualifier, "--source", str(program.directory)) as opened:
        opened.wait("remora❯")
        yield opened


def stop(terminal: Terminal, program: Program) -> None:
    line = program.line("double")
    terminal.enter(f"break program.py:{line}")
    terminal.wait("Breakpoint 1 at")
    program.stdin_line("3")
    terminal.wait(rf"→ +{line} ")
    terminal.wait("^remora❯ *$")


def test_quit_asks_only_while_the_program_stands(terminal: Terminal, program: Program) -> None:
    stop(terminal, program)
    terminal.enter("quit")
    terminal.wait(ASKED)
    terminal.enter("")
    terminal.wait("^remora❯ *$")
    terminal.enter("print number")
    terminal.wait("^3$")
    terminal.enter("continue")
    program.wait_line("doubled 6")
    terminal.wait("^remora❯ *$")
    terminal.enter("quit")
    assert terminal.returncode() == 0
    program.stdin_line("4")
    program.wait_line("doubled 8")


def test_quit_lets_it_run_on_after_a_yes(terminal: Terminal, program: Program) -> None:
    stop(terminal, program)
    terminal.enter("q")
    terminal.wait(ASKED)
    terminal.enter("y")
    assert terminal.returncode() == 0
    program.wait_line("doubled 6")


@pytest.mark.parametrize("keys", ["quit -c\r", "\x04"])
def test_what_leaves_unasked(terminal: Terminal, program: Program, keys: str) -> None:
    stop(terminal, program)
    terminal.press(keys)
    assert terminal.returncode() == 0
    assert "[y/N]" not in terminal.text
    program.wait_line("doubled 6")


def test_kill_asks_each_time_and_no_empty_line_repeats_it(terminal: Terminal, program: Program) -> None:
    stop(terminal, program)
    terminal.enter("set repeat all")
    terminal.wait("repeat is all")
    terminal.enter("kill")
    terminal.wait(r"End the program\? \[y/N\] *$")
    terminal.enter("n")
    terminal.wait("^remora❯ *$")
    terminal.enter("")
    terminal.wait("^remora❯ *$")
    terminal.enter("print number")
    terminal.wait("^3$")
    assert terminal.text.count("[y/N]") == 1
    terminal.enter("")  # with "repeat all", print is run again
    terminal.wait("^3$")
    terminal.enter("kill -9")
    terminal.wait(r"\[y/N\] *$")
    terminal.enter("y")
    terminal.wait("over")
    terminal.returncode()
    assert program.process.wait(10) != 0


def test_connect_turns_to_another_program(terminal: Terminal, program: Program, remora: Remora) -> None:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": "another_one"}) as other:
        other.wait_line("ready")
        host, port = other.address
        stop(terminal, program)
        terminal.enter("display number")
        terminal.wait("1: number = 3")
        terminal.enter("connect tcp://127.0.0.1:1")
        terminal.wait(ASKED)
        terminal.enter("y")
        terminal.wait("(?i)refused")
        terminal.enter("print number")  # still here
        terminal.wait("^3$")
        terminal.enter(f"attach another_one@{host}:{port}")
        terminal.wait(ASKED)
        terminal.enter("y")
        terminal.wait(rf"Attached to program\.py  pid {other.pid}")
        terminal.wait("^remora❯ *$")
        program.wait_line("doubled 6")
        other.stdin_line("5")
        terminal.wait(rf"Breakpoint 1 .*program\.py:{program.line('double')}")
        terminal.wait("1: number = 5")
        terminal.enter("history 5")
        terminal.wait("connect tcp://127.0.0.1:1")
        terminal.wait("^remora❯ *$")
        assert "another_one" not in terminal.recent
        terminal.enter("quit -c")
        assert terminal.returncode() == 0
        other.wait_line("doubled 10")
    kept = [path.read_text() for path in remora.configuration.rglob("*") if path.is_file()]
    assert not any("another_one" in text for text in kept)


def test_restart_of_the_demo_keeps_breakpoints_and_takes_arguments(remora: Remora) -> None:
    with remora.terminal("demo") as terminal:
        terminal.wait(r"(?i)your turn", 30)
        terminal.wait(r"^remora❯ *$", 30)
        terminal.enter("restart one two")
        terminal.wait(r"from its beginning\? \[y/N\] *$")
        terminal.enter("y")
        terminal.wait(r"Attached to guessing_game\.py", 30)
        terminal.wait(r"^remora❯ *$")
        terminal.enter("stdin 7")
        terminal.wait(r"Breakpoint 1 .*guessing_game\.py")
        terminal.wait(r"^remora❯ *$")
        terminal.enter("print __import__('sys').argv[1:]")
        terminal.wait(r"^\['one', 'two'\]$")
        terminal.enter("quit")
        terminal.wait(r"ends it\. Leave\? \[y/N\] *$")
        terminal.enter("y")
        assert terminal.returncode() == 0


def test_what_is_left_standing_is_said_to_stand(terminal: Terminal, program: Program, remora: Remora) -> None:
    stop(terminal, program)
    terminal.enter("quit -stopped")
    terminal.wait("Detached; the program stands still, for whoever attaches next")
    assert terminal.returncode() == 0
    with remora.terminal("attach", program.qualifier) as again:
        again.wait("It is stopped")
        again.enter("quit -c")
        again.wait("Detached; the program runs on")
        assert again.returncode() == 0
    program.wait_line("doubled 6")


def test_who_looks_on_by_a_process_id_drives_nothing(
    terminal: Terminal, program: Program, remora: Remora
) -> None:
    with remora.terminal("attach", "--observe", str(program.pid)) as looking:
        looking.wait("You look on. It is running")
        looking.wait("looking on")
        looking.press("\x03")
        looking.wait("who debugs the program stops it")
        stop(terminal, program)
        looking.wait(rf"→ +{program.line('double')} ")
        for line, what in (("print number", "print"), ("next", "next"), ("number + 1", "Python")):
            looking.enter(line)
            looking.wait(f"An observer may only look, and {what} may change")
        looking.enter("bl")
        looking.wait("not shown to who looks on")
        looking.enter("quit")
        looking.wait("You look on no more; the program goes on as it did")
        assert looking.returncode() == 0
        assert "[y/N]" not in looking.text
    terminal.enter("print number")
    terminal.wait("^3$")
    ran = remora("exec", "--observe", str(program.pid), "-c", "locals", "-c", "next")
    assert ran.code == 1
    assert "number" in ran.output
    assert "An observer may only look, and next may change" in ran.errors
