"""The table of requests: who may ask what, and what answers. Handlers declare themselves in it.

A handler runs on the server's thread, gets the session and the checked arguments, and returns the body of the
response, or a `Deferred` when the answer has to come from the program's thread. It refuses with
`RequestFailed`. It never waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Callable, Union

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._sessions._session import Session
    from remora_protocol import RequestFailed

__all__ = ["HANDLERS", "Deferred", "Handler", "When", "handles"]


class When(Enum):
    """From which moment on a request is taken."""

    CONNECTED = "before the login"
    LOGGED_IN = "after the login"
    ATTACHED = "after attach"


class Deferred:
    """An answer that comes later, from the server's thread. Only the first one counts.

    Args:
        answer_first: it goes before the events that came of the request.
    """

    def __init__(self, *, answer_first: bool = False) -> None:
        self.answer_first = answer_first
        self.cancel: Callable[[], None] | None = None
        self._answer: Callable[[Any, RequestFailed | None], None] | None = None
        self._early: tuple[Any, RequestFailed | None] | None = None
        self._done = False

    def resolve(self, body: Any = None) -> None:
        """Answer with this body."""
        self._settle(body, None)

    def fail(self, error: RequestFailed) -> None:
        """Refuse."""
        self._settle(None, error)

    def _settle(self, body: Any, error: RequestFailed | None) -> None:
        if self._done:
            return
        self._done = True
        # What was to be called holds on to values of the program, and to this: together they would stay
        # until a garbage collection.
        self.cancel = None
        answer, self._answer = self._answer, None
        if answer is None:
            self._early = (body, error)
        else:
            answer(body, error)

    def then(self, answer: Callable[[Any, RequestFailed | None], None]) -> None:
        """Have the answer given to `answer`; at once if it is there."""
        if self._early is None:
            self._answer = answer
        else:
            answer(*self._early)


Function = Callable[["Session", "Arguments"], Union[dict[str, Any], Deferred, None]]


@dataclass(frozen=True)
class Handler:
    """One row of the table.

    Attributes:
        looks_only: an observer may ask it: it neither runs code of the program nor changes anything.
        capability: what `initialize` announces for it.
    """

    command: str
    function: Function
    when: When
    looks_only: bool
    capability: str | None


HANDLERS: dict[str, Handler] = {}


def handles(
    command: str,
    when: When = When.ATTACHED,
    *,
    looks_only: bool = False,
    capability: str | None = None,
) -> Callable[[Function], Function]:
    """Declare the function that answers a request."""

    def declare(function: Function) -> Function:
        HANDLERS[command] = Handler(command, function, when, looks_only, capability)
        return function

    return declare
