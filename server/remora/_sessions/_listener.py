"""Takes connections, finds out what the other end speaks, and shows the door to whom it does not serve.

The client speaks first. Its first bytes tell TLS, a frame of ours, HTTP and anything else apart; each of them
gets an answer in a form that its sender can read. On the server's thread.
"""

from __future__ import annotations

import socket
from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING

from remora._interpreter._originals import accept
from remora._log import log
from remora._network._loop import READ
from remora._network._transport import Transport
from remora._sessions._session import Session
from remora_protocol import Connection, RemoteProtocolError, Request, RequestFailed

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from remora._interpreter._originals import Socket
    from remora._network._login import Peer
    from remora._sessions._server import Server

__all__ = ["Listener", "Lobby"]

#: How long a client may take to log in, and how many may be at it at once.
_DEADLINE = 10.0
_MOST_WAITING = 16

_TLS_HANDSHAKE = 0x16
_ALERT = bytes([21, 3, 1, 0, 2, 2, 40])  # TLS: fatal, handshake failure
_HEADER = b"content-"
_METHODS = (
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"TRACE ",
    b"CONNECT ",
    b"PRI ",
)
_NOT_US = "This port belongs to Remora, a Python debugger. Connect with: remora attach {scheme}://HOST:PORT"


class Lobby:
    """Those who have connected and not logged in: few, not for long.

    When it is full somebody has to go: of those whose address holds the most places, one that has not sent a
    whole request yet, and the one who came first. So who takes many places loses their own, and keeping the
    line busy saves nobody: an honest login takes milliseconds.
    """

    def __init__(self) -> None:
        self._waiting: dict[Arrival, None] = {}  # in the order in which they came
        self._turned_away: deque[Transport] = deque()

    def enter(self, arrival: Arrival) -> None:
        """Let one in, and another one out if it gets too full."""
        self._waiting[arrival] = None
        if len(self._waiting) > _MOST_WAITING:
            places = Counter(each.key for each in self._waiting)
            greedy = max(places.values())
            theirs = [each for each in self._waiting if places[each.key] == greedy]
            first = min(
                theirs, key=lambda each: each.has_asked
            )  # the earliest of those who said nothing whole
            first.refuse("too many connections have not logged in, and most of them are from there")

    def leave(self, arrival: Arrival) -> None:
        """One has logged in, or gone."""
        self._waiting.pop(arrival, None)

    def see_off(self, transport: Transport) -> None:
        """Give one who was turned away a moment to read why; but no more than a few at a time."""
        self._turned_away.append(transport)
        if len(self._turned_away) > _MOST_WAITING:
            self._turned_away.popleft().abort()


