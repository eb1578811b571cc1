"""Remora's client against a server that nobody here wrote: debugpy, on three Pythons.

One client for each program: the thread of debugpy's that accepts clients writes to the one before, and dies
when that one is just parting. Who comes then is never answered.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from remora_client import ClientError, RequestFailed, attach
from tests.support.bridge import Bridge, reverse_request
from tests.support.command import Remora
from tests.support.interpreters import INTERPRETERS, Interpreter
from tests.support.packages import folder_with
from tests.support.program import Program

VERSION = "1.8.22"
SERVICE = """\
import time, debugpy
print("AT", *debugpy.listen(("127.0.0.1", 0)), flush=True)
state = {"running": True, "numbers": list(range(2000))}
def step(value):
    doubled = value * 2  # @doubled
    return doubled + 1  # @step_return
i = 0
while state["running"]:
    i = step(i) % 1000
    time.sleep(0.01)
print("ended")
"""
PARENT = """\
import os, sys, time, debugpy
print("AT", *debugpy.listen(("127.0.0.1", 0)), flush=True)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        total = 1 + 1
        print("child done", total, flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    print("parent goes on", flush=True)
"""
PYTHONS = [one for one in INTERPRETERS if not one.is_pypy and one.version[:2] in ((3, 11), (3, 12), (3, 13))]


class Service(Program):
    """A program that listens by debugpy."""

    def __init__(self, interpreter: Interpreter, source: str = SERVICE, name: str = "svc.py") -> None:
        folder = folder_with("debugpy", VERSION, interpreter)
        environment = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        super().__init__(
            interpreter, source, name=name, env=environment, pythonpath=folder, warnings="default"
        )
        found = self.wait_line(r"AT (\S+) (\d+)")
        self.place = f"tcp://{found[1]}:{found[2]}"


@pytest.fixture(params=PYTHONS, ids=str)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with Service(request.param) as program:
        yield program


def test_exec(service: Service, remora: Remora) -> None:
    doubled = service.line("doubled")
    ran = remora.exec(
        service.place,
        f"break svc.py:{doubled}",
        "continue",
        "locals",
        "print 6 * 7",
        "where",
        "next",
        "print state['numbers']",
        "threads",
        "clear -all",
        "!state['running'] = False",
        "continue",
    )
    assert ran.code == 0, ran
    breakpoint_, _, names, product, where, _, _, threads, *_ = ran.results()
    assert (breakpoint_["verified"], breakpoint_["line"]) == (True, doubled)
    assert [each["name"] for each in names] == ["value"]
    assert product == {"value": "42", "type": "int"}
    assert [each["name"] for each in where] == ["step", "<module>"]
    assert threads[0]["name"] == "MainThread"
    stops = [line["stop"]["frame"]["line"] for line in ran.lines if "stop" in line]
    assert stops == [doubled, service.line("step_return")]
    assert service.returncode() == 0
    assert "ended" in service.output


def test_what_the_banner_says(service: Service, remora: Remora) -> None:
    with remora.terminal("attach", service.place) as terminal:
        terminal.wait(f"debugpy {VERSION}, not a Remora")
        terminal.wait("no authentication")
        terminal.press("\x04")
        assert terminal.returncode() == 0


def test_ls(service: Service, remora: Remora) -> None:
    listed = remora("ls", service.place)
    assert listed.code == 0, listed
    assert f"debugpy {VERSION}" in listed.output
    assert "no authentication" in listed.output


def test_pages_of_what_is_big(service: Service) -> None:
    with attach(service.place) as session:
        session.break_at(str(service.path), service.line("doubled"))
        assert session.resume(20)
        numbers = session.evaluate("state['numbers']")
        page = numbers.children(start=1500, count=3)
        assert [each.value for each in page] == ["1500", "1501", "1502"]
        assert [each.value for each in numbers.children(start=1998, count=10)] == ["1998", "1999"]


@pytest.fixture
def oldest() -> Iterator[Service]:
    with Service(PYTHONS[0]) as program:
        yield program


def until_doubled(service: Service) -> tuple[str, str]:
    return f"break svc.py:{service.line('doubled')}", "continue"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("print nothing", "NameError: name 'nothing' is not defined"),
        ("exceptions", "The program does not stand at an exception: there is none."),
        ("tasks", "This server has no 'tasks'."),
    ],
)
def test_what_fails_is_said_in_a_line(oldest: Service, remora: Remora, command: str, error: str) -> None:
    ran = remora.exec(oldest.place, *until_doubled(oldest), command)
    assert (ran.code, ran.lines[-1]["error"]) == (1, error)


def test_what_debugpy_has_not_is_refused_and_harms_nothing(oldest: Service) -> None:
    with attach(oldest.place) as session:
        session.break_at(str(oldest.path), oldest.line("doubled"))
        assert session.resume(20)
        for ask in (lambda: session.send_input("x"), session.tasks, session.disassembly, session.skip):
            with pytest.raises(RequestFailed, match=r"^This server has no '\w+'\.$"):
                ask()
        with pytest.raises(ClientError, match="cannot run a call again"):  # it would never answer
            session.restart_frame(timeout=5)
        assert session.step_over(20)
    assert "Unhandled" not in oldest.errors


def test_more_than_it_shows_is_not_counted(oldest: Service, remora: Remora) -> None:
    commands = [f"-c{each}" for each in (*until_doubled(oldest), "pp state['numbers']")]
    assert "… more\n" in remora("exec", oldest.place, *commands).output  # it does not say how many


def test_a_snapshot(oldest: Service, remora: Remora) -> None:
    ran = remora.exec(oldest.place, *until_doubled(oldest), f"snapshot {remora.folder / 'it.remora'}")
    assert ran.code == 0, ran
    assert "Traceback" not in oldest.errors  # of debugpy, asked for an exception where there is none


@pytest.fixture(params=PYTHONS[:1], ids=str)
def parent(request: pytest.FixtureRequest) -> Iterator[Service]:
    with Service(request.param, PARENT, "parent.py") as found:
        yield found


def test_a_child_is_not_held_where_nobody_can_come(parent: Service) -> None:
    with attach(parent.place):  # debugpy itself would hold it for ever
        parent.stdin_line("")
        parent.wait_line("child done 2")
        parent.wait_line("parent goes on")


def test_a_child_is_not_held_where_the_editor_cannot_take_it(parent: Service, remora: Remora) -> None:
    with Bridge(remora) as bridge:
        bridge.editor.attach(qualifier=parent.place)
        parent.stdin_line("")
        parent.wait_line("parent goes on")
        bridge.editor.disconnect()


def test_a_child_is_brought_to_an_editor_that_can(parent: Service, remora: Remora) -> None:
    with Bridge(remora) as bridge, Bridge(remora) as second:
        editor = bridge.editor
        editor.initialize(supportsStartDebuggingRequest=True)
        editor.attach(initialize=False, qualifier=parent.place)
        parent.stdin_line("")
        asked = reverse_request(editor)
        assert asked["command"] == "startDebugging"
        second.editor.attach(**asked["arguments"]["configuration"])
        parent.wait_line("child done 2")
        parent.wait_line("parent goes on")
        editor.disconnect()


def test_through_the_bridge(service: Service, remora: Remora) -> None:
    file = Path(shutil.copy(service.path, remora.folder))
    doubled = service.line("doubled")
    with Bridge(remora) as bridge:
        editor = bridge.editor
        mapping = {"localRoot": str(remora.folder), "remoteRoot": str(service.directory)}
        editor.attach({file: [doubled]}, qualifier=service.place, pathMappings=[mapping])
        stop = editor.wait_stopped()
        top = editor.top(stop["threadId"])
        assert (top["line"], top["source"]["path"]) == (doubled, str(file))
        assert editor.evaluate("6 * 7", top["id"])["result"] == "42"
        said = [event["body"]["output"] for event in editor.messages if event.get("event") == "output"]
        assert any("no authentication" in each for each in said)
        # It brings messages before it is initialized; an editor hears nothing of them.
        assert editor.messages[0]["type"] == "response"
        editor.disconnect()
