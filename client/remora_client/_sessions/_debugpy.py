"""What debugpy does in its own way, and how this client gets along with it. Runs on the event loop's thread.

It gives the first hundred items of a container whatever page is asked for, the others in buckets beneath
"more". What an expression raises comes with frames of its own. Asked for an exception where there is none, it
writes a traceback into the program's standard error. And a process that a debuggee starts waits for a client
of its own, for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._connecting._connect import connect
from remora_client._connecting._foreign import foreign_name
from remora_client._errors import ClientError
from remora_client._model import Variable, records
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from remora_client._connecting._connect import Link
    from remora_client._model import Stop
    from remora_client._transport._rpc import Rpc

    Request = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]

__all__ = ["in_a_line", "is_debugpy", "let_child_go", "may_ask_for_exception", "page_of"]

_SECONDS = 10.0
# What it puts among the items of a container.
_NO_ITEMS = frozenset({"special variables", "function variables", "len()", "Unable to handle:"})
_BUCKET = re.compile(r"\[(\d+):(\d+)\]\Z")


def is_debugpy(link: Link) -> bool:
    """Whether it is debugpy that a link leads to."""
    return not link.is_remora and foreign_name(link.rpc.head).startswith("debugpy")


def in_a_line(link: Link, error: RequestFailed) -> RequestFailed:
    """A refusal without the frames that come along: the last line of a traceback is what happened."""
    if link.is_remora or not error.text.startswith("Traceback "):
        return error
    return RequestFailed(error.code, error.text.rstrip().rpartition("\n")[2], error.show_user)


def may_ask_for_exception(link: Link, stop: Stop | None) -> bool:
    """Whether to ask for the exception that the program stands at does no harm."""
    return link.is_remora or stop is None or stop.reason == "exception"


async def page_of(request: Request, reference: int, start: int, count: int | None) -> list[Variable]:
    """Some of the items of a container, out of its buckets."""
    end = None if count is None else start + count
    found: list[Variable] = []

    async def walk(reference: int, position: int) -> int:
        """The position after what is beneath a reference."""
        body = await request("variables", {"variablesReference": reference})
        for each in map(Variable.from_dap, records(body, "variables")):
            if end is not None and position >= end:
                break
            bucket = _BUCKET.match(each.name)
            if bucket and each.reference and int(bucket[2]) <= start:
                position = int(bucket[2])
            elif each.reference and (bucket or each.name == "more"):
                position = await walk(each.reference, int(bucket[1]) if bucket else position)
            elif each.name not in _NO_ITEMS:
                if position >= start:
                    found.append(each)
                position += 1
        return position

    await walk(reference, 0)
    return found


async def let_child_go(link: Link, body: dict[str, Any]) -> bool:
    """Come to a child that waits for a client, as the event `debugpyAttach` says, and leave it at once.

    Only the port is believed: it is on the machine where the debuggee is. Gives whether that worked.
    """
    place = body.get("connect")
    port = place.get("port") if isinstance(place, dict) else None
    if link.qualifier is None or not isinstance(port, int) or not 0 < port < 65536:
        return False
    try:
        child = await connect(replace(link.qualifier, port=port, pid=None), link.options)
        try:
            async with asyncio.timeout(_SECONDS):
                await _come_and_go(child.rpc, {key: body[key] for key in ("subProcessId",) if key in body})
        finally:
            await child.close()
    except (ClientError, RequestFailed, OSError, TimeoutError):
        return False
    return True


async def _come_and_go(rpc: Rpc, arguments: dict[str, Any]) -> None:
    initialized = asyncio.Event()
    rpc.on_event = lambda name, _: initialized.set() if name == "initialized" else None
    await rpc.request("initialize", {"adapterID": "remora", "pathFormat": "path"})
    _, attached = rpc.send("attach", arguments)
    ready = asyncio.ensure_future(initialized.wait())
    try:
        await asyncio.wait((attached, ready), return_when=asyncio.FIRST_COMPLETED)
        if attached.done():
            await rpc.answer("attach", attached)  # raises when it was refused
        await ready
    finally:
        ready.cancel()
    await rpc.request("configurationDone", {})
    await rpc.answer("attach", attached)
    with contextlib.suppress(RequestFailed):
        await rpc.request("disconnect", {"terminateDebuggee": False})
