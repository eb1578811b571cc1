"""Whether the program's owner, asked by its `on_attach` hook, has let one client in. On the server's thread.

The owner is told who the client is and what becomes of others. Both may change while the hook thinks, so its
yes is for just what it was asked.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from remora._owner._hooks import hooks
from remora._owner._told import Client

if TYPE_CHECKING:
    from remora._owner._hooks import AttachHook
    from remora._sessions._session import Session

__all__ = ["Admission", "NotAsked"]


class NotAsked(Exception):
    """The request attaches, and the program's owner wants to be asked about it first."""

    def __init__(self, hook: AttachHook, client: Client) -> None:
        super().__init__(hook, client)
        self.hook = hook
        self.client = client

    def is_about(self, hook: AttachHook, takes_over: bool, returns: bool) -> bool:
        """Whether this is what would be asked now: others may have come or gone while the owner thought."""
        client = self.client
        return hook is self.hook and (client.takes_over, client.returns) == (takes_over, returns)


class Admission:
    """One per session.

    Attributes:
        given: what the owner has said yes to, while the request that it was about is done.
    """

    def __init__(self, session: Session) -> None:
        self.given: NotAsked | None = None
        self._session = session

    def check(self, *, force: bool, token: str) -> None:
        """Let an `attach` with these arguments pass, or not yet.

        Raises:
            NotAsked: the owner is to be asked first.
            RequestFailed: "already-attached".
        """
        hook = hooks.on_attach
        if hook is None:
            return
        session = self._session
        previous, returns = session.server.look_for_place(session, force=force, token=token)
        takes_over = previous is not None and not returns
        if self.given is None or not self.given.is_about(hook, takes_over, returns):
            raise NotAsked(hook, self._describe(takes_over=takes_over, returns=returns))

    def _describe(self, *, takes_over: bool, returns: bool) -> Client:
        session, peer = self._session, self._session.peer
        return Client(
            session.client_name,
            session.client_version,
            peer.name,
            str(session.role),
            is_local=peer.is_local,
            is_same_user=peer.is_same_user,
            tls=peer.tls,
            takes_over=takes_over,
            returns=returns,
            time=time.time(),
        )
