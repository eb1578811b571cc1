"""What waits to be sent to one client: events and printed text, in the order in which they happened.

On the server's thread. Text that the client does not take fast enough is dropped and counted, never kept.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from remora._streams._feed import LONGEST, ROOM

__all__ = ["Outbox", "left_out"]


class Outbox:
    """One client's queue."""

    def __init__(self) -> None:
        self._items: deque[tuple[str, Any]] = deque()
        self._room = ROOM
        self._dropped = 0

    def put_event(self, name: str, body: dict[str, Any]) -> None:
        """An event. Logged text is text, too."""
        if name != "output" or self._has_room(len(str(body.get("output", "")))):
            self._items.append((name, body))

    def put_text(self, category: str, text: str) -> None:
        """Something that was printed."""
        if self._has_room(len(text)):
            self._items.append((category, text))

    def _has_room(self, size: int) -> bool:
        if self._room <= 0:
            self._dropped += size
            return False
        self._room -= size
        return True

    def take(self, *, congested: bool = False) -> list[tuple[str, dict[str, Any]]]:
        """All that is there, as events; texts that follow each other are one.

        Args:
            congested: the client does not read. Until the next call, printed text is dropped.
        """
        events: list[tuple[str, dict[str, Any]]] = []
        texts: list[str] = []
        category = ""
        length = 0
        while self._items:
            name, content = self._items.popleft()
            is_text = type(content) is str
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
        if self._dropped and not congested:
            events.append(
                left_out(f"{self._dropped:,} characters of the program's output were left out here")
            )
            self._dropped = 0
        return events


def left_out(text: str) -> tuple[str, dict[str, Any]]:
    """The event that says that, and how much, the client has not got."""
    return _output("console", f"[{text}]\n")


def _output(category: str, text: str) -> tuple[str, dict[str, Any]]:
    return "output", {"category": category, "output": text}
