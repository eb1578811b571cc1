"""The port through which a process is reached: its own, or that of a sibling who had it first.

The first process to bind a port owns it. One that comes later and finds it taken by a process of the same
user joins: it keeps a connection to the owner, who lists it and relays clients to its door in the registry.
When that connection ends, the owner has, and whoever of the others binds the port first is the next. A port
that is taken by anything else is an error, as ever.

    taken by us      `socket` listens; `gateway` keeps those who join
    joined           `_link` is the connection to the owner
    between owners   neither; tried again after a moment, until one of the two comes true

`take` runs on the thread that enables the server, everything else on the server's own.
"""

from __future__ import annotations

import _socket
import errno
import socket

from remora._interpreter._originals import Socket, monotonic, sleep
from remora._log import log
from remora._network import _registry
from remora._network._gateway import Audience, Gateway
from remora._network._lines import Lines, decode, encode
from remora._opening import bind, family_of, is_loopback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora._network._loop import Loop, Timer
    from remora_protocol import ProcessInfo

__all__ = ["Port"]

_OWNER_PATIENCE = 0.5  # for an owner who has the port, and is not in the registry yet, or is slow to answer
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 5.0


class Port:
    """One process's way to its port. Make it with `take` or, in a forked child, with `inherit`.

    Attributes:
        address: what is bound, or what the owner of the port has bound.
        socket: listens, when the port is ours.
        gateway: keeps those who share it, when it is ours and there is a registry.
        owner: the number of the process that has it, when it is not ours and that one has said so.
        patience: seconds to wait for a client, who follows this process and is on its way.
    """

    def __init__(self, wanted: tuple[str, int], address: tuple[str, int]) -> None:
        self.address = address
        self.socket: Socket | None = None
        self.gateway: Gateway | None = None
        self.owner: int | None = None
        self.patience = 0.0
        self._wanted = wanted
        self._raw: tuple[Socket, bytes] | None = None
        self._link: Lines | None = None
        self._door: _registry.Door | None = None
        self._loop: Loop
        self._describe: Callable[[], ProcessInfo]
        self._serve: Callable[[Socket], None]
        self._pause = _SHORTEST_PAUSE
        self._retry: Timer | None = None
        self._told: ProcessInfo | None = None
        self._owners_door = ""
        self._audience = Audience()
        self._is_closed = False

    @classmethod
    def take(
        cls, wanted: tuple[str, int], door: _registry.Door | None, describe: Callable[[], ProcessInfo]
    ) -> Port:
        """Bind the port, or join the owner of it.

        Raises:
            OSError: neither can be done.
        """
        until = monotonic() + _OWNER_PATIENCE
        while True:
            try:
                sock = bind(wanted)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or door is None or not wanted[1]:
                    raise
                wanted = _resolved(wanted)
                link = _find_owner(wanted)
                if link is not None:
                    port = cls(wanted, wanted)
                    port._raw = link, port._introduce(link, door, describe())
                    return port
                if monotonic() > until or not _registry.has_others():
                    raise
                sleep(0.01)
            else:
                address = sock.getsockname()[:2]
                port = cls(address, address)
                port.socket = sock
                return port

    def _introduce(self, link: Socket, door: _registry.Door, row: ProcessInfo) -> bytes:
        """Tell the owner who we are, and hear who it is. It may be too busy to say so soon; then the
        answer is read when it comes. What was read behind it is given back.
        """
        self._told = row
        link.settimeout(_OWNER_PATIENCE)
        received = b""
        try:
            link.sendall(encode(self._introduction(door, row)))
            while b"\n" not in received:
                data = link.recv(4096)
                if not data:
                    return b""  # it has just ended; who reads next sees that, too
                received += data
        except OSError:
            return received
        line, _, rest = received.partition(b"\n")
        self._on_line(decode(line))
        return rest

    def _introduction(self, door: _registry.Door, row: ProcessInfo) -> dict[str, Any]:
        return {"row": row, "door": door.path, "local": is_loopback(self._wanted[0])}

    @classmethod
    def inherit(cls, address: tuple[str, int]) -> Port:
        """In a forked child: the parent's port, to be joined as soon as it is started."""
        return cls(address, address)

    def make_heir(self) -> Port:
        """In a forked child: its own way to the same port."""
        return Port.inherit(self.address)

    # -- on the server's thread -------------------------------------------------------------------

    def start(
        self,
        loop: Loop,
        door: _registry.Door | None,
        describe: Callable[[], ProcessInfo],
        serve: Callable[[Socket], None],
    ) -> None:
        """Begin.

        Args:
            describe: this process's row in lists.
            serve: given the socket that listens, now or when the port has become ours.
        """
        self._loop, self._door, self._describe, self._serve = loop, door, describe, serve
        if self.socket is not None:
            self._own(self.socket)
        elif self._raw is not None:
            raw, self._raw = self._raw, None
            self._join(*raw)
        else:
            self._settle()

    def watch(self, audience: Audience) -> None:
        """Have somebody told who else is behind the port, while it is ours."""
        self._audience = audience
        if self.gateway is not None:
            self.gateway.audience = audience

    def tell(self) -> None:
        """This process's row may have changed."""
        if self._link is not None:
            row = self._describe()
            if row != self._told:
                self._told = row
                self._link.send({"row": row})

    def recover(self, door: _registry.Door | None) -> None:
        """The program may have closed our descriptors; the door, if it had to be opened anew, is this one."""
        self._door = door
        is_lost = self.socket is not None and self.socket.fileno() < 0
        if self.gateway is not None and (is_lost or self.gateway.is_lost):
            self.gateway.close()
            self.gateway = None
            if not is_lost:
                self._open_gateway()
        if is_lost:
            self.socket = None
            self._settle()

    def close(self) -> None:
        """Give the port up."""
        self._is_closed = True
        if self._retry is not None:
            self._retry.cancel()
        if self.socket is not None:
            self._loop.watch(self.socket, 0, lambda _events: None)
            self.socket.close()
        if self.gateway is not None:
            self.gateway.close()
        if self._link is not None:
            self._link.close()

    def _settle(self) -> None:
        """Join the owner, or become it; or try again a little later."""
        self._retry = None
        if self._is_closed:
            return
        try:
            link = _find_owner(self._wanted) if self._door is not None else None
            if link is not None:
                self._join(link)
                return
            sock = bind(self._wanted)
        except OSError as error:
            log.debug(f"the port {self._wanted} is taken, and not by a sibling: {error}")
            self._retry = self._loop.call_later(self._pause, self._settle)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            return
        self.address = sock.getsockname()[:2]
        log.info(f"the port {self.address} is ours")
        self.socket = sock
        self._own(sock)

    def _own(self, sock: Socket) -> None:
        self._pause = _SHORTEST_PAUSE
        former = self._owners_door
        if former:
            _registry.remove_if_dead(former)
            self._loop.call_later(0.5, lambda: _registry.remove_if_dead(former))
        self._open_gateway()
        self._serve(sock)

    def _open_gateway(self) -> None:
        for left in [] if self._door is None else _registry.ports(self.address):
            _registry.remove_if_dead(left)  # of owners that were killed, with nobody to see it
        mark = None if self._door is None else _registry.open_port(self._door, self.address)
        if self._door is not None and mark is not None:
            self.gateway = Gateway(self._loop, mark, self._door, self.address, self._audience)

    def _join(self, link: Socket, received: bytes | None = None) -> None:
        """Go on with a connection to the owner; with `received` on the server's thread, we are introduced."""
        assert self._door is not None
        link.setblocking(False)
        self._pause = _SHORTEST_PAUSE
        self._link = Lines(self._loop, link, self._on_line, self._on_lost, received or b"")
        if received is None:
            self._told = self._describe()
            self._link.send(self._introduction(self._door, self._told))

    def _on_line(self, message: dict[str, Any]) -> None:
        try:
            host, port = message["address"]
            address = str(host), int(port)
            owner, patience, door = int(message["pid"]), float(message["wait"]), str(message["door"])
        except (KeyError, TypeError, ValueError):
            log.warning("the owner of the port, a Remora of another version, says what we do not understand")
        else:
            self.address, self.owner, self.patience, self._owners_door = address, owner, patience, door
            log.info(f"joined process {self.owner}, which owns the port {self.address}")

    def _on_lost(self) -> None:
        log.info("the owner of the port is gone")
        self._link = self.owner = None
        self._settle()


def _resolved(address: tuple[str, int]) -> tuple[str, int]:
    """The address as the system writes it."""
    host, port = address
    family = family_of(host)
    try:
        found = _socket.getaddrinfo(host or "0.0.0.0", port, family, socket.SOCK_STREAM)
    except OSError:
        return address
    return str(found[0][4][0]), port


def _find_owner(address: tuple[str, int]) -> Socket | None:
    for path in _registry.ports(address):
        try:
            link = _registry.connect(path)
        except OSError as error:
            log.warning(f"{path} takes nobody now: {error}")
            continue
        if link is not None:
            return link
    return None
