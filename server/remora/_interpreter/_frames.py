"""Python frames: who called whom, what a suspended frame waits for, reading and writing locals.

Runs on any thread: the program's threads while they are held, the server's for a look at running ones.
Every use of a `sys._…` function about frames is here.
"""

from __future__ import annotations

import dis
import inspect
import os
import sys
import warnings
from dataclasses import dataclass, field
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from remora._interpreter import _native
from remora._interpreter._originals import get_ident
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType

__all__ = [
    "EVALUATED",
    "LAUNCHER",
    "OWN_FOLDER",
    "Frame",
    "awaits",
    "begins_handler",
    "callers",
    "code_of",
    "current_frames",
    "is_coroutine",
    "is_generator",
    "is_in_call",
    "jump",
    "line_of",
    "outermost_coroutine",
    "qualified_name",
    "set_local",
    "walk",
    "write_locals",
    "yields_to",
]

#: Where this package's files lie.
OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
#: What runs the program under `python -m remora`.
LAUNCHER = os.path.join(OWN_FOLDER, "_commands", "_launch.py")
#: The file name of what Remora compiles to evaluate it: conditions, log messages, what a person types.
EVALUATED = "<remora>"

# Here a frame with a tracing function of its own has the line of the last event that this was called for,
# however far it has gone since.
_KEEPS_LINES = sys.version_info < (3, 10) or sys.implementation.name == "pypy"
# That event is where it leaves, though: the end of the code may belong to a line that was not run.
_LEAVING = frozenset(dis.opmap.get(name, -1) for name in ("RETURN_VALUE", "RERAISE", "END_FINALLY"))
_COROUTINE = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE | inspect.CO_ASYNC_GENERATOR
_GENERATOR = inspect.CO_GENERATOR | _COROUTINE
_CACHE = dis.opmap.get("CACHE", -1)
_YIELD_VALUE = dis.opmap["YIELD_VALUE"]
_RESUME = dis.opmap.get("RESUME", -1)
_YIELD_FROM = bytes([dis.opmap["YIELD_FROM"]]) if "YIELD_FROM" in dis.opmap else None
_PUSH_EXC_INFO = dis.opmap.get("PUSH_EXC_INFO", -1)
# What a frame executes while it waits for another generator or coroutine.
_DELEGATING = frozenset(dis.opmap[name] for name in ("SEND", "YIELD_FROM") if name in dis.opmap)


@dataclass(frozen=True)
class Frame:
    """One frame as the client knows it. `id` is never used again once the thread has moved on."""

    id: int
    thread_id: int
    frame: FrameType = field(repr=False, compare=False)
    line: int
    filename: str
    name: str
    subtle: bool
    column: int = 1

    @property
    def code(self) -> Any:
        return self.frame.f_code


def current_frames() -> dict[int, FrameType]:
    """The newest frame of every thread; of the calling one, that which called our caller.

    With its own the caller would be a part of what it keeps in a variable, and so keep it, the frames of the
    program's threads and all their variables, until a garbage collection came by.
    """
    found = sys._current_frames()
    found[get_ident()] = sys._getframe(2)
    return found


