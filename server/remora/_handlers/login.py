"""Before anything else: who is there, which version, which secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._handlers._table import When, handles
from remora._log import log
from remora_protocol import (
    RequestFailed,
    ScramError,
    __version__,
    authenticate_body,
    hello_body,
    negotiate,
    read_authenticate_arguments,
)

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._sessions._session import Session

__all__ = ["hello"]


@handles("remora/hello", When.CONNECTED)
def hello(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Agree on a version, and say which logins there are."""
    session.said_hello = True
    client = arguments.child("client")
    session.client_name = client.text("name", "")[:80]
    session.client_version = client.text("version", "")[:80]
    version = negotiate(arguments.raw("protocol"))
    server = session.server
    mechanisms = [] if session.role is not None else server.gate.begin(session.binding).mechanisms
    return hello_body(version, "remora", __version__, mechanisms)


@handles("remora/authenticate", When.CONNECTED)
def authenticate(session: Session, arguments: Arguments) -> dict[str, Any]:
    """One of the two messages of a SCRAM login."""
    gate = session.server.gate
    if session.role is not None:
        raise RequestFailed("bad-request", "There is nothing to log in to: you are in.")
    mechanism, data = read_authenticate_arguments(arguments.all)
    gate.check_patience(session.peer)
    try:
        if session.scram is None:
            session.scram = gate.begin(session.binding)
            return authenticate_body(session.scram.start(mechanism, data), done=False)
        final = session.scram.finish(data)
    except ScramError as error:
        session.scram = None
        reject(session, str(error))
        raise RequestFailed("auth-failed", str(error)) from None
    role = gate.role_of_user(session.scram.user)
    gate.succeeded(session.peer, role)
    session.log_in(role)
    return authenticate_body(final, done=True)


def reject(session: Session, reason: str) -> None:
    """A login has failed: the peer has to wait before the next, on another connection."""
    delay = session.server.gate.failed(session.peer)
    log.warning(f"{session.who} refused: {reason} Its next try has to wait {delay:g} s.")
    session.after_response(lambda: session.end("the login failed"))


@handles("remora/ping", When.CONNECTED)
def ping(session: Session, _arguments: Arguments) -> None:
    """A client that sends this every few seconds has its silence noticed."""
    session.silence.watch()
