"""`remora dap`, driven as an editor drives it. Every message is held against DAP's own schema on the way."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remora_client._bridge import CAPABILITIES
from tests.client.servers import HOLD, Server
from tests.client.servers import Remora as FakeRemora
from tests.e2e.game import SECRET, tls_enable
from tests.support.bridge import Bridge
from tests.support.command import REMORA, Remora, client_environment
from tests.support.dap import DapClient, Refused
from tests.support.dap_schema import is_standard, schema
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

assert NEWEST
SPIN = "function_loop.py"


class Spin(Program):
    """A program that calls a function for ever."""

    def __init__(self, interpreter: Interpreter = NEWEST, **enable: Any) -> None:
        super().__init__(interpreter, SPIN, enable={"secret": SECRET, **enable})

    def finish(self) -> None:
        """Its end, if nothing of the debugger's is left in it."""
        self.returncode()


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    return str(path)


def copy_of(program: Program, remora: Remora) -> Path:
    """The program's file as the person has it: elsewhere, with the same text."""
    return Path(shutil.copy(program.path, remora.folder))


def drive(editor: DapClient, file: Path, program: Program) -> None:
    """What the issue of an editor's day is: breakpoint, locals, evaluate, step, continue; and the end."""
    stop = editor.wait_stopped(reason="breakpoint")
    thread = stop["threadId"]
    top = editor.top(thread)
    assert (top["source"], top["line"]) == (
        {"name": file.name, "path": str(file)},
        program.line("doubled"),
    )
    value = int(editor.locals(top["id"])["value"])
    assert editor.evaluate("value * 10", top["id"])["result"] == str(value * 10)
    editor.next(thread)
    stop = editor.wait_stopped(reason="step")
    assert editor.top(thread)["line"] == program.line("step_return")
    editor.set_breakpoints(file, [])
    editor.continue_(thread)


def stop_the_program(editor: DapClient) -> None:
    """Lets the program come to its end."""
    (thread, *_) = editor.threads()
    editor.pause(thread["id"])
    stop = editor.wait_stopped()
    editor.evaluate("state['running'] = False", editor.top(stop["threadId"])["id"])
    editor.continue_(stop["threadId"])
    editor.expect_event("terminated")


def test_an_editors_day_over_tls_with_a_secret(
    interpreter: Interpreter, remora: Remora, certificate: dict[str, str], secret_file: str
) -> None:
    with Spin(interpreter, **tls_enable(certificate)) as program:
        file = copy_of(program, remora)
        arguments = ("--secret-file", secret_file, "--cafile", certificate["certfile"])
        with Bridge(remora, program.qualifier, *arguments) as bridge:
            editor = bridge.editor
            editor.attach({file: [program.line("doubled")]}, type="remora", name="Remora", request="attach")
            drive(editor, file, program)
            stop_the_program(editor)
            editor.request("disconnect")
            assert bridge.returncode() == 0
        assert program.returncode() == 0


def test_everything_may_come_in_the_attach(
    remora: Remora, certificate: dict[str, str], secret_file: str
) -> None:
    with Spin(**tls_enable(certificate)) as program:
        file = copy_of(program, remora)
        with Bridge(remora) as bridge:
            editor = bridge.editor
            editor.attach(
                {file: [program.line("doubled")]},
                qualifier=program.qualifier,
                secret=SECRET,
                fingerprint=certificate["fingerprint"],
                processId=program.pid,
            )
            drive(editor, file, program)
            editor.disconnect()
        # Nothing is left: another one may come, by the file this time, and choose by name.
        with Bridge(remora) as bridge:
            bridge.editor.attach(
                qualifier=program.qualifier,
                secretFile=secret_file,
                cafile=certificate["certfile"],
                processName="function_*",
            )
            stop_the_program(bridge.editor)


