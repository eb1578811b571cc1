"""A server that lies, after the login: the client stays itself, says what is wrong, and shows only text.

What it says before the login is in test_connect.py.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from remora_client._sessions._state import State, reduce
from remora_protocol import RequestFailed, encode_frame
from tests.client.servers import SECRET, Answer, Server
from tests.client.servers import Remora as Honest
from tests.support.command import Ran, Remora

NASTY = "\x1b]0;owned\x07\x1b[2J\u202e\r\x9b31m\ud800"
LIES = [
    "../../../../../../../../etc/passwd",
    "/etc/passwd",
    "/proc/self/environ",
    "/dev/stdin",
    "C:\\CON",
    "\\\\host\\share\\x.py",
    "a" * 100_000,
    "x.py\x00/etc/passwd",
    NASTY,
]


class Stopped:
    """An honest server but for some answers, with a program that stands."""

    def __init__(self, answers: Mapping[str, Answer], events: list[tuple[str, Any]] | None = None) -> None:
        def pause(server: Honest, _arguments: dict[str, Any]) -> dict[str, Any]:
            for name, body in events or [("stopped", {"reason": "pause", "threadId": 1})]:
                server.emit(name, body)
            return {}

        self.honest = Honest(answers={"pause": pause, **answers})

    def run(self, remora: Remora, command: str) -> Ran:
        with Server(self.honest) as listener:
            place = f"tcp://{SECRET}@{listener.place}"
            ran = remora("exec", place, "--timeout", "15", "-c", "pause", "-c", command, timeout=30)
            assert "is running" not in ran.errors
            return ran


def _says(body: Any) -> Answer:
    return lambda _server, _arguments: body


def _is_calm(ran: Ran) -> None:
    """It ended in one of the ways that there are, and the terminal got nothing but text."""
    assert ran.code in (0, 1, 6, 7), ran
    for text in (ran.output, ran.errors):
        assert "Traceback" not in text
        assert "A bug in Remora" not in text
        for control in ("\x1b", "\x07", "\u202e", "\x9b", "\r"):
            assert control not in text


def _frame(**changes: Any) -> dict[str, Any]:
    source = {"path": "/app/guess.py", "sourceReference": 3}
    return {"id": 7, "name": "main", "line": 12, "column": 1, "source": source, **changes}


STACKS = {
    "control characters": [_frame(name=NASTY, source={"name": NASTY, "path": NASTY})],
    "numbers that are none": [_frame(id="7", line="x", column=None), _frame(line=-5), _frame(line=1.5)],
    "huge numbers": [_frame(line=10**30, column=10**30, id=2**70)],
    "no records": ["frame", 7, None, [], {"id": None}],
    "no source": [_frame(source="x"), _frame(source={"path": 7}), _frame(source=None)],
    "twenty thousand frames": [_frame(id=number) for number in range(20_000)],
    "a long name": [_frame(name="n" * 1_000_000)],
}


@pytest.mark.parametrize("lie", STACKS)
def test_stacks_that_lie(remora: Remora, lie: str) -> None:
    server = Stopped({"stackTrace": _says({"stackFrames": STACKS[lie], "totalFrames": 10**18})})
    for command in ("where", "list"):
        began = time.monotonic()
        _is_calm(server.run(remora, command))
        assert time.monotonic() - began < 25


@pytest.mark.parametrize("path", LIES, ids=lambda path: ascii(path[:20]))
def test_paths_that_lie_show_no_file_of_ours(remora: Remora, path: str) -> None:
    """A file outside of the folders is not taken for the program's because a server says so."""
    Path(remora.folder, "x.py").write_text("ours = 'canary'\n" * 20, encoding="utf-8")
    source = {"path": path, "name": path, "sourceReference": 3}
    server = Stopped(
        {"stackTrace": _says({"stackFrames": [_frame(source=source, line=1)], "totalFrames": 1})}
    )
    ran = server.run(remora, "list")
    _is_calm(ran)
    assert "root:" not in ran.output
    assert "REMORA_CONFIG_DIR" not in ran.output
    told = json.dumps(server.honest.seen)
    assert "canary" not in told
    assert "root:" not in told
    assert sorted(os.listdir(remora.folder)) == ["x.py"], "nothing is written"


def _nested(depth: int) -> dict[str, Any]:
    details: dict[str, Any] = {"message": NASTY, "typeName": NASTY}
    for _ in range(depth):
        details = {"message": "m", "typeName": "T", "innerException": [details]}
    return details


