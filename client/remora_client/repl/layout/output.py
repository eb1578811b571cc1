"""The output pane: what the program prints and what commands answer, wrapped, with the way back up.

Made for a program that prints a thousand lines a second: a line is wrapped once, when it comes, and again
only when the pane gets another width.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from remora_client._fragments import per_line, wrapped
from remora_client.repl.layout.pane import Pane

if TYPE_CHECKING:
    from remora_client._fragments import Fragments

__all__ = ["OutputPane"]

_MOST_LINES = 10_000


class OutputPane(Pane):
    """The latest lines. At its end it follows what comes; scrolled away from there it stands still."""

    name = "output"
    chooses = False
    keys = "↑ ↓ PageUp PageDown · End: follow"

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[Fragments] = deque(maxlen=_MOST_LINES)
        self._rows: deque[Fragments] = deque(maxlen=2 * _MOST_LINES)
        self._follows = True
        self._wrapped_for = 0

    def title(self) -> str:
        """Where in it we are, when that is not the end."""
        left = len(self._rows) - self.top - self.height
        return f"{left:,} more, End" if left > 0 and not self._follows else ""

    def add(self, fragments: Fragments) -> None:
        """Something new at the end."""
        for line in per_line(fragments):
            self._lines.append(line)
            for row in wrapped(line, self._wrapped_for) if self._wrapped_for else ():
                if len(self._rows) == self._rows.maxlen:
                    self.top -= 1  # the oldest row goes; what is to be seen stays
                self._rows.append(row)

    def start_at_top(self, fragments: Fragments) -> None:
        """Add a long answer, and show its beginning."""
        before = len(self._rows)
        self.add(fragments)
        if self._wrapped_for and len(self._rows) - before > self.height:
            self._follows = False
            self.top = before

    def latest(self, count: int) -> list[Fragments]:
        """The last lines, as they came."""
        return list(self._lines)[-count:]

    def count(self) -> int:
        """Rows, of the width that the pane has."""
        return len(self._rows)

    def rows(self, first: int, last: int, width: int) -> list[Fragments]:
        """Wrapped lines."""
        return [[*row] for row in islice(self._rows, first, last)]

    def draw(self, width: int, height: int, *, focused: bool) -> list[Fragments]:
        """The end, unless the person has scrolled up."""
        if width != self._wrapped_for and width > 0:
            self._wrapped_for = width
            self._rows.clear()
            self._rows.extend(row for line in self._lines for row in wrapped(line, width))
        if self._follows:
            self.top = len(self._rows) - height
        return super().draw(width, height, focused=focused)

    def scroll(self, rows: int) -> None:
        """Back, and forth again up to the end."""
        end = max(len(self._rows) - self.height, 0)
        self.top = max(min((end if self._follows else self.top) + rows, end), 0)
        self._follows = self.top == end

    def follow(self) -> None:
        """Go to the end, and stay there."""
        self._follows = True

    def act(self) -> None:
        """Go to the end."""
        self.follow()

    def click(self, row: int, column: int) -> None:
        """Nothing: to read must not move what is read."""
