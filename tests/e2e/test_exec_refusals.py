"""What `remora exec` refuses: what happened, where, and what to do next; in words, in JSON, and as a code."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Remora
from tests.support.interpreters import NEWEST
from tests.support.program import Program

SECRET = "open sesame"
STOP = ("break loop.py:@step", "continue")

assert NEWEST


def test_a_time_out_of_connecting_says_how_far_it_came_and_no_secret(remora: Remora) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        place = f"tcp://open%20sesame@127.0.0.1:{port}"
        for more in ((), ("--follow", "list")):
            ran = remora("exec", place, "-c", "where", "--timeout", "1", *more)
            assert ran.code != 0
            assert f"127.0.0.1:{port}" in ran.errors
            assert "said nothing within 1 s" in ran.errors
            assert "sesame" not in ran.errors


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    source = "#\nimport time\nn = 0\nwhile True:\n    n += 1  # @step\n    time.sleep(0.01)\n"
    with Program(NEWEST, source, enable={"secret": SECRET}, name="loop.py") as program:
        yield program


@pytest.mark.parametrize(
    ("commands", "says", "helps"),
    [
        (
            ["nonsense"],
            "The program is running",
            "nonsense is no command, and Python waits for a stop: pause",
        ),
        (["brake"], "The program is running", "Did you mean the command break?"),
        (["x = 1"], "The program is running", "Stop it first: pause"),
        (["print n"], "The program is running", "Stop it first: pause"),
        (["where"], "The program is running", "Stop it first: pause"),
        (["next"], "The program is running", "Stop it first: pause"),
        (["delete 7"], "There is no breakpoint 7", "None is set"),
        ([*STOP, "delete 7"], "There is no breakpoint 7", "There are: 1"),
        ([*STOP, "thread 9"], "There is no thread 9", "There are: 1"),
        ([*STOP, "nxt"], "NameError: name 'nxt'", "Did you mean the command next?"),
        ([*STOP, "jump 900"], "Line 900 cannot be jumped to", "jump -list"),
        ([*STOP, "break loop.py:@step if n = 3"], "is no expression", "To compare, write =="),
        ([*STOP, "snapshot /no/such/x.remora"], "/no/such/x.remora cannot be written", "Name another file"),
        (["continue"], "No stop in the time given; the program runs on", "A greater --timeout"),
        ([*STOP, "print __import__('time').sleep(4)"], "No answer in the time given", "A greater --timeout"),
    ],
)
def test_a_command_that_fails(
    commands: list[str], says: str, helps: str, program: Program, remora: Remora
) -> None:
    commands = [each.replace("@step", str(program.line("step"))) for each in commands]
    place = program.qualifier.replace("://", f"://{SECRET.replace(' ', '%20')}@")
    options = ("--timeout", "3" if "--timeout" in helps else "30")
    told = remora.exec(place, *commands, options=options)
    assert told.code == 1, told
    last = told.lines[-1]
    assert (last["command"], last["ok"], told.errors) == (commands[-1], False, "")
    assert says in last["error"]
    assert helps in last["error"]
    each = [part for command in commands for part in ("-c", command)]
    shown = remora("exec", place, *options, *each)
    assert shown.code == 1, shown
    assert shown.errors == f"remora: {commands[-1]}: {last['error']}\n"


def test_whoever_is_there_already_is_named(program: Program, remora: Remora) -> None:
    place = program.qualifier.replace("://", f"://{SECRET.replace(' ', '%20')}@")
    with remora.start_exec(place, "pause", "continue") as first:
        first.answer("pause")
        ran = remora.exec(place, "where")
        assert ran.code == 4
        assert "is attached to process" in ran.errors
        assert "To take over, add --force" in ran.errors
        assert '"force"' not in ran.errors
        first.process.terminate()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--timeout", "soon"], 2, "'soon' is no number of seconds, more than 0"),
        (["--timeout", "0"], 2, "'0' is no number of seconds, more than 0"),
        (["-x", "/no/such"], 2, "/no/such cannot be read: No such file"),
        (["--name", "zzz*"], 3, "There are: "),
    ],
)
def test_options_that_make_no_sense(
    arguments: list[str], code: int, says: str, program: Program, remora: Remora
) -> None:
    place = program.qualifier.replace("://", f"://{SECRET.replace(' ', '%20')}@")
    ran = remora("exec", place, *arguments, "-c", "where")
    assert (ran.code, ran.output) == (code, "")
    assert says in ran.errors
    assert "_seconds" not in ran.errors


def test_an_empty_file_holds_no_secret(program: Program, remora: Remora, tmp_path: Path) -> None:
    empty = tmp_path / "secret"
    empty.write_text("\nlater\n")
    ran = remora("exec", program.qualifier, "--secret-file", empty, "-c", "where")
    assert ran.code == 2
    assert "has no secret: its first line is empty" in ran.errors
