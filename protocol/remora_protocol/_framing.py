"""Bytes to message bodies and back: DAP's Content-Length framing, with the limits that a stranger must meet.

No I/O and no threads: whoever owns the connection calls it. Everything that can be refused is refused
from the header alone, so that nobody can make us wait for, or keep, more than `FrameDecoder.limit` bytes.
"""

from __future__ import annotations

import re

from remora_protocol._errors import RemoteProtocolError

__all__ = ["AFTER_LOGIN_LIMIT", "BEFORE_LOGIN_LIMIT", "HEADER_LIMIT", "FrameDecoder", "encode_frame"]

HEADER_LIMIT = 4096
BEFORE_LOGIN_LIMIT = 64 * 1024
AFTER_LOGIN_LIMIT = 64 * 1024 * 1024

_END = b"\r\n\r\n"
_FIELD = re.compile(rb"([!#-'*+\-.0-9A-Z^-z|~]+):([ -~\t]*)")
# int() alone lets signs, underscores and spaces through.
_LENGTH = re.compile(rb"[0-9]{1,19}")
# What can never be part of a header. Seen at once, a binary protocol is told so instead of waited for.
_NOT_HEADER = re.compile(rb"[^ -~\t\r\n]")


def encode_frame(body: bytes) -> bytes:
    """Put the header before a body."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class FrameDecoder:
    """Collects bytes and hands out bodies.

    Once it has refused something it refuses everything: after a broken header nobody knows where the
    next one starts.
    """

    def __init__(self, limit: int = BEFORE_LOGIN_LIMIT) -> None:
        #: The largest body taken. May be changed at any time; holds for headers not read yet.
        self.limit = limit
        self._buffer = bytearray()
        self._length: int | None = None
        self._refusal: tuple[str, str] | None = None

    @property
    def partial(self) -> bool:
        """Whether bytes wait for more: at the end of the stream, it was cut."""
        return bool(self._buffer) or self._length is not None

    def receive(self, data: bytes) -> None:
        """Store bytes; `next_body` looks at them."""
        if self._refusal is None:
            self._buffer += data

    def next_body(self) -> bytes | None:
        """The next whole body, or None when more bytes are needed.

        Raises:
            RemoteProtocolError: "too-large" or "bad-request"; the same again at every later call.
        """
        if self._refusal is None and self._length is None:
            try:
                self._length = self._read_header()
            except RemoteProtocolError as error:
                self._refusal = (error.code, str(error))
                self._buffer.clear()
        if self._refusal is not None:
            raise RemoteProtocolError(*self._refusal)
        if self._length is None or len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._length = None
        return body

    def take_rest(self) -> bytes:
        """What was stored and not read, between two bodies."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def _read_header(self) -> int | None:
        end = self._buffer.find(_END, 0, HEADER_LIMIT)
        header = bytes(self._buffer[: HEADER_LIMIT if end < 0 else end])
        if _NOT_HEADER.search(header):
            raise RemoteProtocolError(
                "bad-request", "This is not a message header: it has bytes that are no text."
            )
        if end < 0:
            if len(self._buffer) >= HEADER_LIMIT:
                text = f"A message header is longer than {HEADER_LIMIT} bytes."
                raise RemoteProtocolError("too-large", text)
            return None
        del self._buffer[: end + len(_END)]
        length = _content_length(header)
        if length > self.limit:
            text = f"A message of {length} bytes is too large: at most {self.limit} are taken here."
            raise RemoteProtocolError("too-large", text)
        return length


def _content_length(header: bytes) -> int:
    found: int | None = None
    for line in header.split(b"\r\n"):
        field = _FIELD.fullmatch(line)
        if field is None:
            raise RemoteProtocolError("bad-request", "A message header has a line that is not 'Name: value'.")
        if field[1].lower() != b"content-length":
            continue  # DAP knows one field, LSP's libraries also send Content-Type
        if found is not None:
            raise RemoteProtocolError("bad-request", "A message header gives Content-Length twice.")
        value = field[2].strip(b" \t")
        if _LENGTH.fullmatch(value) is None:
            raise RemoteProtocolError("bad-request", "Content-Length is not a number in plain digits.")
        found = int(value)
    if found is None:
        raise RemoteProtocolError("bad-request", "A message header has no Content-Length.")
    return found