def ask_for_everything(editor: DapClient) -> None:
    """Each request that an editor may make. The client here holds every answer against DAP's schema."""
    editor.pause(editor.threads()[0]["id"])
    stop = editor.wait_stopped()
    top = editor.top(stop["threadId"])
    frame, thread = {"frameId": top["id"]}, {"threadId": stop["threadId"]}
    here = {"source": top["source"], "line": top["line"]}
    scopes = editor.request("scopes", frame)["scopes"]
    for command, arguments in (
        *(("variables", {"variablesReference": each["variablesReference"]}) for each in scopes),
        ("variables", {"variablesReference": scopes[0]["variablesReference"], "start": 0, "count": 1}),
        *(
            ("evaluate", {**frame, "expression": "{'a': [1]}", "context": context})
            for context in ("repl", "watch", "hover", "clipboard", "variables")
        ),
        ("evaluate", {**frame, "expression": "nonsense"}),
        (
            "setVariable",
            {"variablesReference": scopes[0]["variablesReference"], "name": "x", "value": "1"},
        ),
        ("setExpression", {**frame, "expression": "made_here", "value": "1"}),
        ("completions", {**frame, "text": "sta", "column": 4}),
        ("modules", {}),
        ("modules", {"startModule": 0, "moduleCount": 1}),
        ("loadedSources", {}),
        ("source", {"source": top["source"], "sourceReference": 1}),
        ("stepInTargets", frame),
        ("gotoTargets", here),
        ("goto", {**thread, "targetId": 1}),
        ("breakpointLocations", here),
        (
            "setBreakpoints",
            {"source": top["source"], "breakpoints": [{"line": 999}], "sourceModified": True},
        ),
        ("setFunctionBreakpoints", {"breakpoints": [{"name": "step"}]}),
        ("setExceptionBreakpoints", {"filters": ["raised"]}),
        ("dataBreakpointInfo", {"name": "x"}),
        ("setDataBreakpoints", {"breakpoints": []}),
        ("exceptionInfo", thread),
        (
            "disassemble",
            {"memoryReference": top.get("instructionPointerReference"), "instructionCount": 3},
        ),
        ("readMemory", {"memoryReference": "0x1", "count": 1}),
        ("stackTrace", {**thread, "startFrame": 0, "levels": 0}),
        ("stackTrace", {**thread, "startFrame": 5, "levels": 1}),
        ("restartFrame", frame),
        ("restart", {}),
        ("cancel", {"requestId": 1}),
        ("stepBack", thread),
        ("nonsense", {}),
    ):
        with contextlib.suppress(Refused):  # a refusal has been held against the schema as well
            editor.request(command, arguments)


def test_nothing_but_dap_and_in_its_order(remora: Remora) -> None:
    assert schema() is not None, "debugpy, which brings DAP's schema, is not installed"
    with Spin() as program, Bridge(remora, env={"REMORA_SECRET": SECRET}) as bridge:
        editor = bridge.editor
        editor.send({"seq": 0, "type": "request", "command": "initialize", "arguments": {"adapterID": "x"}})
        editor._next = 1
        assert editor.finish(0) == CAPABILITIES
        assert [message["type"] for message in editor.messages] == ["response"]
        editor.attach(initialize=False, qualifier=program.qualifier)
        ask_for_everything(editor)
        unknown = [event["event"] for event in editor.messages if event["type"] == "event"]
        assert all(map(is_standard, unknown)), unknown
        numbers = [message["seq"] for message in editor.messages]
        assert numbers == sorted(numbers)
        editor.disconnect()


def test_capabilities_are_those_of_this_server(remora: Remora) -> None:
    with Spin() as program:
        with DapClient.connect(program.address, SECRET) as client:
            body = client.initialize()
            body.pop("remora")
            assert body == CAPABILITIES
        with Bridge(remora) as bridge:
            bridge.editor.attach(qualifier=program.qualifier, secret=SECRET)
            bridge.editor.threads()
            assert not [event for event in bridge.editor.messages if event.get("event") == "capabilities"]
            bridge.editor.disconnect()


def failure(remora: Remora, *arguments: str, **attach: Any) -> Refused:
    with Bridge(remora, *arguments) as bridge:
        editor = bridge.editor
        editor.initialize()
        with pytest.raises(Refused) as caught:
            editor.request("attach", attach)
        assert caught.value.error["showUser"] is True
        # And that is all: no `terminated`, no `initialized`, nothing that an editor would trip over.
        assert [event["event"] for event in editor.events if event["event"] != "output"] == []
        editor.disconnect()
        return caught.value


