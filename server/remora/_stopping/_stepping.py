"""Steps as a state machine: pure decisions on what followed frames do. Runs on program threads; holds no
lock.

A plan is made where a thread stands and says, as a `Watch`, which frames it wants to hear of. Each
happening gives a verdict, and after CHANGED the plan's `watch` is another. Frames are told apart by
identity, never by thread, since a coroutine may be resumed by any.

    state      hears of                                        leaves it when
    STEPPING   lines of the frame and of its callers,          a line: STOP. The frame returns: RETURNING,
               returns of the frame, calls (step in)           or STOP (return, here)
    RETURNING  the next instruction of the caller, and lines   that instruction or a line: STOP

A step by instructions has the frame itself for its landing, and each frame that it enters.

Where a library runs one piece of a file after the other, each as code of its own, the next piece belongs to
the step: the statements of a notebook's cell. It ends with whoever runs them.

A coroutine that is suspended by `await` has not returned: the step waits for it. A generator that yields
has, and the step goes on with who consumes it. An exception that leaves the frame shows as a line of the
caller that handles it. One that leaves the outermost coroutine of a task, as being cancelled does, is caught
by its event loop, which is not the program's: the step ends there, while the frames are still to be seen.
"""

from __future__ import annotations

import gc
import inspect
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from remora._engine._base import Happening, Watch
from remora._interpreter import _frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType, FrameType

    Kind = Literal["in", "over", "out", "return", "until", "here", "begin"]

__all__ = ["Plan", "ReturnValue", "Verdict", "is_wrapped", "unwrapped"]

# What an async generator hands to its loop when it yields, as opposed to when it awaits.
_MAKES_GENERATOR = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_WRAPPED_YIELD = "async_generator_wrapped_value"
# What asyncio and trio throw into a coroutine to cancel it.
_CANCELLED = frozenset({"CancelledError", "Cancelled"})
_STATEMENTS = "<module>"  # what code is called that is run as it is, not as a function


def is_wrapped(value: Any) -> bool:
    """Whether an async generator yields this, rather than its loop what it awaits."""
    return type(value).__name__ == _WRAPPED_YIELD


def unwrapped(value: Any) -> Any:
    """What a generator yields, out of what an async one is seen to hand to its loop."""
    return next(iter(gc.get_referents(value)), None) if is_wrapped(value) else value


class Verdict(Enum):
    """What is to be done about a happening."""

    GO = "go"
    STOP = "stop"
    CHANGED = "changed"
    OVER = "over"


@dataclass
class ReturnValue:
    """What a function has returned, or a generator yielded.

    Attributes:
        can_change: whether assigning to `value` changes what the caller gets.
    """

    name: str
    value: Any
    can_change: bool = False


