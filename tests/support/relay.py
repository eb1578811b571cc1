"""A man in the middle: takes TLS with a certificate of its own, passes everything on to the real server.

Each connection has two threads here that copy bytes; they end with their sockets.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from types import TracebackType

from tests.support.dap import trusting_context


class TlsRelay:
    """Listens with `certfile` and relays every byte to the TLS server at `target`; keeps what it has read."""

    def __init__(self, target: tuple[str, int], certfile: str, keyfile: str) -> None:
        self._target = target
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certfile, keyfile)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self.seen = b""
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(raw)
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        try:
            client = self._context.wrap_socket(raw, server_side=True)
        except OSError:  # the client does not like our certificate: that is its right
            raw.close()
            return
        self._open.append(client)
        try:
            server = trusting_context().wrap_socket(socket.create_connection(self._target, 10))
        except OSError:
            client.close()
            return
        self._open.append(server)
        threading.Thread(target=self._copy, args=(server, client), daemon=True).start()
        self._copy(client, server)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(65536):
                self.seen += data
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError, ValueError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for one in (self._listener, *self._open):
            one.close()

    def __enter__(self) -> TlsRelay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
