"""The variables pane: a tree to open level by level. Enter on a value without children prints all of it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from remora_client._fragments import clip, width_of
from remora_client._text import visible
from remora_client.render import python_line
from remora_client.repl.layout.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from remora_client._fragments import Fragments
    from remora_client.repl.layout.tree import Node
    from remora_client.repl.layout.view import View

__all__ = ["VariablesPane"]

_NAME = 32  # columns that a name may take
_TYPE = 24
_LONGEST = 2000  # characters of a value that a row may need


class VariablesPane(Pane):
    """The scopes of the selected frame and what is in them.

    Args:
        view: what is looked at.
        run: runs a command.
        later: runs something that asks the server.
    """

    name = "variables"
    keys = "Enter: open, close or print · h l ← →"
    empty = "The program runs."

    def __init__(
        self,
        view: View,
        run: Callable[[str], None],
        later: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        super().__init__()
        self._view = view
        self._run = run
        self._later = later

    def title(self) -> str:
        """Whose they are."""
        frame = self._view.frame
        return f"#{frame.index} {visible(frame.name)}" if frame else ""

    def count(self) -> int:
        """What is open."""
        return len(self._view.tree.rows())

    def rows(self, first: int, last: int, width: int) -> list[Fragments]:
        """A row a value."""
        return [_row(node, width) for node in self._view.tree.rows()[first:last]]

    def act(self) -> None:
        """Open or close, load more, or print the value."""
        node = self._node()
        if node is None:
            return
        if node.is_open:
            self._view.tree.close(node)
        elif node.reference or node.more:
            self._later(self._view.tree.open(self._view.ctx.session, node))
        elif node.evaluate_name:
            self._run(f"print {node.evaluate_name}")

    def open(self) -> None:
        """Open the chosen row."""
        node = self._node()
        if node is not None and not node.is_open and (node.reference or node.more):
            self.act()

    def close(self) -> None:
        """Close the chosen row; one that is closed leads to its parent."""
        node = self._node()
        if node is None:
            return
        if node.is_open:
            self.act()
        elif node.parent is not None:
            self.chosen = next(row for row, each in enumerate(self._view.tree.rows()) if each is node.parent)
            self.show(self.chosen)

    def _node(self) -> Node | None:
        rows = self._view.tree.rows()
        return rows[self.chosen] if 0 <= self.chosen < len(rows) else None


def _row(node: Node, width: int) -> Fragments:
    mark = "▾ " if node.is_open else "▸ " if node.reference else "  "
    out: Fragments = [("class:pane.mark", " " + "  " * node.depth + mark)]
    if node.more:
        return [*out, ("class:dim", f"… {node.name}")]
    if not node.depth:
        return [*out, ("class:heading", clip(visible(node.name), width - 4))]
    name = clip(visible(node.name), _NAME)
    out.append(("class:variable.changed" if node.changed else "class:name", name))
    out.append(("class:punctuation", " = "))
    room = max(width - 2 * node.depth - width_of(name) - 6, 1)
    value = clip(visible(node.value[:_LONGEST]), room)
    out += _coloured(value)
    kind = clip(visible(node.type), _TYPE)
    if kind and width_of(value) + width_of(kind) + 2 <= room:
        out.append(("class:type", f"  {kind}"))
    return out


@lru_cache(maxsize=1024)
def _coloured(value: str) -> tuple[tuple[str, str], ...]:
    """Each redraw shows the same values again."""
    return tuple(python_line(value))
