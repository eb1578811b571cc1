"""Runs the server's thread where no tool of the program sees it: inside one of the interpreter's callbacks.

While a thread is inside a trace or monitoring callback, the interpreter calls no tool for it. So coverage,
profilers, the program's own tracer and our engine stay blind to all that the server does.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

__all__ = ["run_unseen"]


def run_unseen(target: Callable[[], None]) -> None:
    """Run `target` on this thread, unseen by tracers and monitoring tools. Returns when it returns."""
    if sys.version_info >= (3, 12):
        _run_in_monitoring_callback(target)
    else:
        _run_in_trace_callback(target)


def _run_in_trace_callback(target: Callable[[], None]) -> None:
    def entry() -> None:
        pass

    def tracer(frame: FrameType, event: str, argument: object) -> None:
        sys.settrace(None)
        if frame.f_code is entry.__code__:
            target()

    sys.settrace(tracer)
    entry()


if sys.version_info >= (3, 12):

    def _run_in_monitoring_callback(target: Callable[[], None]) -> None:
        monitoring = sys.monitoring
        start = monitoring.events.PY_START
        tool = next((number for number in (4, 3, 5) if monitoring.get_tool(number) is None), None)
        if tool is None:
            _run_in_trace_callback(target)
            return

        def entry() -> None:
            pass

        def give_back() -> None:
            monitoring.set_local_events(tool, entry.__code__, 0)
            monitoring.register_callback(tool, start, None)
            monitoring.free_tool_id(tool)

        def callback(code: CodeType, offset: int) -> None:
            if code is entry.__code__:
                give_back()
                target()

        monitoring.use_tool_id(tool, "remora-start")
        monitoring.register_callback(tool, start, callback)
        monitoring.set_local_events(tool, entry.__code__, start)
        entry()
