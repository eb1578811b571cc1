"""The bridge on a loopback port, for editors that connect and do not start programs. One session each.

Whoever reaches the port could use the secret that this bridge was given, so it is open to this machine
only, and where the system tells whose a connection is (Linux), to this user only.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import sys
from typing import TYPE_CHECKING

from remora_client._bridge._editor import Editor
from remora_client._errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from remora_protocol import Message

__all__ = ["listen", "owner_of_peer", "parse_listen"]


def parse_listen(text: str) -> tuple[str, int]:
    """`HOST:PORT`, with a host of this machine only. Raises `UsageError`."""
    host, colon, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65535 or (not colon and not port):
        raise UsageError(f"--listen {text}: HOST:PORT is needed, as in 127.0.0.1:5679.")
    address = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise UsageError(
            f"--listen {text}: the bridge listens on this machine only.",
            "Whoever reaches it needs no secret. Use 127.0.0.1 or [::1].",
        )
    return address, int(port)


async def listen(
    place: tuple[str, int],
    serve: Callable[[Editor], Awaitable[None]],
    ready: Callable[[str], None],
    trace: Callable[[str, Message], None] | None,
) -> None:
    """Serve every editor that connects, until cancelled: then each program is left as it should be."""
    sessions: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(connected(reader, writer))
        sessions.add(task)
        task.add_done_callback(sessions.discard)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not _is_ours(writer):
            writer.close()
            return
        try:
            await serve(Editor(reader, writer.write, writer.close, trace))
        finally:
            writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    try:
        server = await asyncio.start_server(accept, *place)
    except OSError as error:
        raise UsageError(f"Cannot listen on {place[0]}:{place[1]}: {error.strerror or error}") from None
    host, port = server.sockets[0].getsockname()[:2]
    ready(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    try:
        # Not `serve_forever`: before 3.14 its end waits for that of all editors, or tells of their tasks,
        # which are cancelled with it, as of mistakes.
        await asyncio.get_running_loop().create_future()
    finally:
        server.close()
        for each in sessions:
            each.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    if not sys.platform.startswith("linux"):
        return True
    owner = owner_of_peer(writer.get_extra_info("peername"), writer.get_extra_info("sockname"))
    return owner in (None, os.getuid(), 0)


def owner_of_peer(peer: tuple[str, int], own: tuple[str, int]) -> int | None:
    """The user whose connection this is, by the kernel's table; None: it does not say."""
    table = "/proc/net/tcp6" if ":" in peer[0] else "/proc/net/tcp"
    wanted = (peer[1], own[1])
    with contextlib.suppress(OSError, ValueError, IndexError), open(table, encoding="ascii") as lines:
        next(lines)
        for line in lines:
            fields = line.split()
            ports = int(fields[1].rpartition(":")[2], 16), int(fields[2].rpartition(":")[2], 16)
            if ports == wanted and fields[3] == "01":  # established
                return int(fields[7])
    return None
