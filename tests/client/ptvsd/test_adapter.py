"""The adapter against a scripted server: what it sends, in which order, and never two at once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from remora_client import ConnectError, ConnectOptions
from remora_client._connecting._connect import connect
from remora_client._ptvsd import _records as r
from remora_client._ptvsd._adapter import Adapter
from remora_client._ptvsd._binary import BinaryCodec
from remora_client._ptvsd._wire import Wire
from remora_protocol import RequestFailed, parse_qualifier
from tests.client.ptvsd.servers import integer, text, to_binary
from tests.client.servers import Server

MAIN, WORKER = 7001, 7002
FILE = "/srv/app/guess.py"
INT = r.RemoteObject("1", "0x1", "int", 0, 0)
LIST = r.RemoteObject("[1, 2]", None, "list", 2, 1)
FRAMES = [
    r.RemoteFrame(5, 20, 12, "play", FILE, 1, [("n", INT), ("items", LIST), ("sys", INT)]),
    r.RemoteFrame(1, 40, 38, "<module>", FILE, 0, [("x", INT)]),
]
# How many bytes of numbers and texts follow each command's tag: i a number, s a text.
SHAPES = {
    b"brkp": "iisisii",
    b"brkr": "ii",
    b"brka": "",
    b"resa": "",
    b"stpi": "i",
    b"stpv": "i",
    b"stpo": "i",
    b"clst": "i",
    b"exec": "siiiii",
    b"chld": "siiii",
    b"sexi": "ii",
    b"sehi": "siiiss",  # with one range of one name, and its end mark
    b"bkgh": "ii",
    b"detc": "",
    b"lack": "",
}


class Fake:
    """A ptvsd of protocol 6. `script` may answer a command in its own way, by returning True."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, list[Any]]] = []
        self.script: Callable[[str, list[Any]], Awaitable[bool]] | None = None
        self.accepts = True
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def connect(self) -> Wire:
        ours, theirs = socket.socketpair()
        self._reader, self._writer = await asyncio.open_connection(sock=theirs)
        reader, writer = await asyncio.open_connection(sock=ours)
        self._task = asyncio.create_task(self._serve())
        codec = BinaryCodec()
        wire = Wire(reader, writer, codec, b"PTVSDBG" + integer(6))
        assert codec.next() == r.Greeting(6)
        return wire

    def say(self, *events: r.Said) -> None:
        self._writer.write(b"".join(map(to_binary, events)))

    def hang_up(self) -> None:
        self._writer.close()

    def sent(self, *but: str) -> list[str]:
        """The names of the commands that came, without those that only keep the conversation going."""
        return [name for name, _ in self.commands if name not in (*but, "bkgh", "sexi")]

    async def _int(self) -> int:
        return int.from_bytes(await self._reader.readexactly(8), "big", signed=True)

    async def _text(self) -> str:
        return (await self._reader.readexactly(await self._int())).decode()

    async def _serve(self) -> None:
        try:
            assert await self._reader.readexactly(4) == b"ATCH"
            await self._text()
            if not self.accepts:
                self._writer.write(b"RJCT")
                self._writer.close()
                return
            self._writer.write(b"ACPT" + integer(4711) + integer(2) + integer(7) + integer(18))
            self.say(r.ThreadSeen(MAIN), r.ModuleLoaded(FILE), r.ModuleLoaded("/lib/ptvsd/attach_server.pyc"))
            while True:
                tag = await self._reader.readexactly(4)
                fields = [await self._text() if kind == "s" else await self._int() for kind in SHAPES[tag]]
                if tag == b"sexi":
                    for _ in range(int(fields[1])):
                        fields += [await self._int(), await self._text()]
                self.commands.append((tag.decode(), fields))
                if self.script is None or not await self.script(tag.decode(), fields):
                    self._answer(tag, fields)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writer.close()

    def _answer(self, tag: bytes, fields: list[Any]) -> None:
        match tag:
            case b"bkgh":
                self.say(r.Pong(fields[0]))
            case b"brkp":
                self.say(r.BreakpointUnbound(fields[0]))
            case b"exec":
                self.say(r.ThreadFrames(MAIN, "MainThread", FRAMES), r.Evaluated(fields[3], INT))
            case b"chld":
                self.say(r.Children(fields[3], [r.Child("[0]", "items[0]", INT), r.Child("size", None, INT)]))
            case b"detc":
                self.say(r.Detached())


