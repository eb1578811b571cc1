"""From a qualifier to a logged-in connection. Every failure names the layer and what to do next.

Name, TCP, (greeting), TLS, hello, login. When a person has to be asked, the connection is closed first
and made anew after: a server gives nobody more than ten seconds to log in. Runs on the event loop.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from remora_client import _diagnosis, _dial, _greeting, _met, _ptvsd, _tls
from remora_client._errors import (
    Gone,
    NoSuchProcess,
    Rejected,
    SecretNeeded,
    Throttled,
)
from remora_client._options import ConnectOptions
from remora_client._rpc import NoAnswer, Rpc
from remora_client._secrets import Secret, find_secret
from remora_client._text import visible
from remora_protocol import (
    AFTER_LOGIN_LIMIT,
    OBSERVER,
    USER,
    Hello,
    Qualifier,
    RemoteProtocolError,
    RequestFailed,
    ScramClient,
    ScramError,
    __version__,
    authenticate_arguments,
    choose_mechanism,
    hello_arguments,
    read_authenticate_body,
    read_hello_body,
    read_processes,
    tls_server_end_point,
)

if TYPE_CHECKING:
    from remora_protocol import ProcessInfo

__all__ = ["ConnectOptions", "Link", "connect", "connect_local"]

_PATIENCE = 2.0
_DEFAULT = ConnectOptions()


@dataclass
class Link:
    """A connection that is logged in. `is_remora` is False for any other DAP server."""

    rpc: Rpc
    address: str  # how to show it: tcps://host:port, or local:PID
    is_remora: bool = True
    server: str = ""  # "remora 0.1.0"
    certificate: bytes | None = None  # DER
    certificate_by_hand: bool = False
    qualifier: Qualifier | None = None
    options: ConnectOptions = _DEFAULT
    secret: Secret | None = None
    proved: bool = False  # both sides have proved that they know the secret
    is_snapshot: bool = False  # nothing runs behind it: a file answers
    ptvsd: _ptvsd.Door | None = None  # an old ptvsd; `rpc` speaks DAP for it, once it was opened
    is_relayed: bool = False  # the process that was opened is behind another one's port

    async def processes(self) -> list[ProcessInfo]:
        """The processes behind this address."""
        if self.ptvsd is not None:
            return [self.ptvsd.process]
        try:
            return read_processes(await self.rpc.request("remora/processes", {}, self.options.timeout))
        except RemoteProtocolError as error:
            raise Gone(f"{self.address} does not keep to the protocol: {visible(str(error))}") from None

    async def open(self, pid: int) -> None:
        """From here on this connection is one to that process, which may want a login of its own."""
        if self.ptvsd is not None:
            await self.ptvsd.open()
            return
        try:
            body = await self.rpc.request("remora/open", {"pid": pid}, self.options.timeout)
        except RequestFailed as error:
            raise NoSuchProcess(
                visible(str(error)), f"remora ls {self.address} shows what is there."
            ) from None
        if body.get("relayed"):
            self.is_relayed = True
            await _log_in(self, await _hello(self))

    async def close(self) -> None:
        """Hang up."""
        await self.rpc.close()
        if self.ptvsd is not None:
            self.ptvsd.close()


async def connect(qualifier: Qualifier, options: ConnectOptions = _DEFAULT) -> Link:
    """Connect and log in. Raises a `ConnectError`, or `UsageError` for a file that cannot be read."""
    secret = find_secret(qualifier, options)
    try:
        return await _attempt_patiently(qualifier, options, secret)
    except SecretNeeded:
        if secret is not None or options.ask_secret is None:
            raise
    asked = options.ask_secret(str(qualifier))
    if asked is None:
        raise SecretNeeded(f"{qualifier} wants a secret, and none was given.")
    return await _attempt_patiently(qualifier, options, Secret(asked, "as typed"))


async def connect_local(path: str, pid: int, timeout: float = 5.0) -> Link:
    """Connect to a process of this user on this machine, through its socket in the registry."""
    sock = await _dial.dial_unix(path, timeout)
    reader, writer = await asyncio.open_connection(sock=sock)
    address = f"local:{pid}"
    rpc = Rpc(reader, writer, peer=address)
    link = Link(rpc, address, options=replace(_DEFAULT, timeout=timeout))
    async with _closing_on_error(link):
        await _log_in(link, await _hello(link))
    return link


class _closing_on_error:
    """Close the link when the block fails, or is cancelled."""

    def __init__(self, link: Link) -> None:
        self.link = link

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            await self.link.close()


async def _attempt_patiently(qualifier: Qualifier, options: ConnectOptions, secret: Secret | None) -> Link:
    """The moment's wait that somebody's typing error on this machine costs is not worth an error."""
    try:
        return await _attempt(qualifier, options, secret)
    except Throttled as error:
        if not 0 < error.seconds <= _PATIENCE:
            raise
        await asyncio.sleep(error.seconds + 0.05)
    return await _attempt(qualifier, options, secret)


async def _attempt(qualifier: Qualifier, options: ConnectOptions, secret: Secret | None) -> Link:
    place = _dial.endpoint(*qualifier.address)
    try:
        return await _attempt_once(qualifier, options, secret)
    except _GreetedLate:
        if secret is None or not _met.is_silent(place):
            _met.remember_greeting(place)
        else:
            raise _was_a_remora(place) from None
    return await _attempt_once(qualifier, options, secret)


def _was_a_remora(place: str) -> Rejected:
    """An old ptvsd is sent the secret in clear: whoever can pose as one could have it for the asking."""
    return Rejected(
        f"{place} was a Remora when it was last met, and now greets as an old ptvsd does, which would be "
        "sent the secret in clear. Nothing was sent to it.",
        f"Somebody may stand in between. If you know that a ptvsd is there now, take {place} out of "
        f"{_met.file()}.",
    )


class _GreetedLate(Exception):
    """We spoke, and then a greeting came: it is an old ptvsd on a slow line, and needs another try."""


async def _attempt_once(qualifier: Qualifier, options: ConnectOptions, secret: Secret | None) -> Link:
    place = _dial.endpoint(*qualifier.address)
    wire = await (_open_tls if qualifier.tls else _open_plain)(qualifier, place, options)
    if _ptvsd.greets(wire.greeting):
        return await _ptvsd_link(qualifier, options, secret, wire)
    rpc = Rpc(wire.reader, wire.writer, peer=place, greeting=wire.greeting, trace=options.trace)
    link = Link(
        rpc,
        str(replace(qualifier, pid=None)),
        certificate=wire.certificate,
        certificate_by_hand=wire.certificate_by_hand,
        qualifier=qualifier,
        options=options,
        secret=secret,
    )
    async with _closing_on_error(link):
        hello = None if wire.greeting else await _hello(link)
        if not wire.greeting:
            _met.remember_silent(place)
        if hello is None:  # some other DAP server: no login, and no process list
            _check_no_login(link)
            link.is_remora = False
            rpc.lift_limits(AFTER_LOGIN_LIMIT)
        else:
            async with options.login_turn:
                await _log_in(link, hello)
    return link


async def _ptvsd_link(
    qualifier: Qualifier, options: ConnectOptions, secret: Secret | None, wire: _Wire
) -> Link:
    place = _dial.endpoint(*qualifier.address)
    if secret is not None and _met.is_silent(place):
        wire.writer.transport.abort()
        raise _was_a_remora(place)
    _met.remember_greeting(place)
    door = await _ptvsd.knock(
        wire.reader,
        wire.writer,
        wire.greeting,
        address=qualifier.address,
        place=place,
        options=options,
        secret=secret,
        certificate=wire.certificate,
    )
    return Link(
        door.rpc,
        str(replace(qualifier, pid=None)),
        server=door.server,
        certificate=wire.certificate,
        certificate_by_hand=wire.certificate_by_hand,
        qualifier=qualifier,
        options=options,
        secret=secret,
        ptvsd=door,
    )


@dataclass(frozen=True)
class _Wire:
    """A connection on which a hello can be said. A greeting is DAP or an old ptvsd's, or there is none."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    greeting: bytes
    certificate: bytes | None = None
    certificate_by_hand: bool = False


