"""What is behind the listening sockets, put together when the first client knocks. On the server's thread."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora._control._debugger import Debugger
from remora._log import log
from remora._network._login import Gate, Peer
from remora._network._neighbours import is_another_users
from remora._network._transport import Transport
from remora._opening import is_loopback
from remora._owner._spared import spared
from remora._preload import preload
from remora._sessions._listener import Arrival, Listener, Lobby, tune
from remora._sessions._server import Server
from remora._source._sources import Sources
from remora_protocol import tls_server_end_point

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from remora._enabled import Enabled
    from remora._interpreter._originals import Socket

__all__ = ["Assembly"]


class Assembly:
    """The parts of a server that is in use.

    Args:
        secrets: of drivers and of observers; or the gate that knows them.
    """

    def __init__(self, enabled: Enabled, secrets: tuple[str | None, str | None] | Gate) -> None:
        preload()
        self.gate = Gate(*secrets) if isinstance(secrets, tuple) else secrets
        self.settings = enabled.settings
        tls = enabled.tls
        self._context = None if tls is None else tls.context
        self.sources = Sources()
        loop = enabled.loop
        self.debugger = Debugger(
            self.sources, loop.post, lambda *when: loop.call_later(*when).cancel, enabled.engine
        )
        if enabled.loop.ident is not None:
            spared.give_up(enabled.loop.ident)
            self.debugger.own_threads.add(enabled.loop.ident)
        self.server = Server(
            enabled.loop,
            self.gate,
            self.sources,
            self.debugger,
            enabled.identity,
            port=enabled.port,
            binding=None if tls is None else _binding(tls.certificate),
            authority="" if tls is None else tls.authority,
        )
        self.server.redirect_output = self.settings.redirect_output
        self.server.is_local = is_loopback(self.settings.address[0])
        self.server.welcome = self._welcome
        self._lobby = Lobby()
        log.info(f"assembled, engine {self.debugger.engine_name}")

    def listen_at_port(self, sock: Socket) -> None:
        """Take clients from the network."""
        Listener(self.server, self._lobby, sock, self._identify, self._context)

    def listen(self, sock: Socket, identify: Callable[[socket.socket, object], Peer | None]) -> None:
        """Take clients of this machine, who come through our door in the registry."""
        Listener(self.server, self._lobby, sock, identify)

    def take_call(self, sock: Socket) -> Transport:
        """Take the client whom we have called."""
        tune(sock)
        transport = Transport(self.server.loop, sock)
        try:
            peer = Peer.from_address(sock.getpeername()[:2])
        except OSError:  # it has hung up already
            peer = Peer("somebody", "")
        self._lobby.enter(Arrival(self.server, self._lobby, transport, peer, self._context))
        return transport

    def _welcome(self, transport: Transport, peer: Peer) -> None:
        """Take a client whom the owner of our port has let in and led here."""
        self._lobby.enter(Arrival(self.server, self._lobby, transport, peer, None))

    def _identify(self, sock: socket.socket, address: Any) -> Peer:
        peer = Peer.from_address(address)
        if peer.is_local and self.gate.is_open and hasattr(os, "geteuid"):
            other = is_another_users(sock, address[:2], os.geteuid())
            return replace(peer, is_another_users=other)
        return peer

    def abandon(self) -> None:
        """In a forked child: nothing of this is in use here."""
        self.server.stop_output()
        self.debugger.after_fork_in_child()


def _binding(text: str) -> bytes:
    """What binds a login to the certificate that is ours: the first one of this text."""
    import ssl

    begin, end = text.index(ssl.PEM_HEADER), text.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
    return tls_server_end_point(ssl.PEM_cert_to_DER_cert(text[begin:end]))
