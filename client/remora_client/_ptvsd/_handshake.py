"""The first words with an old ptvsd, up to the session. Runs on the event loop.

Every way out that is not the whole way through ends with a reset, never with an orderly close: that is
the one thing that none of these servers is harmed by.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from remora_client._errors import ConnectError, NotARemora, Rejected, SecretNeeded, TimedOut, VersionMismatch
from remora_client._ptvsd._binary import NUMBER, BinaryCodec
from remora_client._ptvsd._json import NUMBERS, JsonCodec
from remora_client._ptvsd._records import Attached, Greeting, Info, Verdict
from remora_client._ptvsd._wire import Ended, Wire
from remora_client._text import visible
from remora_protocol import RemoteProtocolError

if TYPE_CHECKING:
    from remora_client._credentials._secrets import Secret
    from remora_client._ptvsd._codec import Codec
    from remora_client._ptvsd._records import Said

__all__ = [
    "ask_info",
    "attach",
    "first_bytes",
    "log_in",
    "meet",
    "server_name",
]

_CLOSE_SECONDS = 2.0
_NAMES = {
    1: "ptvsd of 2013 (protocol 1)",
    2: "ptvsd of 2013 (protocol 2)",
    3: "ptvsd of 2014 (protocol 3)",
    4: "ptvsd 2.1 (protocol 4)",
    5: "ptvsd of early 2015 (protocol 5)",
    6: "ptvsd 2.2 or 3.0 (protocol 6)",
    7: "ptvsd 3.1 (protocol 7)",
    8: "ptvsd 3.2 (protocol 8)",
}


def server_name(number: int) -> str:
    """Which ptvsd speaks a protocol."""
    return _NAMES.get(number, f"a ptvsd of protocol {number}")


def _codec_for(greeting: bytes) -> Codec:
    return BinaryCodec() if greeting[:1] == b"P" else JsonCodec()


async def meet(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes, place: str, timeout: float
) -> Wire:
    """Read the greeting; what of it came already is given. Refuses a protocol that is not ours."""
    wire = Wire(reader, writer, _codec_for(greeting), greeting)
    try:
        said = await _answer(wire, place, timeout)
        if not isinstance(said, Greeting):
            raise NotARemora(f"{place} greets like a ptvsd and goes on like none.")
        known = NUMBERS if isinstance(wire.codec, JsonCodec) else (NUMBER,)
        if said.number not in known:
            raise await _refused(wire, said.number, place)
    except BaseException:
        wire.abort()
        raise
    return wire


async def first_bytes(reader: asyncio.StreamReader, place: str, timeout: float) -> bytes:
    """What a server that is known to greet greets with."""
    try:
        async with asyncio.timeout(timeout):
            data = await reader.read(4096)
    except (TimeoutError, OSError):
        data = b""
    if not data:
        raise TimedOut(
            f"{place} was an old ptvsd, and does not greet now.",
            "It talks to one client at a time: another one may hold the line. Or the program is frozen.",
        )
    return data


async def _refused(wire: Wire, number: int, place: str) -> VersionMismatch:
    """Our own words have to come before we go, so that the server closes its side by itself."""
    wire.send(wire.codec.refuse())
    await wire.end(_CLOSE_SECONDS)
    return VersionMismatch(
        f"{place} is {server_name(number)}, which Remora does not speak.",
        "It speaks protocol 6 (ptvsd 2.2 and 3.0), 7 (3.1) and 8 (3.2). The program needs one of these.",
    )


async def log_in(wire: Wire, secret: Secret | None, place: str, timeout: float) -> None:
    """Send the secret, in clear: these protocols know no other way."""
    wire.send(wire.codec.log_in(secret.text if secret is not None else ""))
    if await _answer(wire, place, timeout) == Verdict(True):
        return
    wire.abort()
    if secret is None:
        raise SecretNeeded(
            f"{place} wants a secret, and none was given.",
            "Put it before the host (tcp://SECRET@host), into a file for --secret-file, or into "
            "REMORA_SECRET.",
        )
    remedy = "Is it the secret that the program passed to ptvsd.enable_attach?"
    if not secret.text.isascii():
        remedy += (
            " On Python 2 a secret with other letters than ASCII can only match where the program wrote it "
            "as a unicode literal, u'...'."
        )
    raise Rejected(f"{place} rejects the secret given {secret.origin}.", remedy)


async def ask_info(wire: Wire, place: str, timeout: float) -> Info:
    """What the process is. Ends the connection: the server waits for that."""
    wire.send(wire.codec.ask_info())
    said = await _answer(wire, place, timeout)
    wire.abort()
    if not isinstance(said, Info):
        raise _strange(place, said)
    return said


async def attach(wire: Wire, place: str, timeout: float) -> Attached | None:
    """Begin the session. None: somebody is attached, or the server believes so."""
    wire.send(wire.codec.attach())
    said = await _answer(wire, place, timeout)
    if isinstance(said, Attached):
        return said
    wire.abort()
    if said == Verdict(False):
        return None
    raise _strange(place, said)


async def _answer(wire: Wire, place: str, timeout: float) -> Said:
    try:
        async with asyncio.timeout(timeout):
            return await wire.next()
    except TimeoutError:
        wire.abort()
        raise TimedOut(
            f"{place} is an old ptvsd, and did not go on within {timeout:.3g} s.",
            "It talks to one client at a time: another one may hold the line. Or the program is frozen.",
        ) from None
    except Ended as ended:
        wire.abort()
        raise ConnectError(f"{place} is an old ptvsd, and hung up: {visible(str(ended))}.") from None
    except RemoteProtocolError as error:
        wire.abort()
        raise NotARemora(f"{place} greets like a ptvsd. {visible(str(error))}") from None


def _strange(place: str, said: object) -> NotARemora:
    return NotARemora(f"{place} greets like a ptvsd and answers like none ({type(said).__name__}).")
