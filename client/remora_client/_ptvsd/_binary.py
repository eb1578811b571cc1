"""The binary dialect: protocol 6, of ptvsd 2.2 and 3.0. No I/O.

No frame has a length, so a message is read by a generator that asks for so many bytes at a time: every
byte is looked at once, however small the pieces are that it comes in.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING

from remora_client._ptvsd import _binary_reading as reading
from remora_client._ptvsd import _records as r
from remora_client._ptvsd._codec import OPTIONS
from remora_client._ptvsd._signs import MAGIC
from remora_protocol import RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remora_client._ptvsd._binary_reading import Reading

__all__ = ["NUMBER", "BinaryCodec"]

NUMBER = 6

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
                    if self._position == len(self._buffer):
                        self._compact()
                        return None  # what is to be read next depends on what we say until it comes
                    self._reading = (self._answers.popleft() if self._answers else reading.message)()
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
            raise reading.bad("its greeting is not ptvsd's")
        self.number = yield from reading.integer()
        return r.Greeting(self.number)

    # -- the handshake

    def _signature(self) -> bytes:
        return _MAGIC + _INT.pack(NUMBER)

    def refuse(self) -> bytes:
        """A number that the server does not have makes it close by itself."""
        return _MAGIC + _INT.pack(NUMBER if self.number != NUMBER else 0)

    def log_in(self, secret: str) -> bytes:
        """Signature, number and secret."""
        self._answers.append(reading.verdict)
        return self._signature() + _text_out(secret)

    def ask_info(self) -> bytes:
        """What the process is."""
        self._answers.append(reading.info)
        return b"INFO"

    def attach(self) -> bytes:
        """Begin the session."""
        self._answers.append(reading.attached)
        return b"ATCH" + _text_out(OPTIONS)

    def open_window(self) -> bytes:
        """Ask for the door of the interactive window, in place of a session."""
        self._answers.append(reading.verdict)
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
