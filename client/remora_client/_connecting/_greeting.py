"""Hearing who speaks first: an old ptvsd greets, and is harmed by bytes it does not expect. Event loop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from remora_client import _ptvsd
from remora_client._transport import _dial, _met

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

__all__ = ["listen", "listen_secured"]

_SECONDS = 0.1
_SIZE = 4096
# One that is known to greet may be held up: it talks to one client at a time.
_KNOWN_SECONDS = 3.0


async def listen(sock: socket.socket, place: str, left: float) -> bytes:
    """What a server says by itself within the first moments, of which there are `left` seconds at most."""
    loop = asyncio.get_running_loop()
    return await _heard(lambda: loop.sock_recv(sock, _SIZE), _patience(place, _dial.round_trip(sock)), left)


async def listen_secured(reader: asyncio.StreamReader, place: str, left: float) -> bytes:
    """The same, within TLS."""
    return await _heard(lambda: reader.read(_SIZE), _patience(place, 0.0), left)


def _patience(place: str, round_trip: float) -> float:
    """How long to wait for a greeting: longer on a slow line, and where there has been one before."""
    return _KNOWN_SECONDS if _met.greets(place) else max(_SECONDS, 2 * round_trip)


async def _heard(read: Callable[[], Awaitable[bytes]], seconds: float, left: float) -> bytes:
    """What comes, all of it when it is the beginning of a greeting."""
    said = b""
    end = asyncio.get_running_loop().time() + left
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(min(seconds, left)) as limit:
            while not said or _ptvsd.incomplete(said):
                data = await read()
                if not data:
                    break
                said += data
                limit.reschedule(min(end, asyncio.get_running_loop().time() + _KNOWN_SECONDS))
    return said
