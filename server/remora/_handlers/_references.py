"""The values that a client can open, by number, until their frame is gone. On the server's thread."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora._interpreter._frames import Frame

__all__ = ["Held", "References"]


@dataclass(frozen=True)
class Held:
    """A value, how an expression gets to it, and in which frame that expression means something."""

    value: Any = field(repr=False)
    frame: Frame
    expression: str | None = None


class References:
    """DAP's variablesReferences: from 1, and no number is given twice."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._held: dict[int, Held] = {}

    def add(self, held: Held) -> int:
        """A number for the value."""
        number = next(self._numbers)
        self._held[number] = held
        return number

    def get(self, number: int) -> Held:
        """The value with this number.

        Raises:
            RequestFailed: "not-found".
        """
        held = self._held.get(number)
        if held is None:
            raise RequestFailed("not-found", "This value is gone: the program has run on since it was shown.")
        return held

    def clear(self, thread_id: int | None = None) -> None:
        """Let go of all values, or of those of one thread: the program's objects must be free to die."""
        if thread_id is None:
            self._held.clear()
        else:
            self._held = {
                number: held for number, held in self._held.items() if held.frame.thread_id != thread_id
            }
