"""One peer's view of a connection: framing, sequence numbers, open requests. No I/O.

Bytes go in with `receive_data`, messages come out of `next_message`, and what is to be sent is returned
as bytes, to be sent in the order of the calls. Not thread-safe: one thread owns it, which on the server
is the server's thread and in the client the event loop's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_protocol._errors import LocalProtocolError, RemoteProtocolError, RequestFailed
from remora_protocol._framing import BEFORE_LOGIN_LIMIT, FrameDecoder, encode_frame
from remora_protocol._messages import Event, Message, Request, Response, decode_message, encode_message

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Connection"]


class Connection:
    """Both sides use the same class: in DAP either may ask.

    Args:
        limit: the largest body taken; raise it by `limit` after the login.
    """

    def __init__(self, limit: int = BEFORE_LOGIN_LIMIT) -> None:
        self._decoder = FrameDecoder(limit)
        self._closed = False
        self._last_seq = 0
        self._open: dict[int, str] = {}

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<Connection {state}, {self._last_seq} sent, {len(self._open)} unanswered>"

    @property
    def limit(self) -> int:
        """The largest body taken from the peer."""
        return self._decoder.limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._decoder.limit = limit

    @property
    def closed(self) -> bool:
        """Whether the peer's stream has ended. Messages that came before may still be waiting."""
        return self._closed

    @property
    def truncated(self) -> bool:
        """Whether the stream ended in the middle of a message; true only once all others are taken."""
        return self._closed and self._decoder.partial

    @property
    def open_requests(self) -> dict[int, str]:
        """Our requests that have no response yet: seq to command."""
        return dict(self._open)

    def receive_data(self, data: bytes) -> None:
        """Store what the peer sent; b"" is the end of its stream."""
        if self._closed and data:
            raise LocalProtocolError("receive_data() was given bytes after the end of the stream.")
        if data:
            self._decoder.receive(data)
        else:
            self._closed = True

    def next_message(self) -> Message | None:
        """The next whole message, or None: more bytes are needed, or `closed` is true.

        Raises:
            MalformedRequest: one request has to be refused. The messages behind it can be taken.
            RemoteProtocolError: the peer broke the rules. Answer it if you can, then hang up.
        """
        body = self._decoder.next_body()
        if body is None:
            return None
        message = decode_message(body)
        if isinstance(message, Response) and self._open.pop(message.request_seq, None) is None:
            raise RemoteProtocolError("bad-request", "A response came to a request that is not open.")
        return message

    def take_rest(self) -> bytes:
        """The bytes that no message was made of yet: for whoever goes on with this stream in our place."""
        return self._decoder.take_rest()

    def request(self, command: str, arguments: Mapping[str, Any] | None = None) -> tuple[int, bytes]:
        """Ask the peer: the request's number, which the response will carry, and the bytes to send."""
        seq = self._last_seq + 1
        data = self._encode(Request(seq, command, dict(arguments or {})))
        self._open[seq] = command
        return seq, data

    def respond(self, request: Request, body: Any = None) -> bytes:
        """Answer a request of the peer's."""
        return self._encode(Response(self._last_seq + 1, request.seq, request.command, True, None, body))

    def fail(self, request: Request, error: RequestFailed) -> bytes:
        """Refuse a request of the peer's."""
        seq = self._last_seq + 1
        body = error.to_body()
        return self._encode(Response(seq, request.seq, request.command, False, error.code, body))

    def event(self, name: str, body: Mapping[str, Any] | None = None) -> bytes:
        """Tell the peer that something happened."""
        return self._encode(Event(self._last_seq + 1, name, dict(body or {})))

    def _encode(self, message: Message) -> bytes:
        data = encode_frame(encode_message(message))
        self._last_seq = message.seq  # only now: a body that cannot be sent leaves no gap in the numbers
        return data
