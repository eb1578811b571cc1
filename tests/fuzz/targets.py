"""What is fuzzed: functions of bytes that raise only when Remora does something that it must not do.

Used by `scripts/fuzz` (atheris, guided by coverage, for as long as one likes) and by `test_fuzz` (the corpus,
the crashes of the past, and a short run of hypothesis; in every run of the tests).
"""

from __future__ import annotations

import _thread
import contextlib
import json
import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from unittest import mock

import remora._handlers.sources
import remora._source._sources
from remora._control._debugger import Debugger
from remora._handlers import HANDLERS, When
from remora._identity import Identity
from remora._network._login import OBSERVER_ROLE, Gate, Peer
from remora._network._port import Port
from remora._network._watchers import Watchers
from remora._sessions._listener import Arrival, Lobby
from remora._sessions._server import Server
from remora._sessions._session import Session
from remora._source._sources import Sources
from remora_client._text import visible
from remora_protocol import (
    BEFORE_LOGIN_LIMIT,
    MECHANISM,
    MECHANISM_PLUS,
    USER,
    FrameDecoder,
    QualifierError,
    RemoteProtocolError,
    ScramClient,
    ScramError,
    ScramServer,
    Verifier,
    decode_message,
    encode_message,
    parse_qualifier,
)

__all__ = ["TARGETS"]

SECRET = "open sesame"
_VERIFIER = Verifier.from_secret(SECRET, b"0123456789abcdef", 4096)
_NONCE = "rOprNGfwEbeRWgbNEkqO"


def framing(data: bytes) -> None:
    """However the bytes are cut into pieces, the same messages come out, and no more is kept than allowed."""
    whole, pieces = _decode([data]), _decode([data[at : at + 7] for at in range(0, len(data), 7)])
    assert whole == pieces, (whole, pieces)


def _decode(pieces: list[bytes]) -> list[bytes | str]:
    decoder = FrameDecoder(BEFORE_LOGIN_LIMIT)
    found: list[bytes | str] = []
    for piece in pieces:
        decoder.receive(piece)
        try:
            while (body := decoder.next_body()) is not None:
                assert len(body) <= BEFORE_LOGIN_LIMIT
                found.append(body)
        except RemoteProtocolError as error:
            return [*found, error.code]
    return found


def messages(data: bytes) -> None:
    """A message is refused, or is the same after a journey there and back."""
    try:
        message = decode_message(data)
    except RemoteProtocolError:
        return
    assert decode_message(encode_message(message)) == message


def qualifier(data: bytes) -> None:
    """A qualifier is refused without being repeated, or shown without its secret and read back."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        found = parse_qualifier(text)
    except QualifierError as error:
        before, at, _ = text.rpartition("@")
        password = before.rpartition("//")[2]
        if at and len(password) > 8:
            _must_not_show(password, str(error))
        return
    if found.secret and len(found.secret) > 8 and found.secret not in found.host:
        assert found.secret not in str(found)
        assert found.secret not in repr(found)
    assert parse_qualifier(str(found)).address == found.address
    visible(text)


def _must_not_show(secret: str, text: str) -> None:
    assert secret not in text


def scram_server(data: bytes) -> None:
    """Nobody logs in without the secret, whatever is said in whatever order."""
    head, _, rest = data.partition(b"\n")
    bound = bytes(32) if head[:1] == b"+" else None
    server = ScramServer({USER: _VERIFIER}, channel_binding=bound, nonce=_NONCE)
    try:
        server.start(MECHANISM_PLUS if bound else MECHANISM, head.lstrip(b"+"))
        server.finish(rest)
    except ScramError:
        assert not server.done
        return
    raise AssertionError("somebody got in")


def scram_client(data: bytes) -> None:
    """No server is taken for one that knows the secret. Costly numbers of iterations are refused unhashed."""
    head, _, rest = data.partition(b"\n")
    client = ScramClient(SECRET, MECHANISM, nonce=_NONCE)
    client.first()
    with mock.patch("hashlib.pbkdf2_hmac", return_value=bytes(32)):
        try:
            client.receive(head)
            client.finish(rest)
        except ScramError:
            assert not client.done
            return
    raise AssertionError("a server got away with it")


# -- the server's dispatch


class _Quiet:
    """An engine that does nothing."""

    name = "quiet"

    def __init__(self) -> None:
        self.limits: list[str] = []

    def original(self, code: types.CodeType) -> types.CodeType:
        return code

    def place_of(self, frame: types.FrameType) -> int:
        return frame.f_lasti

    def known_functions(self) -> tuple[()]:
        return ()

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


class _Loop:
    """A loop without sockets: what is to happen later happens when the input is at its end."""

    ident = None

    def __init__(self) -> None:
        self.later: list[Callable[[], None]] = []

    def post(self, call: Callable[[], None]) -> None:
        self.later.append(call)

    def call_later(self, _seconds: float, call: Callable[[], None]) -> Any:
        return types.SimpleNamespace(cancel=lambda: None)

    def watch(self, *_: object) -> None:
        pass


class _Transport:
    """Keeps what is sent."""

    tls = False

    def __init__(self) -> None:
        self.sent = bytearray()
        self.closed = False
        self.pending = 0
        self.receive: Any = None
        self.lost: Any = None
        self.drained: Any = None

    def send(self, data: bytes) -> None:
        if not self.closed:
            self.sent += data

    def finish(self) -> None:
        self.closed = True

    abort = finish


_WORDS = """
    threadId frameId variablesReference expression context source path sourceReference name breakpoints line
    column condition hitCondition logMessage filters filterOptions filterId start count filter value force
    hold resume secret pid protocol min max client mechanism data justMyCode requestId levels startFrame
    format hex text checksums algorithm checksum singleThread targetId restart terminateDebuggee modules
    startModule moduleCount endLine exceptionOptions supportsVariableType clientName repl watch hover SHA256
    follow key local
    raised uncaught userUnhandled /nowhere/program.py program.py {x} x==1 %2 >=3 SCRAM-SHA-256 1 é \ud800
