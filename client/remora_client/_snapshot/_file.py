"""The file of a snapshot: JSON in a zip, and nothing in it that could be run. Pure but for the file.

The file may come from anybody: every part has a limit that is held while reading, nothing is unpacked to the
disk, and what is no snapshot is refused with a reason. What is in the JSON is read as tolerantly as what a
server says, by the same code.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
import zlib
from dataclasses import field
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError
from remora_client._records import record

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMAT", "VERSION", "Snapshot", "SnapshotError", "read_snapshot", "write_snapshot"]

FORMAT = "remora-snapshot"
VERSION = 1
_DOCUMENT = "snapshot.json"
_MOST_JSON = 64 * 1024 * 1024
_MOST_SOURCE = 8 * 1024 * 1024
_MOST_IN_ALL = 128 * 1024 * 1024
_MOST_MEMBERS = 2_000
_CHUNK = 64 * 1024


class SnapshotError(ClientError):
    """A file cannot be read as a snapshot."""

    exit_code = 6
    code = "snapshot"


@record
class Snapshot:
    """What is in a file: the document, and the text of each source by its index in `document["sources"]`."""

    document: dict[str, Any]
    texts: Mapping[int, str] = field(default_factory=dict)


def write_snapshot(path: str, snapshot: Snapshot) -> int:
    """Write it whole or not at all, for the owner's eyes only: values may be secret. Gives the size."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        handle, temporary = tempfile.mkstemp(prefix=".remora-", dir=folder)
        try:
            with (
                os.fdopen(handle, "wb") as stream,
                zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as found,
            ):
                found.writestr(_DOCUMENT, json.dumps(snapshot.document))
                for index, text in snapshot.texts.items():
                    found.writestr(_member(index), text.encode("utf-8", "surrogatepass"))
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise ClientError(
            f"{path} cannot be written: {error.strerror or error}.", "Name another file for the snapshot."
        ) from None
    return os.stat(path).st_size


def _member(index: int) -> str:
    return f"sources/{index}.py"


def read_snapshot(path: str) -> Snapshot:
    """Read a file. Raises `SnapshotError`."""
    try:
        with zipfile.ZipFile(path) as found:
            return _read(found, path)
    except OSError as error:
        raise SnapshotError(f"{path} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        # The zip module's own words for what is broken, encrypted, or packed in a way that it has not got.
        raise SnapshotError(f"{path} is no snapshot, or a damaged one: {error}") from None


def _read(found: zipfile.ZipFile, path: str) -> Snapshot:
    if len(found.infolist()) > _MOST_MEMBERS:
        raise SnapshotError(f"{path} is no snapshot: it has more than {_MOST_MEMBERS} files in it.")
    names = set(found.namelist())
    if _DOCUMENT not in names:
        raise SnapshotError(f"{path} is no snapshot: there is no {_DOCUMENT} in it.")
    data = _bounded(found, _DOCUMENT, _MOST_JSON, path)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"{path} is a damaged snapshot: its JSON cannot be read ({error}).") from None
    _check(document, path)
    left = _MOST_IN_ALL - len(data)
    texts: dict[int, str] = {}
    for index in range(len(document["sources"])):
        if _member(index) in names:
            source = _bounded(found, _member(index), min(_MOST_SOURCE, left), path)
            left -= len(source)
            texts[index] = source.decode("utf-8", "backslashreplace")
    return Snapshot(document, texts)


def _bounded(found: zipfile.ZipFile, name: str, most: int, path: str) -> bytes:
    """A member's bytes. Its header is not believed: what counts is what comes out."""
    parts: list[bytes] = []
    size = 0
    with found.open(name) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise SnapshotError(f"{path} is refused: {name} in it is bigger than {most:,} bytes.")
            parts.append(chunk)
    return b"".join(parts)


def _check(document: Any, path: str) -> None:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SnapshotError(f"{path} is no snapshot: its JSON does not say that it is one.")
    version = document.get("version")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise SnapshotError(
            f"{path} is a snapshot of version {version!r}, and this client reads up to version {VERSION}.",
            "A newer Remora wrote it: upgrade the client.",
        )
    if not all(isinstance(document.get(name), list) for name in ("threads", "sources")):
        raise SnapshotError(f"{path} is a damaged snapshot: it has no threads or no sources.")
