"""Finding the debuggee's files on this machine, by name and by content. Reads files; no network.

The folders given are walked once, at the first question, and only names are kept. Runs on the event
loop's thread: the walk is bounded in time.
"""

from __future__ import annotations

import os
import stat
import time
import tokenize
from functools import lru_cache
from typing import TYPE_CHECKING

from remora_client._records import record
from remora_client._source._pathmap import PathMap
from remora_protocol import match_by_name, sha256_text

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LocalFile", "LocalSources"]

_WALK_SECONDS = 1.0
_SIZE_LIMIT = 32 * 1024 * 1024
_SKIPPED = frozenset({"__pycache__", "node_modules", "build", "dist"})
_SUFFIXES = (".py", ".pyw", ".pyi")


@record
class LocalFile:
    """A file of this machine. `same`: its hash is the one that was asked for."""

    path: str
    text: str
    sha256: str
    same: bool = False


class LocalSources:
    """The folders that may hold the program's files; the current folder when none are given."""

    def __init__(self, roots: Sequence[str] = ()) -> None:
        self.roots = [os.path.abspath(os.path.expanduser(root)) for root in roots] or [os.getcwd()]
        self.cut = False  # the walk took too long, so that files may be missing
        self.maps = PathMap()
        self._names: dict[str, list[str]] | None = None

    def find(self, typed: str) -> LocalFile | None:
        """The file a person means by a path, or by the end of one. None: there is none, or several."""
        for base in ("", *self.roots):
            path = os.path.abspath(os.path.join(base, os.path.expanduser(typed)))
            if os.path.isfile(path):
                return self._read(path, None)
        matches = match_by_name(typed, self._named_like(typed))
        return self._read(matches[0], None) if len(matches) == 1 else None

    def match(self, remote: str, sha256: str | None) -> LocalFile | None:
        """The local copy of a file of the debuggee's, the same one if there is one."""
        if not remote:
            return None
        mapped = self.maps.ours(remote)
        if mapped is not None and (file := self._read(mapped, sha256)) is not None:
            return file
        candidates = self._named_like(remote)
        if os.path.isabs(remote) and remote not in candidates and self._may_be_meant(remote, sha256):
            candidates = [remote, *candidates]
        matches = match_by_name(remote, candidates, wanted_sha256=sha256, sha256_of=self._sha256)
        found = [file for file in (self._read(path, sha256) for path in matches) if file is not None]
        if not found:
            return None
        return next((file for file in found if file.same), found[0])

    def _may_be_meant(self, path: str, sha256: str | None) -> bool:
        """Whether a path that the server names outright is a file of ours to show.

        It may lie: `/etc/passwd` is no program. A file that is no Python by its name has to have the hash.
        """
        if path.endswith(_SUFFIXES):
            return os.path.isfile(path)
        return sha256 is not None and self._sha256(path) == sha256

    def read(self, path: str, sha256: str | None = None) -> LocalFile | None:
        """A file of this machine by its path; None: there is none, or it is no text."""
        return self._read(path, sha256)

    def has(self, path: str) -> bool:
        """Whether a file lies under the folders."""
        return any(path == root or path.startswith(root.rstrip(os.sep) + os.sep) for root in self.roots)

    def _sha256(self, path: str) -> str | None:
        file = self._read(path, None)
        return file.sha256 if file else None

    def _named_like(self, path: str) -> list[str]:
        if self._names is None:
            self._names = self._walk()
        name = path.replace("\\", "/").rpartition("/")[2]
        return self._names.get(name.casefold(), [])

    def _walk(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        end = time.monotonic() + _WALK_SECONDS
        for root in self.roots:
            for folder, folders, files in os.walk(root):
                folders[:] = sorted(each for each in folders if each[0] != "." and each not in _SKIPPED)
                for file in files:
                    if file.endswith(_SUFFIXES):
                        names.setdefault(file.casefold(), []).append(os.path.join(folder, file))
                if time.monotonic() > end:
                    self.cut = True
                    return names
        return names

    @staticmethod
    def _read(path: str, sha256: str | None) -> LocalFile | None:
        try:
            found = os.stat(path)
            if found.st_size > _SIZE_LIMIT or not stat.S_ISREG(found.st_mode):
                return None
            text, digest = _contents(path, found.st_mtime_ns, found.st_size)
            return LocalFile(path, text, digest, sha256 is not None and digest == sha256)
        except (OSError, SyntaxError, UnicodeDecodeError, ValueError):
            return None


@lru_cache(maxsize=64)
def _contents(path: str, mtime: int, size: int) -> tuple[str, str]:
    """The text and its hash; a stack asks for the same few files again and again.

    When it was changed and how large it is are for the cache alone: a file that is edited is read anew.
    """
    with open(path, "rb") as stream:
        data = stream.read(_SIZE_LIMIT)
    with tokenize.open(path) as text:  # honours PEP 263
        return text.read(), sha256_text(data)
