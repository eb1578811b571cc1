"""Which exceptions stop the program, and where. On program threads, hooks for uncaught ones included.

raised         in the first frame of the person's own code that it comes to
userUnhandled  where it leaves their code for a library's that called it
uncaught       in `sys.excepthook` and `threading.excepthook`: costs nothing until it happens, but the
               stack has been unwound by then, so it is shown from the traceback
"""

from __future__ import annotations

import fnmatch
import re
import sys
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from remora._inspection._statics import is_a
from remora._interpreter import _frames
from remora._stopping._conditions import Expression, describe_error
from remora._stopping._stops import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence
    from types import FrameType, TracebackType

    from remora._source._filters import Filters

__all__ = [
    "AnyOf",
    "ErrorMatcher",
    "ExitMatcher",
    "Matches",
    "Related",
    "UncaughtHooks",
    "family_of",
    "frames_of",
    "stop_after_the_fact",
    "stop_where_raised",
    "stop_where_uncaught",
    "stop_where_unwound",
]

_NAMES = re.compile(r"\s*!?[\w.*?]+(\s*,\s*!?[\w.*?]+)*\s*\Z")
_VARIABLE = "_remora_exc"


_MOST_RELATED = 20


@dataclass(frozen=True)
class Related:
    """An exception with what it holds or came from, which are `inner`. Numbers go down the tree, from 1."""

    number: int
    error: BaseException
    inner: list[Related]

    def walk(self) -> Iterator[Related]:
        """This one and all below it, by their numbers."""
        yield self
        for each in self.inner:
            yield from each.walk()


def family_of(error: BaseException) -> Related:
    """An exception and all that belong to it. Runs code of theirs: on the stopped thread only."""
    seen: set[int] = set()

    def relate(each: BaseException) -> Related:
        seen.add(id(each))
        number = len(seen)
        inner = [
            relate(other)
            for other in _next_of_kin(each)
            if id(other) not in seen and len(seen) < _MOST_RELATED
        ]
        return Related(number, each, inner)

    return relate(error)


def _next_of_kin(error: BaseException) -> list[BaseException]:
    grouped = getattr(error, "exceptions", None) if type(error).__name__.endswith("Group") else None
    found = [each for each in grouped if is_a(each, BaseException)] if isinstance(grouped, tuple) else []
    if error.__cause__ is not None:
        found.append(error.__cause__)
    elif error.__context__ is not None and not error.__suppress_context__:
        found.append(error.__context__)
    return found


def frames_of(traceback: TracebackType | None) -> list[tuple[FrameType, int]]:
    """The frames that an exception came through, newest first, with its line in each."""
    frames: list[tuple[FrameType, int]] = []
    while traceback is not None:
        frames.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    frames.reverse()
    return frames


class Matches(Protocol):
    """Which exceptions are meant."""

    def __call__(self, frame: FrameType, error: BaseException) -> bool: ...

    def matches_type(self, kind: type) -> bool:
        """Whether exceptions of this type are meant, as far as that can be told without one."""
        ...


class ErrorMatcher:
    """Which exceptions one filter means.

    Without a condition: all, but for those that end loops, generators, tasks and programs as a matter of
    course.

    Raises:
        BadExpression: from the constructor.
    """

    def __init__(self, condition: str | None) -> None:
        self._expression: Expression | None = None
        self._wanted: list[re.Pattern[str]] = []
        self._unwanted: list[re.Pattern[str]] = []
        self._by_type: dict[type, bool] = {}
        text = (condition or "").strip()
        if text and _NAMES.match(text):
            for name in text.split(","):
                patterns = self._unwanted if name.strip().startswith("!") else self._wanted
                patterns.append(re.compile(fnmatch.translate(name.strip().lstrip("!"))))
        elif text:
            self._expression = Expression(text.replace("$exc", _VARIABLE))

    def __call__(self, frame: FrameType, error: BaseException) -> bool:
        matches = self.matches_type(type(error))
        if not matches or self._expression is None:
            return matches
        try:
            variables = {**frame.f_locals, _VARIABLE: error}
            return bool(eval(self._expression.code, frame.f_globals, variables))
        except Exception:
            return False

    def matches_type(self, kind: type) -> bool:
        """Whether exceptions of this type are meant, as far as that can be told without one."""
        matches = self._by_type.get(kind)
        if matches is None:
            matches = self._by_type[kind] = self._match_type(kind)
        return matches

    def _match_type(self, kind: type) -> bool:
        names = {name for base in kind.__mro__ for name in _names_of(base)}
        if any(pattern.match(name) for pattern in self._unwanted for name in names):
            return False
        if self._wanted:
            return any(pattern.match(name) for pattern in self._wanted for name in names)
        return issubclass(kind, Exception) and not issubclass(kind, (StopIteration, StopAsyncIteration))


