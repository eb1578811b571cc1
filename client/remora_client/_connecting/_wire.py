"""From a host's port to a connection on which a hello can be said: TCP, a greeting if there is one, TLS.

Every failure names the layer and what to do next. Runs on the event loop.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from remora_client._connecting import _diagnosis, _greeting
from remora_client._records import record
from remora_client._transport import _dial, _met, _tls

if TYPE_CHECKING:
    from remora_client._options import ConnectOptions
    from remora_protocol import Qualifier

__all__ = ["Wire", "open_plain", "open_tls"]


@record
class Wire:
    """A connection on which a hello can be said. A greeting is DAP or an old ptvsd's, or there is none."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    greeting: bytes
    certificate: bytes | None = None
    certificate_by_hand: bool = False


async def open_plain(qualifier: Qualifier, place: str, options: ConnectOptions) -> Wire:
    """Connect without TLS. Raises a `ConnectError`."""
    sock = await _dial.dial(*qualifier.address, options.left)
    greeting = b"" if _met.is_silent(place) else await _heard(sock, place, options)
    _refuse_greeting(sock, place, greeting)
    reader, writer = await asyncio.open_connection(sock=sock)
    return Wire(reader, writer, greeting)


async def _heard(sock: socket.socket, place: str, options: ConnectOptions) -> bytes:
    """What the server says by itself. When the waiting is given up, so is the connection."""
    try:
        return await _greeting.listen(sock, place, options.left)
    except BaseException:
        _dial.abort(sock)
        raise


async def open_tls(qualifier: Qualifier, place: str, options: ConnectOptions) -> Wire:
    """Connect through TLS, with a certificate that is trusted. Raises a `ConnectError`."""
    known = _met.is_silent(place)

    async def dial() -> socket.socket:
        sock = await _dial.dial(*qualifier.address, options.left)
        said = b"" if known else await _heard(sock, place, options)
        if said:
            _dial.abort(sock)
            raise _diagnosis.greeting_before_tls(place, said)
        _dial.reset_on_close(sock)  # until the handshake is done: an orderly end would break an old ptvsd
        return sock

    try:
        streams = await _tls.secure(place, qualifier.host, options, dial)
    except _tls.HandshakeFailed as failed:
        if not options.left:  # for a look at what it may be instead
            raise _tls.explain(place, failed.error, options) from None
        if not options.legacy_tls and (old := await _tls.old_version(qualifier.host, options, dial)):
            raise _tls.too_old(place, old) from None
        plain = await _diagnosis.probe_plain(*qualifier.address, options.left)
        raise (plain or _tls.explain(place, failed.error, options)) from None
    _dial.reset_on_close(streams.writer.get_extra_info("socket"), False)
    greeting = b""
    if not known:
        greeting = await _greeting.listen_secured(streams.reader, place, options.left)
        _refuse_greeting(streams.writer.transport, place, greeting)
    return Wire(streams.reader, streams.writer, greeting, streams.certificate, streams.by_hand)


def _refuse_greeting(connection: socket.socket | asyncio.WriteTransport, place: str, greeting: bytes) -> None:
    error = _diagnosis.greeting_error(place, greeting)
    if error is None:
        return
    if isinstance(connection, socket.socket):
        _dial.abort(connection)
    else:
        connection.abort()
    raise error