def test_one_failure_one_error(remora: Remora, certificate: dict[str, str]) -> None:
    with Spin() as program:
        wrong = failure(remora, qualifier=program.qualifier, secret="wrong")
        assert wrong.code == "rejected"
        assert "secret" in wrong.text
        assert '"observe": true' in wrong.text  # and not --observe, which nobody writes there
        assert "wrong" not in wrong.text.split()[-1]
        missing = failure(remora, program.qualifier)
        assert missing.code == "auth-required"
        assert '"secretFile"' in missing.text
        nobody = failure(remora, qualifier=program.qualifier, secret=SECRET, processId=1)
        assert nobody.code == "no-such-process"
        assert str(program.pid) in nobody.text
        with DapClient.connect(program.address, SECRET) as other:
            other.attach()
            busy = failure(remora, qualifier=program.qualifier, secret=SECRET)
            assert busy.code == "already-attached"
            with Bridge(remora) as bridge:
                bridge.editor.attach(qualifier=program.qualifier, secret=SECRET, force=True)
                bridge.editor.disconnect()
    refused = failure(remora, qualifier=program.qualifier)
    assert refused.code == "refused"
    with Spin(**tls_enable(certificate)) as program:
        untrusted = failure(remora, qualifier=program.qualifier, secret=SECRET)
        assert untrusted.code == "certificate"
        assert "remora trust add" in untrusted.text
    assert failure(remora, qualifier="x://y").code == "usage"
    assert "attach" in failure(remora, connect=3).text


def test_after_a_failure_the_editor_may_try_again(remora: Remora) -> None:
    with Spin() as program, Bridge(remora, says=r"(remora: .* after a wrong secret: waiting.\n)?") as bridge:
        editor = bridge.editor
        editor.initialize()
        with pytest.raises(Refused):
            editor.request("attach", qualifier=program.qualifier, secret="wrong")
        with pytest.raises(Refused, match="launch"):
            editor.request("launch", program="x.py")
        editor.attach(initialize=False, qualifier=program.qualifier, secret=SECRET)
        editor.disconnect()


def test_configuration_before_the_attach(remora: Remora) -> None:
    """As dape does it with `defer-launch-attach`."""
    with Spin() as program, Bridge(remora) as bridge:
        file = copy_of(program, remora)
        editor = bridge.editor
        editor.initialize()
        editor.expect_event("initialized")
        (pending,) = editor.set_breakpoints(file, [program.line("doubled")])
        assert not pending["verified"]
        editor.request("setExceptionBreakpoints", filters=["uncaught"])
        editor.request("configurationDone")
        editor.request("attach", qualifier=program.qualifier, secret=SECRET)
        changed = editor.expect_event("breakpoint", reason="changed")["breakpoint"]
        assert changed["id"] == pending["id"]
        assert changed["verified"]
        assert changed["source"]["path"] == str(file)
        stop = editor.wait_stopped()
        assert stop["hitBreakpointIds"] == [pending["id"]]
        assert [event for event in editor.events if event["event"] == "initialized"] == []
        editor.disconnect()


def test_configuration_before_an_observer_attaches(remora: Remora) -> None:
    with Spin(observer_secret="look") as program, Bridge(remora) as bridge:
        editor = bridge.editor
        editor.initialize()
        (pending,) = editor.set_breakpoints(copy_of(program, remora), [program.line("doubled")])
        editor.request("configurationDone")
        editor.request("attach", qualifier=program.qualifier, secret="look", observe=True)
        changed = editor.expect_event("breakpoint", reason="changed")["breakpoint"]
        assert (changed["id"], changed["verified"]) == (pending["id"], False)
        assert changed["message"] == "An observer sets no breakpoints."
        editor.disconnect()


def test_source_that_is_not_here_comes_from_the_server(remora: Remora) -> None:
    with Spin() as program, Bridge(remora) as bridge:
        # The person has another version of the file.
        (remora.folder / program.path.name).write_text("# old\n" + program.path.read_text())
        editor = bridge.editor
        place = {"path": str(program.path)}
        editor.attach(qualifier=program.qualifier, secret=SECRET)
        editor.request(
            "setBreakpoints",
            source={**place, "sourceReference": 1},
            breakpoints=[{"line": program.line("doubled")}],
        )
        top = editor.top(editor.wait_stopped()["threadId"])
        # It is the same machine here: that very path has the text that runs.
        assert top["source"]["path"] == str(program.path)
        editor.disconnect()


