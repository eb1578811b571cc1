"""From a snapshot's file to a link, as if a server stood there. Runs on the event loop's thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

from remora_client._connecting._connect import Link
from remora_client._snapshot._adapter import Adapter
from remora_client._snapshot._file import SnapshotError, read_snapshot
from remora_client._transport._rpc import Rpc
from remora_protocol import (
    AFTER_LOGIN_LIMIT,
    Connection,
    RemoteProtocolError,
    Request,
    RequestFailed,
    read_processes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_protocol import Message

__all__ = ["link_to_snapshot"]

_CHUNK = 64 * 1024
_tasks: set[asyncio.Task[None]] = set()  # the loop itself keeps only weak references


async def link_to_snapshot(path: str, trace: Callable[[str, Message], None] | None = None) -> Link:
    """Open a file. Raises `SnapshotError`."""
    snapshot = await asyncio.to_thread(read_snapshot, path)
    process = _process(snapshot.document, path)
    adapter = Adapter(snapshot, process)
    ours, theirs = socket.socketpair()
    rpc = Rpc(*await asyncio.open_connection(sock=ours), peer=path, trace=trace)
    rpc.lift_limits(AFTER_LOGIN_LIMIT)
    task = asyncio.get_running_loop().create_task(
        _serve(adapter, *await asyncio.open_connection(sock=theirs))
    )
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return Link(rpc, path, server="snapshot", is_snapshot=True)


def _process(document: dict[str, Any], path: str) -> dict[str, Any]:
    """What the process was, checked as a server's word would be."""
    try:
        (found,) = read_processes({"processes": [document.get("process")]})
    except (RemoteProtocolError, ValueError):
        raise SnapshotError(f"{path} is a damaged snapshot: it does not say what the process was.") from None
    return {**found, "state": "stopped", "attachedBy": None}


async def _serve(adapter: Adapter, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer until the other end is closed."""
    connection = Connection(AFTER_LOGIN_LIMIT)
    try:
        with contextlib.suppress(OSError, RemoteProtocolError):
            while data := await reader.read(_CHUNK):
                connection.receive_data(data)
                while (message := connection.next_message()) is not None:
                    if isinstance(message, Request):
                        writer.write(_answer(adapter, connection, message))
                await writer.drain()
    finally:
        writer.close()


def _answer(adapter: Adapter, connection: Connection, request: Request) -> bytes:
    try:
        data = connection.respond(request, adapter.answer(request.command, request.arguments))
    except RequestFailed as error:
        return connection.fail(request, error)
    except Exception as error:  # a file that says something that nobody has thought of
        return connection.fail(request, RequestFailed("failed", f"The snapshot is damaged: {error!r}"))
    return data + b"".join(connection.event(*each) for each in adapter.events_after(request.command))
