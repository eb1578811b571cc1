"""Configuration that an editor sends before it attaches: answered as pending, and sent on afterwards.

Some editors (dape with `defer-launch-attach`) say first where to stop and attach last. Numbers that were
given out then stay valid: the server's own are translated. Runs on the event loop's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._bridge._places import BREAKPOINT_REQUESTS
from remora_client._model import records
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora_protocol import Request

__all__ = ["Early"]

_FIRST = 2**30  # far from what servers count up to
_MOST_BYTES = 1_000_000


class Early:
    """What was said before the attach."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.given: dict[int, list[int]] = {}  # a request's number -> the breakpoint numbers it was answered
        #: Sent on. Until they are answered, an event may name a breakpoint by a number unknown to the editor.
        self.unanswered: set[int] = set()
        self._ids: dict[int, int] = {}  # the server's breakpoint number -> the one that the editor knows
        self._last = _FIRST
        self._size = 0

    def hold(self, request: Request) -> dict[str, Any] | None:
        """Keep a request for later; gives the body of the answer for now."""
        self._size += len(str(request.arguments))
        if self._size > _MOST_BYTES:
            raise RequestFailed("too-large", "Too much configuration before the attach.")
        self.requests.append(request)
        if request.command not in BREAKPOINT_REQUESTS:
            return None
        if request.command == "setExceptionBreakpoints":
            return {}
        body = []
        for asked in records(request.arguments, "breakpoints"):
            self._last += 1
            pending = {
                "id": self._last,
                "verified": False,
                "message": "Not attached yet.",
                "reason": "pending",
            }
            if isinstance(asked.get("line"), int):
                pending["line"] = asked["line"]
            body.append(pending)
        self.given[request.seq] = [each["id"] for each in body if isinstance(each["id"], int)]
        return {"breakpoints": body}

    def learn(self, request: Request, answers: list[dict[str, Any]]) -> None:
        """The server has answered a request that was held: its numbers mean those given out before."""
        for ours, answer in zip(self.given.get(request.seq, []), answers, strict=False):
            if isinstance(answer.get("id"), int):
                self._ids[answer["id"]] = ours

    def renumber(self, breakpoint_: dict[str, Any]) -> None:
        """Put the number that the editor knows into a breakpoint of the server's."""
        number = breakpoint_.get("id")
        if isinstance(number, int):
            breakpoint_["id"] = self._ids.get(number, number)

    def renumber_hits(self, body: dict[str, Any]) -> None:
        """The same for the numbers in a `stopped` event."""
        hits = body.get("hitBreakpointIds")
        if self._ids and isinstance(hits, list):
            body["hitBreakpointIds"] = [self._ids.get(each, each) for each in hits]
