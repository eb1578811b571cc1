"""The owner's side of a port that several processes share: who they are, and what they say of themselves.

Each of them keeps a connection to us while it lives, and sends its row of the process list whenever that
changes. So the list is at hand when somebody asks for it: nobody has to be waited for, and one that hangs
costs only the freshness of its own row. Its end is seen at once, and ours by all of them. On the
server's thread.
"""

from __future__ import annotations

import os

from remora._interpreter._originals import accept
from remora._log import log
from remora._network import _registry
from remora._network._lines import Lines
from remora._network._loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora._interpreter._originals import Socket
    from remora._network._loop import Loop

__all__ = ["Audience", "Gateway", "Member"]

_LAST_BREATH = 0.5
_PAUSE = 0.5


class Member:
    """Another process behind our port.

    Attributes:
        pid: 0 until it has said who it is.
        row: its entry in the list of processes.
        door: the path of its socket in the registry.
        is_local: it listens to clients of this machine only, and shall not be seen by others through us.
    """

    def __init__(self, gateway: Gateway, sock: Socket) -> None:
        self.pid = 0
        self.row: dict[str, Any] = {}
        self.door = ""
        self.is_local = True
        self._gateway = gateway
        self._lines = Lines(gateway.loop, sock, self._on_line, self._on_lost)

    def send(self, message: dict[str, Any]) -> None:
        """Say something to it."""
        self._lines.send(message)

    def close(self) -> None:
        """Hang up: we do not own the port any more."""
        self._lines.close()

    def _on_line(self, message: dict[str, Any]) -> None:
        row = message.get("row")
        if not isinstance(row, dict):
            return
        is_new = not self.pid
        if is_new:
            self.pid = int(row["pid"])
            self.door = str(message["door"])
            self.is_local = bool(message["local"])
        self.row = row
        self._gateway.take(self, is_new=is_new)

    def _on_lost(self) -> None:
        self._gateway.lose(self)


class Audience:
    """Who wants to know of the members. This one does not."""

    def on_member(self, reason: str, member: Member) -> None:
        """One is "new", has "changed", or is "gone"."""

    def patience_for(self, row: dict[str, Any]) -> float:
        """How many seconds a new process shall wait for a client, because one follows it."""
        return 0.0


class Gateway:
    """Keeps the members of our port.

    Args:
        mark: where they come to.
        door: where clients of this machine come to.
        address: of the port.
        audience: is told of them.
    """

    def __init__(
        self,
        loop: Loop,
        mark: _registry.Door,
        door: _registry.Door,
        address: tuple[str, int],
        audience: Audience,
    ) -> None:
        self.loop = loop
        self._address = f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
        self.audience = audience
        self._mark = mark
        self._welcome = {"pid": os.getpid(), "address": list(address), "door": door.path}
        self._members: dict[int, Member] = {}
        self._strangers: set[Member] = set()
        loop.watch(mark.socket, READ, self._on_knock)

    @property
    def is_lost(self) -> bool:
        """Whether the program has closed the socket that members come to."""
        return bool(self._mark.socket.fileno() < 0)

    @property
    def members(self) -> list[Member]:
        """All that are there, by number."""
        return [self._members[pid] for pid in sorted(self._members)]

    def find(self, pid: int) -> Member | None:
        """The member with this number."""
        return self._members.get(pid)

    def close(self) -> None:
        """Let them go, to find another owner among themselves. The port has to be free by now."""
        self.loop.watch(self._mark.socket, 0, self._on_knock)
        self._mark.socket.close()
        self._mark.remove()
        for each in [*self._members.values(), *self._strangers]:
            each.close()

    def _on_knock(self, events: int) -> None:
        if not events:
            return
        for _ in range(64):
            try:
                sock, _address = accept(self._mark.socket)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                log.warning(f"a process could not join: {error}")  # no descriptors are left, say
                self._pause()
                return
            if not _registry.is_same_user(sock):
                sock.close()
                continue
            member = Member(self, sock)
            self._strangers.add(member)

    def _pause(self) -> None:
        """It still knocks: to look at once would be all that we do, and fill the log."""
        self.loop.watch(self._mark.socket, 0, self._on_knock)
        self.loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        if not self.is_lost:
            self.loop.watch(self._mark.socket, READ, self._on_knock)

    def take(self, member: Member, *, is_new: bool) -> None:
        """A member has said who it is, or what has changed."""
        member.row["address"] = self._address
        if is_new:
            self._strangers.discard(member)
            former = self._members.pop(member.pid, None)  # exec: the same number, another program
            if former is not None:
                former.close()
                self.audience.on_member("gone", former)
            self._members[member.pid] = member
            member.send({**self._welcome, "wait": self.audience.patience_for(member.row)})
        self.audience.on_member("new" if is_new else "changed", member)

    def lose(self, member: Member) -> None:
        """A member is gone; what a killed process left in the registry is removed."""
        self._strangers.discard(member)
        if self._members.get(member.pid) is member:
            del self._members[member.pid]
            _registry.remove_if_dead(member.door)
            # And again: of what a process has open, the connection to us may be closed before its door is.
            self.loop.call_later(_LAST_BREATH, lambda: _registry.remove_if_dead(member.door))
            self.audience.on_member("gone", member)
