"""`remora exec`: what it prints, when it stops, how it ends. The real command against real programs."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from tests.client.commands.conftest import PROGRAM
from tests.client.servers import Remora as Server
from tests.client.servers import Server as Listener
from tests.client.servers import process
from tests.support.command import Ran, Remora
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

LOOP = """\
# It loops, and ends when it is told to.
import sys, time

running = True
while running:
    time.sleep(0.01)
    ticked = True  # @tick
print("ended", flush=True)
sys.exit(3)
"""


@pytest.fixture
def newest() -> Interpreter:
    assert NEWEST is not None
    return NEWEST


@pytest.fixture
def program(newest: Interpreter) -> Iterator[Program]:
    with Program(newest, LOOP, enable={"secret": None}) as started:
        yield started


def commands(ran: Ran) -> list[dict[str, object]]:
    return [line for line in ran.lines if "command" in line]


def test_one_object_a_line(remora: Remora, program: Program) -> None:
    line = program.line("tick")
    ran = remora.exec(program.qualifier, f"b program.py:{line}", "c", "p running", "n", "locals")
    assert ran.code == 0
    assert ran.errors == ""
    for each in ran.lines:
        assert set(each) - {"pid", "host"} in (
            {"event", "body"},
            {"event", "body", "breakpoints"},
            {"command", "ok", "result"},
            {"command", "ok", "result", "stop"},
        )
    told = commands(ran)
    assert [each["command"] for each in told] == [f"b program.py:{line}", "c", "p running", "n", "locals"]
    assert told[1]["stop"] == {
        "reason": "breakpoint",
        "thread": 1,
        "frame": {"name": "<module>", "path": str(program.path), "line": line},
        "breakpoints": [1],
    } | ({"text": told[1]["stop"]["text"]} if "text" in told[1]["stop"] else {})  # type: ignore[index,operator]
    assert told[2]["result"] == {"value": "True", "type": "bool"}
    assert "stopped" in [each["event"] for each in ran.lines if "event" in each]


def test_the_first_failure_is_the_last_command(remora: Remora, program: Program) -> None:
    ran = remora.exec(program.qualifier, "pause", "p nope", "p 1")
    assert ran.code == 1
    assert [each["ok"] for each in commands(ran)] == [True, False]
    assert commands(ran)[-1] == {
        "command": "p nope",
        "ok": False,
        "error": "NameError: name 'nope' is not defined",
        "pid": program.pid,
        "host": "127.0.0.1",
    }
    remora.exec(program.qualifier, "pause", "running = False")
    assert program.returncode() == 3


def test_without_json_it_is_for_reading(remora: Remora, program: Program) -> None:
    ran = remora("exec", program.qualifier, "-c", "pause", "-c", "p running ;; where")
    assert ran.code == 0
    assert "\nTrue\n" in ran.output
    assert "#0" in ran.output
    assert "\x1b" not in ran.output
    ran = remora("exec", program.qualifier, "-c", "pause", "-c", "p nope")
    assert ran.code == 1
    assert ran.errors == "remora: p nope: NameError: name 'nope' is not defined\n"


def test_the_end_of_the_program_is_no_failure(remora: Remora, program: Program) -> None:
    ran = remora.exec(program.qualifier, "pause", "running = False", "c")
    assert ran.code == 0, ran
    assert commands(ran)[-1]["result"]["ended"] is True  # type: ignore[index]
    assert program.returncode() == 3


def test_a_command_after_the_end_fails(remora: Remora, program: Program) -> None:
    ran = remora.exec(program.qualifier, "pause", "running = False", "c", "p 1")
    assert ran.code == 7, ran
    assert "ended" in str(commands(ran)[-1]["error"])


def test_a_program_that_is_killed(remora: Remora, program: Program) -> None:
    with remora.start_exec(program.qualifier, "b nowhere.py:3", "c") as run:
        run.result("b nowhere.py:3")
        program.signal(signal.SIGKILL)
        while "command" not in (line := run.line()):
            pass
        assert line["ok"] is False
        assert "went away" in line["error"]
        assert run.returncode() == 7


def test_no_stop_in_time(remora: Remora, program: Program) -> None:
    ran = remora.exec(program.qualifier, "b nowhere.py:3", "c", options=("--timeout", "5"))
    assert ran.code == 1
    assert "No stop in the time given" in str(commands(ran)[-1]["error"])
    assert remora.exec(program.qualifier, "pause").code == 0


def test_a_stop_that_nobody_was_told_of_is_waited_for_and_not_passed(
    remora: Remora, newest: Interpreter
) -> None:
    """The program may reach the breakpoint before `continue` is read: it must not run past it then."""
    with Program(newest, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")
        line = program.line("loop")
        with remora.start_exec(program.qualifier, f"b program.py:{line}", "threads", "c", "p number") as run:
            run.result(f"b program.py:{line}")
            program.stdin_line("a")
            run.result("threads")
            run.stop("c")
            assert run.result("p number")["value"] == "0"
            assert run.returncode() == 0


@pytest.mark.parametrize("was_there", [False, True])
def test_continue_waits_for_a_stop_of_the_attach_but_goes_on_from_an_older_one(
    remora: Remora, was_there: bool
) -> None:
    """Here the stop is told before the client's attach is through; what is late by a moment is the same."""

    def stopped(server: Server, thread: int, **more: object) -> None:
        server.emit(
            "stopped", {"reason": "breakpoint", "threadId": thread, "allThreadsStopped": True, **more}
        )

    def attach(server: Server, arguments: dict[str, object]) -> None:
        server.emit("initialized")
        stopped(server, 1, remora={"wasThere": was_there})

    def continue_(server: Server, arguments: dict[str, object]) -> dict[str, object]:
        stopped(server, 2)
        return {}

    server = Server(secret=None, answers={"attach": attach, "continue": continue_})
    with Listener(server) as listener:
        ran = remora.exec(f"tcp://{listener.place}", "c", options=("--timeout", "20"))
    assert ran.code == 0, ran
    assert commands(ran)[0]["stop"]["thread"] == (2 if was_there else 1)  # type: ignore[index]
    assert len(server.asked("continue")) == was_there


