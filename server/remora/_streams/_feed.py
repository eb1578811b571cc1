"""What happens on the program's threads, on its way to the server's: events and printed text, in one order.

The program's threads put things in, without waiting for anybody; the server's thread takes them out. There is
only so much room: printed text that has none is dropped and counted. The program must neither wait nor grow.
Only a flood, where it begins, gives way to the server's thread for a moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._interpreter._originals import allocate_lock, get_ident

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LONGEST", "PLAIN", "ROOM", "SHORT", "Feed"]

#: So many pieces of text may wait; in a flood, fewer. A line that is printed is two: its text, and its end.
PIECES = 6144
PIECES_IN_FLOOD = 512
#: Characters of long texts that may wait.
ROOM = 2_000_000
#: Up to here a text is short: there is always room for as many as there may be pieces.
SHORT = 1024
#: Characters of one `output` event.
LONGEST = 64 * 1024
#: The stream whose texts are put in as they are: a tuple for each would be one more object for the program's
#: garbage collector to look at, and thousands of them make it run.
PLAIN = "stdout"
#: Seconds: the interpreter's own switch interval, unless the program has set another.
_GIVEN = 0.005


class Feed:
    """A queue with many writers and one reader.

    Args:
        wake: called when there is something to take that was not announced before; `True`: at once, `False`:
            it is only text, and more of it may follow. On any thread; must not block.
        flooded: called when there are more pieces than can be taken, on the thread that printed the last one;
            whether it is a flood that the reader knows nothing of.

    Attributes:
        items: texts of the plain stream, (category, text) of others, (event, body). Whoever appends a short
            text himself looks at `most` before and at `is_announced` after it.
        most: how many items there may be.
        is_announced: the reader knows that there is something.
        is_flooded: until the next `take`, text is dropped.
    """

    def __init__(self, wake: Callable[[bool], None], flooded: Callable[[], bool]) -> None:
        self.items: list[Any] = []
        self.most = PIECES
        self.is_announced = False
        self.is_flooded = False
        self._wake = wake
        self._flooded = flooded
        self._is_urgent = False
        self._room = ROOM
        self._dropped: dict[int, int] = {}  # by thread, so that no two threads write one entry
        self._reported = 0
        self._way = allocate_lock()  # held by nobody in particular, until the reader lets it go
        self._gives_way = False

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
            self.items.append(text if category == PLAIN else (category, text))
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
                self._begin_flood()
            return False
        if size > SHORT:
            # Two threads may both subtract from the same value: the room is made anew at each `take`, so
            # that the sum is off by little and never for long.
            if self._room <= 0:
                self._drop(size)
                return False
            self._room -= size
        return True

    def _begin_flood(self) -> None:
        is_first = self._flooded()
        # In this order: who sees the flood may end it, and then it must have begun. And it must be seen, also
        # when all there was has been taken in between.
        self.is_flooded = True
        self.announce()
        if is_first:
            self._wake(True)
            self._give_way()

    def _give_way(self) -> None:
        """Let the reader have the interpreter, once, for not longer than any other thread could have it.

        A thread that prints gives it away for moments only, at each write to the system, and has it back
        before the reader is awake, who would be woken in vain hundreds of times, at this thread's expense.
        """
        self._way.acquire(False)
        self._gives_way = True
        self._way.acquire(timeout=_GIVEN)

    def _drop(self, size: int) -> None:
        ident = get_ident()
        self._dropped[ident] = self._dropped.get(ident, 0) + size

    # -- the server's thread ----------------------------------------------------------------------

    def take(self) -> list[Any]:
        """All that is there by now."""
        self.is_announced = self._is_urgent = False
        self._room = ROOM
        taken = self.items[:]
        del self.items[: len(taken)]  # what was appended in between stays
        return taken

    def take_dropped(self) -> int:
        """How many characters were dropped since this was last asked."""
        dropped = sum(list(self._dropped.values()))
        lost, self._reported = dropped - self._reported, dropped
        return lost

    def go_on(self) -> None:
        """Whoever gave way need not wait any more."""
        if self._gives_way:  # not whenever it is locked: who was let go may have it before he is awake
            self._gives_way = False
            if self._way.locked():
                self._way.release()

    def calm(self) -> bool:
        """Make room again. Whether there was a flood since this was last called."""
        was_flooded, self.is_flooded = self.is_flooded, False
        self.most = PIECES_IN_FLOOD if was_flooded else PIECES
        return was_flooded
