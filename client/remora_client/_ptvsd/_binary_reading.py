"""Reading the binary dialect: one generator a record, each asking for so many bytes at a time. No I/O."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from remora_client._ptvsd import _records as r
from remora_client._ptvsd._codec import MOST_ITEMS, MOST_TEXT
from remora_protocol import RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Reading = Generator[int, bytes, "r.Said | None"]

__all__ = ["attached", "bad", "info", "integer", "message", "verdict"]

_INT = struct.Struct(">q")


def bad(why: str) -> RemoteProtocolError:
    """The error for a broken rule."""
    return RemoteProtocolError("bad-request", f"It does not keep to ptvsd's protocol 6: {why}.")


def integer() -> Generator[int, bytes, int]:
    """Eight bytes, signed, big-endian."""
    (value,) = _INT.unpack((yield 8))
    return int(value)


def _flag() -> Generator[int, bytes, bool]:
    return (yield from integer()) != 0


def _count() -> Generator[int, bytes, int]:
    value = yield from integer()
    if not 0 <= value <= MOST_ITEMS:
        raise bad(f"a list of {value} items")
    return value


def _text_or_none() -> Generator[int, bytes, str | None]:
    prefix = yield 1
    if prefix == b"N":
        return None
    if prefix not in (b"U", b"A"):
        raise bad(f"a text begins with {prefix!r}")
    length = yield from integer()
    if not 0 <= length <= MOST_TEXT:
        raise bad(f"a text of {length} bytes")
    data = yield length
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        # A Python 2 str holds bytes of whatever encoding. Latin-1 loses none of them.
        return data.decode("latin-1")


def _text() -> Generator[int, bytes, str]:
    return (yield from _text_or_none()) or ""


def verdict() -> Reading:
    """Accepted or rejected."""
    tag = yield 4
    if tag not in (b"ACPT", b"RJCT"):
        raise bad(f"{tag!r} where it accepts or rejects")
    return r.Verdict(tag == b"ACPT")


def info() -> Reading:
    """What the process is."""
    pid = yield from integer()
    return r.Info(pid, (yield from _text()), (yield from _text()), (yield from _text()))


def attached() -> Reading:
    """The answer to an attach."""
    accepted = yield from verdict()
    if accepted == r.Verdict(False):
        return accepted
    pid = yield from integer()
    return r.Attached(pid, ((yield from integer()), (yield from integer()), (yield from integer())))


def _object() -> Generator[int, bytes, r.RemoteObject]:
    text = yield from _text_or_none()
    hex_text = yield from _text_or_none()
    kind = yield from _text()
    length = yield from integer()
    return r.RemoteObject(text, hex_text, kind, length, (yield from integer()))


def _frame() -> Generator[int, bytes, r.RemoteFrame]:
    first, last, line = (yield from integer()), (yield from integer()), (yield from integer())
    name, file = (yield from _text()), (yield from _text())
    arguments, kind = (yield from integer()), (yield from integer())
    if kind == 2:  # a Django template: its own file and line are the ones to show
        file, line = (yield from _text()), (yield from integer())
    variables = []
    for _ in range((yield from _count())):
        variable = yield from _text()
        variables.append((variable, (yield from _object())))
    return r.RemoteFrame(first, last, line, name, file, arguments, variables)


def _frames() -> Reading:
    thread = yield from integer()
    name = yield from _text_or_none()
    frames = []
    for _ in range((yield from _count())):
        frames.append((yield from _frame()))
    return r.ThreadFrames(thread, name, frames)


def _exception() -> Reading:
    kind = yield from _text()
    thread = yield from integer()
    unhandled = yield from _flag()
    return r.ExceptionRaised(thread, kind, (yield from _text()), unhandled)


def _rich_exception() -> Reading:
    thread = yield from integer()
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
    ident = yield from integer()
    found = []
    for _ in range((yield from _count())):
        name = yield from _text()
        expression = yield from _text_or_none()
        found.append(r.Child(name, expression, (yield from _object())))
    return r.Children(ident, found)


def _hit() -> Reading:
    ident = yield from integer()
    return r.BreakpointHit(ident, (yield from integer()))


def _pong() -> Reading:
    ident = yield from integer()
    yield from integer()
    return r.Pong(ident)


def _module() -> Reading:
    yield from integer()
    return r.ModuleLoaded((yield from _text()))


def _line_set() -> Reading:
    done = yield from _flag()
    thread = yield from integer()
    return r.LineSet(done, thread, (yield from integer()))


def _output() -> Reading:
    thread = yield from integer()
    return r.Output(thread, (yield from _text()))


def _evaluated() -> Reading:
    ident = yield from integer()
    return r.Evaluated(ident, (yield from _object()))


def _failed() -> Reading:
    ident = yield from integer()
    return r.EvaluationFailed(ident, (yield from _text()))


def _handlers() -> Reading:
    return r.HandlersAsked((yield from _text()))


def _one_int(make: Callable[[int], r.Said]) -> Callable[[], Reading]:
    def read() -> Reading:
        return make((yield from integer()))

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


def message() -> Reading:
    """Whatever comes during a session."""
    tag = yield 4
    if tag == b"DETC":
        return r.Detached()
    if tag == b"LAST":
        return r.LastAsked()
    read = _EVENTS.get(tag)
    if read is None:
        raise bad(f"an event {tag!r}")
    return (yield from read())
