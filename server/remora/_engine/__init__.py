"""Engines: what reports lines, calls and exceptions to the debugger. `choose` picks this Python's best."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from remora._engine._base import Engine, ErrorWatch, Happening, Listener, Watch
from remora._interpreter._unseen import run_unseen

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Engine", "ErrorWatch", "Happening", "Listener", "Watch", "choose", "run_unseen"]


def choose() -> Engine:
    """The best engine that works here. What it lacks is in its `limits`."""
    for make in _candidates():
        engine = make()
        if engine is not None:
            return engine
    raise AssertionError("sys.settrace is always there")


def _candidates() -> list[Callable[[], Engine | None]]:
    def monitoring() -> Engine | None:
        if sys.version_info >= (3, 12):
            from remora._engine._monitoring import MonitoringEngine

            return MonitoringEngine() if MonitoringEngine.available() else None
        return None

    def inserted() -> Engine | None:
        from remora._engine._inserted import InsertedEngine

        return InsertedEngine() if InsertedEngine.available() else None

    def settrace() -> Engine:
        from remora._engine._settrace import SettraceEngine

        return SettraceEngine()

    return [monitoring, inserted, settrace]
