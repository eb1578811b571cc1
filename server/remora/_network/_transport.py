"""One peer's bytes, plain or through TLS, without ever blocking. Runs on the server's thread.

TLS goes through two memory buffers (`ssl.MemoryBIO`), so that the socket is read and written in one place
only, and the first bytes, by which a peer shows that it wants TLS, can be fed in afterwards.
"""

from __future__ import annotations

from remora._network._loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Any

    from remora._interpreter._originals import Socket
    from remora._network._loop import Loop, Timer

__all__ = ["Transport"]

_CHUNK = 256 * 1024
_LINGER = 2.0


class Transport:
    """Delivers what a peer sends to `receive`, and tells `lost` once why the connection ended."""

    def __init__(
        self,
        loop: Loop,
        sock: Socket,
        receive: Callable[[bytes], None] = lambda _data: None,
        lost: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self.receive = receive
        self.lost = lost
        self.drained: Callable[[], None] | None = None
        self.socket = sock
        self._loop = loop
        self._outgoing = bytearray()
        self._tls: ssl.SSLObject | None = None
        self._shaken = False
        self._early: list[bytes] = []  # what was to be sent before the TLS handshake was through
        self._in: Any = None
        self._out: Any = None
        self._finishing = False
        self._closed = False
        self._linger: Timer | None = None
        self._reading = READ
        loop.watch(sock, READ, self._on_ready)

    @property
    def tls(self) -> bool:
        """Whether the peer is spoken to through TLS."""
        return self._tls is not None

    @property
    def pending(self) -> int:
        """How many bytes wait because the peer does not read."""
        return len(self._outgoing)

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._closed or self._finishing

    def start_tls(self, context: ssl.SSLContext, first: bytes) -> None:
        """Take the peer's first bytes, and all that come, as TLS. Call it from `receive`."""
        import ssl

        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._on_tls_bytes(first)

    def send(self, data: bytes) -> None:
        """Send, now or when the peer takes it, in the order of the calls."""
        if self.closed:
            return
        if self._tls is None:
            self._outgoing += data
        elif not self._shaken:
            self._early.append(data)
        else:
            self._tls.write(data)
            self._outgoing += self._out.read()
        self._flush()

    def pause(self) -> None:
        """Take nothing from the peer until `resume`: whoever is to get it does not keep up."""
        self._reading = 0
        self._watch()

    def resume(self) -> None:
        """Take from the peer again."""
        self._reading = READ
        self._watch()

    def finish(self) -> None:
        """Send what waits, say goodbye, and close. What still comes in is thrown away.

        Not at once: closing a socket that has unread bytes resets the connection, and then the peer may never
        see our last words.
        """
        if self.closed:
            return
        if self._tls is not None and self._shaken:
            self._say_goodbye()
        self._finishing = True
        self._linger = self._loop.call_later(_LINGER, self.abort)
        self._flush()

    def abort(self) -> None:
        """Close at once. Nobody is told."""
        if self._closed:
            return
        self._closed = True
        if self._linger is not None:
            self._linger.cancel()
        self._loop.watch(self.socket, 0, self._on_ready)
        self.socket.close()

    # -- the socket -------------------------------------------------------------------------------

    def _on_ready(self, events: int) -> None:
        if not events:
            self._lose("the program closed the connection")
        if events & WRITE:
            self._flush()
            if not self._outgoing and self.drained is not None and not self.closed:
                self.drained()
        if events & READ and not self._closed:
            self._on_readable()

    def _on_readable(self) -> None:
        try:
            data = self.socket.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error.strerror or str(error))
            return
        if not data:
            self._lose("the peer closed the connection")
        elif self._finishing:
            pass
        elif self._tls is not None:
            self._on_tls_bytes(data)
        else:
            self.receive(data)

    def _flush(self) -> None:
        if self._closed:
            return
        if self._outgoing and self.socket.is_ours():
            try:
                sent = self.socket.send(self._outgoing)
                del self._outgoing[:sent]
            except (BlockingIOError, InterruptedError):
                pass
            except OSError as error:
                # Not here: the caller is in the middle of something.
                self._outgoing.clear()
                reason = error.strerror or str(error)
                self._loop.call_later(0, lambda: self._lose(reason))
                return
        self._watch()
        if self._finishing and not self._outgoing:
            self._shut_down()

    def _watch(self) -> None:
        if not self._closed:
            reading = READ if self._finishing else self._reading
            self._loop.watch(self.socket, reading | (WRITE if self._outgoing else 0), self._on_ready)

    def _shut_down(self) -> None:
        import socket

        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.abort()

    def _lose(self, reason: str) -> None:
        if self._closed:
            return
        told = self._finishing
        self.abort()
        if not told:
            self.lost(reason)

    # -- TLS --------------------------------------------------------------------------------------

    def _on_tls_bytes(self, data: bytes) -> None:
        import ssl

        assert self._tls is not None
        self._in.write(data)
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
                for early in self._early:
                    self._tls.write(early)
            self._read_tls(self._tls)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self._send_tls()
            self._lose("the peer closed the connection")
            return
        except ssl.SSLError as error:
            self._send_tls()  # the alert
            reason = f"TLS: {error.reason or error}"
            self._finish_after_failure(reason)
            return
        self._send_tls()

    def _read_tls(self, tls: ssl.SSLObject) -> None:
        while not self.closed:
            plain = tls.read(_CHUNK)
            if not plain:
                self._lose("the peer closed the connection")
                return
            self.receive(plain)

    def _send_tls(self) -> None:
        if not self._closed:
            self._outgoing += self._out.read()
            self._flush()

    def _finish_after_failure(self, reason: str) -> None:
        if not self.closed:
            self._tls, self._shaken = None, False
            self.finish()
            self.lost(reason)

    def _say_goodbye(self) -> None:
        import ssl

        assert self._tls is not None
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass  # the peer has not said its own goodbye yet, and need not
        self._outgoing += self._out.read()
