"""The stack pane: a row a call. A click or Enter selects the frame; on folded calls it unfolds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._fragments import per_line
from remora_client._text import visible
from remora_client.render import folded, stack_lines
from remora_client.repl.layout.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._fragments import Fragments
    from remora_client._model import Frame
    from remora_client.repl.layout.view import View

__all__ = ["StackPane"]


class StackPane(Pane):
    """The calls of the thread that is looked at.

    Args:
        view: what is looked at.
        run: runs a command.
    """

    name = "stack"
    keys = "Enter: select the frame, or unfold"
    empty = "The program runs."

    def __init__(self, view: View, run: Callable[[str], None]) -> None:
        super().__init__()
        self._view = view
        self._run = run
        self._folds = True
        self._seen: tuple[int, int] = (-1, -1)

    def title(self) -> str:
        """The thread, and how deep it is."""
        view = self._view
        if not view.frames:
            return ""
        deep = f"{len(view.frames)}{'+' if view.deeper else ''} deep"
        return f"{visible(view.thread)} · {deep}" if view.thread else deep

    def count(self) -> int:
        """One for each call that is not folded."""
        return len(self._groups())

    def rows(self, first: int, last: int, width: int) -> list[Fragments]:
        """The frames, in the order of the option bt-order."""
        shown = stack_lines(
            self._view.frames,
            current=self._index,
            newest_last=self._newest_last,
            fold=self._folds,
            width=width,
        )
        return per_line(shown)[first:last]

    def draw(self, width: int, height: int, *, focused: bool) -> list[Fragments]:
        """The selected frame is scrolled to when it is another one."""
        seen = (self._view.moves, self._index)
        if seen != self._seen:
            self._seen = seen
            self._folds = True
            self.height = height
            groups = self._groups()
            self.chosen = next((row for row, group in enumerate(groups) if group[0].index == self._index), 0)
            self.show(self.chosen, margin=1)
        return super().draw(width, height, focused=focused)

    def act(self) -> None:
        """Select the frame, or unfold."""
        groups = self._groups()
        if not 0 <= self.chosen < len(groups):
            return
        group = groups[self.chosen]
        if len(group) > 1:
            self._folds = False
        else:
            self._run(f"frame {group[0].index}")

    @property
    def _index(self) -> int:
        return self._view.frame.index if self._view.frame else 0

    @property
    def _newest_last(self) -> bool:
        return self._view.ctx.settings.bt_order == "newest-last"

    def _groups(self) -> list[list[Frame]]:
        frames = self._view.frames
        groups = folded(frames, self._index) if self._folds else [[each] for each in frames]
        return groups[::-1] if self._newest_last else groups
