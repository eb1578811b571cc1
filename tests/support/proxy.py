"""A network between client and server that a test can break: cut, stall, and mend again.

Each connection has two threads here that copy bytes; they end with their sockets.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from types import TracebackType


class Proxy:
    """Listens on loopback and passes everything on to `target`, until it is told to fail.

    Args:
        delay: seconds by which everything comes later, each way.
    """

    def __init__(self, target: tuple[str, int], delay: float = 0.0) -> None:
        self._target = target
        self._delay = delay
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self.connections = 0
        self.seen = b""
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._stalled: set[socket.socket] = set()
        self._refusing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self._refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(self._target, 10)
            except OSError:
                client.close()
                continue
            self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(65536):
                time.sleep(self._delay)
                if source not in self._stalled:
                    self.seen += data
                    sink.sendall(data)
        if source not in self._stalled:
            with contextlib.suppress(OSError, ValueError):
                sink.shutdown(socket.SHUT_WR)

    def stall(self) -> None:
        """Swallow all that comes on the connections there are, and say nothing: nobody hears of any end."""
        for pair in self._pairs:
            self._stalled.update(pair)

    def cut(self) -> None:
        """End the connections there are, as a gateway that restarts does."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def half_close(self) -> None:
        """End the client's direction only: the server reads the end, the client goes on listening."""
        for client, server in self._pairs:
            self._stalled.add(client)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_WR)

    def refuse(self, refusing: bool) -> None:
        """Let nobody through from now on, or everybody again."""
        self._refusing = refusing

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
