"""What happens on the program's threads, on its way to the server's: events and printed text, in one order.

The program's threads put things in, without a lock and without waiting; the server's thread takes them out.
There is only so much room: printed text that has none is dropped and counted. The program must neither wait
nor grow.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from remora._interpreter._originals import get_ident

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LONGEST", "ROOM", "SHORT", "Feed"]

#: So many pieces of text may wait; in a flood, fewer.
PIECES = 8192
PIECES_IN_FLOOD = 1024
#: Characters of long texts that may wait.
ROOM = 2_000_000
#: Up to here a text is short: there is always room for as many as there may be pieces.
SHORT = 1024
#: Characters of one `output` event.
LONGEST = 64 * 1024


class Feed:
    """A queue with many writers and one reader.

    Args:
        wake: called when there is something to take that was not announced before; `True`: at once, `False`:
            it is only text, and more of it may follow. On any thread; must not block.
        flooded: called when there are more pieces than can be taken, on the thread that printed the last one.

    Attributes:
        items: (category, text) and (event, body). Whoever appends a short text himself looks at `most`
            before and at `is_announced` after it.
        most: how many items there may be.
        is_announced: the reader knows that there is something.
        is_flooded: until the next `take`, text is dropped.
    """

    def __init__(self, wake: Callable[[bool], None], flooded: Callable[[], None]) -> None:
        self.items: deque[tuple[str, Any]] = deque()
        self.most = PIECES
        self.is_announced = False
        self.is_flooded = False
        self._wake = wake
        self._flooded = flooded
        self._is_urgent = False
        self._room = ROOM
        self._dropped: dict[int, int] = {}  # by thread, so that no two threads write one entry
        self._reported = 0

    # -- any thread -------------------------------------------------------------------------------

    def put_event(self, name: str, body: dict[str, Any]) -> None:
        """An event. Logged text is text, too."""
        if name == "output" and not self._has_room(len(str(body.get("output", "")))):
            return
        self.items.append((name, body))
        if not self._is_urgent:
            self.is_announced = self._is_urgent = True
            self._wake(True)

    def put_text(self, category: str, text: str) -> None:
        """Something that was printed."""
        text = str.__str__(text)
        if len(text) > LONGEST:
            self._drop(len(text) - LONGEST)
            text = text[:LONGEST]
        if self._has_room(len(text)):
            self.items.append((category, text))
            self.announce()

    def announce(self) -> None:
        """There is text. After it was put in: the reader says that it knows of nothing before it looks."""
        if not self.is_announced:
            self.is_announced = True
            self._wake(False)

    def _has_room(self, size: int) -> bool:
        if len(self.items) >= self.most:
            self._drop(size)
            if not self.is_flooded:
                self.is_flooded = True
                self._flooded()
            return False
        if size > SHORT:
            # Two threads may both subtract from the same value: the room is made anew at each `take`, so
            # that the sum is off by little and never for long.
            if self._room <= 0:
                self._drop(size)
                return False
            self._room -= size
        return True

    def _drop(self, size: int) -> None:
        ident = get_ident()
        self._dropped[ident] = self._dropped.get(ident, 0) + size

    # -- the server's thread ----------------------------------------------------------------------

    def take(self) -> list[tuple[str, Any]]:
        """All that is there by now."""
        self.is_announced = self._is_urgent = False
        self._room = ROOM
        return [self.items.popleft() for _ in range(len(self.items))]

    def take_dropped(self) -> int:
        """How many characters were dropped since this was last asked."""
        dropped = sum(list(self._dropped.values()))
        lost, self._reported = dropped - self._reported, dropped
        return lost

    def calm(self) -> bool:
        """Make room again. Whether there was a flood since this was last called."""
        was_flooded, self.is_flooded = self.is_flooded, False
        self.most = PIECES_IN_FLOOD if was_flooded else PIECES
        return was_flooded
