"""The breakpoints pane: a click on the dot enables or disables one, anywhere else shows its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._fragments import per_line
from remora_client.render import breakpoint_lines
from remora_client.repl.layout.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._fragments import Fragments
    from remora_client._model import Breakpoint
    from remora_client.repl.layout.view import View

__all__ = ["BreakpointsPane"]

_DOT = 6  # columns up to and with the dot


class BreakpointsPane(Pane):
    """All breakpoints, each with what `breakpoints` says of it.

    Args:
        view: what is looked at.
        run: runs a command.
    """

    name = "breakpoints"
    keys = "Enter: show · Space: on or off · d: delete"
    empty = "None. Click a line number, or type break."

    def __init__(self, view: View, run: Callable[[str], None]) -> None:
        super().__init__()
        self._view = view
        self._run = run

    def title(self) -> str:
        """How many there are."""
        found = self._view.ctx.session.breakpoints
        return str(len(found)) if found else ""

    def count(self) -> int:
        """One for each, and what there is to say below it."""
        return len(self._lines(0))

    def rows(self, first: int, last: int, width: int) -> list[Fragments]:
        """Number, dot, place, condition."""
        return [line for _, line in self._lines(width)[first:last]]

    def click(self, row: int, column: int) -> None:
        """On the dot: on and off. Elsewhere: go there."""
        self.chosen = row
        if column < _DOT:
            self.toggle()
        else:
            self.act()

    def act(self) -> None:
        """Show the place in the source pane."""
        each = self._chosen()
        if each is not None:
            path, line = each.bound_path or each.path, each.bound_line or each.line
            self._run(f"list {path}:{line}" if path else f"list {each.function}")

    def toggle(self) -> None:
        """Enable or disable."""
        each = self._chosen()
        if each is not None:
            self._run(f"{'disable' if each.enabled else 'enable'} {each.number}")

    def delete(self) -> None:
        """Remove."""
        each = self._chosen()
        if each is not None:
            self._run(f"clear {each.number}")

    def _chosen(self) -> Breakpoint | None:
        lines = self._lines(0)
        return lines[self.chosen][0] if 0 <= self.chosen < len(lines) else None

    def _lines(self, width: int) -> list[tuple[Breakpoint, Fragments]]:
        ctx = self._view.ctx
        known = ctx.session.breakpoints
        return [
            (each, line)
            for each in known
            for line in per_line(
                breakpoint_lines([each], hits=ctx.session.hits, extra=ctx.on_hit, among=known, width=width)
            )
        ]
