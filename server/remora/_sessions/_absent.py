"""A client as the server knows it, and one that is lost and awaited. On the server's thread."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Protocol

from remora._streams._outbox import Outbox

if TYPE_CHECKING:
    from typing import Any

__all__ = ["Absent", "Attached", "same_token"]


class Attached(Protocol):
    """What the server needs to know of a session."""

    is_configured: bool
    follows: bool
    stops_on_entry: bool

    @property
    def outbox(self) -> Outbox: ...
    @property
    def role(self) -> str | None: ...
    @property
    def who(self) -> str: ...
    @property
    def token(self) -> str: ...

    def expel(self, reason: str) -> None: ...
    def flush(self) -> None: ...
    def forget_values(self, thread_id: int | None) -> None: ...
    def say_farewell(self, text: str | None, exit_code: int | None) -> None: ...


def same_token(one: str, other: str) -> bool:
    """Whether both are the same token; an empty one is none."""
    return bool(one) and hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


class _Prints(Outbox):
    """Takes nothing but what was printed, of which there is only so much: the rest is old news later."""

    def put_event(self, name: str, body: dict[str, Any]) -> None:
        if name == "output":
            super().put_event(name, body)


class Absent:
    """A driver that was lost and had asked to be waited for. What is printed meanwhile is kept for it.

    Attributes:
        token: whoever shows it is that client again.
        owner: of our port, who had led it here; None: it had come by itself.
    """

    def __init__(self, who: str, token: str, owner: int | None) -> None:
        self.who = who
        self.token = token
        self.owner = owner
        self.until = 0.0
        self.role: str | None = None
        self.is_configured = False
        self.follows = False
        self.stops_on_entry = False
        self.outbox: Outbox = _Prints()

    def expel(self, reason: str) -> None:
        """It is not there to hear it."""

    def flush(self) -> None:
        """What is there for it waits."""

    def forget_values(self, thread_id: int | None) -> None:
        """It has let go of all."""

    def say_farewell(self, text: str | None, exit_code: int | None) -> None:
        """It is not there to hear it."""
