"""The clients who want to hear which processes come and go behind our port. On the server's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._identity import parent_of
from remora._network._gateway import Audience

if TYPE_CHECKING:
    from collections.abc import Iterable

    from remora._network._gateway import Member
    from remora._network._port import Port
    from remora._sessions._session import Session

__all__ = ["Watchers"]

#: What a client gets that follows a new process, to attach to it before it goes on.
_PATIENCE = 3.0
_MOST_ANCESTORS = 32


class Watchers(Audience):
    """Tells them, and has processes that one of them follows wait for it."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._watching: dict[Session, set[int]] = {}
        port.watch(self)

    def add(self, session: Session, followed: Iterable[int]) -> None:
        """A client watches, and attaches to whatever comes of the processes that it follows."""
        self._watching[session] = set(followed)

    def remove(self, session: Session) -> None:
        """A client watches no more."""
        self._watching.pop(session, None)

    def on_member(self, reason: str, member: Member) -> None:
        """A process has come, changed or gone."""
        for session in list(self._watching):
            if session.peer.is_local or not member.is_local:
                session.event("remora/process", {"reason": reason, "process": member.row})

    def patience_for(self, row: dict[str, Any]) -> float:
        """How long a new process shall wait for a client: not at all, unless one of them follows it."""
        followed: set[int] = set().union(*self._watching.values())
        return _PATIENCE if followed and not followed.isdisjoint(self._ancestors(row)) else 0.0

    def _ancestors(self, row: dict[str, Any]) -> list[int]:
        """A process, what started it, what started that, and so on."""
        found = [int(row["pid"]), int(row["ppid"])]
        while found[-1] > 1 and len(found) < _MOST_ANCESTORS:
            parent = self._parent_of(found[-1])
            if parent in found:
                break
            found.append(parent)
        return found

    def _parent_of(self, pid: int) -> int:
        gateway = self._port.gateway
        member = gateway.find(pid) if gateway is not None else None
        # It may be a shell in between, say, that is none of ours.
        return int(member.row["ppid"]) if member is not None else parent_of(pid)
