"""From a qualifier to a logged-in connection. Every failure names the layer and what to do next.

Name, TCP, (greeting), TLS, hello, login. When a person has to be asked, the connection is closed first
and made anew after: a server gives nobody more than ten seconds to log in. Runs on the event loop.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from remora_client import _ptvsd
from remora_client._connecting import _diagnosis
from remora_client._connecting._login import GreetedLate, check_no_login, log_in, say_hello
from remora_client._connecting._wire import Wire, open_plain, open_tls
from remora_client._credentials._secrets import Secret, find_secret
from remora_client._errors import (
    ConnectError,
    Gone,
    ListRefused,
    NoSuchProcess,
    Rejected,
    SecretNeeded,
    Throttled,
)
from remora_client._options import ConnectOptions
from remora_client._text import visible
from remora_client._transport import _dial, _met
from remora_client._transport._rpc import Rpc
from remora_client._transport._tunnel import Tunnel, command_for
from remora_protocol import (
    AFTER_LOGIN_LIMIT,
    Qualifier,
    RemoteProtocolError,
    RequestFailed,
    read_processes,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from remora_client._ptvsd._door import Door
    from remora_protocol import ProcessInfo, Response

__all__ = ["ConnectOptions", "Link", "connect", "connect_local", "link_over"]

_PATIENCE = 2.0
#: So long a person may take to type what ssh asks for.
_TYPING = 120.0
_PREPARING = 30.0
_DEFAULT = ConnectOptions()
_LOCAL = ConnectOptions(timeout=5.0)


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
    ptvsd: Door | None = None  # an old ptvsd; `rpc` speaks DAP for it, once it was opened
    is_relayed: bool = False  # the process that was opened is behind another one's port
    tunnel: Tunnel | None = None  # the command whose input and output this is
    #: Of a program that called us: have it call again.
    wait_again: Callable[[ConnectOptions], Awaitable[Link]] | None = None
    asked: asyncio.Future[Response] | None = None  # for the processes, together with the end of the login

    async def processes(self) -> list[ProcessInfo]:
        """The processes behind this address. Raises `ListRefused`, `Gone` or `NoAnswer`."""
        if self.ptvsd is not None:
            return [self.ptvsd.process]
        try:
            asked, self.asked = self.asked or self.rpc.send("remora/processes", {})[1], None
            return read_processes(await self.rpc.answer("remora/processes", asked, self.options.left))
        except RequestFailed as error:
            text = f"{self.address} does not say which processes it has: {visible(str(error))}"
            raise ListRefused(text) from None
        except RemoteProtocolError as error:
            raise Gone(f"{self.address} does not keep to the protocol: {visible(str(error))}") from None

    async def open(self, pid: int) -> None:
        """From here on this connection is one to that process, which may want a login of its own."""
        if self.ptvsd is not None:
            await self.ptvsd.open()
            return
        try:
            # An agent may have to prepare the program first.
            seconds = max(self.options.timeout, _PREPARING)
            body = await self.rpc.request("remora/open", {"pid": pid}, seconds)
        except RequestFailed as error:
            raise NoSuchProcess(
                visible(str(error)), f"remora ls {self.address} shows what is there."
            ) from None
        if body.get("relayed"):
            self.is_relayed = True
            await log_in(self, await say_hello(self))

    async def close(self) -> None:
        """Hang up."""
        await self.rpc.close()
        if self.ptvsd is not None:
            self.ptvsd.close()
        if self.tunnel is not None:
            await self.tunnel.close()


async def connect(qualifier: Qualifier, options: ConnectOptions = _DEFAULT) -> Link:
    """Connect and log in. Raises a `ConnectError`, or `UsageError` for a file that cannot be read."""
    link = await _connect(qualifier, options.begin())
    link.options = options
    return link


async def _connect(qualifier: Qualifier, options: ConnectOptions) -> Link:
    if qualifier.scheme in ("ssh", "via"):
        return await _connect_through_command(qualifier, options)
    secret = find_secret(qualifier, options)
    if qualifier.scheme == "unix":
        return await _connect_to_socket(qualifier, options, secret)
    try:
        return await _attempt_patiently(qualifier, options, secret)
    except SecretNeeded:
        if secret is not None or options.ask_secret is None:
            raise
    asked = options.ask_secret(str(qualifier))
    if asked is None:
        raise SecretNeeded(f"{qualifier} wants a secret, and none was given.")
    options.restart_clock()
    return await _attempt_patiently(qualifier, options, Secret(asked, "as typed"))


async def connect_local(path: str, pid: int, options: ConnectOptions = _LOCAL) -> Link:
    """Connect to a process of this user on this machine, through its socket in the registry.

    Raises a `ConnectError`, or `OSError`: nobody is behind the socket, or takes no connection.
    """
    timed = options.begin()
    sock = await _dial.dial_unix(path, timed.left)
    reader, writer = await asyncio.open_connection(sock=sock)
    address = f"local:{pid}"
    rpc = Rpc(reader, writer, peer=address, trace=options.trace)
    link = Link(rpc, address, options=timed)
    async with _closing_on_error(link):
        await log_in(link, await say_hello(link))
    link.options = options
    return link


async def link_over(wire: Wire, address: str, options: ConnectOptions, secret: Secret | None) -> Link:
    """Say hello and log in, on a connection that was made by the other side."""
    rpc = Rpc(wire.reader, wire.writer, peer=address.partition("://")[2], trace=options.trace)
    link = Link(
        rpc,
        address,
        certificate=wire.certificate,
        certificate_by_hand=wire.certificate_by_hand,
        options=options.begin(),
        secret=secret,
    )
    async with _closing_on_error(link):
        await log_in(link, await say_hello(link))
    link.options = options
    return link


async def _connect_to_socket(qualifier: Qualifier, options: ConnectOptions, secret: Secret | None) -> Link:
    """Through a Unix socket: the server knows its own user, and asks others for the secret."""
    place = str(replace(qualifier, pid=None))
    try:
        sock = await _dial.dial_unix(qualifier.path, options.left)
    except OSError as error:
        raise _diagnosis.no_socket(visible(place), error) from None
    reader, writer = await asyncio.open_connection(sock=sock)
    rpc = Rpc(reader, writer, peer=place, trace=options.trace)
    link = Link(rpc, place, qualifier=qualifier, options=options)
    async with _closing_on_error(link):
        hello = await say_hello(link)
        if hello is not None and hello.mechanisms:
            link.secret = secret
        await log_in(link, hello)
    return link


async def _connect_through_command(qualifier: Qualifier, options: ConnectOptions) -> Link:
    """Whoever could start the command is trusted over there, and we trust what it leads to: no secret."""
    place = visible(str(replace(qualifier, pid=None)))
    tunnel = await Tunnel.open(command_for(qualifier, options), place)
    rpc = Rpc(tunnel.reader, tunnel.writer, peer=place, trace=options.trace)
    # ssh may have a person type a password first.
    patient = options
    if options.ask_secret is not None:
        patient = replace(options, timeout=max(options.timeout, _TYPING), deadline=None).begin()
    link = Link(rpc, place, qualifier=qualifier, options=patient, tunnel=tunnel)
    try:
        await log_in(link, await say_hello(link))
    except ConnectError as error:
        explained = await tunnel.explain(error)
        await link.close()
        raise explained from None
    except BaseException:
        await link.close()
        raise
    if patient is not options:
        options.restart_clock()
    return link


class _closing_on_error:
    """Close the link when the block fails, or is cancelled; nobody waits for the other end's goodbye."""

    def __init__(self, link: Link) -> None:
        self.link = link

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self.link.rpc.abandon("The connection was given up.")
            await self.link.close()