class Plan:
    """One step of one thread.

    Args:
        kind: in, over, out, return, until as in the client's commands; "here" stops at the next line or, when
            there is none, at the return; "begin" in the first code that this frame comes to call.
        frame: where the thread stands.
        is_user: whether steps may end in this frame.
        line: for until, the line to reach; by default any below the current one.
        place_of: for a step by instructions, where in its code a frame is.
        is_wanted_call: for a step into one call of several, whether the frame is in the middle of that one.

    Attributes:
        watch: the frames to be heard of from now on.
        returned: what the frame stepped out of has returned, once it has.
        called: what the last function that it called has returned, as far as the engine tells.
        reason, description, text, breakpoint_ids: of the stop that the step ends in.
        at_line: the line to show when the frame's own is already that of the next instruction.
        is_before_line: that next instruction starts a line, which is still to be stopped at.
        passed: the first code, with its module's names, that a step in did not end in because of the filters.
    """

    def __init__(
        self,
        kind: Kind,
        frame: FrameType,
        is_user: Callable[[FrameType], bool],
        line: int | None = None,
        *,
        place_of: Callable[[FrameType], int] | None = None,
        is_wanted_call: Callable[[FrameType], bool] | None = None,
    ) -> None:
        self.kind = kind
        self.reason = "step"
        self.description = ""
        self.text = ""
        self.breakpoint_ids: Sequence[int] = ()
        self.returned: ReturnValue | None = None
        self.called: ReturnValue | None = None
        self.at_line: int | None = None
        self.is_before_line = False
        self.passed: tuple[CodeType, dict[str, Any]] | None = None
        self._frame = frame
        self._place_of = place_of
        self._place = -1 if place_of is None else place_of(frame)
        self._is_wanted_call = is_wanted_call
        self._is_user = is_user
        self._until = _frames.line_of(frame) + 1 if line is None else line
        self._entered: dict[int, FrameType] = {}
        self._callees: dict[int, CodeType] = {}
        self._callers = {id(caller): caller for caller in _frames.callers(frame) if is_user(caller)}
        self._task = _frames.outermost_coroutine(frame)
        self._runner: FrameType | None = None  # runs the statements of a cell, of which one has just ended
        self._landing = frame if place_of is not None and kind != "out" else None
        self.watch = self._make_watch()

    @property
    def by_instruction(self) -> bool:
        """Whether this is a step to the next instruction, not line."""
        return self._place_of is not None

    @property
    def frames(self) -> list[FrameType]:
        """Those that can end the step."""
        landing = [] if self._landing is None else [self._landing]
        return [*self.watch.lines.values(), *self.watch.returns.values(), *landing]

    def stops_where_entered(self, frame: FrameType) -> bool:
        """Whether this is for a breakpoint of the function that has just begun in this frame."""
        return self.kind == "here" and frame is self._frame and bool(self.breakpoint_ids)

    @property
    def _enters(self) -> bool:
        return self.kind in ("in", "begin")

    def _make_watch(self) -> Watch:
        lines = {**self._callers, **self._entered}
        if self.kind not in ("out", "return", "begin"):
            lines[id(self._frame)] = self._frame
        if self._landing is not None:
            lines[id(self._landing)] = self._landing
        returns = {id(self._frame): self._frame}
        if self._landing is not None:
            # Its next instruction may be the one that returns, and then it is too late to ask for returns.
            returns[id(self._landing)] = self._landing
        if self._task is not None:
            returns[id(self._task)] = self._task
        if self._runner is not None:
            returns[id(self._runner)] = self._runner
        calls = (self._landing or self._runner or self._frame) if self._enters else self._runner
        is_over = self.kind == "over" and self._place_of is None and self._landing is None
        return Watch(lines, returns, self._landing, calls, self._frame if is_over else None, self._callees)

    def leave(self, value: Any, *, by_yield: bool = False) -> None:
        """The step begins where the frame is just returning this: only its caller is left to be heard of.

        Of one that yields it, whoever consumes it.
        """
        receivers = _frames.yields_to(self._frame) if by_yield else _frames.callers(self._frame)
        self._land(next(filter(self._is_user, receivers), None), value)

    def decide(self, happening: Happening, frame: FrameType, value: Any) -> Verdict:
        """What to do now that `frame` did this. After CHANGED, `watch` has changed."""
        if happening is Happening.LINE:
            return self._decide_line(frame)
        if happening is Happening.CALL:
            return self._decide_call(frame)
        if happening is Happening.INSTRUCTION:
            return self._decide_instruction(frame)
        if happening is Happening.CALLING:
            return self._decide_calling(value)
        if happening is Happening.CALLED:
            self.called = ReturnValue(_frames.qualified_name(frame), value)
            return Verdict.GO
        if frame is self._runner and happening is not Happening.YIELD:
            return self._decide_cell_end()
        if happening is Happening.UNWIND:
            return self._decide_unwind(frame, value)
        if frame is not self._frame:
            return Verdict.GO
        if happening is Happening.YIELD:
            return self._decide_yield(value)
        return self._decide_return(value)

    def _decide_instruction(self, frame: FrameType) -> Verdict:
        if frame is not self._landing:
            return Verdict.GO
        if self._place_of is None:
            return Verdict.GO if _frames.begins_handler(frame) else Verdict.STOP
        is_still_there = frame is self._frame and self._place_of(frame) == self._place
        return Verdict.GO if is_still_there else Verdict.STOP

    def _decide_line(self, frame: FrameType) -> Verdict:
        if frame is self._landing and self._place_of is not None:
            return self._decide_instruction(frame)
        if frame is self._frame and self.kind == "until" and _frames.line_of(frame) < self._until:
            return Verdict.GO
        if frame is self._landing:
            self.is_before_line = _frames.line_of(frame) != self.at_line
        else:
            # An exception, or the generator was resumed before its consumer went on.
            self.returned = self.at_line = None
        return Verdict.STOP

    def _decide_call(self, frame: FrameType) -> Verdict:
        if id(frame) in self._entered or not (self._enters or self._is_next_statement(frame)):
            return Verdict.GO
        if not self._is_user(frame):
            self.passed = self.passed or (frame.f_code, frame.f_globals)
            return Verdict.GO
        ours = (self._frame, self._landing, self._runner)
        if not any(caller in ours for caller in _frames.walk(frame.f_back)):
            return Verdict.GO  # another task or greenlet of the same thread
        if self._is_wanted_call is not None and not self._is_wanted_call(self._frame):
            return Verdict.GO
        self._entered[id(frame)] = frame
        if self._place_of is not None:
            self._landing = frame
        self.watch = self._make_watch()
        return Verdict.CHANGED

    def _decide_calling(self, function: object) -> Verdict:
        code = _frames.code_of(function)
        if code is None or id(code) in self._callees or code.co_flags & _MAKES_GENERATOR:
            return Verdict.GO
        self._callees = {**self._callees, id(code): code}
        self.watch = self._make_watch()
        return Verdict.CHANGED

    def _decide_unwind(self, frame: FrameType, error: BaseException | None) -> Verdict:
        if frame is not self._task:
            return Verdict.GO
        if isinstance(error, GeneratorExit):  # nobody waits for it any more
            return Verdict.OVER
        name = "an exception" if error is None else type(error).__name__
        self.description = "task cancelled" if name in _CANCELLED else f"task ended by {name}"
        self.returned = self.at_line = None
        return Verdict.STOP

    def _decide_yield(self, value: Any) -> Verdict:
        if self.kind in ("return", "here"):
            return Verdict.GO
        if _frames.is_coroutine(self._frame):
            if not is_wrapped(value):
                return Verdict.GO  # suspended by `await`
            value = unwrapped(value)
        self._land(next(filter(self._is_user, _frames.yields_to(self._frame)), None), value)
        return Verdict.CHANGED if self._landing is not None else Verdict.GO

    def _decide_return(self, value: Any) -> Verdict:
        if self.kind in ("return", "here"):
            self.returned = ReturnValue(_frames.qualified_name(self._frame), value)
            return Verdict.STOP
        if self.kind != "out":
            self._runner = self._runner_of_statements()
        self._land(next(filter(self._is_user, _frames.callers(self._frame)), None), value)
        return Verdict.OVER if self._landing is None and self._runner is None else Verdict.CHANGED

    def _runner_of_statements(self) -> FrameType | None:
        """What has called what ran the statement that the frame is, if that may be a cell's."""
        if self._frame.f_code.co_name != _STATEMENTS:
            return None
        callers = (
            each
            for each in _frames.walk(self._frame.f_back)
            if not each.f_code.co_filename.startswith(_frames.OWN_FOLDER)
        )
        ran, runner = next(callers, None), next(callers, None)
        if ran is None or runner is None or self._is_user(ran) or self._is_user(runner):
            return None
        return runner

    def _is_next_statement(self, frame: FrameType) -> bool:
        code, last = frame.f_code, self._frame.f_code
        return code.co_name == _STATEMENTS and code.co_filename == last.co_filename

    def _decide_cell_end(self) -> Verdict:
        self._runner = None
        self.watch = self._make_watch()
        return Verdict.OVER if self._landing is None else Verdict.CHANGED

    def _land(self, caller: FrameType | None, value: Any) -> None:
        self._landing = caller
        if caller is not None:
            self.returned = ReturnValue(_frames.qualified_name(self._frame), value)
            self.at_line = _frames.line_of(caller)
        self.watch = self._make_watch()
