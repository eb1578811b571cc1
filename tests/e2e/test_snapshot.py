"""Snapshots: taken of a real program, looked at when it is gone, by every door that the client has."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from remora_client import ClientError, ExceptionFilter, RequestFailed, attach
from tests.support.bridge import Bridge
from tests.support.command import Remora
from tests.support.dap import Refused
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

assert NEWEST
SHOP = """\
#
import threading, time

LIMIT = 7

class Order:
    def __init__(self):
        self.items = list(range(500))
        self.notes = {"paid": [1, {"by": "card"}], 5: "five", "control": "a\\x1b[31mb"}
        self.me = self

    @property
    def total(self):
        calls.append("the program's code ran")
        return 1

calls = []
ready = threading.Event()

def other_thread():
    place = "elsewhere"
    ready.set()
    while True:
        time.sleep(0.005)

def handle(order, count=3):
    text = "some text"
    return len(text)  # @here

threading.Thread(target=other_thread, name="other", daemon=True).start()
ready.wait()
while True:
    handle(Order())  # @call
    time.sleep(0.005)
"""
CRASH = """\
#
import remora
remora.wait_for_attach(30)

def inner(key):
    return {}[key]

def outer():
    try:
        inner("missing")
    except KeyError as error:
        raise RuntimeError("no such thing") from error

try:
    outer()
except RuntimeError:
    remora.post_mortem()
print("over", flush=True)
"""

NESTED = """\
#
import sys

def price(order):
    raise ValueError(f"too dear: {order}")

def work():
    order = [{"name": "tea"}]
    try:
        price(order)
    except ValueError as error:
        raise RuntimeError("no order") from error

for line in sys.stdin:
    try:
        work()  # @call
    except RuntimeError:
        pass
"""

WAITING = """\
#
import sys, threading, remora
remora.wait_on_crash(30)

def crash(left=1):
    return left / 0  # @crash

if sys.argv[1] == "main":
    crash()
