"""What waits to be sent to one client: events and printed text, in the order in which they happened.

The program's threads put things in, without a lock and without waiting; the server's thread takes them out.
Printed text that the client does not take fast enough is dropped and counted, never kept: the program must
neither wait nor grow.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from remora._originals import get_ident

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Outbox"]

#: Characters of text that may wait.
ROOM = 2_000_000
#: Characters of one `output` event.
LONGEST = 64 * 1024


class Outbox:
    """A queue with many writers and one reader.

    Args:
        wake: called when there is something to take that was not announced before; `True`: at once, `False`:
            it is only text, and more of it may follow. On any thread; must not block.
    """

    def __init__(self, wake: Callable[[bool], None]) -> None:
        self._wake = wake
        self._items: deque[tuple[str, Any]] = deque()
        self._announced = False
        self._urgently = False
        self._room = ROOM
        self._dropped: dict[int, int] = {}  # by thread, so that no two threads write one entry
        self._reported = 0

    # -- any thread -------------------------------------------------------------------------------

    def put_event(self, name: str, body: dict[str, Any]) -> None:
        """An event. Logged text is text, too."""
        if name == "output" and not self._has_room(len(str(body.get("output", "")))):
            return
        self._items.append((name, body))
        if not self._urgently:
            self._announced = self._urgently = True
            self._wake(True)

    def put_text(self, category: str, text: str) -> None:
        """Something that was printed."""
        size = len(text)
        if size > LONGEST:
            self._drop(size - LONGEST)
            text = text[:LONGEST]
        if not self._has_room(len(text)):
            return
        self._items.append((category, text))
        if not self._announced:
            self._announced = True
            self._wake(False)

    def _has_room(self, size: int) -> bool:
        # Two threads may both subtract from the same value: the room is made anew at each `take`, so that
        # the sum is off by little and never for long.
        if self._room <= 0:
            self._drop(size)
            return False
        self._room -= size
        return True

    def _drop(self, size: int) -> None:
        ident = get_ident()
        self._dropped[ident] = self._dropped.get(ident, 0) + size

    # -- the server's thread ----------------------------------------------------------------------

    def take(self, *, congested: bool = False) -> list[tuple[str, dict[str, Any]]]:
        """All that is there, as events; texts that follow each other are one.

        Args:
            congested: the client does not read. Until the next call, printed text is dropped.
        """
        self._announced = self._urgently = False
        events: list[tuple[str, dict[str, Any]]] = []
        texts: list[str] = []
        category = ""
        length = 0
        while self._items:
            name, content = self._items.popleft()
            is_text = isinstance(content, str)
            if texts and (not is_text or name != category or length + len(content) > LONGEST):
                events.append(_output(category, "".join(texts)))
                texts, length = [], 0
            if is_text:
                category = name
                texts.append(content)
                length += len(content)
            else:
                events.append((name, content))
        if texts:
            events.append(_output(category, "".join(texts)))
        self._room = 0 if congested else ROOM
        if not congested:
            events.extend(self._report())
        return events

    def _report(self) -> list[tuple[str, dict[str, Any]]]:
        dropped = sum(list(self._dropped.values()))
        lost, self._reported = dropped - self._reported, dropped
        if not lost:
            return []
        return [_output("console", f"[{lost:,} characters of the program's output were left out here]\n")]


def _output(category: str, text: str) -> tuple[str, dict[str, Any]]:
    return "output", {"category": category, "output": text}
