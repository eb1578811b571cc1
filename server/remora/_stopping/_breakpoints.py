"""Breakpoints: what the client asks for, what it is told, and whether reaching one stops, logs or goes on.

The decision evaluates the program's code (conditions, log messages) on the thread that reached the
breakpoint, and does nothing else: no lock, no I/O, nothing published. The caller acts on the `Outcome`.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from remora._inspection._tasks import current_task_name
from remora._interpreter._originals import monotonic
from remora._stopping._conditions import BadExpression, Expression, Tested, describe_error
from remora._stopping._logmessages import LogMessage

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    Report = Callable[[FrameType], bool]
    Moment = Literal["call", "return", "yield"]

__all__ = [
    "Breakpoint",
    "ExceptionFilter",
    "FunctionBreakpoint",
    "Outcome",
    "Point",
    "SourceBreakpoint",
    "parse_hit_condition",
]

LOGS_PER_SECOND = 2000
"""Of one logpoint; what comes faster is counted and dropped, so that a hot line cannot fill the memory."""


@dataclass(frozen=True)
class SourceBreakpoint:
    """A breakpoint on a line, as asked for.

    Attributes:
        column: of several places on the line only the one that this is in: a lambda, say.
        thread, task: stop only threads, and only tasks, whose name matches this pattern.
        temporary: gone after the first stop.
    """

    line: int
    column: int | None = None
    condition: str | None = None
    hit_condition: str | None = None
    log_message: str | None = None
    thread: str | None = None
    temporary: bool = False
    task: str | None = None


@dataclass(frozen=True)
class FunctionBreakpoint:
    """A breakpoint on a function, by its dotted name.

    Attributes:
        at: where in the function: at its call, its return, or each `yield` of its own.
    """

    name: str
    at: Moment = "call"
    condition: str | None = None
    hit_condition: str | None = None
    log_message: str | None = None
    thread: str | None = None
    temporary: bool = False
    task: str | None = None


@dataclass(frozen=True)
class ExceptionFilter:
    """Stop on exceptions: `filter` is raised, uncaught or userUnhandled.

    Attributes:
        condition: names of types with commas between, patterns allowed and `!` before one to leave it out;
            or an expression on `$exc`.
    """

    filter: str
    condition: str | None = None


@dataclass(frozen=True)
class Breakpoint:
    """What the client is told about a breakpoint.

    Attributes:
        filename: the debuggee's path once it is bound.
        column: where on the line, when it is only at one of several places there.
        message: what the person should know: it moved, is pending or refused, and why.
        reason: DAP's word when it is not verified: pending or failed.
    """

    id: int
    verified: bool
    line: int | None = None
    filename: str | None = None
    message: str | None = None
    reason: str | None = None
    column: int | None = None

    def body(self, path: str | None = None) -> dict[str, Any]:
        """As DAP's Breakpoint; `path` is how the client is shown `filename`."""
        body: dict[str, Any] = {"id": self.id, "verified": self.verified}
        if self.line is not None:
            body["line"] = self.line
        if self.column is not None:
            body["column"] = self.column
        if path is not None:
            body["source"] = {"name": re.split(r"[\\/]", path)[-1], "path": path}
        if self.message:
            body["message"] = self.message
        if self.reason and not self.verified:
            body["reason"] = self.reason
        return body


@dataclass(frozen=True)
class Outcome:
    """What came of reaching a breakpoint: a stop, a line of output, or both (a condition that failed)."""

    stop: bool
    log: str | None = None
    text: str = ""


_HIT_CONDITION = re.compile(r"\s*(==|=|>=|>|<=|<|!=|%)?\s*(\d+)\s*\Z")
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": lambda hits, wanted: hits == wanted,
    ">=": lambda hits, wanted: hits >= wanted,
    ">": lambda hits, wanted: hits > wanted,
    "<=": lambda hits, wanted: hits <= wanted,
    "<": lambda hits, wanted: hits < wanted,
    "!=": lambda hits, wanted: hits != wanted,
    "%": lambda hits, wanted: hits % wanted == 0,
}