async def _open_plain(qualifier: Qualifier, place: str, options: ConnectOptions) -> _Wire:
    sock = await _dial.dial(*qualifier.address, options.timeout)
    greeting = b"" if _met.is_silent(place) else await _heard(sock, place)
    _refuse_greeting(sock, place, greeting)
    reader, writer = await asyncio.open_connection(sock=sock)
    return _Wire(reader, writer, greeting)


async def _heard(sock: socket.socket, place: str) -> bytes:
    """What the server says by itself. When the waiting is given up, so is the connection."""
    try:
        return await _greeting.listen(sock, place)
    except BaseException:
        _dial.abort(sock)
        raise


async def _open_tls(qualifier: Qualifier, place: str, options: ConnectOptions) -> _Wire:
    known = _met.is_silent(place)

    async def dial() -> socket.socket:
        sock = await _dial.dial(*qualifier.address, options.timeout)
        said = b"" if known else await _heard(sock, place)
        if said:
            _dial.abort(sock)
            raise _diagnosis.greeting_before_tls(place, said)
        _dial.reset_on_close(sock)  # until the handshake is done: an orderly end would break an old ptvsd
        return sock

    try:
        streams = await _tls.secure(place, qualifier.host, options, dial)
    except _tls.HandshakeFailed as failed:
        if not options.legacy_tls and (old := await _tls.old_version(qualifier.host, options, dial)):
            raise _tls.too_old(place, old) from None
        plain = await _diagnosis.probe_plain(*qualifier.address)
        raise (plain or _tls.explain(place, failed.error, options)) from None
    _dial.reset_on_close(streams.writer.get_extra_info("socket"), False)
    greeting = b""
    if not known:
        greeting = await _greeting.listen_secured(streams.reader, place)
        _refuse_greeting(streams.writer.transport, place, greeting)
    return _Wire(streams.reader, streams.writer, greeting, streams.certificate, streams.by_hand)


