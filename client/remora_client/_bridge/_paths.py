"""File names between two machines: the editor's paths and the debuggee's, both ways.

First `pathMappings` as the editor's configuration has them, then by name (see `_localsource`). A file that is
not here, or whose text is not what runs, keeps its `sourceReference`, so that the editor asks for the text.
Reads files; runs on the event loop's thread.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from remora_client._model import Source
from remora_client._records import record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remora_client._source._localsource import LocalFile, LocalSources

__all__ = ["Mapping", "Paths"]


@record
class Mapping:
    """One of the configuration's `pathMappings`."""

    local: str
    remote: str

    def to_local(self, path: str) -> str | None:
        """The local path for one of the debuggee's, if it lies under this root."""
        rest = _below(path, self.remote)
        if rest is None:
            return None
        return os.path.normpath(os.path.join(self.local, *rest))

    def to_remote(self, path: str) -> str | None:
        """The debuggee's path for a local one."""
        rest = _below(os.path.abspath(path), os.path.abspath(self.local))
        if rest is None:
            return None
        separator = "\\" if "\\" in self.remote and "/" not in self.remote else "/"
        return separator.join([self.remote.rstrip("/\\"), *rest]) if rest else self.remote


def _below(path: str, root: str) -> list[str] | None:
    """What is left of a path below a root; None when it lies elsewhere."""
    windows = "\\" in root or "\\" in path
    parts, roots = _parts(path, windows), _parts(root, windows)
    same = [part.casefold() for part in parts[: len(roots)]] if windows else parts[: len(roots)]
    if same != ([part.casefold() for part in roots] if windows else roots):
        return None
    return parts[len(roots) :]


def _parts(path: str, windows: bool) -> list[str]:
    return [
        part for part in (path.replace("\\", "/") if windows else path).split("/") if part not in ("", ".")
    ]


class Paths:
    """Translates `Source` objects.

    Args:
        mappings: the configuration's `pathMappings`.
        sources: the folders of this machine that hold the program's files.
        note: told once of each local file that is not what the program runs.
    """

    def __init__(
        self, mappings: Sequence[Mapping], sources: LocalSources, note: Callable[[str], None]
    ) -> None:
        self._mappings = mappings
        self._sources = sources
        self._note = note
        self._remote: dict[str, str] = {}  # the editor's path -> the debuggee's, as the server named it
        self._sent: dict[str, str] = {}  # the same, fixed by the first request: servers know files by it
        self._chosen: dict[str, str] = {}  # the debuggee's path -> the file that the editor has open for it
        self._told: set[str] = set()

    def to_server(self, source: dict[str, Any]) -> dict[str, Any]:
        """What the editor calls a file, in the debuggee's words. A hash tells files of one name apart."""
        path = source.get("path")
        if not isinstance(path, str) or source.get("sourceReference"):
            return source
        changed = {**source, "path": self._sent.setdefault(path, self._to_remote(path))}
        local = self._sources.read(path)
        if local is not None and "checksums" not in changed:
            changed["checksums"] = [{"algorithm": "SHA256", "checksum": local.sha256}]
        return changed

    def _to_remote(self, path: str) -> str:
        mapped = next((found for each in self._mappings if (found := each.to_remote(path)) is not None), None)
        return mapped or self._remote.get(path, path)

    def to_editor(self, body: dict[str, Any]) -> dict[str, Any]:
        """What the server calls a file, in the editor's words."""
        source = Source.from_dap(body)
        if not source.path:
            return body
        local = self._local(source)
        if local is None:
            return body
        self._remote[local] = source.path
        changed = {key: value for key, value in body.items() if key not in ("sourceReference", "checksums")}
        return {**changed, "name": os.path.basename(local), "path": local}

    def learn(self, body: dict[str, Any], path: str) -> None:
        """The server says which file of the debuggee's the editor's `path` is."""
        source = Source.from_dap(body)
        local = self._sources.read(path, source.sha256)
        if not source.path or local is None:
            return
        if source.sha256 is not None and not local.same:
            self._differs(local)
        else:
            self._chosen[source.path] = path
            self._remote[path] = source.path

    def _local(self, source: Source) -> str | None:
        """The local copy's path, if there is one with the text that runs."""
        chosen = self._chosen.get(source.path)
        if chosen is not None:
            local = self._sources.read(chosen, source.sha256)
            if local is not None and (source.sha256 is None or local.same):
                return chosen
        mapped = next(
            (found for each in self._mappings if (found := each.to_local(source.path)) is not None), None
        )
        if mapped is not None:
            local = self._sources.read(mapped, source.sha256)
        else:
            local = self._sources.match(source.path, source.sha256)
        if local is None:
            return None
        if source.sha256 is None or local.same:
            return local.path
        if mapped is not None or self._sources.has(local.path):
            self._differs(local)
        return None

    def _differs(self, local: LocalFile) -> None:
        if local.path not in self._told:
            self._told.add(local.path)
            self._note(f"{local.path} is not what the program runs; the program's own text is shown.")