async def _attempt_patiently(qualifier: Qualifier, options: ConnectOptions, secret: Secret | None) -> Link:
    """The moment's wait that somebody's typing error on this machine costs is not worth an error."""
    try:
        return await _attempt(qualifier, options, secret)
    except Throttled as error:
        if not 0 < error.seconds <= _PATIENCE:
            raise
        place = _dial.endpoint(*qualifier.address)
        options.note(
            f"{place} takes no login from here for {error.seconds:g} s, after a wrong secret: waiting."
        )
        await asyncio.sleep(error.seconds + 0.05)
        options.restart_clock()
    return await _attempt(qualifier, options, secret)


async def _attempt(qualifier: Qualifier, options: ConnectOptions, secret: Secret | None) -> Link:
    place = _dial.endpoint(*qualifier.address)
    try:
        return await _attempt_once(qualifier, options, secret)
    except GreetedLate:
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


async def _attempt_once(qualifier: Qualifier, options: ConnectOptions, secret: Secret | None) -> Link:
    place = _dial.endpoint(*qualifier.address)
    wire = await (open_tls if qualifier.tls else open_plain)(qualifier, place, options)
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
        hello = None if wire.greeting else await say_hello(link)
        if not wire.greeting:
            _met.remember_silent(place)
        if hello is None:  # some other DAP server: no login, and no process list
            check_no_login(link)
            link.is_remora = False
            rpc.lift_limits(AFTER_LOGIN_LIMIT)
        else:
            assert options.deadline is not None
            async with options.deadline.turn():
                await log_in(link, hello)
    return link


async def _ptvsd_link(
    qualifier: Qualifier, options: ConnectOptions, secret: Secret | None, wire: Wire
) -> Link:
    place = _dial.endpoint(*qualifier.address)
    if secret is not None and _met.is_silent(place):
        wire.writer.transport.abort()
        raise _was_a_remora(place)
    _met.remember_greeting(place)
    from remora_client._ptvsd._door import knock  # only who meets one pays for it

    door = await knock(
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
