"""What is behind the listening sockets, put together when the first client knocks. On the server's thread."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora._debugger import Debugger
from remora._identity import Identity
from remora._listener import Listener, Lobby
from remora._log import log
from remora._login import Gate, Peer
from remora._neighbours import is_another_users
from remora._preload import preload
from remora._server import Server
from remora._sources import Sources
from remora_protocol import tls_server_end_point

if TYPE_CHECKING:
    import socket

    from remora._api import Enabled

__all__ = ["Assembly"]


class Assembly:
    """The parts of a server that is in use.

    Args:
        secrets: of drivers and of observers.
    """

    def __init__(self, enabled: Enabled, secrets: tuple[str | None, str | None]) -> None:
        preload()
        self.gate = Gate(*secrets)
        self.sources = Sources()
        self.debugger = Debugger(self.sources, enabled.loop.post, enabled.engine)
        if enabled.loop.ident is not None:
            self.debugger.own_threads.add(enabled.loop.ident)
        identity = Identity(enabled.settings.name, enabled.address)
        binding = None if enabled.context is None else _binding(enabled.settings.certfile or "")
        self.server = Server(enabled.loop, self.gate, self.sources, self.debugger, identity, binding=binding)
        self.server.redirect_output = enabled.settings.redirect_output
        lobby = Lobby()
        Listener(self.server, lobby, enabled.socket, self._identify, enabled.context)
        if enabled.door is not None:
            Listener(self.server, lobby, enabled.door.socket, enabled.door.identify)
        log.info(f"assembled, engine {self.debugger.engine_name}")

    def _identify(self, sock: socket.socket, address: Any) -> Peer:
        peer = Peer.from_address(address)
        if peer.is_local and self.gate.is_open and hasattr(os, "geteuid"):
            other = is_another_users(address[:2], sock.getsockname()[:2], os.geteuid())
            return replace(peer, is_another_users=other)
        return peer

    def abandon(self) -> None:
        """In a forked child: nothing of this is in use here."""
        self.server.output.stop()
        self.debugger.after_fork_in_child()


def _binding(certfile: str) -> bytes:
    """What binds a login to the certificate in this file: the first one, which is our own."""
    import ssl

    with open(certfile, encoding="ascii", errors="replace") as file:
        text = file.read()
    begin, end = text.index(ssl.PEM_HEADER), text.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
    return tls_server_end_point(ssl.PEM_cert_to_DER_cert(text[begin:end]))