def walk(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and those that called it, newest first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def qualified_name(frame: FrameType) -> str:
    """The function's name with its class, as far as this Python knows it."""
    code = frame.f_code
    return getattr(code, "co_qualname", code.co_name)


def code_of(function: object) -> CodeType | None:
    """The code of a function of Python's, or of a method; asks nothing of the object itself."""
    if type(function) is MethodType:
        function = function.__func__
    return function.__code__ if type(function) is FunctionType else None


def line_of(frame: FrameType) -> int:
    """The frame's line; for the interpreter's own instructions, which have none, that of its definition."""
    if _KEEPS_LINES and frame.f_trace is not None and frame.f_code.co_code[frame.f_lasti] not in _LEAVING:
        return _line_at(frame.f_code, frame.f_lasti)
    return frame.f_lineno or frame.f_code.co_firstlineno


def _line_at(code: CodeType, instruction: int) -> int:
    found = code.co_firstlineno
    for start, line in dis.findlinestarts(code):
        if start > instruction:
            break
        found = line or found
    return found


def begins_handler(frame: FrameType) -> bool:
    """Whether an exception has just come into this frame, and its handler has not begun a line yet."""
    return frame.f_lineno is None or frame.f_code.co_code[frame.f_lasti] == _PUSH_EXC_INFO


def is_coroutine(frame: FrameType) -> bool:
    """Whether this frame is resumed by an event loop, not by who called it."""
    return bool(frame.f_code.co_flags & _COROUTINE)


def is_generator(frame: FrameType) -> bool:
    """Whether this frame can be suspended and resumed, be it a generator or a coroutine."""
    return bool(frame.f_code.co_flags & _GENERATOR)


def awaits(frame: FrameType) -> bool:
    """Whether this frame is in the middle of `await` or `yield from`.

    What is thrown into it goes right on to what it waits for: it itself still stands where it was suspended.
    """
    code = frame.f_code.co_code
    position = _before_caches(code, frame.f_lasti)
    if position < 0:
        return False
    if code[position] == _RESUME and position > 0:
        position -= 2  # since 3.13 it stands behind where it was suspended
    if code[position] == _YIELD_VALUE:
        position = _before_caches(code, position - 2)
    elif code[position + 2 : position + 3] == _YIELD_FROM:
        return True  # before 3.11 CPython steps back from it
    return position >= 0 and code[position] in _DELEGATING


def _before_caches(code: bytes, position: int) -> int:
    while position > 0 and code[position] == _CACHE:
        position -= 2
    return position


_QUICK = ("RESUME", "NOP", "JUMP", "POP_JUMP", "LOAD_CONST", "LOAD_FAST", "LOAD_GLOBAL", "LOAD_NAME")
"""Instructions that no thread is seen in for long; it is about to go on from there."""


def is_in_call(frame: FrameType) -> bool:
    """Whether the newest frame of a running thread is in the middle of a call, so: in C code."""
    code = frame.f_code.co_code
    position = _before_caches(code, frame.f_lasti)
    return position >= 0 and not dis.opname[code[position]].startswith(_QUICK)


def callers(frame: FrameType) -> Iterator[FrameType]:
    """The frames that this one returns to, nearest first: for a coroutine those that await it, not its loop.

    What `python -m remora` itself was started by is no part of the program.
    """
    caller = frame.f_back
    while caller is not None and caller.f_code.co_filename != LAUNCHER:
        if is_coroutine(frame) and not awaits(caller):
            return
        yield caller
        frame, caller = caller, caller.f_back


def outermost_coroutine(frame: FrameType) -> FrameType | None:
    """The coroutine that an event loop runs when it runs this frame: that of the task."""
    last = frame
    for caller in callers(frame):
        last = caller
    return last if is_coroutine(last) else None


def yields_to(frame: FrameType) -> Iterator[FrameType]:
    """The frames that a generator's `yield` goes to: past those that only pass it on by `yield from`."""
    if is_coroutine(frame):
        yield from callers(frame)
        return
    consumer = frame.f_back
    while consumer is not None and is_generator(consumer) and not is_coroutine(consumer) and awaits(consumer):
        consumer = consumer.f_back
    if consumer is not None and consumer.f_code.co_filename != LAUNCHER:
        yield consumer
        yield from callers(consumer)


def jump(frame: FrameType, line: int) -> None:
    """Have a held frame go on at another line. ValueError says why the interpreter refuses.

    On the frame's own thread, inside the callback for a line.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about variables that the lines jumped over would have assigned
        changeable: Any = frame
        changeable.f_lineno = line


def set_local(frame: FrameType, name: str, value: object) -> None:
    """Assign to a variable of a suspended or held frame, also to one that closures share."""
    write_locals(frame, {name: value})


def write_locals(frame: FrameType, changes: dict[str, object]) -> None:
    """Assign to several variables of a frame at once; older Pythons lose all but the last otherwise."""
    frame.f_locals.update(changes)
    if sys.version_info < (3, 13):  # since then (PEP 667) f_locals writes through
        _write_back(frame)


def _write_back(frame: FrameType) -> None:
    if _native.write_back_locals is not None:
        _native.write_back_locals(frame)
        return
    try:
        from __pypy__ import locals_to_fast  # type: ignore[import-not-found]
    except ImportError:
        text = "This Python has no ctypes, so local variables cannot be assigned."
        raise RequestFailed("not-supported", text) from None
    locals_to_fast(frame)
