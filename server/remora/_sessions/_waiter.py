"""Threads of the program that wait for a client, as the server sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._sessions._server import Server

__all__ = ["Waiter", "Waiters"]

_PATIENCE = 1.0


class Waiter:
    """A thread of the program that waits for a client. `call` lets it go on.

    Args:
        will_stop: it goes on only to stop there: it has crashed.
        can_stop: it stops where it goes on, if the client wants to begin with that.

    Attributes:
        is_attached: a client is there.
        stops: it is to stop.
    """

    def __init__(
        self, server: Server, call: Callable[[], None], *, will_stop: bool = False, can_stop: bool = False
    ) -> None:
        self._server = server
        self.call = call
        self.will_stop = will_stop
        self.can_stop = can_stop
        self.is_attached = False
        self.stops = will_stop

    def begin(self) -> None:
        """On the server's thread."""
        if self._server.is_attached:
            self.arrive()
        else:
            self._server.waiters.add(self)
            self._server.note_change()

    def arrive(self, *, on_entry: bool = False) -> None:
        """A client is there, and may want the program to stop first of all."""
        self.is_attached = True
        self.stops = self.will_stop or (self.can_stop and on_entry)
        self.call()

    def end(self) -> None:
        """Nobody waits any more."""
        if self._server.waiters.discard(self):
            self._server.note_change()


class Waiters:
    """Those of one process. On the server's thread, but for `awaits_stop`."""

    def __init__(self) -> None:
        self._all: list[Waiter] = []
        self._on_stop: Callable[[], None] | None = None

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, waiter: Waiter) -> None:
        """It waits from now on."""
        self._all.append(waiter)

    def discard(self, waiter: Waiter) -> bool:
        """It waits no more; whether it did."""
        is_there = waiter in self._all
        if is_there:
            self._all.remove(waiter)
        return is_there

    def take(self) -> list[Waiter]:
        """All of them, who wait no more."""
        taken, self._all = self._all, []
        return taken

    # -- the stop that some of them come to -------------------------------------------------------

    def will_stop(self, *, on_entry: bool) -> bool:
        """Whether one of them stops as soon as it may go on."""
        return any(each.will_stop or (each.can_stop and on_entry) for each in self._all)

    def expect_stop(self, server: Server, call: Callable[[], None]) -> None:
        """Have `call` run when they have come to it, or seem not to."""
        self._on_stop = call
        server.loop.call_later(_PATIENCE, call)  # harmless when it has run: only a first answer counts

    @property
    def awaits_stop(self) -> bool:
        """Whether somebody has to be told of the next stop. On any thread."""
        return self._on_stop is not None

    def stopped(self) -> None:
        """Here it is."""
        call, self._on_stop = self._on_stop, None
        if call is not None:
            call()
