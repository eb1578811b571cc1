"""The source pane: the file that is looked at. A click in its margin sets a breakpoint, or clears it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._fragments import per_line
from remora_client._text import visible
from remora_client.commands import source_marks
from remora_client.render import line_count, source_lines
from remora_client.repl.layout.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._fragments import Fragments
    from remora_client.repl.layout.view import View

__all__ = ["SourcePane"]

_MARGIN = 3  # rows around the current line


class SourcePane(Pane):
    """The text of a file.

    Args:
        view: what is looked at.
        run: runs a command.
    """

    name = "source"
    keys = "Enter, b: breakpoint · n s r c u d: run and look · ← →"
    empty = "No source yet. Ctrl-C pauses the program; list app.py:12 shows a file."

    def __init__(self, view: View, run: Callable[[str], None]) -> None:
        super().__init__()
        self.shift = 0  # columns at the left that are out of sight
        self._view = view
        self._run = run
        self._moves = -1

    def title(self) -> str:
        """The file, and whether its text is not what lies here."""
        view = self._view
        if view.source is None:
            return ""
        name = view.source.name if self.width < 60 else view.source.path or view.source.name
        return visible(name) + (" — your copy differs" if view.differs else "")

    def count(self) -> int:
        """The file's lines."""
        return line_count(self._view.text)

    def rows(self, first: int, last: int, width: int) -> list[Fragments]:
        """Numbered lines, with marks and, beside the current one, values."""
        view = self._view
        shown = source_lines(
            view.text,
            first + 1,
            last,
            current=view.current,
            breakpoints=source_marks(view.ctx, view.source.path if view.source else ""),
            notes=view.notes,
            width=width,
            shift=self.shift,
        )
        return per_line(shown)

    def draw(self, width: int, height: int, *, focused: bool) -> list[Fragments]:
        """Scrolled to the line that runs next, once for each time that it moved."""
        if self._moves != self._view.moves:
            self._moves = self._view.moves
            self.height = height
            self.chosen = self._view.line - 1
            self.shift = 0
            if not self.top <= self.chosen - _MARGIN <= self.chosen + _MARGIN < self.top + height:
                self.top = self.chosen - height // 2
        return super().draw(width, height, focused=focused)

    def click(self, row: int, column: int) -> None:
        """In the margin: set or clear a breakpoint. In the text: choose the line."""
        self.chosen = row
        if column < self._gutter():
            self.act()

    def act(self) -> None:
        """Set a breakpoint on the chosen line, or clear those that are there."""
        line, view = self.chosen + 1, self._view
        if view.source is None:
            return
        here = view.breakpoints_at(line)
        if here:
            self._run("clear " + " ".join(str(each.number) for each in here))
        elif view.is_current:
            self._run(f"break {line}")
        else:
            self._run(f"break {view.source.path}:{line}")

    def sideways(self, columns: int) -> None:
        """Show what is further to the right or left."""
        self.shift = max(self.shift + columns, 0)

    def _gutter(self) -> int:
        last = min(self.top + self.height, self.count())
        return max(len(str(last)), 3) + 5
