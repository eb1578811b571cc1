"""A connection to an old ptvsd: asyncio streams on one side, a codec on the other. Runs on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remora_client._ptvsd._codec import Codec
    from remora_client._ptvsd._records import Said

__all__ = ["Ended", "Wire"]

_CHUNK = 64 * 1024
_RESET = struct.pack("ii", 1, 0)
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class Ended(ConnectionError):
    """The server closed the connection, or it broke."""


class Wire:
    """Sends commands, hands out records. One task reads."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, codec: Codec, received: bytes = b""
    ) -> None:
        self.codec = codec
        self._reader, self._writer = reader, writer
        codec.receive(received)

    def send(self, data: bytes) -> None:
        """Send without waiting: commands are small."""
        if data:
            self._writer.write(data)

    async def next(self) -> Said:
        """The next record. Raises `Ended` or `RemoteProtocolError`."""
        while (said := self.codec.next()) is None:
            self.codec.receive(await self.raw())
        return said

    async def raw(self) -> bytes:
        """Some bytes. Raises `Ended`."""
        try:
            # Again before every read: the kernel forgets it. The server writes in small pieces with
            # Nagle's algorithm on, so each acknowledgement that waits costs 40 ms.
            self._acknowledge_quickly()
            data = await self._reader.read(_CHUNK)
        except OSError as error:
            raise Ended(error.strerror or str(error)) from None
        if not data:
            raise Ended("the server closed the connection")
        return data

    async def end(self, timeout: float) -> None:
        """Wait for the server's end, whatever comes before it."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(timeout):
                while await self._reader.read(_CHUNK):
                    pass

    def abort(self) -> None:
        """Hang up with a reset: an orderly end in the wrong moment sends the server round in circles."""
        sock = self._writer.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()

    def _acknowledge_quickly(self) -> None:
        sock = self._writer.get_extra_info("socket")
        if sock is not None and _QUICKACK is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
