"""What every engine keeps in the same way: which frames the steps follow, and whether pauses interrupt.

The tables are changed under the debugger's lock and replaced whole; the program's threads read them without
one.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from remora._engine._base import Happening, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import TypeVar

    from remora._engine._base import Listener

    T = TypeVar("T")

__all__ = ["Following"]


class Following:
    """The part of an engine that is told whom to follow, and tells what they do.

    An engine makes it so in the interpreter, by `_apply_watches` and `_apply_interrupt`.
    """

    def __init__(self) -> None:
        self._listener: Listener | None = None
        self._interrupting = False
        self._watches: dict[int, Watch] = {}
        # By the id of a frame, or of a thread: the thread whose step is to hear of it.
        self._line_frames: dict[int, int] = {}
        self._return_frames: dict[int, int] = {}
        self._landings: dict[int, int] = {}
        self._callers: dict[int, FrameType] = {}
        self._calling: dict[int, int] = {}

    def hold(self, frame: FrameType, hold: Callable[[], bool]) -> bool:
        return hold()

    def reenter(self, function: Callable[[], T]) -> T:
        return sys.call_tracing(function, ())

    def interrupt(self) -> None:
        self._interrupting = True
        self._apply_interrupt()

    def let_go(self) -> None:
        self._interrupting = False
        self._apply_interrupt()

    def follow(self, owner: int, watch: Watch | None) -> None:
        if watch is None:
            self._watches.pop(owner, None)
        else:
            self._watches[owner] = watch
        self._follow()

    def follow_nobody(self) -> None:
        if self._watches:
            self._watches.clear()
            self._follow()

    def _follow(self) -> None:
        watches = self._watches.items()
        self._line_frames = {key: owner for owner, watch in watches for key in watch.lines}
        self._return_frames = {key: owner for owner, watch in watches for key in watch.returns}
        self._landings = {id(watch.landing): owner for owner, watch in watches if watch.landing is not None}
        self._callers = {owner: watch.calls for owner, watch in watches if watch.calls is not None}
        self._calling = {id(watch.calling): owner for owner, watch in watches if watch.calling is not None}
        self._apply_watches()

    def _apply_watches(self) -> None:
        """Have the interpreter tell what `_watches` wants now."""
        raise NotImplementedError

    def _apply_interrupt(self) -> None:
        """Have it tell of every line, or no longer, as `_interrupting` says."""
        raise NotImplementedError

    # -- on the program's threads

    def _is_held_with_others(self, frame: FrameType) -> bool:
        """Whether the thread was interrupted here, and held."""
        listener = self._listener
        try:
            return self._interrupting and listener is not None and listener.on_interrupt(frame)
        except RecursionError:
            return False  # see `Engine`
        except Exception as error:
            self.fail(error)
            return False

    def _report_step(
        self, frames: Mapping[int, int], happening: Happening, frame: FrameType, value: Any
    ) -> None:
        owner, listener = frames.get(id(frame)), self._listener
        if owner is None or listener is None:
            return
        try:
            listener.on_step(owner, happening, frame, value)
        except RecursionError:
            pass  # see `Engine`
        except Exception as error:
            self.fail(error)

    def _report_call(self, frame: FrameType) -> None:
        """A frame has started or goes on: whoever steps in may be waiting for it."""
        listener = self._listener
        if listener is None:
            return
        try:
            for owner in list(self._callers):
                listener.on_step(owner, Happening.CALL, frame, None)
        except RecursionError:
            pass  # see `Engine`
        except Exception as error:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Something of ours went wrong in the middle of the program."""
        if self._listener is not None:
            self._listener.on_failure(error)
