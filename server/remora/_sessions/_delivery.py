"""What happens in the program, on its way to the clients that are attached.

Events and printed text go through one feed, so that they keep their order. `publish` and the feed's wake-up
run on any thread; everything else on the server's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._streams._output import Output

if TYPE_CHECKING:
    from remora._network._loop import Loop, Timer
    from remora._sessions._absent import Attached

__all__ = ["Delivery"]

_TEXT_DELAY = 0.01
_FLOOD_DELAY = 0.05


class Delivery:
    """One per server.

    Attributes:
        attached: who is told, drivers and observers. Replaced whole, never changed.
        output: copies what the program prints.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.attached: tuple[Attached, ...] = ()
        self.output = Output(self._wake)
        self._text_timer: Timer | None = None
        self._flood_timer: Timer | None = None

    def add(self, session: Attached) -> None:
        """Tell this one, too, from now on."""
        self.attached = (*self.attached, session)

    def remove(self, session: Attached) -> None:
        """Tell this one nothing more."""
        self.attached = tuple(each for each in self.attached if each is not session)

    def publish(self, name: str, body: dict[str, Any]) -> None:
        """Tell everybody that something happened. On any thread."""
        if self.attached:
            self.output.feed.put_event(name, body)

    def _wake(self, urgent: bool) -> None:
        """There is something in the feed. On any thread."""
        if urgent:
            self._loop.post(self.pass_on)
        elif self._flood_timer is None:  # else text is taken at its own times
            self._loop.post(self._pass_on_soon)

    def _pass_on_soon(self) -> None:
        if self._flood_timer is None:
            self._text_timer = self._loop.call_later(_TEXT_DELAY, self.pass_on)

    def pass_on(self) -> None:
        """Send everybody what has happened by now, and what is to be said of what was left out."""
        if self._text_timer is not None:
            self._text_timer.cancel()
        self.distribute()
        self._put(self.output.take_stock())
        for session in self.attached:
            session.flush()
        self.output.feed.go_on()
        if self.output.is_flooded and self._flood_timer is None:
            self._flood_timer = self._loop.call_later(_FLOOD_DELAY, self._pass_on_in_flood)

    def _pass_on_in_flood(self) -> None:
        self._flood_timer = None
        self.pass_on()

    def distribute(self) -> None:
        """Put what has happened by now into the clients' outboxes."""
        self._put(self.output.take())

    def _put(self, items: list[tuple[str, Any]]) -> None:
        for name, content in items:
            is_text = type(content) is str
            for session in self.attached:
                if is_text:
                    session.outbox.put_text(name, content)
                else:
                    session.outbox.put_event(name, content)

    def tell_others(self, session: Attached, name: str, body: dict[str, Any]) -> None:
        """Tell everybody but one that something happened."""
        self.distribute()
        for each in self.attached:
            if each is not session:
                each.outbox.put_event(name, body)
                each.flush()
