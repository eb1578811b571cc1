"""Which files this program runs: by what name a client may mean them, their text, and their lines.

Asked by the server thread; `matches`, `note` and `place` also by a program's thread that has just entered a
file for the first time. Nothing here takes a lock: every table is filled by single assignments, and two
threads that fill the same entry write the same thing.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from remora._interpreter._frames import current_frames
from remora._interpreter._originals import read_file
from remora._source._filters import own_folders
from remora._source._modules import codes_of, filename_of, is_what_was_loaded, module_dict
from remora._source._placement import Lines, lines_of_codes, lines_of_text
from remora_protocol import match_by_name, near_matches, sha256_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from remora._source._columns import Spot

__all__ = ["Lines", "Sources"]


class _Loaded:
    """One file's bytes and text, as they were when first asked for."""

    def __init__(self, data: bytes | None, text: str, fresh: bool) -> None:
        self.text = text
        self.sha256 = sha256_text(data if data is not None else text.encode("utf-8", "surrogatepass"))
        self.fresh = fresh


class Sources:
    """The program's files, known by the names that their code objects carry (`co_filename`).

    Remora's own are none of them: a `variables.py` that a person means is always theirs.
    """

    def __init__(self) -> None:
        self._own_folders = own_folders()
        self._noted: dict[str, str] = {}  # co_filename -> path for the client
        self._modules: dict[str, tuple[int, str]] = {}  # module name -> (id of the module, co_filename)
        self._texts: dict[str, _Loaded | None] = {}
        self._lines: dict[str, Lines | None] = {}
        self._spots: dict[str, dict[int, tuple[Spot, ...]]] = {}
        self._references: dict[str, int] = {}
        self._by_reference: dict[int, str] = {}

    # -- names ------------------------------------------------------------------------------------

    def note(self, filename: str) -> None:
        """Remember a file that was seen running; relative names are taken from today's directory."""
        if filename not in self._noted:
            path = _absolute(filename)
            if not path.startswith(self._own_folders):
                self._noted[filename] = path

    def loaded(self) -> list[str]:
        """The co_filename of every file that is known to have run."""
        modules = sys.modules
        for name in list(modules):
            module = modules.get(name)
            known = self._modules.get(name)
            if module is None or (known is not None and known[0] == id(module)):
                continue
            filename = filename_of(module)
            if filename is not None:
                self._modules[name] = (id(module), filename)
                self.note(filename)
        for frame in list(current_frames().values()):
            _note_stack(self, frame)
        return list(self._noted)

    def resolve(self, path: str, sha256: str | None = None) -> list[str]:
        """The loaded files that the client's `path` means; several when they match equally well."""
        by_path: dict[str, str] = {}
        for filename in self.loaded():
            by_path.setdefault(self.display_path(filename), filename)
        exact = by_path.get(path)
        if exact is not None:
            return [exact]
        found = match_by_name(path, list(by_path), wanted_sha256=sha256, sha256_of=self._sha256_of_path)
        return [by_path[each] for each in found]

    def matches(self, path: str, filename: str) -> bool:
        """Whether this file, perhaps never seen before, is one that `path` means."""
        shown = _absolute(filename)
        if shown != path and not match_by_name(path, [shown]):
            return False
        self.note(filename)
        return filename in self.resolve(path)

    def near(self, path: str, is_wanted: Callable[[str], bool] = lambda filename: True) -> list[str]:
        """Loaded files whose names are close to a name that matches none, of those that are wanted."""
        return near_matches(path, [self.display_path(each) for each in self.loaded() if is_wanted(each)])

    def display_path(self, filename: str) -> str:
        """The path that the client is shown: absolute, unless the file is none at all (`<string>`)."""
        known = self._noted.get(filename)
        return known if known is not None else _absolute(filename)

    def reference(self, filename: str) -> int:
        """DAP's sourceReference of a file: from 1, the same as long as the process lives."""
        known = self._references.get(filename)
        if known is None:
            known = len(self._references) + 1
            self._references[filename] = known
            self._by_reference[known] = filename
        return known

    def by_reference(self, reference: int) -> str | None:
        """The file that was given this sourceReference."""
        return self._by_reference.get(reference)

    # -- texts ------------------------------------------------------------------------------------

    def text(self, filename: str) -> str | None:
        """The file's text as it was loaded; None when there is none (no source, `exec` of a string)."""
        loaded = self._load(filename)
        return None if loaded is None else loaded.text

    def sha256(self, filename: str) -> str | None:
        """SHA-256 of the bytes that were loaded; None without a text, and when the file has changed since."""
        loaded = self._load(filename)
        return None if loaded is None or not loaded.fresh else loaded.sha256

    def has_changed(self, filename: str) -> bool:
        """Whether the text is that of a file that has changed since the program loaded it."""
        loaded = self._load(filename)
        return loaded is not None and not loaded.fresh

    def lines(self, filename: str) -> Lines | None:
        """The lines that can stop; from the text, else from the code that is loaded."""
        if filename not in self._lines:
            self._lines[filename] = self._read_lines(filename)
        return self._lines[filename]

    def place(self, filename: str, line: int) -> int | None:
        """Where a breakpoint on this line goes: the line, or a later one in the same function, or None."""
        lines = self.lines(filename)
        return None if lines is None else lines.place(line)

    def line_of_def(self, code: CodeType) -> int:
        """Where a function's `def` or `lambda` is; its code begins with its decorators."""
        first, lines = code.co_firstlineno, self.lines(code.co_filename)
        scopes = () if lines is None else lines.scopes
        return min(
            (each.first for each in scopes if each.name == code.co_name and each.first >= first),
            default=first,
        )

    def spots(self, filename: str, line: int) -> tuple[Spot, ...]:
        """The places on a line, from left to right, where it has several and its columns are known."""
        if filename not in self._spots:
            self._spots[filename] = self._read_spots(filename)
        return self._spots[filename].get(line, ())

    def spot(self, filename: str, line: int, column: int) -> Spot | None:
        """The one of several places on a line that a column means; None where there is only one."""
        spots, loaded = self.spots(filename, line), self._load(filename)
        if not spots or loaded is None:
            return None
        from remora._source._columns import pick

        return pick(spots, line, column, loaded.text)

    def _read_spots(self, filename: str) -> dict[int, tuple[Spot, ...]]:
        loaded = self._load(filename)
        if loaded is None or not loaded.fresh:
            return {}
        from remora._source._columns import (
            spots_of_text,  # and ast with it: only who asks for columns pays for it
        )

        try:
            return spots_of_text(loaded.text)
        except (SyntaxError, ValueError, RecursionError):
            return {}

    def _read_lines(self, filename: str) -> Lines | None:
        loaded = self._load(filename)
        if loaded is None and self.display_path(filename).startswith("<"):
            return None  # many things are called <string>
        # What is loaded tells, when the file was changed since or is no Python at all (a template).
        real = None if loaded is not None and loaded.fresh else lines_of_codes(codes_of(filename))
        if loaded is None or real is not None:
            return real
        try:
            return lines_of_text(loaded.text)
        except (SyntaxError, ValueError, RecursionError):
            return lines_of_codes(codes_of(filename))

    def _load(self, filename: str) -> _Loaded | None:
        if filename not in self._texts:
            self._texts[filename] = self._read(filename)
        return self._texts[filename]

    def _read(self, filename: str) -> _Loaded | None:
        path = self.display_path(filename)
        data = _file_bytes(path)
        if data is not None:
            text = _decode(data)
            if text is None:
                return None
            return _Loaded(data, text, is_what_was_loaded(filename, path, text))
        text = _cached_lines(filename) or self._text_from_loader(filename)
        return None if text is None else _Loaded(None, text, True)

    def _text_from_loader(self, filename: str) -> str | None:
        """The text of a module in an archive, or of the frozen standard library, from its loader."""
        for name, (_, known) in list(self._modules.items()):
            module = sys.modules.get(name)
            if known != filename or not isinstance(module, ModuleType):
                continue
            loader: Any = module_dict(module).get("__loader__")
            if type(loader).__module__ in ("zipimport", "_frozen_importlib_external", "_frozen_importlib"):
                try:
                    text = loader.get_source(name)
                except (ImportError, OSError, SyntaxError, UnicodeError):
                    continue
                if isinstance(text, str):
                    return text
        return None

    def _sha256_of_path(self, path: str) -> str | None:
        for filename, shown in list(self._noted.items()):
            if shown == path:
                return self.sha256(filename)
        return None


