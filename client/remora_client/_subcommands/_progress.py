"""One line on the terminal that says how far something is, and is gone when it is done."""

from __future__ import annotations

import sys
import time

__all__ = ["Progress"]

_SECONDS = 0.1
_ERASE = "\r\x1b[K"


class Progress:
    """Counts what came of so many; shown on standard error when that is a terminal."""

    def __init__(self, total: int, what: str) -> None:
        self.total = total
        self.what = what
        self.done = 0
        self.failed = 0
        self._shown = False
        self._next = 0.0
        self._terminal = total > 1 and sys.stderr.isatty()

    def count(self, *, failed: bool) -> None:
        """One more."""
        self.done += 1
        self.failed += failed
        now = time.monotonic()
        if self._terminal and now >= self._next:
            self._next = now + _SECONDS
            self.show()

    def show(self) -> None:
        """Draw the line."""
        if self._terminal:
            failed = f", {self.failed:,} failed" if self.failed else ""
            sys.stderr.write(f"{_ERASE}{self.done:,} of {self.total:,} {self.what}{failed}")
            sys.stderr.flush()
            self._shown = True

    def erase(self) -> None:
        """Leave the line empty for something else."""
        if self._shown:
            sys.stderr.write(_ERASE)
            sys.stderr.flush()
            self._shown = False