def _refuse_greeting(connection: socket.socket | asyncio.WriteTransport, place: str, greeting: bytes) -> None:
    error = _diagnosis.greeting_error(place, greeting)
    if error is None:
        return
    if isinstance(connection, socket.socket):
        _dial.abort(connection)
    else:
        connection.abort()
    raise error


async def _hello(link: Link) -> Hello | None:
    """Say who we are. None: it is a debug adapter, and no Remora."""
    arguments = hello_arguments("remora", __version__)
    try:
        hello = read_hello_body(await link.rpc.request("remora/hello", arguments, link.options.timeout))
    except RequestFailed as error:
        _check_greeting(link)
        if error.code in ("unknown-command", "failed"):
            return None
        raise _diagnosis.hello_refused(link, error) from None
    except (Gone, NoAnswer):
        _check_greeting(link)
        raise _diagnosis.hello_unanswered(link) from None
    except RemoteProtocolError as error:
        _check_greeting(link)
        raise _diagnosis.hello_garbled(link, error) from None
    link.server = visible(f"{hello.server_name} {hello.server_version}")
    return hello


def _check_greeting(link: Link) -> None:
    if _ptvsd.greets(link.rpc.head):
        raise _GreetedLate


async def _log_in(link: Link, hello: Hello | None) -> None:
    """Prove that we know the secret, and have the server prove it."""
    if hello is None:
        raise _diagnosis.not_a_remora(link.address, b"")
    try:
        mechanism = choose_mechanism(hello.mechanisms, tls=link.certificate is not None)
        if mechanism is None:
            _check_no_login(link)
        elif link.secret is None:
            raise SecretNeeded(
                f"{link.address} wants a secret, and none was given.",
                "Put it before the host (tcp://SECRET@host), into a file for --secret-file, or into "
                "REMORA_SECRET.",
            )
        else:
            await _prove(link, link.secret.text, mechanism)
            link.proved = True
    except RequestFailed as error:
        raise _diagnosis.login_refused(link, error) from None
    except ScramError as error:
        raise _diagnosis.login_failed(link, error) from None
    except RemoteProtocolError as error:
        raise _diagnosis.login_garbled(link, error) from None
    except (Gone, NoAnswer) as error:
        raise _diagnosis.login_unanswered(link, error) from None
    link.rpc.lift_limits(AFTER_LOGIN_LIMIT)


def _check_no_login(link: Link) -> None:
    """The server asks for no secret. Where one was given, it has to prove that it knows it."""
    if link.secret is None:
        return
    raise Rejected(
        f"{link.address} asks for no secret, so it has not proved that it knows the one given "
        f"{link.secret.origin}.",
        "It may not be the server that you mean. If it is, leave the secret out.",
    )


async def _prove(link: Link, secret: str, mechanism: str) -> None:
    binding = tls_server_end_point(link.certificate) if link.certificate is not None else None
    try:
        user = OBSERVER if link.options.observe else USER
        client = ScramClient(secret, mechanism, channel_binding=binding, user=user)
    except ValueError as error:
        raise Rejected(f"The secret cannot be used: {error}") from None
    data = await _exchange(link, mechanism, client.first(), last=False)
    # Off the loop: a server may ask for up to a second of hashing.
    final = await asyncio.to_thread(client.receive, data)
    client.finish(await _exchange(link, mechanism, final, last=True))


async def _exchange(link: Link, mechanism: str, data: bytes, *, last: bool) -> bytes:
    arguments = authenticate_arguments(mechanism, data)
    answer, done = read_authenticate_body(
        await link.rpc.request("remora/authenticate", arguments, link.options.timeout)
    )
    if done is not last:
        raise RemoteProtocolError("bad-request", "the login ends too early or too late")
    return answer
