"""Calling out: in place of a port, a connection that this process makes to where a client listens.

For programs that nobody can connect to. Only TCP's direction is turned around: once the connection stands,
the client speaks first, TLS is ours to offer, and the login is the same. While nobody is there it is tried
again and again, ever less often, and given up in the end. On the server's thread, which never waits here; a
name is looked up on a thread of its own, that ends with that.
"""

from __future__ import annotations

import _socket
import errno
import os
import socket

from remora._interpreter._originals import Socket, monotonic, start_new_thread
from remora._log import log
from remora._network._loop import WRITE
from remora._network._port import Port
from remora._opening import family_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora._network._loop import Loop
    from remora._network._registry import Door
    from remora._network._transport import Transport
    from remora_protocol import ProcessInfo

__all__ = ["Call"]

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.25, 10.0
_LOOK_EVERY = 0.5
_PATIENCE = 10.0  # for a connection that is being made


class Call(Port):
    """One process's way to its client.

    Args:
        address: where the client listens.
        give_up: seconds without a client, after which no more calls are made; None: never.

    Attributes:
        answered: takes a connection that was made; set it before `start`.
        is_busy: whether a client is attached; set it before `start`.
    """

    def __init__(self, address: tuple[str, int], give_up: float | None) -> None:
        super().__init__(address, address)
        self.answered: Callable[[Socket], Transport]
        self.is_busy: Callable[[], bool]
        self._give_up = give_up
        self._until: float | None = None
        self._pause = _SHORTEST_PAUSE
        self._calling: Socket | None = None
        self._answer: Transport | None = None

    def start(
        self,
        loop: Loop,
        door: Door | None,
        describe: Callable[[], ProcessInfo],
        serve: Callable[[Socket], None],
    ) -> None:
        """Begin to call."""
        self._loop = loop
        self.begin_anew()

    def begin_anew(self) -> None:
        """Call at once, with all patience, also when it had been given up."""
        if self._calling is None and self._answer is None and not self._is_closed:
            self._until = None if self._give_up is None else monotonic() + self._give_up
            self._pause = _SHORTEST_PAUSE
            self._later(0.0, self._look_up)

    def close(self) -> None:
        """Call no more."""
        self._is_closed = True
        if self._retry is not None:
            self._retry.cancel()
        self._drop()

    def make_heir(self) -> Port:
        """In a forked child: it can be reached on its own machine, and calls nobody."""
        return _Silence(self.address, 0.0)

    # -- one try ----------------------------------------------------------------------------------

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        if self._retry is not None:
            self._retry.cancel()
        self._retry = self._loop.call_later(seconds, call)

    def _look_up(self) -> None:
        host, port = self.address
        loop = self._loop

        def look_up() -> None:
            try:
                rows: list[Any] = _socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
            except (OSError, UnicodeError) as error:
                reason = str(error)
                loop.post(lambda: self._failed(reason))
            else:
                loop.post(lambda: self._dial(rows[0][0], rows[0][4]))

        if ":" in host or host.replace(".", "").isdigit():
            self._dial(family_of(host), (host, port))
        else:
            start_new_thread(look_up, ())

    def _dial(self, family: int, address: Any) -> None:
        if self._is_closed:
            return
        sock = self._calling = Socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            error = sock.connect_ex(address)
        except OSError as failure:
            error = failure.errno or errno.EINVAL
        if error in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._loop.watch(sock, WRITE, self._on_writable)
            self._later(_PATIENCE, lambda: self._failed("no answer"))
        else:
            self._failed(os.strerror(error))

    def _on_writable(self, events: int) -> None:
        sock = self._calling
        assert sock is not None
        if not events:
            self._failed("the program closed the connection")
            return
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self._failed(os.strerror(error))
            return
        self._loop.watch(sock, 0, self._on_writable)
        log.info(f"called {self.address}, and somebody answers")
        self._calling, self._answer = None, self.answered(sock)
        self._later(_LOOK_EVERY, lambda: self._look_after(self._answer))

    def _look_after(self, transport: Transport | None) -> None:
        """Wait for the end of a connection. One that somebody debugged through makes all well again."""
        if self.is_busy():
            self._pause = _SHORTEST_PAUSE
            if self._give_up is not None:
                self._until = monotonic() + self._give_up
        if transport is None or transport.closed:
            self._answer = None
            self._failed("the connection has ended")
        else:
            self._later(_LOOK_EVERY, lambda: self._look_after(transport))

    def _failed(self, reason: str) -> None:
        self._drop()
        if self._is_closed:
            return
        if self._until is not None and monotonic() + self._pause > self._until:
            log.warning(f"nobody at {self.address} debugs this program: no more calls ({reason})")
            return
        log.debug(f"called {self.address}: {reason}; again in {self._pause:g} s")
        self._later(self._pause, self._look_up)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _drop(self) -> None:
        """Forget a connection that was never made."""
        sock, self._calling = self._calling, None
        if sock is not None:
            if sock.fileno() >= 0:
                self._loop.watch(sock, 0, self._on_writable)
            sock.close()


class _Silence(Call):
    """Calls nobody."""

    def begin_anew(self) -> None:
        """Do nothing."""
