"""Steps that nothing ends: an exception has left every frame that they wait for. On the server's thread.

No engine tells of that, since it would have to hear of all exceptions in all code. Without an end the step
would keep its frames, and the program would be slower, until the thread stops the next time.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from remora._interpreter import _frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

    from remora._control._reports import Reports

__all__ = ["LostSteps"]

_LOOK_AFTER = 0.5


class LostSteps:
    """Looks after the steps that are being made, now and then, for as long as there are any.

    Args:
        later: runs a function on this thread after some seconds, unless what it returns is called before.
    """

    def __init__(
        self, reports: Reports, later: Callable[[float, Callable[[], None]], Callable[[], None]]
    ) -> None:
        self._reports = reports
        self._later = later
        self._cancel: Callable[[], None] | None = None

    def look_later(self) -> None:
        """A step has begun."""
        if self._cancel is None:
            self._cancel = self._later(_LOOK_AFTER, self._look)

    def stop_looking(self) -> None:
        """There are no steps any more."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def _look(self) -> None:
        self._cancel = None
        plans = list(self._reports.plans.items())
        for ident, plan in plans:
            if not _any_may_go_on(plan.frames):
                self._reports.end(ident, plan)
        if plans:
            self.look_later()


def _any_may_go_on(frames: Iterable[FrameType]) -> bool:
    """Whether one of these runs, or may be suspended. Stacks that are switched away from are not seen."""
    running = {id(frame) for newest in _frames.current_frames().values() for frame in _frames.walk(newest)}
    return "greenlet" in sys.modules or any(
        id(frame) in running or _frames.is_generator(frame) for frame in frames
    )