def test_a_program_that_stands_still_is_known_to_do_so_from_the_first_command_on(remora: Remora) -> None:
    """Where it stands comes some time after the answers to the attach: before what comes next from there."""

    def initialize(server: Server, arguments: dict[str, object]) -> dict[str, object]:
        requests = ["remora/ping"]
        return {
            "supportsConfigurationDoneRequest": True,
            "remora": {"version": "0.1.0", "requests": requests, "engine": "fake", "limits": []},
        }

    def ping(server: Server, arguments: dict[str, object]) -> dict[str, object]:
        if len(server.asked("remora/ping")) == 1:
            body = {"reason": "step", "threadId": 1, "allThreadsStopped": True}
            server.announce("stopped", {**body, "remora": {"wasThere": True}})
        return {}

    server = Server(
        secret=None,
        processes=[process(state="stopped")],
        answers={"initialize": initialize, "remora/ping": ping},
    )
    with Listener(server) as listener:
        ran = remora.exec(f"tcp://{listener.place}", "where")
    assert [frame["name"] for frame in ran.results()[0]] == ["main"]


def test_why_names_the_threads_that_are_out_of_reach(remora: Remora) -> None:
    """As on PyPy, where a breakpoint that no thread stops at may be reached all the time."""
    reach = "Breakpoints are hit only in the main thread and in threads that start after they are set."
    limits = ["It is slow.", reach]
    answers = {
        "initialize": lambda server, arguments: {
            "supportsConfigurationDoneRequest": True,
            "remora": {"version": "0.1.0", "requests": [], "engine": "fake", "limits": limits},
        },
        "loadedSources": lambda server, arguments: {"sources": [{"path": "/app/guess.py"}]},
    }
    with Listener(Server(secret=None, answers=answers)) as listener:
        ran = remora.exec(f"tcp://{listener.place}", "break guess.py:3", "why 1")
    reasons = ran.results()[1]["reasons"]
    assert reasons[-2:] == [
        "its line has not been reached since it was set",
        "breakpoints are hit only in the main thread and in threads that start after they are set",
    ]