class ExitMatcher:
    """SystemExit, with one of these codes, each a number or None for none; or with any at all."""

    def __init__(self, codes: Sequence[Container[object]] | None = None) -> None:
        self._codes = codes

    def __call__(self, frame: FrameType, error: BaseException) -> bool:
        if not self.matches_type(type(error)):
            return False
        code: object = SystemExit.__dict__["code"].__get__(error)
        return self._codes is None or (
            type(code) in (int, bool, type(None)) and any(code in each for each in self._codes)
        )

    def matches_type(self, kind: type) -> bool:
        """Whether it ends programs."""
        return issubclass(kind, SystemExit)


@dataclass(frozen=True)
class AnyOf:
    """What one or the other means."""

    one: Matches
    other: Matches

    def __call__(self, frame: FrameType, error: BaseException) -> bool:
        return self.one(frame, error) or self.other(frame, error)

    def matches_type(self, kind: type) -> bool:
        """Whether either may mean such."""
        return self.one.matches_type(kind) or self.other.matches_type(kind)


def _names_of(kind: type) -> tuple[str, str]:
    return kind.__name__, f"{kind.__module__}.{kind.__qualname__}"


def stop_where_raised(
    filters: Filters, frame: FrameType, error: BaseException, traceback: TracebackType | None
) -> Stop | None:
    """The stop for a raised exception, if this is the first frame of the person's own that it comes to."""
    if not filters.is_user(frame):
        return None
    while traceback is not None:
        if traceback.tb_frame is not frame and filters.is_user(traceback.tb_frame):
            return None
        if traceback.tb_frame is frame and traceback.tb_next is not None and _was_here(traceback):
            return None
        traceback = traceback.tb_next
    return _stop(frame, error, "always", "raised")


def _was_here(traceback: TracebackType) -> bool:
    """Whether the exception has been in this frame before: it was caught and is raised again."""
    later = traceback.tb_next
    while later is not None:
        if later.tb_frame is traceback.tb_frame:
            return True
        later = later.tb_next
    return False


def stop_where_unwound(filters: Filters, frame: FrameType, error: BaseException) -> Stop | None:
    """The stop for an exception that leaves the person's own code, if it does so here."""
    if not filters.is_user(frame):
        return None
    caller = frame.f_back
    while caller is not None and filters.rule(caller.f_code.co_filename) == "frozen":
        caller = caller.f_back  # an import: what counts is who imports
    if caller is not None and filters.is_user(caller):
        return None
    return _stop(frame, error, "userUnhandled", "not handled in user code")


def stop_where_uncaught(error: BaseException, traceback: TracebackType | None) -> Stop | None:
    """The stop for an exception that nobody caught, with the stack that it came through."""
    frames = frames_of(traceback)
    if not frames:
        return None
    return _stop(frames[0][0], error, "unhandled", "uncaught", frames)


def stop_after_the_fact(error: BaseException) -> Stop:
    """The stop for an exception that the program has caught and wants looked at: its stack, and who called.

    Raises:
        ValueError: it was never raised, so it has no stack.
    """
    stop = stop_where_uncaught(error, error.__traceback__)
    if stop is None:
        raise ValueError(f"this {type(error).__name__} has no traceback: it was not raised")
    outermost = stop.traceback_frames[-1][0]
    callers = [(frame, _frames.line_of(frame)) for frame in _frames.walk(outermost.f_back)]
    description = f"{type(error).__name__}, post mortem"
    return replace(stop, description=description, traceback_frames=(*stop.traceback_frames, *callers))


def _stop(
    frame: FrameType,
    error: BaseException,
    mode: str,
    how: str,
    frames: list[tuple[FrameType, int]] | None = None,
) -> Stop:
    return Stop(
        frame,
        "exception",
        description=f"{type(error).__name__} {how}",
        text=describe_error(error),
        line=frames[0][1] if frames else None,
        error=error,
        break_mode=mode,
        traceback_frames=tuple(frames or ()),
    )


class UncaughtHooks:
    """Our place in `sys.excepthook` and `threading.excepthook`, in front of what the program has there."""

    def __init__(self, report: Callable[[BaseException, TracebackType | None], None]) -> None:
        self._report = report
        self._installed = False
        self._program_hook: Any = None
        self._program_thread_hook: Any = None

    def install(self) -> None:
        """Hear of uncaught exceptions from now on."""
        if not self._installed:
            self._installed = True
            self._program_hook, sys.excepthook = sys.excepthook, self._on_error
            self._program_thread_hook, threading.excepthook = threading.excepthook, self._on_thread_error

    def remove(self) -> None:
        """Put the program's hooks back, unless it has put others over ours: then ours only pass on."""
        if self._installed:
            self._installed = False
            if sys.excepthook == self._on_error:
                sys.excepthook = self._program_hook
            if threading.excepthook == self._on_thread_error:
                threading.excepthook = self._program_thread_hook

    def _on_error(self, kind: Any, error: Any, traceback: Any) -> None:
        if self._installed and error is not None:
            try:
                self._report(error, traceback)
            except KeyboardInterrupt:
                pass  # The program ends as it is. It would print that its hook has failed, and how, in us.
        self._program_hook(kind, error, traceback)

    def _on_thread_error(self, arguments: Any) -> None:
        if self._installed and arguments.exc_value is not None:
            self._report(arguments.exc_value, arguments.exc_traceback)
        self._program_thread_hook(arguments)