""".split()  # noqa: SIM905


_MOST_REQUESTS = 24
_FIRST_SEQ = 1 << 40  # which "the rest as it is" does not use, too


def _value(data: Iterator[int], depth: int = 0) -> Any:
    """Bytes to JSON: a few of them make an object with names that mean something."""
    kind = next(data, 0)
    if kind < 60 or (kind < 120 and depth > 4):
        return [0, 1, -1, 2**31, 2**70, 1.5, None, True, False, "", 1000, 7][kind % 12]
    if kind < 120:
        return {_WORDS[next(data, 0) % len(_WORDS)]: _value(data, depth + 1) for _ in range(kind % 6)}
    if kind < 150:
        return [_value(data, depth + 1) for _ in range(kind % 4)]
    return _WORDS[next(data, 0) % len(_WORDS)]


class _SmallProgram:
    """`sys` of a program of a few modules: to list all of the fuzzer's own would be half of the work."""

    modules: ClassVar = {name: sys.modules[name] for name in ("sys", "json", "os", "remora._streams._feed")}

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


@contextlib.contextmanager
def _harmless() -> Iterator[None]:
    """Nobody is killed or interrupted, in a small program. `mock.patch` would take half of the time."""
    who_look: Any = remora._source._sources, remora._handlers.sources
    before: Any = os.kill, _thread.interrupt_main
    os.kill = _thread.interrupt_main = lambda *_: None  # type: ignore[assignment]
    for module in who_look:
        module.sys = _SmallProgram()
    try:
        yield
    finally:
        os.kill, _thread.interrupt_main = before
        for module in who_look:
            module.sys = sys


def dispatch(data: bytes) -> None:
    """Every request is answered once, none by a mistake of ours, and none that needs a login before it."""
    stream = iter(data)
    mode = next(stream, 0)
    loop, transport = _Loop(), _Transport()
    gate = Gate(None) if mode % 4 == 0 else _GATE
    sources = Sources()
    debugger = Debugger(sources, loop.post, lambda *when: loop.call_later(*when).cancel, _Quiet())  # type: ignore[arg-type]
    port = Port(("127.0.0.1", 1), ("127.0.0.1", 1))
    server = Server(loop, gate, sources, debugger, Identity("x"), port=port, binding=None, authority="")  # type: ignore[arg-type]
    session = Session(server, transport, Peer("fuzz", f"{mode}", is_local=True), lambda: None)  # type: ignore[arg-type]
    if mode % 4 == 2:
        session.log_in(OBSERVER_ROLE)
    elif mode % 4 == 3:
        session.log_in("driver")
    commands = sorted(HANDLERS)
    asked: list[tuple[int, str, str | None]] = []
    with _harmless():
        for choice in stream:
            if transport.closed or len(asked) == _MOST_REQUESTS:
                break
            if choice == 255:  # the rest as it is
                session.receive(bytes(stream))
                break
            command = commands[choice % len(commands)]
            arguments = _value(stream)
            seq = _FIRST_SEQ + len(asked)
            asked.append((seq, command, session.role))
            session.receive(_request(seq, command, arguments if isinstance(arguments, dict) else {}))
        for call in loop.later:
            call()
    _check(bytes(transport.sent), asked)
    server.close(None, None)


# The other side is written plainly: it is not what is to be explored.


def _request(seq: int, command: str, arguments: dict[str, Any]) -> bytes:
    request = {"seq": seq, "type": "request", "command": command, "arguments": arguments}
    body = json.dumps(request).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _messages_in(sent: bytes) -> Iterator[dict[str, Any]]:
    at = 0
    while at < len(sent):
        end = sent.index(b"\r\n\r\n", at)
        begin, length = end + 4, int(sent[at:end].removeprefix(b"Content-Length: "))
        yield json.loads(sent[begin : begin + length])
        at = begin + length


def _check(sent: bytes, asked: list[tuple[int, str, str | None]]) -> None:
    answers: dict[int, dict[str, Any]] = {}
    for message in _messages_in(sent):
        if message["type"] == "response" and message["request_seq"]:
            assert message["request_seq"] not in answers, "answered twice"
            answers[message["request_seq"]] = message
            assert message.get("message") != "internal-error", message
    for seq, command, role in asked:
        answer = answers.get(seq)
        if answer is None or not answer["success"]:
            continue
        assert role is not None or HANDLERS[command].when is When.CONNECTED, command
        if role == OBSERVER_ROLE and HANDLERS[command].when is When.ATTACHED:
            assert HANDLERS[command].looks_only, command


def doorstep(data: bytes) -> None:
    """The first bytes of a connection, in two pieces: no exception, and nothing of any size is kept."""
    port = Port(("127.0.0.1", 1), ("127.0.0.1", 1))
    server: Any = types.SimpleNamespace(
        loop=_Loop(),
        gate=_GATE,
        binding=None,
        port=port,
        watchers=Watchers(port),
        delivery=types.SimpleNamespace(distribute=lambda: None),
    )
    transport: Any = _Transport()
    arrival = Arrival(server, Lobby(), transport, Peer("fuzz", "fuzz"), None)
    half = len(data) // 2
    for piece in (data[:half], data[half:]):
        if piece and not transport.closed:
            transport.receive(piece)
    assert len(arrival._received) <= 64, len(arrival._received)


_GATE = Gate(SECRET, "observer's")

TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each
    for each in (framing, messages, qualifier, scram_server, scram_client, dispatch, doorstep)
}