def _absolute(filename: str) -> str:
    if filename.startswith("<") and filename.endswith(">"):
        return _source_of_frozen(filename) or filename
    try:
        return os.path.abspath(filename)
    except (OSError, ValueError):  # the working directory is gone
        return filename


def _source_of_frozen(filename: str) -> str | None:
    """Where the text of a module of the standard library is that CPython 3.11 and later have built in."""
    module = sys.modules.get(filename[len("<frozen ") : -1]) if filename.startswith("<frozen ") else None
    file = module_dict(module).get("__file__") if issubclass(type(module), ModuleType) else None
    return file if type(file) is str and file.endswith(".py") else None


def _note_stack(sources: Sources, frame: Any) -> None:
    while frame is not None:
        sources.note(frame.f_code.co_filename)
        frame = frame.f_back


def _file_bytes(path: str) -> bytes | None:
    if path.startswith("<"):
        return None
    try:
        return read_file(path)
    except (OSError, ValueError):
        return None


def _decode(data: bytes) -> str | None:
    from importlib.util import decode_source

    try:
        return decode_source(data)
    except (SyntaxError, UnicodeError):
        return None


def _cached_lines(filename: str) -> str | None:
    """What `linecache` was given: notebooks, doctests and templates put their texts there."""
    linecache = sys.modules.get("linecache")
    entry = getattr(linecache, "cache", {}).get(filename)
    if isinstance(entry, tuple) and len(entry) == 4 and isinstance(entry[2], list):
        return "".join(entry[2])
    return None