class Listener:
    """A listening socket.

    Args:
        identify: who is at the far end; None: somebody who may not even knock.
        context: for TLS; None: this port does not speak it.
    """

    def __init__(
        self,
        server: Server,
        lobby: Lobby,
        sock: Socket,
        identify: Callable[[socket.socket, object], Peer | None],
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._lobby = lobby
        self.socket = sock
        self._identify = identify
        self._context = context
        sock.setblocking(False)
        server.loop.watch(sock, READ, self._on_connection)

    def _on_connection(self, events: int) -> None:
        if not events:
            return  # the program has closed it, and we open another
        for _ in range(64):
            try:
                sock, address = accept(self.socket)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                log.warning(f"a connection could not be taken: {error}")  # no descriptors are left, say
                self._pause()
                return
            peer = self._identify(sock, address)
            if peer is None:
                sock.close()
                continue
            tune(sock)
            transport = Transport(self._server.loop, sock)
            self._lobby.enter(Arrival(self._server, self._lobby, transport, peer, self._context))

    def _pause(self) -> None:
        self._server.loop.watch(self.socket, 0, self._on_connection)
        self._server.loop.call_later(0.5, self._resume)

    def _resume(self) -> None:
        if self.socket.fileno() >= 0:
            self._server.loop.watch(self.socket, READ, self._on_connection)


class Arrival:
    """One connection, from the first byte until somebody has logged in through it."""

    def __init__(
        self, server: Server, lobby: Lobby, transport: Transport, peer: Peer, context: ssl.SSLContext | None
    ) -> None:
        self.key = peer.key
        self._server = server
        self._lobby = lobby
        self._peer = peer
        self._context = context
        self._received = b""
        self._session: Session | None = None
        self._transport = transport
        transport.receive, transport.lost = self._on_bytes, self._on_lost
        self._deadline = server.loop.call_later(
            _DEADLINE, lambda: self.refuse(f"no login within {_DEADLINE:.0f} seconds")
        )

    @property
    def has_asked(self) -> bool:
        """Whether it has sent a whole request."""
        return self._session is not None and self._session.asked > 0

    def refuse(self, reason: str) -> None:
        """Hang up without a word: it has not said what it speaks, or not in time."""
        log.warning(f"{self._peer.name} refused: {reason}")
        self._over()
        if self._session is not None:
            self._session.end(reason)
        else:
            self._transport.abort()

    def _over(self) -> None:
        self._deadline.cancel()
        self._lobby.leave(self)
        if self._session is None or self._session.role is None:
            self._lobby.see_off(self._transport)

    def _on_lost(self, reason: str) -> None:
        log.warning(f"{self._peer.name} left before it logged in: {reason}")
        self._over()

    def _on_bytes(self, data: bytes) -> None:
        received = self._received = self._received + data
        if received[0] == _TLS_HANDSHAKE and not self._transport.tls:
            self._on_tls(received)
        elif _could_begin(received, _HEADER):
            if len(received) >= len(_HEADER):
                self._on_frame(received)
        elif any(received.startswith(method) for method in _METHODS):
            self._on_http()
        elif any(method.startswith(received) for method in _METHODS):
            pass  # it may become HTTP
        else:
            self._answer(f"{self._explain()}\r\n".encode(), "it speaks neither Remora's protocol nor DAP")

    def _on_tls(self, received: bytes) -> None:
        if self._context is None:
            self._answer(_ALERT, "not-tls: it speaks TLS, and this port does not")
            return
        self._received = b""
        self._peer = replace(self._peer, tls=True)
        self._transport.start_tls(self._context, received)

    def _on_frame(self, received: bytes) -> None:
        if self._context is not None and not self._transport.tls:
            self._on_frame_without_tls(received)
            return
        session = self._session = Session(self._server, self._transport, self._peer, self._over)
        self._received = b""
        session.receive(received)

    def _on_frame_without_tls(self, received: bytes) -> None:
        """Its request is read to the end, so that the answer can name the request that it refuses."""
        connection = Connection()
        asked = Request(0, "", {})
        try:
            connection.receive_data(received)
            message = connection.next_message()
            if message is None:
                return  # until the deadline
            asked = message if isinstance(message, Request) else asked
        except RemoteProtocolError:
            pass
        refusal = RequestFailed(
            "tls-required", "This port speaks TLS: connect with tcps:// in place of tcp://."
        )
        self._answer(
            connection.fail(asked, refusal), "tls-required: it does not speak TLS, and this port does"
        )

    def _on_http(self) -> None:
        text = f"{self._explain()}\n"
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
        self._answer(f"{head}Connection: close\r\n\r\n{text}".encode(), "it speaks HTTP")

    def _explain(self) -> str:
        return _NOT_US.format(scheme="tcps" if self._context else "tcp")

    def _answer(self, answer: bytes, reason: str) -> None:
        log.warning(f"{self._peer.name} refused: {reason}")
        self._received = b""
        self._over()
        self._transport.send(answer)
        self._transport.finish()


def _could_begin(received: bytes, word: bytes) -> bool:
    """Whether what has come so far is the beginning of this word, or begins with it."""
    head = received[: len(word)].lower()
    return head == word[: len(head)]


def tune(sock: socket.socket) -> None:
    """No delay for small messages; a peer that is silently gone is found out within 15 seconds."""
    options = [
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
        (socket.IPPROTO_TCP, "TCP_NODELAY", 1),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 5),
        (socket.IPPROTO_TCP, "TCP_KEEPALIVE", 5),  # what macOS calls it
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 3),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 14_000),  # the same while something is on its way
    ]
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    for level, name, value in options:
        number = getattr(socket, name, None)
        if number is not None:
            try:
                sock.setsockopt(level, number, value)
            except OSError:
                pass
