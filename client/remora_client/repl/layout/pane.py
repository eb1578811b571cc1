"""What all panes have in common: a title, rows that scroll, and one row that keys act on.

Runs on the event loop's thread. A pane draws only the rows that are to be seen, however many there are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app
from prompt_toolkit.layout.controls import UIContent, UIControl
from prompt_toolkit.mouse_events import MouseEventType

from remora_client._fragments import clip, clipped, plain, width_of, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.key_binding.key_bindings import NotImplementedOrNone
    from prompt_toolkit.mouse_events import MouseEvent

    from remora_client._fragments import Fragments
    from remora_client.repl.layout.arrangement import PaneName

__all__ = ["Pane", "PaneControl"]

_WHEEL = 3  # rows


class Pane(ABC):
    """Rows under a title.

    Attributes:
        top: the first row that is to be seen.
        chosen: the row that keys act on.
        chooses: whether there is such a row; without, the keys scroll.
        keys: what the bar says of the keys while the pane has the focus.
    """

    name: PaneName
    chooses = True
    empty = ""
    keys = ""

    def __init__(self) -> None:
        self.top = 0
        self.chosen = 0
        self.height = 1
        self.width = 80

    @abstractmethod
    def title(self) -> str:
        """What the pane shows now, in a few words."""

    @abstractmethod
    def count(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def rows(self, first: int, last: int, width: int) -> list[Fragments]:
        """The rows from `first` up to but without `last`, counted from 0."""

    def click(self, row: int, column: int) -> None:
        """A click on a row."""
        self.chosen = row
        self.act()

    @abstractmethod
    def act(self) -> None:
        """Enter on the chosen row."""

    def draw(self, width: int, height: int, *, focused: bool) -> list[Fragments]:
        """What is to be seen: so many rows of that width."""
        saw_chosen = self.top <= self.chosen < self.top + self.height
        shrinks = height < self.height
        self.width, self.height = max(width, 1), max(height, 1)
        if shrinks and saw_chosen and self.chooses:
            self.show(self.chosen)
        count = self.count()
        self.top = min(max(self.top, 0), max(count - self.height, 0))
        self.chosen = min(max(self.chosen, 0), max(count - 1, 0))
        if not count:
            told = wrapped([("class:dim", self.empty)], max(self.width - 1, 1))
            return [[("", " "), *row] for row in told[: self.height]]
        shown = self.rows(self.top, min(self.top + self.height, count), self.width)
        if focused and self.chooses and 0 <= self.chosen - self.top < len(shown):
            shown[self.chosen - self.top] = _marked(shown[self.chosen - self.top], self.width)
        return shown

    def scroll(self, rows: int) -> None:
        """Move what is to be seen; the chosen row stays where it is."""
        self.top += rows

    def move(self, rows: int) -> None:
        """Choose another row, and scroll as far as that needs."""
        if not self.chooses:
            self.scroll(rows)
            return
        self.chosen = min(max(self.chosen + rows, 0), max(self.count() - 1, 0))
        self.show(self.chosen)

    def show(self, row: int, margin: int = 0) -> None:
        """Scroll until a row is to be seen, with so many around it."""
        margin = min(margin, (self.height - 1) // 2)
        if row - margin < self.top:
            self.top = max(row - margin, 0)
        elif row + margin >= self.top + self.height:
            self.top = row + margin - self.height + 1


def _marked(row: Fragments, width: int) -> Fragments:
    """In one look from edge to edge: in reverse, each colour would be a patch of its own."""
    row = clipped(row, width)
    blank = max(width - width_of(plain(row)), 0)
    return [("class:pane.chosen", plain(row) + " " * blank)]


class PaneControl(UIControl):
    """A pane on prompt_toolkit's screen.

    Args:
        pane: what is shown.
        fit: puts a row of so many columns in characters that the terminal can show.
        bindings: keys that work while the pane has the focus.
        focus: gives the pane the focus.
    """

    def __init__(
        self,
        pane: Pane,
        fit: Callable[[Fragments, int], Fragments],
        bindings: KeyBindings,
        focus: Callable[[], None],
    ) -> None:
        self.pane = pane
        self._fit = fit
        self._bindings = bindings
        self._focus = focus

    def is_focusable(self) -> bool:
        """Panes take the focus."""
        return True

    def get_key_bindings(self) -> KeyBindings:
        """The keys of this pane."""
        return self._bindings

    def create_content(self, width: int, height: int) -> UIContent:
        """Title and rows; the lines below them are blank, so that a click there meets no row."""
        focused = get_app().layout.current_control is self
        rows = [self._title(width, focused=focused)]
        if height > 1:
            rows += self.pane.draw(width, height - 1, focused=focused)
        rows += [[("", "")]] * (height - len(rows))
        shown = [self._fit(row, width) for row in rows]
        return UIContent(lambda number: [*shown[number]], len(shown), show_cursor=False)

    def _title(self, width: int, *, focused: bool) -> Fragments:
        name, about = self.pane.name, self.pane.title()
        style = "class:pane.title.focused" if focused else "class:pane.title"
        head = clip(f" {name} ", max(width - 3, 0))
        tail = clip(f"{about} ", max(width - 4 - width_of(head), 0)) if about else ""
        rest = max(width - 2 - width_of(head) - width_of(tail), 0)
        return [
            ("class:pane.border", "──"),
            (style, head),
            ("class:pane.about", tail),
            ("class:pane.border", "─" * rest),
        ]

    def mouse_handler(self, mouse_event: MouseEvent) -> NotImplementedOrNone:
        """The wheel scrolls, a click acts on a row, a click on the title gives the focus."""
        row = mouse_event.position.y - 1
        if mouse_event.event_type is MouseEventType.SCROLL_UP:
            self.pane.scroll(-_WHEEL)
        elif mouse_event.event_type is MouseEventType.SCROLL_DOWN:
            self.pane.scroll(_WHEEL)
        elif mouse_event.event_type is not MouseEventType.MOUSE_UP:
            return NotImplemented
        elif row < 0:
            self._focus()
        elif self.pane.top + row < self.pane.count():
            self.pane.click(self.pane.top + row, mouse_event.position.x)
        return None
