"""What a stop is: where a thread is held, why, and the body of the `stopped` event. Values only;

any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from remora._stopping._stepping import ReturnValue

__all__ = ["ShownError", "Stop"]


@dataclass(frozen=True)
class ShownError:
    """Another exception than the stop's own that the client looks at: its number, and where it came through.

    Without frames it was never raised, and those of the stop stay.
    """

    number: int
    error: BaseException
    frames: Sequence[tuple[FrameType, int]]


@dataclass(frozen=True)
class Stop:
    """Where and why a thread is held.

    Attributes:
        frame: the newest frame of the program; None for a thread inside C.
        reason: DAP's word: breakpoint, step, pause, exception, goto, function breakpoint.
        description: a few words for the person, in place of the reason.
        text: more about it: an exception's message, why a condition failed.
        line: the line to show for `frame`, when its own is not it.
        breakpoint_ids: the breakpoints that were hit.
        error: the exception, for reason exception.
        break_mode: DAP's word for which kind of exception breakpoint it was.
        returned: what the function that was stepped out of returned.
        called: what the last call on the line that was stepped over returned.
        instruction: what is to be executed next, after a step by instructions.
        is_returning: `frame` has ended but for handing over what it returned.
        is_yielding: it is about to be suspended, with `returned` for what it yields.
        is_before_line: `frame` stands before the start of another line than the one shown.
        shown_error: one that belongs to `error`, if the client has chosen to look at that.
        passed: the file of a call that a step in did not end in, and the rule that kept it from it.
        traceback_frames: (frame, line) newest first, when the stack to show is that of an exception.
    """

    frame: FrameType | None
    reason: str
    description: str = ""
    text: str = ""
    line: int | None = None
    breakpoint_ids: Sequence[int] = ()
    error: BaseException | None = None
    break_mode: str = ""
    returned: ReturnValue | None = None
    called: ReturnValue | None = None
    instruction: str = ""
    is_returning: bool = False
    is_yielding: bool = False
    is_before_line: bool = False
    traceback_frames: Sequence[tuple[FrameType, int]] = ()
    passed: tuple[str, str | None] | None = None
    shown_error: ShownError | None = None

    @property
    def last_returned(self) -> ReturnValue | None:
        """What `$retval` is."""
        return self.returned or self.called

    def body(
        self, thread_id: int, shown: dict[str, Any] | None, *, all_threads: bool = True
    ) -> dict[str, Any]:
        """The body of the `stopped` event; `shown` is the frame in a few words, for a client's first line."""
        body: dict[str, Any] = {
            "reason": self.reason,
            "threadId": thread_id,
            "allThreadsStopped": all_threads,
            "preserveFocusHint": False,
        }
        if self.description:
            body["description"] = self.description
        if self.text:
            body["text"] = self.text
        if self.breakpoint_ids:
            body["hitBreakpointIds"] = list(self.breakpoint_ids)
        if shown is not None:
            body["remora"] = {"frame": shown, **({"text": self.text} if self.text else {})}
            if self.instruction:
                body["remora"]["instruction"] = self.instruction
            if self.last_returned is not None:
                body["remora"]["returned"] = self.last_returned.name
            if self.passed is not None:
                body["remora"]["passed"] = {"path": self.passed[0], "rule": self.passed[1]}
        return body