@pytest.mark.parametrize(
    ("request_", "body", "command"),
    [
        ("exceptionInfo", {"exceptionId": NASTY, "description": NASTY, "details": _nested(5)}, "exceptions"),
        ("exceptionInfo", {"exceptionId": "E", "details": _nested(90)}, "exceptions"),
        ("exceptionInfo", {"exceptionId": 7, "details": {"innerException": "x"}}, "exceptions"),
        ("exceptionInfo", {"exceptionId": "E", "details": {"innerException": 7}}, "exceptions"),
        ("evaluate", {"result": NASTY * 1000, "type": NASTY, "variablesReference": -1}, "p x"),
        ("evaluate", {"result": "v" * 5_000_000}, "p x"),
        ("evaluate", {"result": "x", "variablesReference": 5, "indexedVariables": 10**18}, "pp x"),
        ("evaluate", {"result": 7, "type": [], "variablesReference": "x"}, "pp x"),
        ("evaluate", None, "p x"),
        ("evaluate", {"result": "7"}, "dir x"),
        ("evaluate", {"result": "[1, 2]"}, "sizeof x"),
        ("evaluate", {"result": "[7]"}, "refs x"),
        ("evaluate", {"result": "7"}, "args"),
        ("evaluate", {"result": "7"}, "list f"),
        ("evaluate", {"result": "{[]: 1}"}, "p /r x"),
        ("evaluate", {"result": "(" * 100_000}, "p /r x"),
        ("variables", {"variables": [{"name": NASTY, "value": NASTY, "variablesReference": 5}]}, "locals"),
        ("variables", {"variables": [{"name": "n", "value": "v"}] * 200_000}, "locals"),
        ("variables", {"variables": 7}, "locals"),
        ("scopes", {"scopes": [{"name": "Locals", "variablesReference": 5}] * 5000}, "locals"),
        ("threads", {"threads": [{"id": number, "name": NASTY} for number in range(10_000)]}, "threads"),
        ("threads", {"threads": [{"id": "x"}, {"id": 2**80, "name": 7}, None]}, "threads"),
        ("source", {"content": NASTY * 10_000, "mimeType": NASTY}, "list"),
        ("source", {"content": 7}, "list"),
        ("remora/tasks", {"tasks": [{"id": NASTY, "name": NASTY, "frames": [NASTY]}] * 100}, "tasks"),
        ("modules", {"modules": [{"id": NASTY, "name": NASTY, "path": NASTY}], "totalModules": 0}, "modules"),
        ("setBreakpoints", {"breakpoints": []}, "break guess.py:3"),
        ("setBreakpoints", {"breakpoints": [{"id": NASTY, "message": NASTY}] * 9}, "break guess.py:3"),
    ],
)  # fmt: skip
def test_answers_that_lie(remora: Remora, request_: str, body: Any, command: str) -> None:
    Path(remora.folder, "guess.py").write_text("number = 1\n" * 20, encoding="utf-8")
    answers: dict[str, Answer] = {
        "scopes": _says({"scopes": [{"name": "Locals", "variablesReference": 5}]}),
        "variables": _says({"variables": [{"name": "n", "value": "v", "variablesReference": 5}]}),
        request_: _says(body),
    }
    began = time.monotonic()
    server = Stopped(answers)
    _is_calm(server.run(remora, command))
    assert time.monotonic() - began < 25
    assert server.honest.asked(request_), "the lie was heard"


STOPS: dict[str, list[tuple[str, Any]]] = {
    "controls": [("stopped", {"reason": NASTY, "description": NASTY, "text": NASTY, "threadId": 1})],
    "a list": [("stopped", {"reason": [], "threadId": "x", "hitBreakpointIds": [NASTY, 2**70]})],
    "a made-up frame": [
        ("stopped", {"reason": "pause", "threadId": 1, "remora": {"frame": {"path": 7, "line": NASTY}}})
    ],
    "ten thousand stops": [("stopped", {"reason": "pause", "threadId": 1})] * 10_000,
    "threads without end": [
        *(("thread", {"reason": "started", "threadId": number}) for number in range(6000)),
        ("stopped", {"reason": "pause", "threadId": 1}),
    ],
    "output": [
        *(("output", {"category": NASTY, "output": NASTY, "source": 7, "line": NASTY}) for _ in range(2000)),
        ("output", {"output": 7}),
        ("stopped", {"reason": "pause", "threadId": 1}),
    ],
    "unknown events": [
        *((NASTY, {"x": [[[[]]]]}) for _ in range(2000)),
        ("stopped", {"reason": "pause", "threadId": 1}),
    ],
    "breakpoints that are nobody's": [
        *(("breakpoint", {"reason": "changed", "breakpoint": {"id": n, "line": NASTY}}) for n in range(5000)),
        ("stopped", {"reason": "pause", "threadId": 1}),
    ],
    "capabilities": [
        ("capabilities", {"capabilities": {"exceptionBreakpointFilters": 7, "remora": [], NASTY: NASTY}}),
        ("stopped", {"reason": "pause", "threadId": 1}),
    ],
}


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"remora": {"offset": None}},
        {"remora": {"offset": [NASTY]}},
        {"remora": {"offset": NASTY}},
        {"remora": NASTY, "line": NASTY, "instruction": NASTY},
        {"remora": [7], "line": 10**30, "instruction": {"a": NASTY}},
    ],
    ids=["nothing", "none", "a list", "text", "no record", "a list of them"],
)
def test_instructions_that_lie(remora: Remora, row: dict[str, Any]) -> None:
    requests = {"remora": {"version": "0.1.0", "requests": ["remora/disassemble"]}}
    server = Stopped(
        {
            "initialize": _says({"supportsConfigurationDoneRequest": True, **requests}),
            "remora/disassemble": _says({"instructions": [row], "current": 0}),
        }
    )
    ran = server.run(remora, "disassemble")
    _is_calm(ran)
    assert (ran.code, " → " in ran.output) == (0, True), "the rest of it is shown"


