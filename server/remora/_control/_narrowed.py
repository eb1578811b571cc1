"""Reports of lines that are narrowed before any breakpoint is asked. On the program's threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora._engine._lines import first_visits
from remora._interpreter._originals import get_ident

if TYPE_CHECKING:
    from collections.abc import Set
    from types import CodeType, FrameType

    from remora._engine._base import Report

__all__ = ["but_not_on", "once_per_statement"]


def but_not_on(threads: Set[int], report: Report) -> Report:
    """The same, but on these threads: not even a condition is asked there."""

    def report_elsewhere(frame: FrameType) -> object:
        return get_ident() not in threads and report(frame)

    return report_elsewhere


def once_per_statement(report: Report, first: int, last: int) -> Report:
    """A statement over several lines comes back to its first one: that is the same visit."""
    known: dict[int, tuple[CodeType, list[range]]] = {}

    def report_first(frame: FrameType) -> object:
        code = frame.f_code
        if id(code) not in known:
            known[id(code)] = (code, first_visits(code, first, last))
        position = frame.f_lasti
        return any(position in visit for visit in known[id(code)][1]) and report(frame)

    return report_first