class Session:
    """An adapter attached to the fake, and its events."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._arrived = asyncio.Event()
        self.adapter = Adapter(6, fake.connect, self._hear, place="fake:1")

    def _hear(self, event: str, body: dict[str, Any]) -> None:
        self.events.append((event, body))
        self._arrived.set()

    async def request(self, command: str, **arguments: Any) -> dict[str, Any]:
        answer = await self.adapter.answer(command, arguments)
        await answer.then()
        return answer.body

    async def event(self, name: str) -> dict[str, Any]:
        """Waits for an event, and takes it."""
        async with asyncio.timeout(5):
            while True:
                for index, (event, body) in enumerate(self.events):
                    if event == name:
                        del self.events[index]
                        return body
                self._arrived.clear()
                await self._arrived.wait()

    async def attach(self) -> None:
        await self.request("initialize")
        await self.request("attach")
        await self.request("configurationDone")

    async def stop(self, *reasons: r.Said) -> dict[str, Any]:
        self.fake.say(r.ThreadFrames(MAIN, "MainThread", FRAMES), *(reasons or (r.Paused(MAIN),)))
        return await self.event("stopped")


def run(story: Callable[[Session, Fake], Awaitable[None]]) -> None:
    async def play() -> None:
        fake = Fake()
        session = Session(fake)
        try:
            async with asyncio.timeout(20):
                await story(session, fake)
        finally:
            await session.adapter.leave()

    asyncio.run(play())


def test_the_stop_of_the_attach_is_resumed_when_all_is_configured() -> None:
    async def story(session: Session, fake: Fake) -> None:
        await session.request("initialize")
        await session.request("attach")
        fake.say(r.ThreadFrames(MAIN, "MainThread", FRAMES), r.ProcessLoaded(MAIN))
        made = await session.request(
            "setBreakpoints", source={"path": "guess.py"}, breakpoints=[{"line": 12}]
        )
        assert made["breakpoints"][0]["verified"]
        assert "resa" not in fake.sent()
        await session.request("configurationDone")
        assert fake.sent("exec") == ["brkp", "resa"]
        assert not [event for event, _ in session.events if event == "stopped"]

    run(story)


def test_it_may_come_late() -> None:
    async def story(session: Session, fake: Fake) -> None:
        await session.attach()
        assert fake.sent() == []
        fake.say(r.ThreadFrames(MAIN, "MainThread", FRAMES), r.ProcessLoaded(MAIN))
        while "resa" not in fake.sent():
            await asyncio.sleep(0.01)
        assert not [event for event, _ in session.events if event == "stopped"]

    run(story)


def test_a_breakpoint_goes_out_under_a_name_that_binds_to_no_file() -> None:
    async def story(session: Session, fake: Fake) -> None:
        await session.attach()
        asked = {"line": 12, "condition": "n > 1", "hitCondition": "% 3"}
        body = await session.request(
            "setBreakpoints", source={"path": "/home/me/guess.py"}, breakpoints=[asked]
        )
        (made,) = body["breakpoints"]
        assert (made["verified"], made["source"]["path"]) == (True, FILE)
        ident, line, name, kind, condition, hits, count = next(
            fields for command, fields in fake.commands if command == "brkp"
        )
        assert ident == made["id"] > 1 << 20
        assert (line, name, kind, condition, hits, count) == (12, "/remora" + FILE, 1, "n > 1", 1, 3)
        again = await session.request(
            "setBreakpoints", source={"path": "/home/me/guess.py"}, breakpoints=[asked]
        )
        assert again == body
        assert fake.sent() == ["brkp"]
        await session.request("setBreakpoints", source={"path": "/home/me/guess.py"}, breakpoints=[])
        assert fake.sent() == ["brkp", "brkr"]

    run(story)


def test_a_hit_of_an_earlier_session_is_removed_and_passed() -> None:
    async def story(session: Session, fake: Fake) -> None:
        await session.attach()
        fake.say(r.ThreadFrames(MAIN, "MainThread", FRAMES), r.BreakpointHit(5, MAIN))
        while "resa" not in fake.sent():
            await asyncio.sleep(0.01)
        assert [fields for name, fields in fake.commands if name == "brkr"] == [[12, 5]]
        assert not [event for event, _ in session.events if event == "stopped"]

    run(story)


def test_a_hit_in_a_namesake_is_passed() -> None:
    async def story(session: Session, fake: Fake) -> None:
        await session.attach()
        body = await session.request("setBreakpoints", source={"path": FILE}, breakpoints=[{"line": 12}])
        other = [r.RemoteFrame(1, 20, 12, "f", "/srv/other/guess.py", 0, [])]
        ident = body["breakpoints"][0]["id"]
        fake.say(r.ThreadFrames(MAIN, "MainThread", other), r.BreakpointHit(ident, MAIN))
        while "resa" not in fake.sent():
            await asyncio.sleep(0.01)
        stop = await session.stop(r.BreakpointHit(ident, MAIN))
        assert stop["hitBreakpointIds"] == [ident]
        assert stop["remora"]["frame"] == {"name": "play", "path": FILE, "line": 12}

    run(story)


def test_a_second_reason_waits_for_its_turn() -> None:
    async def story(session: Session, fake: Fake) -> None:
        await session.attach()
        fake.say(r.ThreadSeen(WORKER), r.ThreadFrames(WORKER, "worker", FRAMES), r.StepDone(WORKER))
        first = await session.event("stopped")
        fake.say(r.ThreadFrames(MAIN, "MainThread", FRAMES), r.Paused(MAIN))
        await session.request("threads")
        await session.request("continue", threadId=first["threadId"])
        second = await session.event("stopped")
        assert second["threadId"] != first["threadId"]
        assert "resa" not in fake.sent()
        await session.request("continue", threadId=second["threadId"])
        assert fake.sent("exec")[-1] == "resa"

    run(story)


@pytest.mark.parametrize("command", ["continue", "next"])
def test_a_reason_that_comes_before_a_resume_goes_out_keeps_the_program_where_it_is(command: str) -> None:
    async def story(session: Session, fake: Fake) -> None:
        await session.attach()
        first = await session.stop()
        # Another thread has just stopped along with it: what comes next waits until that one stands still.
        fake.say(r.ThreadSeen(WORKER), r.ThreadFrames(WORKER, "worker", FRAMES))
        while not session.adapter.debuggee.threads.get(WORKER):
            await asyncio.sleep(0)
        going = asyncio.ensure_future(session.request(command, threadId=first["threadId"]))
        fake.say(r.StepDone(WORKER))
        second = await session.event("stopped")
        await going
        assert second["threadId"] != first["threadId"]
        assert fake.sent() == []
        await session.request("continue", threadId=second["threadId"])
        assert fake.sent() == ["resa"]

    run(story)


def test_a_second_evaluation_waits_for_the_first_one_even_if_nobody_else_does() -> None:
    async def story(session: Session, fake: Fake) -> None:
        hold, asked = asyncio.Event(), asyncio.Event()

        async def slowly(command: str, fields: list[Any]) -> bool:
            if command == "exec" and fields[0] == "slow()":
                asked.set()
                await hold.wait()
            return False

        await session.attach()
        await session.stop()
        frame = (await session.request("stackTrace", threadId=1))["stackFrames"][0]["id"]
        fake.script = slowly
        first = asyncio.create_task(session.request("evaluate", expression="slow()", frameId=frame))
        await asked.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        second = asyncio.create_task(session.request("evaluate", expression="n", frameId=frame))
        step = asyncio.create_task(session.request("next", threadId=1))
        await asyncio.sleep(0.1)
        count = len(fake.commands)
        assert fake.commands[-1][1][0] == "slow()"  # nothing came behind it
        hold.set()
        assert (await second)["result"] == "1"
        await step
        assert [name for name, _ in fake.commands[count:]] == ["exec", "stpv", "bkgh"]

    run(story)


def test_a_thread_between_two_states_is_asked_again() -> None:
    async def story(session: Session, fake: Fake) -> None:
        refusals = [
            "<error: previous evaluation has not completed>",
            "<expression cannot be evaluated at this time>",
        ]

        async def busy(command: str, fields: list[Any]) -> bool:
            if command == "exec" and refusals:
                fake.say(r.EvaluationFailed(fields[3], refusals.pop()))
                return True
            return False

        await session.attach()
        await session.stop()
        frame = (await session.request("stackTrace", threadId=1))["stackFrames"][0]["id"]
        fake.script = busy
        assert (await session.request("evaluate", expression="n", frameId=frame))["result"] == "1"
        assert refusals == []

    run(story)


def test_nothing_is_sent_that_breaks_the_server() -> None:
    async def story(session: Session, fake: Fake) -> None:
        await session.attach()
        for command, arguments in (
            ("evaluate", {"expression": "x"}),
            ("evaluate", {"expression": "x", "frameId": 99}),
            ("next", {"threadId": 1}),
            ("stackTrace", {"threadId": 1}),
            ("gotoTargets", {"line": 3}),
            ("goto", {"targetId": 3}),
            ("setFunctionBreakpoints", {}),
            ("nonsense", {}),
            ("disconnect", {"suspendDebuggee": True}),
        ):
            with pytest.raises(RequestFailed):
                await session.request(command, **arguments)
        assert fake.sent() == []
        await session.stop()
        frame = (await session.request("stackTrace", threadId=1))["stackFrames"][-1]["id"]
        await session.request("continue", threadId=1)
        with pytest.raises(RequestFailed, match="gone"):  # its number is void now
            await session.request("evaluate", expression="x", frameId=frame)

    run(story)


def test_only_what_is_safe_to_evaluate_again_is_looked_into() -> None:
    async def story(session: Session, fake: Fake) -> None:
        async def lists(command: str, fields: list[Any]) -> bool:
            if command == "exec":
                fake.say(r.Evaluated(fields[3], LIST))
            return command == "exec"

        await session.attach()
        await session.stop()
        fake.script = lists
        frame = (await session.request("stackTrace", threadId=1))["stackFrames"][0]["id"]
        found = await session.request("evaluate", expression="items", frameId=frame)
        assert found["variablesReference"] > 0
        inside = await session.request("variables", variablesReference=found["variablesReference"])
        assert [each["name"] for each in inside["variables"]] == ["[0]", "size"]
        found = await session.request("evaluate", expression="items.pop()", frameId=frame)
        assert found["variablesReference"] == 0

    run(story)


def test_handlers_are_told_when_asked_and_only_then() -> None:
    async def story(session: Session, fake: Fake) -> None:
        await session.attach()
        await session.request("setExceptionBreakpoints", filters=["uncaught"])
        assert [fields for name, fields in fake.commands if name == "sexi"] == [[0, 0], [32, 0]]
        assert "sehi" not in fake.sent()
        fake.say(r.HandlersAsked("/nowhere/unknown.py"))
        while "sehi" not in fake.sent():
            await asyncio.sleep(0.01)
        (fields,) = (fields for name, fields in fake.commands if name == "sehi")
        assert fields[:2] == ["/nowhere/unknown.py", 1]  # a file without a text counts as handling all
        assert fields[4:] == ["*", "-"]

    run(story)


def test_the_end_of_the_process_and_of_the_connection() -> None:
    async def story(session: Session, fake: Fake) -> None:
        await session.attach()
        fake.say(r.Detached())
        await session.event("terminated")
        async with asyncio.timeout(5):
            await session.adapter.over.wait()

    async def lost(session: Session, fake: Fake) -> None:
        await session.attach()
        fake.hang_up()
        told = await session.event("output")
        assert "ended" in told["output"]
        async with asyncio.timeout(5):
            await session.adapter.over.wait()

    run(story)
    run(lost)


def test_a_refused_attach_says_both_reasons() -> None:
    async def story(session: Session, fake: Fake) -> None:
        fake.accepts = False
        with pytest.raises(
            RequestFailed, match="Either somebody is attached, or the last debugger"
        ) as caught:
            await session.attach()
        assert caught.value.code == "already-attached"
        assert "--rescue" in str(caught.value)

    run(story)


# -- recognising


def test_a_greeting_that_comes_late_is_recognised_all_the_same() -> None:
    """On a slow line we have said hello before it is here. The server then hangs up, and is called again."""
    calls: list[bytes] = []

    def late(sock: socket.socket) -> None:
        first = sock.recv(7) if not calls else b""
        calls.append(first)
        sock.sendall(b"PTVSDBG" + integer(6))
        if first:
            return
        assert sock.recv(65536).startswith(b"PTVSDBG" + integer(6))
        sock.sendall(b"ACPT")
        assert sock.recv(4) == b"INFO"
        sock.sendall(
            integer(4711) + text("/usr/bin/python2") + text("ada") + text("CPython 2.7.18 (Linux 64-bit)")
        )

    async def story(place: str) -> None:
        notes: list[str] = []
        link = await connect(parse_qualifier(f"tcp://secret@{place}"), ConnectOptions(note=notes.append))
        (process,) = await link.processes()
        await link.close()
        assert (process["pid"], process["version"], process["user"]) == (4711, "2.7.18", "ada")
        assert link.server == "ptvsd 2.2 or 3.0 (protocol 6)"
        assert "in clear" in notes[0]

    with Server(late) as server:
        asyncio.run(story(server.place))
    assert calls == [b"Content", b""]


@pytest.mark.parametrize(("number", "name"), [(4, r"ptvsd 2\.1"), (5, "protocol 5"), (99, "protocol 99")])
def test_other_numbers_are_refused_by_name_with_our_own_words_first(number: int, name: str) -> None:
    got: list[bytes] = []

    def greet(sock: socket.socket) -> None:
        sock.sendall(b"PTVSDBG" + integer(number))
        got.append(sock.recv(100))

    with Server(greet) as server, pytest.raises(ConnectError, match=name) as caught:
        asyncio.run(connect_to(server.place))
    assert caught.value.exit_code == 6
    assert got == [b"PTVSDBG" + integer(6)]  # and no secret


async def connect_to(place: str) -> None:
    await connect(parse_qualifier(f"tcp://secret@{place}"), ConnectOptions(timeout=2))
