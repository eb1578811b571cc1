"""A session against a small honest server: attaching, stops, breakpoints, values, source, and leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from remora_client._connecting._connect import ConnectOptions, connect
from remora_client._errors import (
    AlreadyAttached,
    AmbiguousProcess,
    ClientError,
    Gone,
    NoSuchProcess,
    NotStopped,
)
from remora_client._model import Breakpoint, ExceptionFilter, Source
from remora_client._options import AttachOptions
from remora_client._sessions import _returning
from remora_client._sessions._session import Session
from remora_protocol import RequestFailed, hello_body, parse_qualifier, sha256_text
from tests.client.servers import HOLD, Remora, Server, process

SECONDS = 10


def stopped(server: Remora, **body: Any) -> dict[str, Any]:
    """An answer after which the program stands still."""
    server.emit("stopped", {"reason": "breakpoint", "threadId": 1, "allThreadsStopped": True, **body})
    return {}


def run(server: Remora, scenario: Callable[[Session], Awaitable[None]], **attach: Any) -> None:
    """Attaches to the server and plays the scenario."""

    async def play(place: str) -> None:
        link = await connect(parse_qualifier(f"tcp://{place}"), ConnectOptions(timeout=5))
        try:
            async with asyncio.timeout(SECONDS):
                async with await Session.attach(link, **attach) as session:
                    await scenario(session)
        finally:
            await link.close()

    server.secret = None
    with Server(server) as listener:
        asyncio.run(play(listener.place))


async def nothing(session: Session) -> None:
    """No scenario: attaching is what is tested."""


# -- attaching


def test_the_opening_sequence() -> None:
    server = Remora()
    run(server, nothing)
    commands = [command for command, _ in server.seen]
    assert commands == [
        "remora/hello",
        "remora/processes",
        "remora/open",
        "initialize",
        "attach",
        "configurationDone",
        "disconnect",
    ]
    assert server.asked("disconnect") == [{"restart": False, "terminateDebuggee": False}]


def test_a_server_that_answers_attach_last() -> None:
    """debugpy does: only after configurationDone."""

    def attach(server: Remora, arguments: object) -> object:
        server.emit("initialized")
        return HOLD

    server = Remora(answers={"attach": attach})
    run(server, nothing)
    assert server.asked("configurationDone")


def test_breakpoints_from_before_are_set_before_the_program_is_let_go() -> None:
    server = Remora()
    kept = Breakpoint(3, "line", "/app/guess.py", 12)

    async def scenario(session: Session) -> None:
        assert session.breakpoint(3).verified
        assert (await session.add_breakpoint("/app/other.py", 1)).number == 4

    run(server, scenario, breakpoints=[kept])
    commands = [command for command, _ in server.seen]
    assert commands.index("setBreakpoints") < commands.index("configurationDone")


def test_default_exception_filters_are_sent() -> None:
    modes = [{"filter": "raised", "label": "R"}, {"filter": "uncaught", "label": "U", "default": True}]
    answers = {
        "initialize": lambda server, arguments: {"exceptionBreakpointFilters": modes},
        "setExceptionBreakpoints": lambda server, arguments: {},
    }
    server = Remora(answers=answers)
    run(server, nothing)
    assert server.asked("setExceptionBreakpoints") == [{"filters": ["uncaught"]}]


def test_filters_that_are_refused_leave_those_there_were() -> None:
    """Else they would be sent again, and refused again, by a session that comes back to its program."""
    modes = [{"filter": "raised", "label": "R", "default": True}]

    def judge(server: Remora, arguments: dict[str, Any]) -> dict[str, Any]:
        bad = "filterOptions" in arguments and bool(arguments["filterOptions"])
        return {"breakpoints": [{"verified": False, "message": "is no expression"}]} if bad else {}

    answers = {
        "initialize": lambda server, arguments: {
            "exceptionBreakpointFilters": modes,
            "supportsExceptionFilterOptions": True,
        },
        "setExceptionBreakpoints": judge,
    }

    async def scenario(session: Session) -> None:
        before = session.filters
        assert before == (ExceptionFilter("raised"),)
        with pytest.raises(ClientError, match="no expression"):
            await session.set_exception_filters([ExceptionFilter("raised", "1 +")])
        assert session.filters == before

    server = Remora(answers=answers)
    run(server, scenario)
    first, refused, last = server.asked("setExceptionBreakpoints")
    assert refused["filterOptions"]
    assert last == first


def test_somebody_else_is_attached() -> None:
    def refuse(server: Remora, arguments: dict[str, Any]) -> None:
        if not arguments["force"]:
            raise RequestFailed("already-attached", "ada@host since 10:32 is attached.")
        server.emit("initialized")

    with pytest.raises(AlreadyAttached) as caught:
        run(Remora(answers={"attach": refuse}), nothing)
    assert caught.value.exit_code == 4
    assert "ada@host since 10:32" in caught.value.text
    assert "--force" in caught.value.remedy
    run(Remora(answers={"attach": refuse}), nothing, how=AttachOptions(force=True))


def test_which_process() -> None:
    rows = [process(1), process(2, name="worker-1"), process(3, name="worker-2")]

    def opened(**attach: Any) -> int:
        server = Remora(processes=rows)
        run(server, nothing, **attach)
        (arguments,) = server.asked("remora/open")
        return int(arguments["pid"])

    assert opened(pid=3) == 3
    assert opened(name="*-1") == 2
    assert opened(name="worker-*", choose=lambda found: found[1]["pid"]) == 3
    for attach in ({}, {"name": "worker-*"}):
        with pytest.raises(AmbiguousProcess) as ambiguous:
            opened(**attach)
        assert "--pid" in ambiguous.value.remedy
        assert "2 worker-1; 3 worker-2" in ambiguous.value.text
    with pytest.raises(NoSuchProcess) as none:
        opened(pid=9)
    assert "1 guess.py" in none.value.remedy


def test_the_names_of_processes_are_made_visible() -> None:
    rows = [process(1, name="\x1b[31mred"), process(2)]
    with pytest.raises(AmbiguousProcess) as caught:
        run(Remora(processes=rows), nothing)
    assert "\x1b" not in str(caught.value)


def test_what_an_expression_raises_is_told_in_a_line_by_other_servers_too() -> None:
    traceback = "Traceback (most recent call last):\n  File x\nNameError: y\n"

    def refuse_hello(server: Remora, arguments: object) -> None:
        raise RequestFailed("unknown-command", "What?")

    def refuse(server: Remora, arguments: object) -> None:
        raise RequestFailed("failed", traceback)

    def scenario(text: str) -> Callable[[Session], Awaitable[None]]:
        async def play(session: Session) -> None:
            for asking in (session.evaluate("y"), session.set_variable(1, "x", "y")):
                with pytest.raises(RequestFailed) as caught:
                    await asking
                assert str(caught.value) == text

        return play

    answers = {"evaluate": refuse, "setVariable": refuse}
    run(Remora(answers={**answers, "remora/hello": refuse_hello}), scenario("NameError: y"))
    run(Remora(answers=answers), scenario(traceback))


# -- running and stopping


def test_a_stop_straight_behind_the_answer_is_not_missed() -> None:
    async def scenario(session: Session) -> None:
        assert session.stop is None
        with pytest.raises(NotStopped):
            await session.resume()
        await session.pause()
        first = await session.wait_for_stop()
        assert first is not None
        assert first.reason == "pause"
        assert (first.frame and first.frame.line, first.frame and first.frame.name) == (12, "main")
        await session.step_over()
        second = await session.wait_for_stop()
        assert second is not None
        assert second.reason == "step"
        assert session.state.stops == 2

    answers = {
        "pause": lambda server, arguments: stopped(server, reason="pause"),
        "next": lambda server, arguments: stopped(server, reason="step"),
    }
    run(Remora(answers=answers), scenario)


def test_where_each_is_held_for_itself_one_goes_on_or_all_do() -> None:
    async def scenario(session: Session) -> None:
        await session.set_stop_mode("one")
        for alone in (True, False):
            await session.pause()
            assert await session.wait_for_stop() is not None
            assert session.held_alone == 1
            await session.resume(session.held_alone if alone else None)
        assert [each["singleThread"] for each in server.asked("continue")] == [True, False]

    capabilities = {
        "supportsSingleThreadExecutionRequests": True,
        "remora": {"requests": ["remora/stopMode"]},
    }
    server = Remora(
        answers={
            "initialize": lambda server, arguments: capabilities,
            "remora/stopMode": lambda server, arguments: {},
            "continue": lambda server, arguments: {},
            "pause": lambda server, arguments: stopped(server, allThreadsStopped=False),
        }
    )
    run(server, scenario)


def test_waiting_has_a_limit_and_the_program_runs_on() -> None:
    async def scenario(session: Session) -> None:
        with pytest.raises(TimeoutError):
            await session.wait_for_stop(0.01)
        assert session.state.phase == "running"

    run(Remora(), scenario)


def test_a_refused_step_leaves_the_stop_and_the_frame_that_is_looked_at() -> None:
    def refuse(server: Remora, arguments: object) -> None:
        raise RequestFailed("not-stopped", "no")

    async def scenario(session: Session) -> None:
        await session.pause()
        await session.wait_for_stop()
        (frame,) = await session.stack()
        session.select_frame(frame)
        with pytest.raises(RequestFailed):
            await session.step_over()
        assert session.stop is not None
        assert session.selected == frame

    run(Remora(answers={"pause": lambda s, a: stopped(s), "next": refuse}), scenario)


def test_the_end_of_the_program_and_the_end_of_the_connection() -> None:
    def end(server: Remora, arguments: object) -> dict[str, Any]:
        server.emit("exited", {"exitCode": 3})
        server.emit("terminated")
        return {}

    async def ends(session: Session) -> None:
        await session.pause()
        assert await session.wait_for_stop() is None
        assert session.state.exit_code == 3

    run(Remora(answers={"pause": end}), ends)

    def die(server: Remora, arguments: object) -> dict[str, Any]:
        raise OSError

    async def goes(session: Session) -> None:
        with pytest.raises(Gone) as caught:
            await session.pause()
        assert caught.value.exit_code == 7
        with pytest.raises(Gone):
            await session.wait_for_stop()
        await session.detach()  # nothing left to do, and no error

    run(Remora(answers={"pause": die}), goes)


def test_events_reach_listeners_in_order() -> None:
    def talk(server: Remora, arguments: object) -> dict[str, Any]:
        for text in "abc":
            server.emit("output", {"category": "stdout", "output": text})
        return stopped(server)

    async def scenario(session: Session) -> None:
        heard: list[str] = []
        remove = session.listen(lambda event, body: heard.append(body.get("output", event)))
        await session.pause()
        await session.wait_for_stop()
        assert heard == ["a", "b", "c", "stopped"]
        remove()
        remove()

    run(Remora(answers={"pause": talk}), scenario)


def test_a_listener_that_fails_harms_nobody_else() -> None:
    reported: list[str] = []

    async def scenario(session: Session) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: reported.append(context["message"]))
        heard: list[str] = []

        def fails(event: str, body: dict[str, Any]) -> None:
            raise ValueError

        session.listen(fails)
        session.listen(lambda event, body: heard.append(event))
        await session.pause()
        assert await session.wait_for_stop() is not None
        assert heard == ["stopped"]

    run(Remora(answers={"pause": lambda s, a: stopped(s)}), scenario)
    assert reported == ["a listener to 'stopped' failed"]


# -- breakpoints


def test_breakpoints_are_sent_a_file_at_a_time_and_keep_their_numbers() -> None:
    server = Remora()

    async def scenario(session: Session) -> None:
        first = await session.add_breakpoint("/app/a.py", 3, condition="x > 1")
        second = await session.add_breakpoint("/app/a.py", 7, hit_condition=">= 2", log_message="x={x}")
        other = await session.add_breakpoint("/app/b.py", 1)
        assert [first.number, second.number, other.number] == [1, 2, 3]
        assert first.verified
        assert first.server_id == 103
        assert server.asked("setBreakpoints")[1] == {
            "source": {"name": "a.py", "path": "/app/a.py"},
            "breakpoints": [
                {"line": 3, "condition": "x > 1"},
                {"line": 7, "hitCondition": ">= 2", "logMessage": "x={x}"},
            ],
        }
        off = await session.change_breakpoint(1, enabled=False)
        assert not off.enabled
        assert [each["line"] for each in server.asked("setBreakpoints")[-1]["breakpoints"]] == [7]
        gone = await session.remove_breakpoints([2])
        assert [each.number for each in gone] == [2]
        assert server.asked("setBreakpoints")[-1]["breakpoints"] == []
        with pytest.raises(ClientError, match="no breakpoint 2"):
            session.breakpoint(2)
        await session.remove_breakpoints()
        assert session.breakpoints == ()

    run(server, scenario)


def test_a_breakpoint_that_is_bound_later() -> None:
    def pending(server: Remora, arguments: dict[str, Any]) -> dict[str, Any]:
        bound = {"id": 5, "verified": True, "line": 4, "source": {"path": "/app/late.py"}}
        server.emit("breakpoint", {"reason": "changed", "breakpoint": bound})
        server.emit("output", {"output": "."})
        waits = {"id": 5, "verified": False, "reason": "pending", "message": "not loaded yet"}
        return {"breakpoints": [waits]}

    async def scenario(session: Session) -> None:
        seen = asyncio.Event()
        session.listen(lambda event, body: seen.set() if event == "output" else None)
        added = await session.add_breakpoint("late.py", 3)
        await seen.wait()
        assert added.number == 1
        now = session.breakpoint(1)
        assert (now.verified, now.bound_line, now.bound_path) == (True, 4, "/app/late.py")
        assert now.message is None

    run(Remora(answers={"setBreakpoints": pending}), scenario)


def test_a_refused_breakpoint_is_not_kept() -> None:
    def refuse(server: Remora, arguments: object) -> None:
        raise RequestFailed("bad-request", "no")

    async def scenario(session: Session) -> None:
        with pytest.raises(RequestFailed):
            await session.add_breakpoint("a.py", 1)
        assert session.breakpoints == ()

    run(Remora(answers={"setBreakpoints": refuse}), scenario)


def test_temporary_breakpoints_go_when_they_are_hit() -> None:
    server = Remora(answers={"pause": lambda s, a: stopped(s, hitBreakpointIds=[103])})

    async def scenario(session: Session) -> None:
        await session.add_breakpoint("/app/a.py", 3, temporary=True)
        await session.add_breakpoint("/app/a.py", 4)
        await session.pause()
        await session.wait_for_stop()
        while len(session.breakpoints) > 1:
            await asyncio.sleep(0)
        await session.request("threads")  # the file was sent again before
        assert [each["line"] for each in server.asked("setBreakpoints")[-1]["breakpoints"]] == [4]

    run(server, scenario)


def test_a_stop_that_comes_before_its_breakpoint_is_answered() -> None:
    """Hot code stops at once: which of ours that was is known only with the answer."""

    def stop_first(server: Remora, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["breakpoints"]:
            stop = {"reason": "function breakpoint", "threadId": 1, "allThreadsStopped": True}
            server.announce("stopped", {**stop, "hitBreakpointIds": [7]})
        return {"breakpoints": [{"id": 7, "verified": True} for _ in arguments["breakpoints"]]}

    server = Remora(answers={"setFunctionBreakpoints": stop_first})

    async def scenario(session: Session) -> None:
        hit: list[int] = []
        session.on_temporary_hit = hit.extend
        waiting = await session.add_breakpoint("/app/a.py", 4, after=2)
        assert not waiting.active
        added = await session.add_breakpoint(function="work", temporary=True)
        assert hit == [added.number] == [2]
        while len(session.breakpoints) > 1:
            await asyncio.sleep(0)
        stop = await session.wait_for_stop()
        assert stop is not None
        assert [each.number for each in stop.hit(session.breakpoints)] == [added.number]
        assert [(each.number, each.active) for each in session.breakpoints] == [(waiting.number, True)]

    run(server, scenario)


def test_breakpoints_come_and_go_at_once(tmp_path: Path) -> None:
    """Several tasks use one session; that the copy here has another text takes questions."""
    copy = tmp_path / "a.py"
    copy.write_text("a = 1\nb = 2\nc = 3\nd = 4\n")
    theirs = "# new\na = 1\nb = 2\nc = 3\nd = 4\n"
    source = {
        "path": "/app/a.py",
        "checksums": [{"algorithm": "SHA256", "checksum": sha256_text(theirs.encode())}],
    }

    def set_breakpoints(server: Remora, arguments: dict[str, Any]) -> dict[str, Any]:
        lines = [each["line"] for each in arguments["breakpoints"]]
        return {"breakpoints": [{"id": n, "verified": True, "line": n, "source": source} for n in lines]}

    answers = {"setBreakpoints": set_breakpoints, "source": lambda s, a: {"content": theirs}}

    async def come_and_go(session: Session, line: int) -> None:
        for _ in range(5):
            found = await session.add_breakpoint("a.py", line)
            await session.remove_breakpoints([found.number])

    async def scenario(session: Session) -> None:
        await asyncio.gather(*(come_and_go(session, line) for line in (1, 2, 3, 4)))
        assert session.breakpoints == ()
        assert (await session.add_breakpoint("a.py", 2)).sent_line == 3

    run(Remora(answers=answers), scenario, how=AttachOptions([str(tmp_path)]))


def test_function_breakpoints_and_filters() -> None:
    answers = {
        "setFunctionBreakpoints": lambda s, a: {"breakpoints": [{"id": 1, "verified": True, "line": 9}]},
        "setExceptionBreakpoints": lambda s, a: {"breakpoints": [{"verified": False, "message": "odd"}]},
    }

    async def scenario(session: Session) -> None:
        added = await session.add_breakpoint(function="pkg.mod.func", condition="x")
        assert added.place() == "pkg.mod.func"
        with pytest.raises(ClientError, match="cannot narrow"):
            await session.set_exception_filters([ExceptionFilter("raised", "ValueError")])
        with pytest.raises(ClientError, match="odd"):
            await session.set_exception_filters([ExceptionFilter("raised")])

    server = Remora(answers=answers)
    run(server, scenario)
    assert server.asked("setFunctionBreakpoints") == [
        {"breakpoints": [{"name": "pkg.mod.func", "condition": "x"}]}
    ]


# -- values


def test_a_cancelled_evaluation_is_called_off() -> None:
    server = Remora(answers={"evaluate": lambda s, a: {"result": "1"}, "cancel": lambda s, a: {}})

    async def scenario(session: Session) -> None:
        assert (await session.evaluate("1")).value == "1"
        waiting = asyncio.ensure_future(session.evaluate("endless()"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await session.request("threads")
        (cancel,) = server.asked("cancel")
        assert isinstance(cancel["requestId"], int)

    run(server, scenario)


# -- source


def test_the_local_copy_is_used_when_it_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    local = tmp_path / "pkg" / "guess.py"
    local.write_text("print(1)\n")
    digest = sha256_text(local.read_bytes())
    server = Remora(answers={"source": lambda s, a: {"content": "print(2)\n"}})
    notes: list[str] = []

    async def scenario(session: Session) -> None:
        session.listen(lambda event, body: notes.append(body["text"]) if event == "remora/note" else None)
        same = await session.source_text(Source("guess.py", "/app/pkg/guess.py", 1, digest))
        assert (same.text, same.local_path, same.differs) == ("print(1)\n", str(local), False)
        assert server.asked("source") == []
        for _ in range(2):
            other = await session.source_text(Source("guess.py", "/app/pkg/guess.py", 1, "0" * 64))
            assert (other.text, other.local_path, other.differs) == ("print(2)\n", None, True)
        assert len(server.asked("source")) == 1  # remembered
        assert len(notes) == 1  # said once
        assert str(local) in notes[0]
        unknown = await session.source_text(Source("x.py", "/app/x.py", 1))
        assert (unknown.text, unknown.differs) == ("print(2)\n", False)

    run(server, scenario, how=AttachOptions([str(tmp_path)]))


def test_a_breakpoint_takes_the_hash_of_the_local_file_along(tmp_path: Path) -> None:
    local = tmp_path / "guess.py"
    local.write_text("print(1)\n")
    server = Remora()

    async def scenario(session: Session) -> None:
        await session.add_breakpoint("guess.py", 1)

    run(server, scenario, how=AttachOptions([str(tmp_path)]))
    (sent,) = server.asked("setBreakpoints")
    assert sent["source"]["path"] == str(local)
    assert sent["source"]["checksums"] == [
        {"algorithm": "SHA256", "checksum": sha256_text(local.read_bytes())}
    ]


# -- servers that answer nonsense


@pytest.mark.parametrize(
    "body", [{}, {"stackFrames": 7}, {"stackFrames": [1, None, {"id": "x", "source": []}]}]
)
def test_nonsense_is_read_as_nothing(body: dict[str, Any]) -> None:
    async def scenario(session: Session) -> None:
        await session.pause()
        await session.wait_for_stop()
        for frame in await session.stack(1):
            assert (frame.id, frame.name, frame.path) == (0, "", "")

    run(Remora(answers={"pause": lambda s, a: stopped(s), "stackTrace": lambda s, a: body}), scenario)


def test_pings_show_that_we_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_returning, "_PING_SECONDS", 0.01)
    capabilities = {"remora": {"requests": ["remora/ping"]}}
    pings = []

    def ping(server: Remora, arguments: object) -> dict[str, Any]:
        pings.append(arguments)
        server.emit("output", {"output": "ping"})
        return {}

    async def scenario(session: Session) -> None:
        enough = asyncio.Event()
        session.listen(lambda event, body: enough.set() if len(pings) > 3 else None)
        await enough.wait()

    run(Remora(answers={"initialize": lambda s, a: capabilities, "remora/ping": ping}), scenario)


def test_a_silent_server_is_remarked_on_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_returning, "_PING_SECONDS", 0.01)
    monkeypatch.setattr(_returning, "_PROBE_SECONDS", 0.1)
    capabilities = {"remora": {"requests": ["remora/ping"]}}
    hellos: list[object] = []

    def hello(server: Remora, arguments: object) -> Any:
        hellos.append(arguments)  # one that is asked again does not answer either
        return hello_body(1, "remora", "9", []) if len(hellos) == 1 else HOLD

    async def scenario(session: Session) -> None:
        told = asyncio.Event()
        notes: list[str] = []

        def listen(event: str, body: dict[str, Any]) -> None:
            if "note" in event:
                notes.append(body["text"])
                told.set()

        session.listen(listen)
        await told.wait()
        assert session.state.phase == "running"
        assert "No answer" in notes[0]

    answers = {
        "remora/hello": hello,
        "initialize": lambda s, a: capabilities,
        "remora/ping": lambda s, a: HOLD,
    }
    run(Remora(answers=answers, secret=None), scenario)


def test_a_connection_is_dead_when_a_new_one_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_returning, "_PING_SECONDS", 0.01)
    capabilities = {"remora": {"requests": ["remora/ping"]}}

    async def scenario(session: Session) -> None:
        with pytest.raises(Gone, match="is dead: a new one is answered"):
            await session.wait_for_stop(5)

    run(Remora(answers={"initialize": lambda s, a: capabilities, "remora/ping": lambda s, a: HOLD}), scenario)
