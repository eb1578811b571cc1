"""Tables of processes for `remora ls`: one made at a time, and one that grows as answers come. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._text import clip, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from remora_client.discovery import Target
    from remora_protocol import ProcessInfo

__all__ = ["GrowingTable", "table", "target_table"]

_COLUMNS = ("PID", "NAME", "PYTHON", "USER", "STATE")
_TARGET_COLUMNS = ("PID", "NAME", "KIND", "HOST", "DOING")
_GAP = "  "
_LEAST_NAME = 8
_USUAL = (7, 20, 7, 8)  # what a table that grows takes for the columns before the last
_WIDEST_PLACE = 48


def table(processes: Sequence[ProcessInfo], width: int) -> list[str]:
    """A head line and one line a process, at most `width` columns wide (0: as wide as it gets)."""
    return _laid_out([_COLUMNS, *(_row(each) for each in processes)], width) if processes else []


def target_table(targets: Sequence[Target], width: int) -> list[str]:
    """The same for what an engine knows."""
    return _laid_out([_TARGET_COLUMNS, *map(_target_row, targets)], width) if targets else []


def _laid_out(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width:
        # First the state gives way (who is attached is long), then the name.
        for column, least in ((4, len("running")), (1, _LEAST_NAME), (3, 4), (2, 6)):
            excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
            if excess > 0:
                widths[column] = max(least, widths[column] - excess)
    lines = [
        _GAP.join(clip(text, column).ljust(column) for text, column in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [clip(line, width) for line in lines] if width else lines


class GrowingTable:
    """Lines for processes of many places, each made without knowing what comes after it."""

    def __init__(self, places: Iterable[str], width: int) -> None:
        self._width = width
        self._place = min(max((len(each) for each in places), default=0), _WIDEST_PLACE)

    @property
    def head(self) -> str:
        """The line above all."""
        return self._line("PLACE", _COLUMNS)

    def rows(self, place: str, processes: Sequence[ProcessInfo], targets: Sequence[Target] = ()) -> list[str]:
        """One line a process."""
        known = [self._line(place, _row(each)) for each in processes]
        return known + [self._line(place, _target_row(each)) for each in targets]

    def remark(self, place: str, text: str) -> str:
        """A line that says something of the place itself."""
        return self._clipped(f"{visible(place).ljust(self._place)}{_GAP}{text}")

    def _line(self, place: str, cells: Sequence[str]) -> str:
        *fixed, last = cells
        padded = [text.ljust(width) for text, width in zip(fixed, _USUAL, strict=True)]
        return self._clipped(_GAP.join([visible(place).ljust(self._place), *padded, last]))

    def _clipped(self, line: str) -> str:
        return clip(line, self._width) if self._width else line


def _row(process: ProcessInfo) -> tuple[str, ...]:
    python = process["version"]
    if process["implementation"].lower() != "cpython":
        python = f"{process['implementation']} {python}"
    state = process["state"]
    if process["attachedBy"]:
        state += f", attached by {process['attachedBy']}"
    return (str(process["pid"]), *map(visible, (process["name"], python, process["user"], state)))


def _target_row(target: Target) -> tuple[str, ...]:
    doing = ", ".join(target.doing)
    state = "; ".join(part for part in (doing, target.remark) if part) or "idle"
    pid = "-" if target.pid is None else str(target.pid)
    return (pid, *map(visible, (target.name, target.kind, target.host, state)))
