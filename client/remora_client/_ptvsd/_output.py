"""The program's output, told once however often it arrives. Pure.

Every attach wraps sys.stdout and sys.stderr once more and none is ever taken off, so that on the n-th
attach each piece comes n times in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remora_client._ptvsd._records import Output

__all__ = ["OutputFilter"]


class OutputFilter:
    """Passes the first of each n equal pieces that one thread sends one after the other."""

    def __init__(self, copies: int = 1) -> None:
        self.copies = max(copies, 1)
        self._last: dict[tuple[int, str], tuple[str, int]] = {}  # by thread and channel: text, seen so far

    def passes(self, piece: Output) -> bool:
        """Whether this one is to be told."""
        key = (piece.thread, piece.channel)
        text, seen = self._last.get(key, ("", self.copies))
        if text == piece.text and seen < self.copies:
            self._last[key] = (text, seen + 1)
            return False
        self._last[key] = (piece.text, 1)
        return True