@pytest.mark.parametrize("events", STOPS)
def test_events_that_lie(remora: Remora, events: str) -> None:
    began = time.monotonic()
    _is_calm(Stopped({}, STOPS[events]).run(remora, "where"))
    assert time.monotonic() - began < 25


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize("processes", ["one", "a group"])
def test_a_note_is_text(remora: Remora, options: tuple[str, ...], processes: str) -> None:
    """It is an event of the client's own, which a server can send as well."""

    def pause(server: Honest, _arguments: dict[str, Any]) -> dict[str, Any]:
        server.announce("remora/note", {"text": f"told {NASTY}"})
        server.emit("stopped", {"reason": "pause", "threadId": 1})
        return {}

    every = ("--all",) if processes == "a group" else ()
    with Server(Honest(answers={"pause": pause})) as listener:
        place = f"tcp://{SECRET}@{listener.place}"
        ran = remora("exec", place, "--timeout", "15", *every, *options, "-c", "pause", timeout=30)
    assert "told" in (ran.errors if options else ran.output)
    _is_calm(ran)


def test_a_refusal_to_list_processes_is_text(remora: Remora) -> None:
    def refuse(server: Honest, _arguments: dict[str, Any]) -> None:
        raise RequestFailed("bad-request", f"no list {NASTY[:-1]}")

    with Server(Honest(answers={"remora/processes": refuse})) as listener:
        place = f"tcp://{SECRET}@{listener.place}"
        for arguments in (
            ("exec", place, "-c", "where"),
            ("exec", "--all", place, "-c", "where"),
            ("ls", place),
            ("doctor", place),
        ):
            ran = remora(*arguments, timeout=30)
            assert ran.code == 3, ran
            assert "does not say which processes it has: no list" in ran.errors + ran.output
            _is_calm(Ran(0, ran.output, ran.errors))


def test_threads_without_end_are_not_all_kept() -> None:
    state = State()
    for number in range(20_000):
        state = reduce(state, "thread", {"reason": "started", "threadId": number})
    assert len(state.threads) <= 5000
    assert not reduce(state, "thread", {"reason": "exited", "threadId": 7}).threads.keys() & {7}


@pytest.fixture
def endless() -> Iterator[Callable[[socket.socket], None]]:
    """After `configurationDone` it answers nothing any more, and sends events as fast as it can."""
    over = threading.Event()

    def handle(sock: socket.socket) -> None:
        frame = encode_frame(json.dumps({"type": "event", "seq": 1, "event": "output", "body": {
            "category": "stdout", "output": "x" * 1000 + "\n"}}).encode())  # fmt: skip

        def flood(server: Honest, _arguments: dict[str, Any]) -> Any:
            while not over.is_set():
                sock.sendall(frame * 50)
            return {}

        Honest(answers={"threads": flood})(sock)

    yield handle
    over.set()


def test_a_flood_that_never_ends_does_not_keep_the_client(
    remora: Remora, endless: Callable[[socket.socket], None]
) -> None:
    with Server(endless) as listener:
        place = f"tcp://{SECRET}@{listener.place}"
        began = time.monotonic()
        ran = remora("exec", place, "--timeout", "3", "-c", "threads", timeout=40)
        assert ran.code in (1, 3, 7), (ran.code, ran.errors[-300:])
        assert time.monotonic() - began < 25
        assert "Traceback" not in ran.errors


def test_messages_too_big_or_too_deep_end_the_session_with_a_reason(remora: Remora) -> None:
    for junk in (b"Content-Length: 900000000\r\n\r\n", encode_frame(b"[" * 90_000 + b"]" * 90_000)):

        def handle(sock: socket.socket, junk: bytes = junk) -> None:
            def answer(_server: Honest, _arguments: dict[str, Any]) -> Any:
                sock.sendall(junk)
                return {"threads": []}

            Honest(answers={"threads": answer})(sock)

        with Server(handle) as listener:
            ran = remora("exec", f"tcp://{SECRET}@{listener.place}", "-c", "threads")
        assert ran.code in (6, 7), ran
        assert "Traceback" not in ran.errors
        assert "protocol" in ran.errors