def test_why_shows_no_control_characters_of_the_programs(remora: Remora) -> None:
    answers = {
        "loadedSources": lambda server, arguments: {"sources": [{"path": "/a\x1b]0;owned\x07/guess.py"}]},
        "threads": lambda server, arguments: {
            "threads": [{"id": 1, "name": "\x1b[2J", "remora": {"state": "untraced"}}]
        },
    }
    with Listener(Server(secret=None, answers=answers)) as listener:
        script = ("-c", "break guess.py:3", "-c", "why 1")
        ran = remora("exec", f"tcp://{listener.place}", *script)
    assert "matches by name: /a\\x1b]0;owned\\x07/guess.py" in ran.output
    assert "it does not stop thread \\x1b[2J, which" in ran.output
    assert ("\x1b" in ran.output, ran.code) == (False, 0)


def test_a_file_of_commands(remora: Remora, program: Program) -> None:
    script = remora.folder / "script"
    script.write_text("# look around\npause\np running\n\np 1 ;; p 2\nnope\np 3\n")
    ran = remora("exec", program.qualifier, "-x", str(script), "-c", "p 4")
    assert ran.code == 1
    assert ran.errors.startswith(f"remora: {script}:6: nope: NameError: name 'nope' is not defined\n")
    assert "nope is no command, and no variable here: help lists the commands." in ran.errors
    assert "\n1\n2\n" in ran.output
    ran = remora("exec", program.qualifier, "-x", "nowhere")
    assert ran.code == 2
    assert "No such file" in ran.errors


def test_commands_of_a_breakpoint(remora: Remora, newest: Interpreter) -> None:
    with Program(newest, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")
        line = program.line("loop")
        given = [f"b program.py:{line}", "on 1 p number ;; c", f"b program.py:{program.line('print')}", "c"]
        with remora.start_exec(program.qualifier, *given) as run:
            run.result(given[0])
            program.stdin_line("a")
            assert run.returncode() == 0
            values = []
            while True:
                try:
                    each = run.line(1)
                except AssertionError:
                    break
                if each.get("command") == "p number":
                    values.append(each["result"]["value"])
        assert values == ["0", "1", "2", "3"]


def test_the_programs_output_is_told(remora: Remora, newest: Interpreter) -> None:
    with Program(newest, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")
        given = [f"b program.py:{program.line('end')}", "c"]
        with remora.start_exec(program.qualifier, *given) as run:
            run.result(given[0])
            program.stdin_line("a")
            run.stop("c")
            assert run.returncode() == 0
        told = "".join(each["body"]["output"] for each in run.seen if each.get("event") == "output")
        assert "handled a 6\n" in told


@pytest.mark.parametrize("given", [[], ["detach", "p 1"], ["quit"]])
def test_leaving(remora: Remora, program: Program, given: list[str]) -> None:
    ran = remora.exec(program.qualifier, *given)
    assert ran.code == 0
    assert len(commands(ran)) == min(len(given), 1)
    assert program.process.poll() is None


def test_kill_is_meant_in_a_script(remora: Remora, program: Program) -> None:
    ran = remora.exec(program.qualifier, "kill -9")
    assert ran.code in (0, 7), ran
    assert program.returncode() != 0


def test_nothing_of_a_hostile_program_reaches_the_terminal(remora: Remora, newest: Interpreter) -> None:
    text = "# \nimport time\nname = '\\x1b]0;owned\\x07\\u202e'\nwhile True: time.sleep(0.01)\n"
    with Program(newest, text, enable={"secret": None}) as program:
        ran = remora(
            "exec", program.qualifier, "-c", "pause", "-c", "p name", "-c", "locals", "-c", "print(name)"
        )
        assert ran.code == 0, ran
        assert "\x1b" not in ran.output
        assert "\u202e" not in ran.output
        for line in remora.exec(program.qualifier, "pause", "p name").output.splitlines():
            assert "\x1b" not in line
            json.loads(line)
