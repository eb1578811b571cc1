"""The binary dialect: protocol 6, of ptvsd 2.2 and 3.0. No I/O.

No frame has a length, so a message is read by a generator that asks for so many bytes at a time: every
byte is looked at once, however small the pieces are that it comes in.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, TypeVar

from remora_client._ptvsd import _records as r
from remora_client._ptvsd._codec import MAGIC, MOST_ITEMS, MOST_TEXT, OPTIONS
from remora_protocol import RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    Reading = Generator[int, bytes, "r.Said | None"]

__all__ = ["NUMBER", "BinaryCodec"]

NUMBER = 6

T = TypeVar("T")
_INT = struct.Struct(">q")
_MAGIC = MAGIC.encode("ascii")
_STEPS = {"in": b"stpi", "over": b"stpv", "out": b"stpo"}


class BinaryCodec:
    """Protocol 6."""

    def __init__(self) -> None:
        self.number = 0
        self._buffer = bytearray()
        self._position = 0
        self._answers: deque[Callable[[], Reading]] = deque([self._greeting])
        self._reading: Reading | None = None
        self._wanted = 0
        self._error: str | None = None

    # -- reading

    def receive(self, data: bytes) -> None:
        """Store bytes."""
        if self._error is None:
            self._buffer += data

    def next(self) -> r.Said | None:
        """The next record; None: more bytes are needed."""
        if self._error is not None:
            raise RemoteProtocolError("bad-request", self._error)
        try:
            while True:
                if self._reading is None:
                    self._reading = (self._answers.popleft() if self._answers else _message)()
                    self._wanted = next(self._reading)
                if len(self._buffer) - self._position < self._wanted:
                    self._compact()
                    return None
                try:
                    self._wanted = self._reading.send(self._take(self._wanted))
                except StopIteration as end:
                    self._reading = None
                    if end.value is not None:
                        return end.value  # type: ignore[no-any-return]
        except RemoteProtocolError as error:
            self._error = str(error)  # the place in the stream is lost for good
            self._buffer.clear()
            raise

    def _take(self, count: int) -> bytes:
        start, self._position = self._position, self._position + count
        return bytes(self._buffer[start : self._position])

    def _compact(self) -> None:
        del self._buffer[: self._position]
        self._position = 0

    def _greeting(self) -> Reading:
        if (yield len(_MAGIC)) != _MAGIC:
            raise _bad("its greeting is not ptvsd's")
        self.number = yield from _int()
        return r.Greeting(self.number)

    # -- the handshake

    def _signature(self) -> bytes:
        return _MAGIC + _INT.pack(NUMBER)

    def refuse(self) -> bytes:
        """A number that the server does not have makes it close by itself."""
        return _MAGIC + _INT.pack(NUMBER if self.number != NUMBER else 0)

    def log_in(self, secret: str) -> bytes:
        """Signature, number and secret."""
        self._answers.append(_verdict)
        return self._signature() + _text_out(secret)

    def ask_info(self) -> bytes:
        """What the process is."""
        self._answers.append(_info)
        return b"INFO"

    def attach(self) -> bytes:
        """Begin the session."""
        self._answers.append(_attached)
        return b"ATCH" + _text_out(OPTIONS)

    def open_window(self) -> bytes:
        """Ask for the door of the interactive window, in place of a session."""
        self._answers.append(_verdict)
        return b"REPL"

    def list_members(self, expression: str) -> bytes:
        """Behind that door: evaluate an expression and list what its value has."""
        return b"mems" + _text_out(expression)

    # -- commands

    def set_breakpoint(self, spec: r.BreakpointSpec) -> bytes:
        """Set a breakpoint."""
        return b"".join(
            (
                b"brkp",
                _ints(spec.ident, spec.line),
                _text_out(spec.file),
                _ints(1 if spec.condition else 0),
                _text_out(spec.condition),
                _ints(spec.kind, spec.count),
            )
        )

    def remove_breakpoint(self, spec: r.BreakpointSpec) -> bytes:
        """Remove one. The order differs from setting it."""
        return b"brkr" + _ints(spec.line, spec.ident)

    def pause(self) -> bytes:
        """Stop all threads."""
        return b"brka"

    def resume(self) -> bytes:
        """Resume all threads."""
        return b"resa"

    def step(self, kind: r.StepKind, thread: int) -> bytes:
        """Step."""
        return _STEPS[kind] + _ints(thread)

    def clear_step(self, thread: int) -> bytes:
        """Forget a step."""
        return b"clst" + _ints(thread)

    def evaluate(
        self, text: str, thread: int, frame: int, ident: int, *, raw: bool = False, module: str = ""
    ) -> bytes:
        """Evaluate or execute, in a frame of a stopped thread."""
        if module:
            raise ValueError("protocol 6 evaluates in frames only")
        return b"exec" + _text_out(text) + _ints(thread, frame, ident, 1, int(raw))

    def children(self, text: str, thread: int, frame: int, ident: int) -> bytes:
        """Ask for the children of a value."""
        return b"chld" + _text_out(text) + _ints(thread, frame, ident, 1)

    def set_line(self, thread: int, line: int) -> bytes:
        """Jump. A refused one deadlocks the server and the program: nobody calls this."""
        return b"setl" + _ints(thread, 0, line)

    def ask_frames(self, thread: int) -> bytes:
        """Ask for a stack: ptvsd 3.0 only, and 2.2 dies of it."""
        return b"thrf" + _ints(thread)

    def set_exceptions(self, modes: r.ExceptionModes) -> bytes:
        """Say which exceptions stop."""
        named = (_ints(mode) + _text_out(name) for name, mode in modes.named.items())
        return b"sexi" + _ints(modes.default, len(modes.named)) + b"".join(named)

    def tell_handlers(self, file: str, ranges: Sequence[r.TryRange]) -> bytes:
        """Say what a file handles."""
        parts = [b"sehi", _text_out(file), _ints(len(ranges))]
        for each in ranges:
            parts += [_ints(each.first, each.end), *map(_text_out, each.names or ("*",)), _text_out("-")]
        return b"".join(parts)

    def ping(self, ident: int) -> bytes:
        """Ask for the hits of a breakpoint that need not exist."""
        return b"bkgh" + _ints(ident, ident)

    def detach(self) -> bytes:
        """Leave."""
        return b"detc"

    def after_detach(self) -> bytes:
        """The loop has ended by itself."""
        return b""

    def acknowledge(self) -> bytes:
        """Heard the last word."""
        return b"lack"


def _ints(*values: int) -> bytes:
    return b"".join(map(_INT.pack, values))


def _text_out(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return _INT.pack(len(data)) + data


def _bad(why: str) -> RemoteProtocolError:
    return RemoteProtocolError("bad-request", f"It does not keep to ptvsd's protocol 6: {why}.")


def _int() -> Generator[int, bytes, int]:
    (value,) = _INT.unpack((yield 8))
    return int(value)


def _flag() -> Generator[int, bytes, bool]:
    return (yield from _int()) != 0


def _count() -> Generator[int, bytes, int]:
    value = yield from _int()
    if not 0 <= value <= MOST_ITEMS:
        raise _bad(f"a list of {value} items")
    return value


def _text_or_none() -> Generator[int, bytes, str | None]:
    prefix = yield 1
    if prefix == b"N":
        return None
    if prefix not in (b"U", b"A"):
        raise _bad(f"a text begins with {prefix!r}")
    length = yield from _int()
    if not 0 <= length <= MOST_TEXT:
        raise _bad(f"a text of {length} bytes")
    data = yield length
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        # A Python 2 str holds bytes of whatever encoding. Latin-1 loses none of them.
        return data.decode("latin-1")


def _text() -> Generator[int, bytes, str]:
    return (yield from _text_or_none()) or ""


def _verdict() -> Reading:
    tag = yield 4
    if tag not in (b"ACPT", b"RJCT"):
        raise _bad(f"{tag!r} where it accepts or rejects")
    return r.Verdict(tag == b"ACPT")


def _info() -> Reading:
    pid = yield from _int()
    return r.Info(pid, (yield from _text()), (yield from _text()), (yield from _text()))


def _attached() -> Reading:
    verdict = yield from _verdict()
    if verdict == r.Verdict(False):
        return verdict
    pid = yield from _int()
    return r.Attached(pid, ((yield from _int()), (yield from _int()), (yield from _int())))


def _object() -> Generator[int, bytes, r.RemoteObject]:
    text = yield from _text_or_none()
    hex_text = yield from _text_or_none()
    kind = yield from _text()
    length = yield from _int()
    return r.RemoteObject(text, hex_text, kind, length, (yield from _int()))


def _frame() -> Generator[int, bytes, r.RemoteFrame]:
    first, last, line = (yield from _int()), (yield from _int()), (yield from _int())
    name, file = (yield from _text()), (yield from _text())
    arguments, kind = (yield from _int()), (yield from _int())
    if kind == 2:  # a Django template: its own file and line are the ones to show
        file, line = (yield from _text()), (yield from _int())
    variables = []
    for _ in range((yield from _count())):
        variable = yield from _text()
        variables.append((variable, (yield from _object())))
    return r.RemoteFrame(first, last, line, name, file, arguments, variables)


def _frames() -> Reading:
    thread = yield from _int()
    name = yield from _text_or_none()
    frames = []
    for _ in range((yield from _count())):
        frames.append((yield from _frame()))
    return r.ThreadFrames(thread, name, frames)


def _exception() -> Reading:
    kind = yield from _text()
    thread = yield from _int()
    unhandled = yield from _flag()
    return r.ExceptionRaised(thread, kind, (yield from _text()), unhandled)


def _rich_exception() -> Reading:
    thread = yield from _int()
    data: dict[str, str] = {}
    for _ in range((yield from _count())):
        key = yield from _text()
        data[key] = yield from _text()
    return r.ExceptionRaised(
        thread,
        data.get("typename", ""),
        data.get("message", ""),
        data.get("breaktype") == "unhandled",
        data.get("trace", ""),
    )


def _children() -> Reading:
    ident = yield from _int()
    found = []
    for _ in range((yield from _count())):
        name = yield from _text()
        expression = yield from _text_or_none()
        found.append(r.Child(name, expression, (yield from _object())))
    return r.Children(ident, found)


def _hit() -> Reading:
    ident = yield from _int()
    return r.BreakpointHit(ident, (yield from _int()))


def _pong() -> Reading:
    ident = yield from _int()
    yield from _int()
    return r.Pong(ident)


def _module() -> Reading:
    yield from _int()
    return r.ModuleLoaded((yield from _text()))


def _line_set() -> Reading:
    done = yield from _flag()
    thread = yield from _int()
    return r.LineSet(done, thread, (yield from _int()))


def _output() -> Reading:
    thread = yield from _int()
    return r.Output(thread, (yield from _text()))


def _evaluated() -> Reading:
    ident = yield from _int()
    return r.Evaluated(ident, (yield from _object()))


def _failed() -> Reading:
    ident = yield from _int()
    return r.EvaluationFailed(ident, (yield from _text()))


def _handlers() -> Reading:
    return r.HandlersAsked((yield from _text()))


def _one_int(make: Callable[[int], r.Said]) -> Callable[[], Reading]:
    def read() -> Reading:
        return make((yield from _int()))

    return read


_EVENTS: dict[bytes, Callable[[], Reading]] = {
    b"NEWT": _one_int(r.ThreadSeen),
    b"EXTT": _one_int(r.ThreadGone),
    b"MODL": _module,
    b"LOAD": _one_int(r.ProcessLoaded),
    b"THRF": _frames,
    b"BRKS": _one_int(r.BreakpointBound),
    b"BRKF": _one_int(r.BreakpointUnbound),
    b"BRKH": _hit,
    b"BKHC": _pong,
    b"STPD": _one_int(r.StepDone),
    b"ASBR": _one_int(r.Paused),
    b"EXCP": _exception,
    b"EXC2": _rich_exception,
    b"REQH": _handlers,
    b"EXCR": _evaluated,
    b"EXCE": _failed,
    b"CHLD": _children,
    b"SETL": _line_set,
    b"OUTP": _output,
}


def _message() -> Reading:
    tag = yield 4
    if tag == b"DETC":
        return r.Detached()
    if tag == b"LAST":
        return r.LastAsked()
    read = _EVENTS.get(tag)
    if read is None:
        raise _bad(f"an event {tag!r}")
    return (yield from read())
