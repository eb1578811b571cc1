"""What processes of one user tell each other in the registry: JSON objects, one a line, both ways.

Only a socket in a folder that nobody else can enter gets this far. On the server's thread.
"""

from __future__ import annotations

from remora._interpreter._importing import importing
from remora._network._transport import Transport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora._interpreter._originals import Socket
    from remora._network._loop import Loop

__all__ = ["Lines", "decode", "encode"]

_LONGEST = 1_000_000


class Lines:
    """One connection.

    Args:
        take: called with each object that comes.
        lost: called once, when the other end is gone.
        received: bytes that were read from the socket already.
    """

    def __init__(
        self,
        loop: Loop,
        sock: Socket,
        take: Callable[[dict[str, Any]], None],
        lost: Callable[[], None],
        received: bytes = b"",
    ) -> None:
        self._take = take
        self._lost = lost
        self._received = b""
        self._transport = Transport(loop, sock, self._on_bytes, lambda _reason: lost())
        if received:
            self._on_bytes(received)

    def send(self, message: dict[str, Any]) -> None:
        """Say something."""
        self._transport.send(encode(message))

    def close(self) -> None:
        """Hang up. Nobody is told here."""
        self._transport.abort()

    def _on_bytes(self, data: bytes) -> None:
        *whole, self._received = (self._received + data).split(b"\n")
        if len(self._received) > _LONGEST:
            self.close()
            self._lost()
        for line in whole:
            self._take(decode(line))


def encode(message: dict[str, Any]) -> bytes:
    """An object as a line."""
    with importing:
        import json  # not above: a process without siblings never needs it
    return json.JSONEncoder().encode(message).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The object in a line; an empty one if there is none."""
    with importing:
        import json
    try:
        message = json.JSONDecoder().decode(line.decode("utf-8"))
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