thread = threading.Thread(target=crash, name="crashing")
thread.start()
thread.join()
"""


@pytest.fixture
def snapshot(remora: Remora) -> Path:
    """A file that was taken at a breakpoint; the program has ended since."""
    with Program(NEWEST, SHOP, enable={}, name="shop.py") as program:
        return take(remora, program)


def take(remora: Remora, program: Program) -> Path:
    path = remora.folder / "shop.remora"
    at = f"shop.py:{program.line('here')}"
    ran = remora.exec(program.qualifier, f"break {at}", "continue", f"snapshot {path}", "print calls")
    taken, calls = ran.results()[2:]
    assert taken["file"] == str(path)
    assert taken["bytes"] == path.stat().st_size < 200_000
    assert taken["threads"] == 2
    assert calls["value"] == "[]"  # looking ran nothing of the program's
    return path


def test_everything_can_be_looked_at_without_the_program(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, SHOP, enable={}, name="shop.py") as program:
        path = take(remora, program)
        here, call = program.line("here"), program.line("call")
        program.path.unlink()  # the source is in the file, too
    ran = remora.exec(
        str(path), "where", "locals", "print order.notes['paid'][1]['by']", "print order.items[49]", "args",
        "up", "where 1", "globals ^LIMIT", "down", "list", "threads", "thread apply all where",
        "completions order.", "sources", "status", "print -a text", "pp order",
    )  # fmt: skip
    (
        where,
        found,
        by,
        item,
        args,
        up,
        _,
        limit,
        _,
        listed,
        threads,
        every,
        completions,
        sources,
        status,
        text,
        _,
    ) = ran.results()
    assert [(frame["name"], frame["line"]) for frame in where[:2]] == [("handle", here), ("<module>", call)]
    assert {each["name"]: each["type"] for each in found} == {"order": "Order", "count": "int", "text": "str"}
    assert by == {"value": "'card'", "type": "str"}
    assert item == {"value": "49", "type": "int"}
    assert [each["name"] for each in args] == ["order", "count"]
    assert up["line"] == call
    assert limit == [{"name": "LIMIT", "value": "7", "type": "int"}]
    assert "    return len(text)  # @here" in listed["lines"]
    assert {each["name"]: each["state"] for each in threads}.keys() == {"MainThread", "other"}
    assert "other_thread" in json.dumps(every)
    assert {"items", "notes", "me"} <= set(completions)
    assert any(each["path"].endswith("shop.py") for each in sources)
    assert status["stop"]["reason"] == "breakpoint"
    assert text["value"] == "'some text'"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("continue", "no program runs behind it that could do this (continue)"),
        ("next", "no program runs behind it"),
        ("break shop.py:3", "no program runs behind it"),
        ("set count = 4", "no program runs behind it"),
        ("print len(order.items)", "Names can be looked at"),
        ("!import os", "Names can be looked at"),
        ("print nothing", "No nothing was recorded in this frame"),
        ("print order.items[450]", "was not recorded"),
    ],
)
def test_what_needs_a_process_is_refused_with_the_reason(
    remora: Remora, snapshot: Path, command: str, reason: str
) -> None:
    ran = remora.exec(str(snapshot), command)
    assert ran.code == 1
    assert reason in ran.lines[-1]["error"]
    assert ran.errors == ""


def test_from_python(remora: Remora, snapshot: Path) -> None:
    with attach(str(snapshot)) as session:
        stop = session.wait_for_stop(5)
        assert stop
        assert stop.frame
        order = stop.frame.evaluate("order")
        items = order.child("items")
        assert items.count == 500
        assert [each.value for each in items.children(start=10, count=3)] == ["10", "11", "12"]
        with pytest.raises(RequestFailed, match="the first 50"):
            items.children(start=300, count=5)
        deep = order.child("notes").child("'paid'").children()
        assert [each.type for each in deep] == ["int", "dict"]
        with pytest.raises(RequestFailed, match="no program runs"):
            session.step_over()
        assert session.state.phase == "stopped"
        again = remora.folder / "again.remora"
        session.snapshot(str(again))  # even a snapshot can be recorded: it is the same
    with attach(str(again)) as session:
        with pytest.raises(RequestFailed, match="no program runs"):
            session.resume()
        assert session.locals()[0].name == "order"


def test_at_the_prompt(remora: Remora, snapshot: Path) -> None:
    with remora.terminal("open", str(snapshot)) as person:

        def see(text: str) -> None:
            person.wait_until(lambda: text in person.text, text)

        see("Snapshot of shop.py")
        see("nothing runs")
        person.press("print order.notes\r")
        see(r"\x1b[31m")  # and no colour on this terminal
        person.press("continue\r")
        see("no program runs behind it")
        person.press("\x04")
        see("Closed.")
        assert person.returncode() == 0


def test_from_an_editor(remora: Remora, snapshot: Path) -> None:
    with Bridge(remora, str(snapshot)) as bridge:
        editor = bridge.editor
        editor.attach()
        stop = editor.wait_stopped(reason="breakpoint")
        top = editor.top(stop["threadId"])
        assert top["name"] == "handle"
        assert editor.locals(top["id"])["count"] == "3"
        locals_ = editor.request("scopes", frameId=top["id"])["scopes"][0]["variablesReference"]
        rows = {
            each["name"]: each
            for each in editor.request("variables", variablesReference=locals_)["variables"]
        }
        assert rows["order"]["evaluateName"] == "order"
        inner = editor.request("variables", variablesReference=rows["order"]["variablesReference"])[
            "variables"
        ]
        for each in inner:  # what an editor adds to its watches
            watched = editor.request(
                "evaluate", expression=each["evaluateName"], frameId=top["id"], context="watch"
            )
            assert watched["result"] == each["value"]
        # An editor has breakpoints of its own, in each of its files: no error for any of them.
        answer = editor.request("setBreakpoints", source={"path": "/app/shop.py"}, breakpoints=[{"line": 3}])
        assert answer["breakpoints"][0]["verified"] is False
        assert "snapshot" in answer["breakpoints"][0]["message"]
        assert editor.request("setExceptionBreakpoints", filters=["uncaught"]) == {}
        body = editor.request(
            "source", source=top["source"], sourceReference=top["source"]["sourceReference"]
        )
        assert "class Order" in body["content"]
        with pytest.raises(Refused, match="no program runs"):
            editor.request("continue", threadId=stop["threadId"])
        editor.disconnect()
    with Bridge(remora) as bridge:
        bridge.editor.attach(qualifier=str(snapshot))
        bridge.editor.wait_stopped(reason="breakpoint")
        bridge.editor.disconnect()


def test_of_a_running_program_from_the_shell(remora: Remora) -> None:
    with Program(NEWEST, SHOP, enable={}, name="shop.py") as program:
        ran = remora("snapshot", program.qualifier)
        assert ran.code == 0, ran
        path = remora.folder / f"shop.py-{program.pid}.remora"
        assert ran.output.startswith(f"{path.name}: 2 threads")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with attach(program.qualifier) as session:  # and it runs on
            assert session.state.phase == "running"
        missing = remora("snapshot", program.qualifier, "-o", str(remora.folder / "none" / "x.remora"))
        assert missing.code != 0
        assert "cannot be written: No such file" in missing.errors
    assert remora.exec(str(path), "threads").code == 0


def test_post_mortem_and_its_snapshot(remora: Remora) -> None:
    path = remora.folder / "crash.remora"
    with Program(NEWEST, CRASH, enable={}, name="crash.py") as program:
        with remora.start_exec(
            program.qualifier, *("catch -off", "wait", "where", "exceptions", f"snapshot {path}")
        ) as run:
            run.result("catch -off")
            stop = run.stop("wait")
            assert stop["reason"] == "exception"
            where = run.result("where")
            exceptions = run.result("exceptions")
            run.result(f"snapshot {path}")
            assert run.returncode() == 0
        program.wait_line("over")
    assert where[0]["name"] == "outer"
    check_chain(exceptions)
    ran = remora.exec(str(path), "exceptions", "where", "status")
    again, where_again, status = ran.results()
    assert again == exceptions
    assert where_again == where
    assert status["stop"]["reason"] == "exception"


@pytest.mark.parametrize("kind", ["main", "thread"])
def test_a_program_that_waits_when_it_crashes(remora: Remora, kind: str) -> None:
    path = remora.folder / "crash.remora"
    with Program(NEWEST, WAITING, [kind], enable={}, name="waiting.py", warnings="default") as program:
        program.wait_line("waiting for 30 s for a debugger", errors=True)
        ran = remora.exec(program.qualifier, "wait", "where", "exceptions", "locals", f"snapshot {path}")
        _, where, exceptions, found, _ = ran.results()
        assert (where[0]["name"], where[0]["line"]) == ("crash", program.line("crash"))
        assert (exceptions["type"], found[0]["name"]) == ("ZeroDivisionError", "left")
        assert program.returncode() == (1 if kind == "main" else 0)
    assert remora.exec(str(path), "where", "exceptions").results() == [where, exceptions]


def check_chain(exceptions: dict[str, Any]) -> None:
    details = exceptions["details"]
    assert (details["typeName"], details["message"]) == ("RuntimeError", "no such thing")
    (cause,) = details["innerException"]
    assert cause["typeName"] == "KeyError"
    assert 'inner("missing")' in cause["stackTrace"]


def test_a_file_that_is_none(remora: Remora) -> None:
    for name, data, reason in (
        ("missing.remora", None, "cannot be read: No such file"),
        ("text.remora", b"hello", "is no snapshot"),
        ("empty.remora", b"", "is no snapshot"),
    ):
        path = remora.folder / name
        if data is not None:
            path.write_bytes(data)
        ran = remora("exec", str(path), "-c", "where")
        assert ran.code == 6
        assert reason in ran.errors, ran
    other = remora.folder / "other.zip"
    with zipfile.ZipFile(other, "w") as found:
        found.writestr("hello.txt", "hello")
    with pytest.raises(ClientError, match=r"there is no snapshot\.json in it"):
        attach(str(other))


def test_on_another_machine(tmp_path: Path) -> None:
    """Only the file goes along: no sources, no program, no settings, no network; a person of another name."""
    home = tmp_path / "ada"
    home.mkdir(mode=0o700)
    path = home / "crash.remora"
    with (
        Program(NEWEST, NESTED, enable={}, name="nested.py") as program,
        attach(program.qualifier) as session,
    ):
        session.break_on_exceptions([ExceptionFilter("raised", "RuntimeError")])
        program.stdin_line("go")
        assert session.resume(20) is not None
        session.snapshot(str(path))
    program.path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "remora_client"]
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0:
        command = ["unshare", "-rn", *command]  # no network, where the kernel lets us have that
    environment = {"HOME": str(home), "PATH": os.defpath, "USER": "ada", "LANG": "C.UTF-8"}

    def opened(*commands: str) -> subprocess.CompletedProcess[str]:
        given = [part for each in commands for part in ("-c", each)]
        return subprocess.run(
            [*command, "exec", path.name, *given],
            cwd=home, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    ran = opened("bt", "args", "locals", "list", "exceptions", "exceptions -full", "up", "locals", "list")
    assert (ran.returncode, ran.stderr) == (0, "")
    shown = ("No arguments.", "order = ", 'raise RuntimeError("no order") from error', "ValueError: too dear")
    for text in shown:
        assert text in ran.stdout
    assert "work()  # @call" in ran.stdout
    for refused, says in (
        ("exceptions 2", "exceptions -full shows where the others came from"),
        ("next", "This is a snapshot"),
        ("!order.clear()", "This is a snapshot"),
    ):
        ran = opened(refused)
        assert ran.returncode == 1
        assert says in ran.stderr
    assert [each.name for each in home.iterdir()] == ["crash.remora"]  # looking leaves nothing behind
