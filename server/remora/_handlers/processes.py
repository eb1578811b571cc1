"""Which processes can be reached through this port, and the way to the one that is wanted."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from remora._handlers._relay import Relay
from remora._handlers._table import Deferred, When, handles
from remora._network._login import DRIVER_ROLE, Peer
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora._commands._host import Host
    from remora._handlers._arguments import Arguments
    from remora._network._gateway import Gateway
    from remora._sessions._session import Session
    from remora_protocol import ProcessInfo

__all__ = ["processes"]

_TRIES = 60


@handles("remora/processes", When.LOGGED_IN, looks_only=True)
def processes(session: Session, _arguments: Arguments) -> Deferred | dict[str, Any]:
    """The processes that can be debugged through this connection."""
    server = session.server
    if server.host is None:
        return {"processes": server.processes(session.peer)}
    answer = Deferred()

    def tell(unprepared: list[ProcessInfo]) -> None:
        prepared = server.processes(session.peer)
        known = {row["pid"] for row in prepared}
        rest = [row for row in unprepared if row["pid"] not in known]
        answer.resolve({"processes": [*prepared, *rest]})

    server.host.unprepared(tell)
    return answer


@handles("remora/watch", When.LOGGED_IN, looks_only=True)
def watch(session: Session, arguments: Arguments) -> dict[str, Any]:
    """The same; and from here on an event `remora/process` for each that comes, changes or goes.

    What comes of the processes in `follow` waits a moment for this client, which is going to attach to it.
    When the port is not ours, the answer says whose it is, and nothing is watched.
    """
    server = session.server
    if server.port.owner is not None:
        return {"owner": server.port.owner, "processes": server.processes(session.peer)}
    followed = arguments.all.get("follow") or []
    if not isinstance(followed, list) or not all(type(each) is int for each in followed):
        raise RequestFailed("bad-request", "remora/watch: follow has to be a list of process ids.")
    # Nothing waits for an observer, who may only look.
    server.watchers.add(session, followed if session.role == DRIVER_ROLE else ())
    return {"processes": server.processes(session.peer)}


@handles("remora/open", When.LOGGED_IN, looks_only=True)
def open_process(session: Session, arguments: Arguments) -> Deferred | None:
    """From here on this connection debugs the process with this pid.

    When that is another one than ours, we only carry bytes from now on, and it asks for a login of its own.
    """
    pid = arguments.number("pid")
    server = session.server
    if pid == server.identity.pid and server.host is None:
        return None
    gateway = server.port.gateway
    member = gateway.find(pid) if gateway is not None and not session.peer.is_relayed else None
    if member is None and gateway is not None and server.host is not None:
        return _prepare(session, server.host, gateway, pid)
    if member is None or not (session.peer.is_local or not member.is_local):
        raise RequestFailed(
            "no-such-process", f"There is no process {pid} here: `remora ls` shows which there are."
        )
    session.check_unused()
    relay = Relay(session, member, _introduce(session))
    session.prepare_to_leave()
    return relay.opened


def _prepare(session: Session, host: Host, gateway: Gateway, pid: int) -> Deferred:
    """A program that did nothing to prepare: have it come behind our port, and lead the client there."""
    if session.role != DRIVER_ROLE:
        raise RequestFailed(
            "not-supported", "An observer may only look, and to prepare a program changes it."
        )
    session.check_unused()
    answer = Deferred()
    answer.cancel = session.stay
    session.prepare_to_leave()

    def lead(tries: int = _TRIES) -> None:
        member = gateway.find(pid)
        if member is not None:
            try:
                relay = Relay(session, member, _introduce(session))
            except RequestFailed as error:
                refuse(error.text)
                return
            answer.cancel = relay.opened.cancel
            relay.opened.then(lambda body, error: answer.fail(error) if error else answer.resolve(body))
        elif tries:  # it has its server, and is on its way to us
            session.server.loop.call_later(0.05, lambda: lead(tries - 1))
        else:
            refuse(f"Process {pid} has its server now, and does not come behind this port.")

    def refuse(text: str) -> None:
        session.stay()
        answer.fail(RequestFailed("no-such-process", text))

    host.prepare(pid, lambda problem: refuse(problem) if problem else lead())
    return answer


def _introduce(session: Session) -> dict[str, Any]:
    """Who it is that we lead to another process: it has to decide for itself what that one may do."""
    peer, binding = session.peer, session.binding
    return {
        "name": peer.name,
        "key": peer.key,
        "local": peer.is_local,
        "anotherUsers": peer.is_another_users,
        "tls": peer.tls,
        "binding": None if binding is None else base64.b64encode(binding).decode("ascii"),
        "authority": session.server.authority if peer.tls else "",
    }


@handles("remora/relay", When.LOGGED_IN)
def relay(session: Session, arguments: Arguments) -> None:
    """The owner of our port leads a client here. From here on this connection is that client's.

    Only our own user's processes may say so, through our door in the registry. The client gets no rights by
    that: it is in the place of somebody who came to the port.
    """
    server = session.server
    if not session.peer.is_same_user:
        raise RequestFailed("bad-request", "Only the owner of a port may relay, and from this machine.")
    session.check_unused()
    peer = _read_introduction(arguments)
    if server.is_local and not peer.is_local:
        raise RequestFailed("no-such-process", "This process is for clients of its own machine only.")
    if server.binding is not None and not peer.tls:
        raise RequestFailed(
            "tls-required",
            f"Process {server.identity.pid} asks for TLS, and the owner of its port does not speak it.",
        )
    if server.authority and arguments.text("authority", "") != server.authority:
        raise RequestFailed(
            "auth-failed",
            f"Process {server.identity.pid} asks for a client's certificate, which the owner of its "
            "port has not checked.",
        )
    session.after_response(lambda: server.welcome(session.release()[0], peer))


def _read_introduction(arguments: Arguments) -> Peer:
    binding = arguments.optional_text("binding")
    try:
        proof = None if binding is None else base64.b64decode(binding, validate=True)
    except binascii.Error:
        raise RequestFailed("bad-request", "remora/relay: binding has to be base64.") from None
    return Peer(
        arguments.text("name")[:200],
        arguments.text("key")[:200],
        is_local=arguments.flag("local"),
        is_another_users=arguments.flag("anotherUsers"),
        tls=arguments.flag("tls"),
        is_relayed=True,
        binding=proof,
    )
