"""A thread of the program that waits for a client, as the server sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._sessions._server import Server

__all__ = ["Waiter"]


class Waiter:
    """A thread of the program that waits for a client. `call` lets it go on."""

    def __init__(self, server: Server, call: Callable[[], None]) -> None:
        self._server = server
        self.call = call
        self.is_attached = False

    def begin(self) -> None:
        """On the server's thread."""
        if self._server.is_attached:
            self.arrive()
        else:
            self._server.waiting.append(self)

    def arrive(self) -> None:
        """A client is there."""
        self.is_attached = True
        self.call()

    def end(self) -> None:
        """Nobody waits any more."""
        if self in self._server.waiting:
            self._server.waiting.remove(self)
