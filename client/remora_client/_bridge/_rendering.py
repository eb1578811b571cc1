"""Values in answers to the editor, as the person's own renderers show them.

A renderer asks for what is in its value, over the session's connection and between the editor's own requests;
so an answer with such a value comes a little later than it was read. What takes too long stays as the program
shows it. Everything runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Protocol

from remora_client._model import Variable, records
from remora_client._sessions._session import Session
from remora_client._source._localsource import LocalSources

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._connecting._connect import Link
    from remora_client._model import Value
    from remora_protocol import Request

__all__ = ["Renderers", "Rendering"]

_SECONDS = 4.0  # that all values of one answer may take; one alone has less
_KEYS = {"evaluate": "result", "setExpression": "value", "setVariable": "value", "variables": "value"}


class Renderers(Protocol):
    """What shows values of some types."""

    def knows(self, type_name: str) -> bool:
        """Whether there is one for a type."""

    async def text(self, session: Session, value: Value) -> str | None:
        """What it makes of a value; None where it has nothing to say."""


class Rendering:
    """The renderers at work on one connection. What goes wrong in one is told with `say`."""

    def __init__(self, link: Link, renderers: Renderers, say: Callable[[str], None]) -> None:
        self._renderers = renderers
        on_event, on_end = link.rpc.on_event, link.rpc.on_end
        self._session = Session(link, LocalSources())
        link.rpc.on_event, link.rpc.on_end = on_event, on_end  # what happens is the editor's to hear
        self._session.listen(lambda event, body: None if link.rpc.end else say(str(body.get("text", ""))))

    def rows(self, request: Request, body: Any) -> list[dict[str, Any]]:
        """What is to be shown in another way in an answer: most often nothing."""
        if request.command not in _KEYS or not isinstance(body, dict):
            return []
        if request.arguments.get("context") == "clipboard":  # what is copied is the program's
            return []
        rows = records(body, "variables") if request.command == "variables" else [body]
        return [each for each in rows if self._renderers.knows(str(each.get("type", "")))]

    async def render(self, request: Request, rows: list[dict[str, Any]]) -> None:
        """Change these rows in place."""
        key = _KEYS[request.command]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS):
                for each in rows:
                    text = await self._renderers.text(self._session, Variable.from_dap(each, key))
                    if text is not None:
                        each[key] = text
