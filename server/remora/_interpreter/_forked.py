"""Where in a forked child threads can be started again. On the thread that forked."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

__all__ = ["when_settled"]


def when_settled(call: Callable[[], None]) -> None:
    """Called by an after-fork hook: have `call` run once threads can be started.

    On CPython that is now. PyPy puts its own threads in order after the hooks; one that is started earlier is
    lost, and takes the child with it. The next line of the program is late enough.
    """
    if sys.implementation.name == "pypy":
        _run_at_next_line(sys._getframe(2), call)
    else:
        call()


def _run_at_next_line(program: FrameType, call: Callable[[], None]) -> None:
    """Trace the frame that forked for one line, and then leave things as they were."""
    before, own = sys.gettrace(), program.f_trace

    def tracer(frame: FrameType, event: str, argument: object) -> Any:
        if frame is not program:
            return None
        sys.settrace(before)
        program.f_trace = own
        call()
        return own if own is None else own(frame, event, argument)

    program.f_trace = tracer
    sys.settrace(tracer)
