"""Files as DAP names them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._source._sources import Sources

__all__ = ["describe_source", "read_source", "wanted_sha256"]


def describe_source(sources: Sources, filename: str) -> dict[str, Any]:
    """DAP's Source for a loaded file."""
    path = sources.display_path(filename)
    body: dict[str, Any] = {
        "name": re.split(r"[\\/]", path)[-1] or path,
        "path": path,
        "sourceReference": sources.reference(filename),
    }
    checksum = sources.sha256(filename)
    if checksum is not None:
        body["checksums"] = [{"algorithm": "SHA256", "checksum": checksum}]
    if sources.has_changed(filename):
        body["origin"] = "changed since the program loaded it, so text and lines may not fit"
    return body


def read_source(sources: Sources, source: Arguments) -> str:
    """The path that a client's Source means."""
    path = source.text("path", "")
    if path:
        return path
    filename = sources.by_reference(source.number("sourceReference", 0))
    if filename is not None:
        return sources.display_path(filename)
    name = source.text("name", "")
    if name:
        return name
    raise RequestFailed("bad-request", f"{source.command} needs source.path, a text.")


def wanted_sha256(source: Arguments) -> str | None:
    """The hash of the client's own copy, if it sent one."""
    for checksum in source.children("checksums"):
        if checksum.text("algorithm", "") == "SHA256":
            return checksum.text("checksum")
    return None
