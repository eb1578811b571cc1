"""Carries a client's bytes to another process that shares our port, and its bytes back.

We look at none of them: the other process asks for its own login. When one side ends the other is told; when
one does not read, the other waits. On the server's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._handlers._table import Deferred
from remora._network import _registry
from remora._network._transport import Transport
from remora_protocol import Connection, RemoteProtocolError, RequestFailed, Response

if TYPE_CHECKING:
    from remora._network._gateway import Member
    from remora._sessions._session import Session

__all__ = ["Relay"]

_PATIENCE = 5.0
_CONGESTED = 1_000_000


class Relay:
    """One client's way to one process.

    Args:
        introduction: who the client is, for the other process.

    Attributes:
        opened: the answer to the client; after it the connection is the other process's.
    """

    def __init__(self, session: Session, member: Member, introduction: dict[str, Any]) -> None:
        self.opened = Deferred()
        self.opened.cancel = self._abandon
        self._session = session
        self._pid = member.pid
        try:
            sock = _registry.connect(member.door)
        except OSError:
            raise self._unreachable() from None
        if sock is None:
            raise self._unreachable()
        loop = session.server.loop
        self._connection = Connection()
        self._far = Transport(loop, sock, self._on_answer, lambda _reason: self._fail(self._unreachable()))
        self._far.send(self._connection.request("remora/relay", introduction)[1])
        self._patience = loop.call_later(_PATIENCE, lambda: self._fail(self._unreachable()))

    def _unreachable(self) -> RequestFailed:
        return RequestFailed(
            "no-such-process",
            f"Process {self._pid} is there, and does not answer: it may hang, or be at its end.",
        )

    # -- until it has answered --------------------------------------------------------------------

    def _on_answer(self, data: bytes) -> None:
        try:
            self._connection.receive_data(data)
            message = self._connection.next_message()
        except RemoteProtocolError:
            self._fail(self._unreachable())
            return
        if isinstance(message, Response):
            if message.success:
                self._patience.cancel()
                self._session.after_response(self._begin)
                self.opened.resolve({"relayed": True})
            else:
                self._fail(RequestFailed.from_body(message.message, message.body))

    def _fail(self, error: RequestFailed) -> None:
        self._abandon()
        self._session.stay()
        self.opened.fail(error)

    def _abandon(self) -> None:
        self._patience.cancel()
        self._far.abort()

    # -- from then on -----------------------------------------------------------------------------

    def _begin(self) -> None:
        near, rest = self._session.release()
        _carry(near, self._far)
        _carry(self._far, near)
        if rest:
            near.receive(rest)


def _carry(source: Transport, target: Transport) -> None:
    """From now on what comes from one goes to the other."""

    def receive(data: bytes) -> None:
        target.send(data)
        if target.pending > _CONGESTED:
            source.pause()

    source.receive = receive
    source.lost = lambda _reason: target.finish()
    target.drained = source.resume
