"""The ground under a session: requests, events, the state that they change, and who is told of them.

Everything runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from remora_client._sessions._debugpy import in_a_line
from remora_client._sessions._state import State, reduce
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._connecting._connect import Link
    from remora_client._model import Frame, Task
    from remora_client._source._localsource import LocalSources
    from remora_protocol import Response

__all__ = ["Conversation"]


class Conversation:
    """A link and what is known from it. `Session` is what others use."""

    def __init__(self, link: Link, sources: LocalSources) -> None:
        self.link = link
        self.sources = sources
        self.state = State()
        self._rpc = link.rpc
        self._changed = asyncio.Event()
        self._listeners: list[Callable[[str, dict[str, Any]], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._selected: Frame | None = None
        self._task: Task | None = None  # looked at in place of a thread
        self._stack: dict[int, list[Frame]] = {}  # by thread, for the current stop
        self._rpc.on_event = self._take_event
        self._rpc.on_end = lambda: self._take_event("remora/gone", {})

    async def request(
        self, command: str, arguments: dict[str, Any] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Any DAP request, as it is. Raises `RequestFailed`, `Gone` or `NoAnswer`.

        What only a Remora has is not asked of others: debugpy would complain to the program's own user, too.
        """
        if command.startswith("remora/") and not self.link.is_remora and not self.has(command):
            raise RequestFailed("unknown-command", f"This server has no {command.removeprefix('remora/')!r}.")
        _, future = self._rpc.send(command, arguments)
        return await self._answer(command, future, timeout)

    async def _answer(
        self, command: str, future: asyncio.Future[Response], timeout: float | None = None
    ) -> dict[str, Any]:
        """Wait for what `_rpc.send` started."""
        try:
            return await self._rpc.answer(command, future, timeout)
        except RequestFailed as error:
            raise in_a_line(self.link, error) from None

    def listen(self, listener: Callable[[str, dict[str, Any]], None]) -> Callable[[], None]:
        """Call `listener(event, body)` for every DAP event, after the state has changed.

        Beside DAP's there are "remora/gone" (the connection ended) and "remora/note" (`{"text"}`,
        something worth saying once, from the client itself). Returns what removes the listener.
        """
        self._listeners.append(listener)

        def remove() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return remove

    def note(self, text: str) -> None:
        """Tell the listeners something worth saying once."""
        self._tell("remora/note", {"text": text})

    def supports(self, capability: str) -> bool:
        """Whether the server announced a DAP capability, for example "supportsGotoTargetsRequest"."""
        return bool(self.state.capabilities.get(capability))

    def has(self, request: str) -> bool:
        """Whether the server has one of Remora's own requests, for example "remora/until"."""
        remora = self.state.capabilities.get("remora")
        requests = remora.get("requests") if isinstance(remora, dict) else None
        return isinstance(requests, list) and request in requests

    @property
    def limits(self) -> list[str]:
        """What this server cannot do, as sentences (from Remora's own part of the capabilities)."""
        remora = self.state.capabilities.get("remora")
        limits = remora.get("limits") if isinstance(remora, dict) else None
        return [each for each in limits if isinstance(each, str)] if isinstance(limits, list) else []

    def _take_event(self, event: str, body: dict[str, Any]) -> None:
        before = self.state
        self.state = reduce(before, event, body)
        if self.state.stop is not before.stop:
            self._selected = self._task = None
            self._stack.clear()
        self._react(event, body)
        self._changed.set()
        self._tell(event, body)

    def _react(self, event: str, body: dict[str, Any]) -> None:
        """What a part of the session does on its own when something happened."""

    def _tell(self, event: str, body: dict[str, Any]) -> None:
        for listener in list(self._listeners):
            try:
                listener(event, body)
            except Exception as error:  # its fault must not end the reading of what the server says
                context = {"message": f"a listener to {event!r} failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)

    def _later(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
