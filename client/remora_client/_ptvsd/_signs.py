"""How an old ptvsd greets. By itself, so that the rest is imported only for one that does. Pure."""

from __future__ import annotations

import re

__all__ = ["GREETING", "MAGIC", "greets", "incomplete"]

MAGIC = "PTVSDBG"
GREETING = "legacyRemoteConnected"

_MAGIC = MAGIC.encode("ascii")
_GREETING_BYTES = len(_MAGIC) + 8
_JSON_SIGN = GREETING.encode("ascii")
_LENGTH = re.compile(rb"content-length: *(\d{1,6})\r\n", re.IGNORECASE)


def greets(data: bytes) -> bool:
    """Whether this is how an old ptvsd greets."""
    return data.startswith(_MAGIC) or (data[:1] == b"C" and _JSON_SIGN in data[:1024])


def incomplete(data: bytes) -> bool:
    """Whether more has to come before it can be told who greets."""
    if data.startswith(_MAGIC[: len(data)]):
        return len(data) < _GREETING_BYTES
    if data[:1] != b"C":
        return False
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        return len(data) < 512
    length = _LENGTH.search(head + b"\r\n")
    return length is not None and len(body) < min(int(length[1]), 1024)
