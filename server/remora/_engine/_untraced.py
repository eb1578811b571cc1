"""Calls that run untraced while a thread is stepped over them, and how it is noticed that they have ended.

Where references are counted, the tracing function of a frame goes when the frame does: at once, and on its
thread. But not while somebody keeps the frame: an exception that was caught in it or below, a thread that
looks at all stacks. So a thread of ours looks now and then whether the frame is still on its stack. A step
over such a call ends late, but it ends. Short calls are traced, and end in time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from remora._interpreter import _frames
from remora._interpreter._originals import get_ident
from remora._interpreter._timers import after

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["Sentinel", "Untraced"]

_LOOK_AFTER = 0.02


class Sentinel:
    """The tracing function of a frame that is to run untraced: when the frame ends, so does this."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Sentinel:
        return self

    def __del__(self) -> None:
        self._ended()


class Untraced:
    """Which threads are inside such a call; one each at most.

    Args:
        ended: told the ident of a thread whose call has ended, or is to be traced after all. On that thread
            or any other.
    """

    def __init__(self, ended: Callable[[int], None]) -> None:
        self._ended = ended
        self._calls: dict[int, int] = {}  # thread -> id of the frame, which nobody of us may hold
        self._cancel_look: Callable[[], None] | None = None

    def begin(self, frame: FrameType, own_threads: set[int]) -> None:
        """The frame, just beginning on this thread, is to run untraced.

        Raises:
            RuntimeError: there is no thread to be had for looking after it.
        """
        if self._cancel_look is None:
            self._look_later(own_threads)
        ident = get_ident()
        self._calls[ident] = id(frame)
        frame.f_trace = Sentinel(partial(self._end, ident, id(frame)))
        frame.f_trace_lines = False

    def forget(self) -> None:
        """Nobody waits for these calls any more."""
        self._calls.clear()
        if self._cancel_look is not None:
            self._cancel_look()
            self._cancel_look = None

    def _end(self, ident: int, key: int) -> None:
        if self._calls.get(ident) == key:
            self._calls.pop(ident, None)
            self._ended(ident)

    def _look_later(self, own_threads: set[int]) -> None:
        self._cancel_look = after(_LOOK_AFTER, lambda: self._look(own_threads), own_threads)

    def _look(self, own_threads: set[int]) -> None:
        for ident, key in list(self._calls.items()):
            if not _is_running(ident, key):
                self._end(ident, key)
        self._cancel_look = None
        if self._calls:
            self._look_later(own_threads)


def _is_running(ident: int, key: int) -> bool:
    """Whether the frame with this id is on the thread's stack.

    A function of its own: when it returns, it holds no frame any more. One that ended while we hold it ends
    here, on our thread, and then the program's has run on untraced.
    """
    return any(id(frame) == key for frame in _frames.walk(_frames.current_frames().get(ident)))