def parse_hit_condition(text: str) -> Callable[[int], bool]:
    """Whether to stop at the n-th hit: `== 3`, `>= 3`, `% 3` …; a number alone means `==`."""
    match = _HIT_CONDITION.match(text)
    if match is None:
        raise BadExpression(f"{text!r} is no hit condition: write ==, >=, >, <=, <, != or % and a number")
    operator, wanted = match[1] or "==", int(match[2])
    if operator == "%" and wanted == 0:
        raise BadExpression("every 0th hit is never: write % and a number from 1")
    compare = _COMPARISONS["==" if operator == "=" else operator]
    return lambda hits: compare(hits, wanted)


class Point:
    """One breakpoint in force, wherever it is bound. Hits count over all threads.

    Raises:
        BadExpression: from the constructor, when the condition or message cannot be understood.
    """

    def __init__(self, number: int, spec: SourceBreakpoint | FunctionBreakpoint) -> None:
        self.id = number
        self.spec = spec
        has_value = isinstance(spec, FunctionBreakpoint) and spec.at != "call"
        condition = (spec.condition or "").strip()
        self.condition = Expression(condition, has_value=has_value) if condition else None
        self.hits = 0
        self._wants_hit = parse_hit_condition(spec.hit_condition) if spec.hit_condition else None
        self._message = LogMessage(spec.log_message, has_value=has_value) if spec.log_message else None
        self._thread = re.compile(fnmatch.translate(spec.thread)) if spec.thread else None
        self._task = re.compile(fnmatch.translate(spec.task)) if spec.task else None
        self._counter = itertools.count(1)  # its next() is atomic, which `+= 1` is not
        self._has_failed = False
        self._log_window = (0.0, 0, 0)

    def report(self, act: Callable[[FrameType, Outcome], bool], thread_name: Callable[[], str]) -> Report:
        """What to call when a thread is here; `act` is called when anything comes of it."""
        if self.condition is not None and self._thread is None and self._task is None:
            return self._report_condition(self.condition, act)

        def report(frame: FrameType) -> bool:
            outcome = self.reach(frame, thread_name)
            return outcome is not None and act(frame, outcome)

        return report

    def _report_condition(self, condition: Expression, act: Callable[[FrameType, Outcome], bool]) -> Report:
        """The same for what may be asked a million times a second: as few calls as can be."""

        def passed(frame: FrameType) -> bool:
            outcome = self._count(frame)
            return outcome is not None and act(frame, outcome)

        def failed(frame: FrameType, error: BaseException) -> bool:
            outcome = self._fail(condition.explain(error, frame))
            return outcome is not None and act(frame, outcome)

        def report(frame: FrameType) -> bool:
            function = condition.function_for(frame)
            try:
                if not function(frame.f_locals):
                    return False
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                return failed(frame, error)
            return passed(frame)

        report.tested = Tested(condition.function_for, passed, failed)  # type: ignore[attr-defined]
        return report

    def reach(self, frame: FrameType, thread_name: Callable[[], str], *value: Any) -> Outcome | None:
        """What to do now that a thread is here; None: nothing. `value`: what is returned or yielded."""
        if self._thread is not None and not self._thread.match(thread_name()):
            return None
        if self._task is not None and not self._task.match(current_task_name()):
            return None
        if self.condition is not None:
            try:
                if not self.condition(frame, *value):
                    return None
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                return self._fail(error)
        return self._count(frame, *value)

    def _count(self, frame: FrameType, *value: Any) -> Outcome | None:
        self.hits = hits = next(self._counter)
        if self._wants_hit is not None and not self._wants_hit(hits):
            return None
        if self._message is None:
            return Outcome(stop=True)
        return self._log(frame, *value)

    def _fail(self, error: BaseException) -> Outcome | None:
        """The first failure of a condition stops, since nothing else would show it; later ones go on."""
        if self._has_failed:
            return None
        self._has_failed = True
        text = f"The condition {self.spec.condition!r} failed: {describe_error(error)}"
        return Outcome(stop=True, text=text)

    def _log(self, frame: FrameType, *value: Any) -> Outcome | None:
        began, shown, dropped = self._log_window
        now = monotonic()
        if now - began >= 1:
            began, shown = now, 0
        if shown >= LOGS_PER_SECOND:
            self._log_window = (began, shown, dropped + 1)
            return None
        self._log_window = (began, shown + 1, 0)
        assert self._message is not None
        note = f" ({dropped} messages were dropped before this one)" if dropped else ""
        return Outcome(stop=False, log=self._message.render(frame, *value) + note)
