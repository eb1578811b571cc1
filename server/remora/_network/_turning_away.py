"""What those are told who knock where the rest of the server cannot be imported. On the server's thread.

So it needs no module that is not loaded when the program enables it, and its answer is one to whatever a
client's first request is.
"""

from __future__ import annotations

from functools import partial

from remora._interpreter._originals import accept
from remora._network._loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._interpreter._originals import Socket
    from remora._network._loop import Loop

__all__ = ["turn_away"]

_MOST_AT_ONCE = 64
_SECONDS_TO_SPEAK = 2.0
_ANSWER = (
    '{"seq":1,"type":"response","request_seq":1,"success":false,"command":"remora/hello",'
    '"message":"internal-error","body":{"error":{"id":13,"format":"internal-error: %s","showUser":true}}}'
)


def turn_away(loop: Loop, listening: Socket, error: BaseException) -> None:
    """Answer everybody who waits to be accepted, as soon as they have said something, and hang up."""
    text = (
        f"Remora cannot import the rest of itself in this program ({type(error).__name__}): "
        "was it, or Python, replaced since the program started, or may the program not read it any more? "
        "Start it anew."
    )
    body = (_ANSWER % text).encode("ascii", "replace")
    answer = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    for _ in range(_MOST_AT_ONCE):
        try:
            connection, _address = accept(listening)
        except OSError:
            return
        hang_up = _hanging_up(loop, connection, answer)
        loop.watch(connection, READ, hang_up)
        loop.call_later(_SECONDS_TO_SPEAK, partial(hang_up, 0))


def _hanging_up(loop: Loop, connection: Socket, answer: bytes) -> Callable[[int], None]:
    def hang_up(_events: int) -> None:
        if connection.fileno() < 0:
            return
        loop.watch(connection, 0, hang_up)
        try:
            connection.recv(65536)
            connection.send(answer)
        except OSError:
            pass
        connection.close()

    return hang_up
