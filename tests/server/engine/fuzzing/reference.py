"""What a program does, by `sys.settrace`, and where steps and breakpoints have to stop by that.

A second opinion on the debugger: of its code nothing is used here. Runs under the Python to be tested.
"""

from __future__ import annotations

import dis
import inspect
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["MOST_EVENTS", "Event", "Position", "Recording", "TooLong", "record"]

MOST_EVENTS = 6000

_COROUTINE = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE | inspect.CO_ASYNC_GENERATOR
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<genexpr>")
_GENERATOR = inspect.CO_GENERATOR | _COROUTINE
_CLEANUP = dis.opmap.get("CLEANUP_THROW", -1)
_YIELDS = {dis.opmap[name] for name in ("YIELD_VALUE", "YIELD_FROM") if name in dis.opmap}
_YIELD_FROM = bytes([dis.opmap["YIELD_FROM"]]) if "YIELD_FROM" in dis.opmap else None
_RETURNS = {dis.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in dis.opmap}


class TooLong(Exception):
    """The program does more than is worth the time."""


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: call, line, opcode, return, yield, await (a coroutine is suspended) or unwind.
        frame: a number for each frame, in the order of their first events.
        above: the program's frames on the stack, itself first.
        callers: of these those that it returns to, nearest first.
        receivers: of a yield, whom it goes to, nearest first.
        is_task: the frame is that of a coroutine that is run by `drive`.
    """

    kind: str
    frame: int
    line: int = 0
    above: tuple[int, ...] = ()
    callers: tuple[int, ...] = ()
    receivers: tuple[int, ...] = ()
    is_task: bool = False
    x: Any = None


class _Recorder:
    def __init__(self, filename: str, text: str) -> None:
        self.events: list[Event] = []
        self.too_long = False
        self._filename = filename
        self._lines = text.splitlines()
        self._numbers: dict[tuple[int, int], int] = {}
        self._count = 0
        self._last_lines: dict[int, int] = {}
        self._thrown = 0  # the id of a frame; holding it would change what the program does

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != self._filename or self.too_long:
            return None
        if event == "call":
            self._begin(frame)
        if event == "call":
            if sys.version_info >= (3, 13):
                frame.f_trace = self.trace  # or else the next line has no effect
            frame.f_trace_opcodes = True
        self._record(frame, event, argument)
        return self.trace

    def _begin(self, frame: FrameType) -> None:
        key = (id(frame), id(frame.f_code))
        is_resumed = key in self._numbers and (
            frame.f_lineno != frame.f_code.co_firstlineno or frame.f_code.co_name in _COMPREHENSIONS
        )
        if not is_resumed:
            self._count += 1
            self._numbers[key] = self._count

    def _number(self, frame: FrameType) -> int:
        return self._numbers.get((id(frame), id(frame.f_code)), 0)

    def _record(self, frame: FrameType, event: str, argument: Any) -> None:
        number = self._number(frame)
        if event == "exception":
            self._thrown = id(frame)
            return
        if event == "opcode":
            if frame.f_lineno is not None:  # or else an exception has come into it, on its way to a handler
                self._add(Event("opcode", number, _line_here(frame)))
            return
        was_thrown, self._thrown = self._thrown == id(frame), 0
        kind = event
        if event == "return":
            kind = self._how_left(frame, argument, was_thrown)
        if event == "line" and self._is_no_line(frame, number):
            return
        callers = self._callers(frame)
        above = tuple(filter(None, map(self._number, _walk(frame))))
        receivers = callers
        if kind == "yield" and not frame.f_code.co_flags & _COROUTINE:
            receivers = self._consumers(frame)
        if kind == "yield" and frame.f_code.co_flags & _COROUTINE and not _is_wrapped(argument):
            kind = "await"
        x = frame.f_locals.get("x") if kind == "line" else None
        is_task = bool(frame.f_code.co_flags & _COROUTINE) and not self._has_awaiting_caller(frame)
        line = _line_here(frame) if kind == "line" else frame.f_lineno or 0
        self._add(Event(kind, number, line, above, callers, receivers, is_task, x))
        if kind in ("return", "unwind"):
            self._numbers.pop((id(frame), id(frame.f_code)), None)

    def _add(self, event: Event) -> None:
        self.events.append(event)
        if len(self.events) > MOST_EVENTS:
            self.too_long = True

    def _how_left(self, frame: FrameType, value: Any, was_thrown: bool) -> str:
        code, position = frame.f_code.co_code, frame.f_lasti
        if position >= 0 and code[position] in _RETURNS:
            return "return"
        near = {*code[max(position - 2, 0) : position + 1 : 2]}  # since 3.13 it stands behind it
        is_from = code[position + 2 : position + 3] == _YIELD_FROM  # up to 3.10 it steps back from it
        is_suspended = not near.isdisjoint(_YIELDS) or is_from
        return "yield" if is_suspended and not (was_thrown and value is None) else "unwind"

    def _is_no_line(self, frame: FrameType, number: int) -> bool:
        """Line events that are no line that somebody wrote, or no new turn of a loop as a person sees it."""
        line, last = frame.f_lineno, self._last_lines.get(number, 0)
        self._last_lines[number] = line
        if frame.f_code.co_code[frame.f_lasti] == _CLEANUP:
            return True
        is_comprehension = " for i in " in self._lines[line - 1] and "sum(" in self._lines[line - 1]
        is_inlined = frame.f_code.co_name not in _COMPREHENSIONS
        return line == last and is_comprehension and is_inlined and sys.version_info >= (3, 12)

    def _delegates(self, frame: FrameType) -> bool:
        return bool(frame.f_code.co_flags & _GENERATOR) and "yield from" in self._text(frame)

    def _text(self, frame: FrameType) -> str:
        if frame.f_code.co_filename != self._filename:
            return ""
        return self._lines[(frame.f_lineno or 1) - 1]

    def _callers(self, frame: FrameType) -> tuple[int, ...]:
        found = []
        for caller in _walk(frame.f_back):
            if frame.f_code.co_flags & _COROUTINE and not self._awaits(caller):
                break
            found.append(self._number(caller))
            frame = caller
        return tuple(filter(None, found))

    def _awaits(self, frame: FrameType) -> bool:
        return bool(frame.f_code.co_flags & _COROUTINE)  # in these programs only `drive` runs coroutines else

    def _has_awaiting_caller(self, frame: FrameType) -> bool:
        return frame.f_back is not None and self._awaits(frame.f_back)

    def _consumers(self, frame: FrameType) -> tuple[int, ...]:
        consumer = frame.f_back
        while consumer is not None and self._delegates(consumer):
            consumer = consumer.f_back
        if consumer is None:
            return ()
        return tuple(filter(None, (self._number(consumer), *self._callers(consumer))))


def _line_here(frame: FrameType) -> int:
    """As tracebacks have it: up to 3.9 `f_lineno` of a traced frame is that of the line that began last."""
    if sys.version_info >= (3, 10):
        return frame.f_lineno
    lines = [line for start, line in dis.findlinestarts(frame.f_code) if start <= frame.f_lasti]
    return lines[-1] if lines else frame.f_lineno


def _is_wrapped(value: Any) -> bool:
    return type(value).__name__ == "async_generator_wrapped_value"


def _walk(frame: FrameType | None) -> Any:
    while frame is not None:
        yield frame
        frame = frame.f_back


@dataclass(frozen=True)
class Position:
    """Where a thread stands: after which event, in which frame, and at which line.

    Attributes:
        is_landed: it has just come back from a call, or from what was yielded.
        is_returning: it is about to leave the frame.
    """

    at: int
    frame: int
    line: int
    is_landed: bool = False
    is_returning: bool = False
    is_task_end: bool = False

    def __str__(self) -> str:
        mark = "=" if self.is_landed or self.is_returning else "!" if self.is_task_end else ""
        return f"{self.line}{mark}"


class Recording:
    """What one run of a program was.

    Attributes:
        events: in their order.
        end: how it ended: with "end", or with "raised" and a name.
    """

    def __init__(self, events: list[Event], end: str) -> None:
        self.events = events
        self.end = end

    def start(self, line: int) -> Position:
        """The first time that this line is reached."""
        for index, event in enumerate(self.events):
            if event.kind == "line" and event.line == line:
                return Position(index, event.frame, line)
        raise LookupError(line)

    def step(self, kind: str, here: Position) -> Position | None:
        """Where this step from there ends; None: not before the program does."""
        events = self.events
        event = events[here.at]
        frame = here.frame
        until = here.line + 1
        callers: tuple[int, ...] = self._callers_of(here)
        lines = set(callers) if kind in ("out", "return") else {frame, *callers}
        entered: set[int] = set()
        landing = 0
        stepped_into = frame if kind == "in" else 0
        at_line = 0
        if here.is_returning:
            if not event.callers:
                return None
            landing = event.callers[0]
            at_line = self._line_of(landing, here.at)
            lines |= {landing}
            stepped_into = landing if kind == "in" else 0
            if kind == "return":
                kind = "over"
        for index in range(here.at + 1, len(events)):
            event = events[index]
            if event.kind == "opcode":
                if event.frame == landing:
                    return Position(index, landing, at_line, is_landed=True)
            elif event.kind == "call":
                if stepped_into and stepped_into in event.above[1:]:
                    entered.add(event.frame)
            elif event.kind == "line":
                if event.frame == landing:
                    # The first thing that it does is the beginning of a line. It is still to be stopped at,
                    # unless it is the one that is shown.
                    at = index if event.line == at_line else index - 1
                    return Position(at, landing, at_line, is_landed=True)
                if event.frame in entered:
                    return Position(index, event.frame, event.line)
                if event.frame in lines and not (
                    kind == "until" and event.frame == frame and event.line < until
                ):
                    return Position(index, event.frame, event.line)
            elif event.frame == frame or (event.is_task and event.kind == "unwind"):
                if event.kind == "unwind":
                    if event.is_task and frame in (event.frame, *self._under(event.frame, frame, index)):
                        return Position(index, event.frame, event.line, is_task_end=True)
                    continue
                if event.frame != frame or event.kind == "await":
                    continue
                if kind == "return":
                    if event.kind == "yield":
                        continue
                    return Position(index, frame, event.line, is_returning=True)
                receivers = event.receivers if event.kind == "yield" else event.callers
                if not receivers:
                    if event.kind == "return":
                        return None
                    continue
                landing = receivers[0]
                at_line = self._line_of(landing, index)
                lines |= {landing}
                stepped_into = landing if kind == "in" else 0
        return None

    def _under(self, task: int, frame: int, index: int) -> tuple[int, ...]:
        return (
            (frame,)
            if any(event.frame == frame and task in event.callers for event in self.events[:index])
            else ()
        )

    def _callers_of(self, here: Position) -> tuple[int, ...]:
        for index in range(here.at, -1, -1):
            event = self.events[index]
            if event.kind != "opcode" and event.frame == here.frame:
                return event.callers
        return ()

    def _line_of(self, frame: int, index: int) -> int:
        for earlier in range(index, -1, -1):
            if self.events[earlier].frame == frame and self.events[earlier].line:
                return self.events[earlier].line
        return 0

    def visits(self, line: int, last: int) -> list[Event]:
        """Each first time that a run through the statement, up to the last line, comes to this one."""
        found = []
        previous: dict[int, int] = {}
        visited: set[int] = set()  # the frames that have come to it in the run that they are in
        for event in self.events:
            if event.kind == "line":
                was, previous[event.frame] = previous.get(event.frame, 0), event.line
                if not line <= was <= last or was == event.line == line:
                    visited.discard(event.frame)
                if event.line == line and event.frame not in visited:
                    visited.add(event.frame)
                    found.append(event)
        return found


def record(function: Callable[[], object], filename: str, text: str) -> Recording:
    """Run it and write down what it does.

    Raises:
        TooLong: there are more than `MOST_EVENTS`.
    """
    recorder = _Recorder(filename, text)
    sys.settrace(recorder.trace)
    try:
        function()
        end = "end"
    except Exception as error:
        end = f"raised {type(error).__name__}"
    finally:
        sys.settrace(None)
    if recorder.too_long:
        raise TooLong
    return Recording(recorder.events, end)
