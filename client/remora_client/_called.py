"""Being called: a program that nobody can connect to connects to us (`remora.connect`, `remora listen`).

Only TCP's direction is turned around. We speak first, check the program's certificate, and both sides prove
the secret, as ever. Anybody may call: who fails the login is told of and hung up on, and the next one may be
the right one. Runs on the event loop.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from remora_client import _dial, _tls
from remora_client._connect import Link, link_over
from remora_client._errors import ClientError, ConnectError, TlsFailed, UsageError
from remora_client._secrets import Secret, find_secret
from remora_client._text import visible
from remora_client._wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._certificates import CertificateProblem
    from remora_client._options import ConnectOptions
    from remora_protocol import Qualifier

__all__ = ["wait_for_call"]

# A caller who says nothing keeps the others waiting.
_MOST_SECONDS = 5.0


async def wait_for_call(
    qualifier: Qualifier, options: ConnectOptions, listening: Callable[[str], object]
) -> Link:
    """Listen at the qualifier's address until a program calls and the login is through.

    Args:
        listening: told the address when it is bound.

    Raises:
        UsageError: there is no secret, and others than this machine's programs could call.
        ConnectError: the address cannot be had.
    """
    secret = _secret(qualifier, options)
    sock = await _bind(qualifier, options)
    accepted: list[str] = []
    ask = options.ask_certificate

    def ask_once(problem: CertificateProblem) -> Literal["no", "once", "always"]:
        """While a person thinks about it, the call ends; the answer holds for the next one, too."""
        answer = ask(problem) if ask is not None else "no"
        if answer != "no":
            accepted.append(problem.certificate.sha256)
        return answer

    try:
        listening(f"{qualifier.scheme}://{_dial.endpoint(*sock.getsockname()[:2])}")
        while True:
            caller = await _accept(sock)
            name = visible(_dial.endpoint(*caller.getpeername()[:2]))
            known = accepted[-1] if accepted else options.fingerprint
            wanted = replace(options, fingerprint=known, ask_certificate=ask_once if ask else None)
            try:
                return await _log_in(caller, name, qualifier, wanted, secret, sock)
            except (ClientError, OSError) as error:
                caller.close()
                options.note(f"{name} called, and was not let in. {visible(str(error))}")
    finally:
        sock.close()


def _secret(qualifier: Qualifier, options: ConnectOptions) -> Secret | None:
    secret = find_secret(qualifier, options)
    if secret is None and options.ask_secret is not None:
        asked = options.ask_secret(str(qualifier))
        secret = Secret(asked, "as typed") if asked else None
    host = qualifier.host
    if secret is None and host not in ("localhost", "::1") and not host.startswith("127."):
        raise UsageError(
            f"Anybody could call {host} and pass for your program: a secret is needed.",
            "The same as in remora.connect(…, secret=…): --secret-file, REMORA_SECRET, or before the '@'.",
        )
    return secret


async def _bind(qualifier: Qualifier, options: ConnectOptions) -> socket.socket:
    place = _dial.endpoint(*qualifier.address)
    family, address = (await _dial.resolve(*qualifier.address, options.timeout))[0]
    try:
        sock = socket.create_server(address[:2], family=family, backlog=64)
    except OSError as error:
        raise ConnectError(
            f"Nothing can listen on {visible(place)} here: {error.strerror or error}.",
            "Is it an address of this machine, and is the port free?",
        ) from None
    sock.setblocking(False)
    return sock


async def _accept(sock: socket.socket) -> socket.socket:
    caller, _ = await asyncio.get_running_loop().sock_accept(sock)
    _dial.tune(caller)
    return caller


async def _log_in(  # noqa: PLR0917
    caller: socket.socket,
    name: str,
    qualifier: Qualifier,
    options: ConnectOptions,
    secret: Secret | None,
    sock: socket.socket,
) -> Link:
    options = replace(options, timeout=min(options.timeout, _MOST_SECONDS))
    if not qualifier.tls:
        reader, writer = await asyncio.open_connection(sock=caller)
        return await link_over(Wire(reader, writer, b""), f"tcp://{name}", options, secret)
    waiting = [caller]

    async def dial() -> socket.socket:
        # After a person was asked the program has to call once more, which it does by itself.
        return waiting.pop() if waiting else await _accept(sock)

    host = caller.getpeername()[0]
    try:
        streams = await _tls.secure(_dial.endpoint(host, qualifier.port), host, options, dial)
    except _tls.HandshakeFailed as failed:
        raise TlsFailed(
            f"The TLS handshake failed: {visible(str(failed.error))}.",
            "Was the program given a certificate (certfile=…)? Without one: remora listen tcp://…",
        ) from None
    wire = Wire(streams.reader, streams.writer, b"", streams.certificate, streams.by_hand)
    return await link_over(wire, f"tcps://{name}", options, secret)
