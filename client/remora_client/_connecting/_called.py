"""Being called: a program that nobody can connect to connects to us (`remora.connect`, `remora listen`).

Only TCP's direction is turned around. We speak first, check the program's certificate, and both sides prove
the secret, as ever. Anybody may call: who fails the login is told of and hung up on, and the next one may be
the right one. Runs on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._connecting._connect import Link, link_over
from remora_client._connecting._wire import Wire
from remora_client._credentials._secrets import Secret, find_secret
from remora_client._errors import ClientError, ConnectError, TlsFailed, UsageError
from remora_client._text import visible
from remora_client._transport import _dial, _tls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from remora_client._credentials._certificates import Answer, CertificateProblem
    from remora_client._options import ConnectOptions
    from remora_protocol import Qualifier

__all__ = ["wait_for_call"]

# Strangers may call, too: so many at once, for so long.
_MOST_SECONDS = 5.0
_MOST_CALLERS = 16


async def wait_for_call(
    qualifier: Qualifier, options: ConnectOptions, listening: Callable[[str], object] = lambda place: None
) -> Link:
    """Listen at the qualifier's address until a program calls and the login is through.

    When its connection is lost, the link can wait there for the program to call again.

    Args:
        listening: told the address when it is bound.

    Raises:
        UsageError: there is no secret, and others than this machine's programs could call.
        ConnectError: the address cannot be had.
    """
    secret = _secret(qualifier, options)
    sock = await _bind(qualifier, options)
    port = sock.getsockname()[1]
    try:
        listening(f"{qualifier.scheme}://{_dial.endpoint(*sock.getsockname()[:2])}")
        link = await _Callers(sock, qualifier, options, secret).the_right_one()
    finally:
        sock.close()
    again = replace(qualifier, port=port, secret=None if secret is None else secret.text)
    link.wait_again = lambda wanted: wait_for_call(again, wanted)
    return link


class _Callers:
    """All who have called and not logged in: the first who does is the right one, and waits for none."""

    def __init__(
        self, sock: socket.socket, qualifier: Qualifier, options: ConnectOptions, secret: Secret | None
    ) -> None:
        self._sock = sock
        self._qualifier = qualifier
        self._options = options
        self._secret = secret
        self._tasks: dict[asyncio.Task[None], None] = {}  # in the order in which they came
        self._awaited: deque[asyncio.Future[socket.socket]] = deque()
        self._accepted: list[str] = []  # fingerprints, by a person
        self._found: asyncio.Future[Link] = asyncio.get_running_loop().create_future()

    async def the_right_one(self) -> Link:
        """Wait for it."""
        accepting = asyncio.ensure_future(self._accept())
        either: set[asyncio.Future[Any]] = {accepting, self._found}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not self._found.done():
                accepting.result()  # raises why nobody can be accepted any more
            return await self._found
        finally:
            tasks = [accepting, *self._tasks]
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self) -> None:
        while True:
            caller, _ = await asyncio.get_running_loop().sock_accept(self._sock)
            with contextlib.suppress(OSError):  # it has gone again
                _dial.tune(caller)
            if self._awaited:
                self._awaited.popleft().set_result(caller)
                continue
            if len(self._tasks) >= _MOST_CALLERS:
                next(iter(self._tasks)).cancel()  # whoever came first and has not said enough
            task = asyncio.ensure_future(self._hear(caller))
            self._tasks[task] = None
            task.add_done_callback(lambda task: self._tasks.pop(task, None))

    async def _hear(self, caller: socket.socket) -> None:
        try:
            name = visible(_dial.endpoint(*caller.getpeername()[:2]))
        except OSError:  # it has gone again
            caller.close()
            return
        ask = self._options.ask_certificate
        known = self._accepted[-1] if self._accepted else self._options.fingerprint
        wanted = replace(
            self._options,
            fingerprint=known,
            ask_certificate=self._ask if ask is not None else None,
            timeout=min(self._options.timeout, _MOST_SECONDS),
        )
        try:
            link = await _log_in(caller, name, self._qualifier, wanted.begin(), self._secret, self._next)
        except (ClientError, OSError) as error:
            caller.close()
            self._options.note(f"{name} called, and was not let in. {visible(str(error))}")
        except asyncio.CancelledError:
            caller.close()
            raise
        else:
            link.options = replace(self._options, fingerprint=known)
            if self._found.done():
                await link.close()
            else:
                self._found.set_result(link)

    def _ask(self, problem: CertificateProblem) -> Answer:
        """While a person thinks about it, the call ends; the answer holds for the next one, too."""
        if problem.certificate.sha256 in self._accepted:  # another call of the same program has asked
            return "once"
        ask = self._options.ask_certificate
        answer = ask(problem) if ask is not None else "no"
        if answer != "no":
            self._accepted.append(problem.certificate.sha256)
        return answer

    async def _next(self) -> socket.socket:
        """The next one who calls: after a person was asked the program does, by itself."""
        future: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()
        self._awaited.append(future)
        try:
            return await future
        finally:
            if future in self._awaited:
                self._awaited.remove(future)


def _secret(qualifier: Qualifier, options: ConnectOptions) -> Secret | None:
    secret = find_secret(qualifier, options)
    if secret is None and options.ask_secret is not None:
        asked = options.ask_secret(str(qualifier))
        secret = Secret(asked, "as typed") if asked else None
    host = qualifier.host
    if secret is None and not _dial.is_loopback(host):
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


async def _log_in(  # noqa: PLR0917
    caller: socket.socket,
    name: str,
    qualifier: Qualifier,
    options: ConnectOptions,
    secret: Secret | None,
    next_caller: Callable[[], Awaitable[socket.socket]],
) -> Link:
    if not qualifier.tls:
        reader, writer = await asyncio.open_connection(sock=caller)
        return await link_over(Wire(reader, writer, b""), f"tcp://{name}", options, secret)
    waiting = [caller]

    async def dial() -> socket.socket:
        return waiting.pop() if waiting else await next_caller()

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
