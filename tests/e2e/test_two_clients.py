"""A person at a terminal and an editor on one program: both see the same stops, one of them drives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.bridge import Bridge
from tests.support.command import Remora
from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST
from tests.support.program import Program

assert NEWEST
ENABLE = {"secret": "driver", "observer_secret": "looker"}


@pytest.fixture
def program():
    with Program(NEWEST, "function_loop.py", enable=ENABLE) as found:
        yield found


def place(program: Program, secret: str = "") -> str:
    return program.qualifier.replace("://", f"://{secret}@") if secret else program.qualifier


def look_on(bridge: Bridge, program: Program) -> DapClient:
    """An editor that observes."""
    editor = bridge.editor
    editor.attach(qualifier=place(program), secret="looker", observe=True)
    return editor


def test_the_terminal_drives_and_the_editor_sees_it(program: Program, remora: Remora) -> None:
    with Bridge(remora) as bridge, remora.terminal("attach", place(program, "driver")) as terminal:
        terminal.wait("Attached to function_loop.py")
        editor = look_on(bridge, program)
        terminal.enter(f"break function_loop.py:{program.line('doubled')}")
        terminal.wait("Breakpoint 1")
        terminal.enter("continue")
        terminal.wait("Breakpoint 1 .* step")
        stop = editor.wait_stopped(reason="breakpoint")
        thread = stop["threadId"]
        top = editor.top(thread)
        assert top["line"] == program.line("doubled")
        assert "value" in editor.locals(top["id"])
        terminal.enter("next")
        terminal.wait(rf"→ +{program.line('step_return')} ")
        assert editor.expect_event("continued")["threadId"] == thread
        editor.wait_stopped(reason="step")
        assert editor.top(thread)["line"] == program.line("step_return")
        for command in ("continue", "next", "pause", "evaluate"):  # the editor may only look
            with pytest.raises(Refused, match="observer"):
                editor.request(command, threadId=thread, expression="1")
        terminal.enter("quit -c")
        assert terminal.returncode() == 0
        editor.expect_event("continued")
        assert editor.threads()[0]["name"] == "MainThread"  # and it still looks on
        editor.disconnect()


def test_the_editor_drives_and_the_terminal_sees_it(program: Program, remora: Remora) -> None:
    file = Path(program.path)
    with (
        Bridge(remora) as bridge,
        remora.terminal("attach", "--observe", place(program, "looker")) as terminal,
    ):
        terminal.wait("Attached to function_loop.py")
        editor = bridge.editor
        editor.attach({file: [program.line("doubled")]}, qualifier=place(program), secret="driver")
        thread = editor.wait_stopped(reason="breakpoint")["threadId"]
        terminal.wait(rf"→ +{program.line('doubled')} ")
        terminal.enter("print value")
        terminal.wait("observer")  # that would run code
        terminal.enter("locals")
        terminal.wait("value += ")
        editor.next(thread)
        editor.wait_stopped(reason="step")
        terminal.wait(rf"→ +{program.line('step_return')} ")
        terminal.enter("continue")
        terminal.wait("observer")
        editor.set_breakpoints(file, [])
        editor.disconnect()
        terminal.wait("runs on|running")
        terminal.enter("where")
        terminal.wait("when whoever debugs it stops it")
        terminal.enter("quit -c")
        assert terminal.returncode() == 0


def test_who_comes_later_sees_where_it_stands(program: Program, remora: Remora) -> None:
    with Bridge(remora) as bridge, remora.terminal("attach", place(program, "driver")) as terminal:
        terminal.wait("Attached to function_loop.py")
        terminal.enter(f"break function_loop.py:{program.line('doubled')}")
        terminal.wait("Breakpoint 1 .* step")
        editor = look_on(bridge, program)
        stop = editor.wait_stopped(reason="breakpoint")
        assert editor.top(stop["threadId"])["line"] == program.line("doubled")
        editor.disconnect()
        terminal.enter("print 6 * 7")  # and the stop is still the driver's
        terminal.wait("^42")


def test_the_editor_takes_over_and_the_terminal_is_told(program: Program, remora: Remora) -> None:
    with Bridge(remora) as bridge, remora.terminal("attach", place(program, "driver")) as terminal:
        terminal.wait("Attached to function_loop.py")
        terminal.enter(f"break function_loop.py:{program.line('doubled')}")
        terminal.enter("continue")
        terminal.wait("Breakpoint 1 .* step")
        editor = bridge.editor
        editor.initialize()
        with pytest.raises(Refused, match="is attached to process"):
            editor.request("attach", qualifier=place(program), secret="driver")
        editor.attach(initialize=False, qualifier=place(program), secret="driver", force=True)
        terminal.wait("The session is over: .* took over the debugging of process")
        assert terminal.returncode() == 7
        thread = editor.wait_stopped()["threadId"]  # where the other one left it
        editor.next(thread)
        editor.wait_stopped(reason="step")
        editor.disconnect()
    with DapClient.connect(program.address, "driver") as client:
        client.attach()
        assert client.threads()[0]["remora"]["state"] == "running"