def test_a_file_that_differs_is_shown_as_it_runs(remora: Remora) -> None:
    with Spin() as program:
        text = program.path.read_text()
        with DapClient.connect(program.address, SECRET) as client:
            client.attach()
            client.pause(1)
            client.top(client.wait_stopped()["threadId"])
        program.path.unlink()  # as on another machine; the program has loaded it
        (remora.folder / program.path.name).write_text("# old\n" + text)
        with Bridge(remora) as bridge:
            editor = bridge.editor
            editor.attach(qualifier=program.qualifier, secret=SECRET)
            editor.pause(editor.threads()[0]["id"])
            top = editor.top(editor.wait_stopped()["threadId"])
            assert top["source"]["sourceReference"] > 0
            body = editor.request(
                "source", source=top["source"], sourceReference=top["source"]["sourceReference"]
            )
            assert body["content"] == text
            said = [event["body"]["output"] for event in editor.events if event["event"] == "output"]
            assert len([each for each in said if "is not what the program runs" in each]) == 1
            editor.disconnect()


def test_path_mappings(remora: Remora) -> None:
    with Spin() as program:
        mine = remora.folder / "checkout" / "renamed"
        mine.mkdir(parents=True)
        other = remora.folder / program.path.name
        other.write_text("# a file of that name that is something else\n")
        file = Path(shutil.copy(program.path, mine))
        with Bridge(remora) as bridge:
            editor = bridge.editor
            mapping = {"localRoot": str(mine), "remoteRoot": str(program.directory)}
            editor.attach(
                {file: [program.line("doubled")]},
                qualifier=program.qualifier,
                secret=SECRET,
                pathMappings=[mapping],
            )
            drive(editor, file, program)
            editor.disconnect()


def test_the_editor_goes_and_the_program_runs_on(remora: Remora) -> None:
    with Spin() as program:
        file = copy_of(program, remora)
        with Bridge(remora) as bridge:
            editor = bridge.editor
            editor.attach({file: [program.line("doubled")]}, qualifier=program.qualifier, secret=SECRET)
            editor.wait_stopped()
            editor.close()
            assert bridge.returncode() == 0
        with DapClient.connect(program.address, SECRET) as client:
            client.attach()
            assert client.threads()[0]["remora"]["state"] == "running"


def test_the_editor_gives_up_while_the_program_thinks_about_it(remora: Remora) -> None:
    """And `Bridge` says that nothing was told of that."""
    asked = threading.Event()

    def think(_server: FakeRemora, _arguments: object) -> object:
        asked.set()
        return HOLD

    with Server(FakeRemora(secret=None, answers={"attach": think})) as listener, Bridge(remora) as bridge:
        bridge.editor.initialize()
        bridge.editor.begin("attach", {"qualifier": f"tcp://{listener.place}"})
        assert asked.wait(20)
        bridge.editor.disconnect()
        assert bridge.returncode() == 0


def test_the_program_ends_under_the_editor(remora: Remora) -> None:
    with Spin() as program, Bridge(remora) as bridge:
        editor = bridge.editor
        editor.attach(qualifier=program.qualifier, secret=SECRET)
        program.process.kill()
        editor.expect_event("output", category="important")
        editor.expect_event("terminated")
        with pytest.raises(Refused):
            editor.request("evaluate", expression="1")
        assert editor.threads() == []
        editor.request("disconnect")
        assert bridge.returncode() == 0


def test_terminate_debuggee_as_dap_spells_it(remora: Remora) -> None:
    with Spin() as program, Bridge(remora) as bridge:
        bridge.editor.attach(qualifier=program.qualifier, secret=SECRET)
        bridge.editor.request("disconnect", terminateDebuggee=True)
        assert program.returncode() != 0
    with Spin() as program:
        with Bridge(remora) as bridge:
            editor = bridge.editor
            editor.attach(qualifier=program.qualifier, secret=SECRET)
            editor.pause(editor.threads()[0]["id"])
            editor.wait_stopped()
            editor.request("disconnect", suspendDebuggee=True)
        with DapClient.connect(program.address, SECRET) as client:
            client.attach()
            client.wait_stopped()


