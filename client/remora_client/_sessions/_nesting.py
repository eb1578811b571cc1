"""Calls that a person makes in the program, in which it may stop: each is one prompt deeper.

Everything runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError, Gone
from remora_client._model import Value
from remora_client._sessions._looking import Looking
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora_client._connecting._connect import Link
    from remora_client._source._localsource import LocalSources

__all__ = ["Nesting"]


class Nesting(Looking):
    """The part of a session that calls functions of the program."""

    def __init__(self, link: Link, sources: LocalSources) -> None:
        super().__init__(link, sources)
        self._calls: list[asyncio.Task[Value]] = []  # those that the program has stopped in

    @property
    def depth(self) -> int:
        """1, and 1 more for each call of ours that the program has stopped in."""
        return 1 + len(self._calls)

    async def call(self, expression: str) -> Value | None:
        """Evaluate in the selected frame; breakpoints in what it calls stop the program.

        None: it has stopped there. What the call gives is told later, as the event `remora/called`, and then
        the program stands where it stood before. A server without such calls runs it through.
        """
        if not self.has("remora/call"):
            return await self.evaluate(expression, None, "repl", keep=True)
        frame, stops = (await self.current_frame()).id, self.state.stops
        calling = asyncio.get_running_loop().create_task(self._call(expression, frame))
        try:
            while not calling.done() and self.state.stops == stops:
                self._changed.clear()
                changed = asyncio.ensure_future(self._changed.wait())
                await asyncio.wait((calling, changed), return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
        except asyncio.CancelledError:
            calling.cancel()
            raise
        if calling.done():
            return calling.result()
        self._calls.append(calling)
        calling.add_done_callback(lambda _: self._end_call(expression, calling))
        return None

    async def _call(self, expression: str, frame: int) -> Value:
        arguments: dict[str, Any] = {"expression": expression, "frameId": frame, "remora": {"keep": True}}
        seq, future = self._rpc.send("remora/call", arguments)
        try:
            return Value.from_dap(await self._answer("remora/call", future))
        except asyncio.CancelledError:
            with contextlib.suppress(Gone):
                self._rpc.send("cancel", {"requestId": seq})
            raise

    def _end_call(self, expression: str, calling: asyncio.Task[Value]) -> None:
        if calling in self._calls:
            self._calls.remove(calling)
        if calling.cancelled():
            return
        body: dict[str, Any] = {"expression": expression}
        error = calling.exception()
        if error is None:
            value = calling.result()
            body |= {"value": value.value, "type": value.type}
        elif isinstance(error, RequestFailed | ClientError) and not isinstance(error, Gone):
            body["error"] = str(error)
        else:
            return  # the session is over, and says so itself
        self._tell("remora/called", body)
