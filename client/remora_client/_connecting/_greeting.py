"""Hearing who speaks first: an old ptvsd greets, and is harmed by bytes it does not expect. Event loop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from remora_client import _ptvsd
from remora_client._transport import _dial, _met

if TYPE_CHECKING:
    import socket

__all__ = ["listen", "listen_secured"]

_SECONDS = 0.1
_LOOK_EVERY = 0.005
_SIZE = 4096
# One that is known to greet may be held up: it talks to one client at a time.
_KNOWN_SECONDS = 3.0


async def listen(sock: socket.socket, place: str, left: float) -> bytes:
    """What a server says by itself within the first moments, of which there are `left` seconds at most.

    All of it when it is the beginning of a greeting. It looks again and again, and once more at the end: a
    read that is cancelled may have taken the greeting already: on a busy machine it was swallowed like that.
    """
    said = b""
    now = asyncio.get_running_loop().time
    last, end = now() + left, now() + _patience(place, _dial.round_trip(sock))
    while not said or _ptvsd.incomplete(said):
        is_over = now() >= min(last, end)
        try:
            data = sock.recv(_SIZE)
        except BlockingIOError:
            if is_over:
                break
            await asyncio.sleep(_LOOK_EVERY)
            continue
        except OSError:
            break
        if not data:
            break
        said += data
        end = now() + _KNOWN_SECONDS
    return said


async def listen_secured(reader: asyncio.StreamReader, place: str, left: float) -> bytes:
    """The same, within TLS. What comes while a read is cancelled stays in the reader."""
    said = b""
    end = asyncio.get_running_loop().time() + left
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(min(_patience(place, 0.0), left)) as limit:
            while not said or _ptvsd.incomplete(said):
                data = await reader.read(_SIZE)
                if not data:
                    break
                said += data
                limit.reschedule(min(end, asyncio.get_running_loop().time() + _KNOWN_SECONDS))
    return said


def _patience(place: str, round_trip: float) -> float:
    """How long to wait for a greeting: longer on a slow line, and where there has been one before."""
    return _KNOWN_SECONDS if _met.greets(place) else max(_SECONDS, 2 * round_trip)