def test_giving_up_an_evaluation(remora: Remora) -> None:
    with Spin() as program, Bridge(remora) as bridge:
        editor = bridge.editor
        editor.attach(qualifier=program.qualifier, secret=SECRET)
        editor.pause(editor.threads()[0]["id"])
        top = editor.top(editor.wait_stopped()["threadId"])
        endless = editor.begin("evaluate", expression="[0 for _ in iter(int, 1)]", frameId=top["id"])
        editor.request("cancel", requestId=endless)
        with pytest.raises(Refused) as caught:
            editor.finish(endless)
        assert caught.value.code == "cancelled"
        editor.disconnect()


def test_a_terminal_and_an_editor_see_the_same_stops(remora: Remora) -> None:
    with Spin(observer_secret="look") as program, Bridge(remora) as bridge:
        file = copy_of(program, remora)
        editor = bridge.editor
        editor.attach(
            {file: [program.line("doubled")]}, qualifier=program.qualifier, secret="look", observe=True
        )
        qualifier = program.qualifier.replace("://", f"://{SECRET}@")
        commands = (
            f"break function_loop.py:{program.line('doubled')}",
            "continue",
            "next",
            "clear 1",
            "continue",
        )
        with remora.start_exec(qualifier, *commands) as terminal:
            terminal.result(commands[0])
            first = terminal.stop("continue")
            seen = editor.wait_stopped(reason="breakpoint")
            assert seen["threadId"] == first["thread"]
            terminal.stop("next")
            editor.expect_event("continued")
            stepped = editor.wait_stopped(reason="step")
            assert stepped["remora"]["frame"]["line"] == program.line("step_return")
            with pytest.raises(Refused, match="observer"):
                editor.next(seen["threadId"])
            terminal.result("clear 1")
            terminal.kill()
        editor.disconnect()


@pytest.fixture
def listening(remora: Remora) -> Iterator[tuple[str, int]]:
    process = subprocess.Popen(
        [REMORA, "dap", "--listen", "127.0.0.1:0"],
        env=client_environment(remora.configuration, {"REMORA_SECRET": SECRET}),
        cwd=remora.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        host, _, port = process.stdout.readline().rpartition(" ")[2].strip().rpartition(":")
        yield host, int(port)
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_on_a_loopback_port(remora: Remora, listening: tuple[str, int]) -> None:
    """As VS Code's `debugServer` does it; one after the other, and two at once."""
    with Spin() as first, Spin() as second:
        files = copy_of(first, remora)
        with (
            DapClient(socket.create_connection(listening)) as one,
            DapClient(socket.create_connection(listening)) as two,
        ):
            one.attach({files: [first.line("doubled")]}, qualifier=first.qualifier)
            two.attach({files: [first.line("doubled")]}, qualifier=second.qualifier)
            drive(one, files, first)
            drive(two, files, second)
            stop_the_program(one)
            one.request("disconnect")
            one.wait_closed()
            two.request("disconnect")
            two.wait_closed()
        with DapClient(socket.create_connection(listening)) as three:
            three.attach(qualifier=second.qualifier)
            stop_the_program(three)


def test_no_secret_in_any_argument_vector(remora: Remora) -> None:
    with Spin() as program, Bridge(remora) as bridge:
        bridge.editor.attach(qualifier=program.qualifier, secret=SECRET)
        for pid in (bridge.process.pid, program.pid):
            assert SECRET.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        bridge.editor.disconnect()


def test_the_direct_door_for_plain_editors() -> None:
    """An editor without the bridge: loopback, and the secret among the arguments of attach."""
    with Spin() as program:
        with DapClient.connect(program.address, login=False) as editor:
            editor.attach({program.path: [program.line("doubled")]}, secret=SECRET)
            stop = editor.wait_stopped(reason="breakpoint")
            assert editor.top(stop["threadId"])["line"] == program.line("doubled")
            editor.continue_(stop["threadId"])
            editor.wait_stopped(reason="breakpoint")
            editor.set_breakpoints(program.path, [])
            editor.continue_(stop["threadId"])
            ask_for_everything(editor)
            assert all(is_standard(event["event"]) for event in editor.messages if "event" in event)
            editor.disconnect()


def test_garbage_ends_it_politely(remora: Remora) -> None:
    with Bridge(remora) as bridge:
        bridge.editor.send_bytes(b"GET / HTTP/1.1\r\n\r\n")
        bridge.editor.wait_closed()
        assert bridge.returncode() == 0
