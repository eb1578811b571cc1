"""Folders of the program's machine and the folders of this one that hold the same files. Pure.

The longest fitting folder wins, in whatever order they were told; paths of Windows and others may be mixed.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PathMap", "guess"]


class PathMap:
    """The pairs (their folder, our folder)."""

    def __init__(self) -> None:
        self._pairs: dict[str, str] = {}

    @property
    def rows(self) -> list[tuple[str, str]]:
        """All pairs, by their folder."""
        return sorted(self._pairs.items())

    def add(self, theirs: str, ours: str) -> None:
        """Say where the files of one of their folders are here."""
        self._pairs[_bare(theirs)] = _bare(ours)

    def remove(self, theirs: str) -> bool:
        """Forget a pair; whether there was one."""
        return self._pairs.pop(_bare(theirs), None) is not None

    def ours(self, path: str) -> str | None:
        """Where a file of theirs is here; None when no folder fits."""
        return _translated(path, self._pairs.items())

    def theirs(self, path: str) -> str | None:
        """Where a file of ours is there; None when no folder fits."""
        return _translated(path, ((ours, theirs) for theirs, ours in self._pairs.items()))


def guess(same: Iterable[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """From paths (theirs, ours) of the same files: folder pairs, with how many files speak for each."""
    votes: Counter[tuple[str, str]] = Counter()
    for theirs, ours in same:
        left, right = _parts(theirs), _parts(ours)
        while left and right and left[-1] == right[-1]:
            left.pop()
            right.pop()
        if left != right:
            votes["/".join(left) or "/", "/".join(right) or "/"] += 1
    best: dict[str, tuple[str, int]] = {}
    for (theirs, ours), count in votes.most_common():
        best.setdefault(theirs, (ours, count))
    return [(theirs, ours, count) for theirs, (ours, count) in best.items()]


def _translated(path: str, pairs: Iterable[tuple[str, str]]) -> str | None:
    slashed = path.replace("\\", "/") if _is_windows(path) else path
    fitting = [(len(start), start, end) for start, end in pairs if _is_in(slashed, start)]
    if not fitting:
        return None
    size, _, end = max(fitting)
    rest = slashed[size:].lstrip("/")
    if _is_windows(end) and "\\" in end:
        return end + "\\" + rest.replace("/", "\\") if rest else end
    return f"{end.rstrip('/')}/{rest}" if rest else end


def _is_in(path: str, folder: str) -> bool:
    start = folder.replace("\\", "/")
    if _is_windows(folder):
        path, start = path.casefold(), start.casefold()
    return path == start or path.startswith(start.rstrip("/") + "/")


def _is_windows(path: str) -> bool:
    return path[1:3] in (":\\", ":/") or path.startswith("\\\\")


def _parts(path: str) -> list[str]:
    return (path.replace("\\", "/") if _is_windows(path) else path).split("/")


def _bare(path: str) -> str:
    return path.rstrip("/\\") or "/"
