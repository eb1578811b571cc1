"""The program's files: which are loaded, their text, and where they can stop. Runs on the event loop.

The protocol carries no text. It comes from the copy on this machine, or by having the program read its own
file, where somebody in it can be asked at that moment.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
import re
import tokenize
import zlib
from typing import TYPE_CHECKING

from remora_client._ptvsd._lines import place, try_ranges
from remora_client._ptvsd._records import TryRange
from remora_client._source._localsource import LocalSources
from remora_protocol import RequestFailed, match_by_name, near_matches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora_client._ptvsd._debuggee import Debuggee
    from remora_client._ptvsd._lines import Placement

__all__ = ["Sources", "is_library", "literal", "source_path"]

_LIMIT = 8 * 1024 * 1024
_LIBRARY = re.compile(
    r"[/\\](?:lib(?:64)?[/\\]python\d[\d.]*|Lib|site-packages|dist-packages)[/\\]|[/\\]ptvsd[/\\]\w+\.pyc?\Z|\A<"
)
# Part of every thread's stack in some way, and they let exceptions through or print them: no handlers.
_THROUGH = ("threading.py", "runpy.py", "dummy_thread.py", "_dummy_thread.py")
_EVERYTHING = (TryRange(0, 1 << 30, ("*",)),)
# Both run in the program, on Python 2.6 to 3.7, and need no name of it. No literal in them may be a byte
# string, and nothing may fail: with protocol 8 a failure's traceback goes to the program's stderr.
_READ = (
    "(lambda p, os, io: __import__('base64').b64encode(__import__('zlib').compress("
    "(lambda f: (f.read(), f.close())[0])(io.open(p, 'rb')))).decode('ascii')"
    " if os.path.isfile(p) and os.path.getsize(p) < {limit} else u'')"
    "({path}, __import__('os'), __import__('io'))"
)
_STOPS = (
    "(lambda p, os, io, dis: u' '.join(u'%d' % n for n in sorted(set("
    "(lambda f, c: f(f, c))(lambda f, c: [n for i, n in dis.findlinestarts(c)] + "
    "[n for k in c.co_consts if hasattr(k, 'co_lnotab') for n in f(f, k)], "
    "compile((lambda f: (f.read(), f.close())[0])(io.open(p, 'rb')), 'x', 'exec', 0, 1)))))"
    " if os.path.isfile(p) and os.path.getsize(p) < {limit} else u'')"
    "({path}, __import__('os'), __import__('io'), __import__('dis'))"
)


def literal(text: str) -> str:
    """A text as a literal for any Python from 2.6 on."""
    return f"u{text!a}"


def source_path(file: str) -> str:
    """The .py that a .pyc was made from."""
    return file[:-1] if file.endswith((".pyc", ".pyo")) else file


def is_library(file: str) -> bool:
    """Whether a file is most likely not the user's own."""
    return _LIBRARY.search(file) is not None


class Sources:
    """What is known of the program's files. `debuggee` is set at the attach."""

    def __init__(self, roots: Sequence[str] = ()) -> None:
        self.debuggee: Debuggee | None = None
        self._local = LocalSources(roots)
        self._modules: dict[str, int] = {}  # path of the source -> how often it was told
        self._texts: dict[str, str] = {}  # by the program's path
        self._stops: dict[str, frozenset[int]] = {}

    # -- which files there are

    def loaded(self, file: str) -> str | None:
        """A module was told. Its path, when it is new."""
        path = source_path(file)
        self._modules[path] = self._modules.get(path, 0) + 1
        return path if self._modules[path] == 1 else None

    @property
    def attaches(self) -> int:
        """How often somebody attached: so often ptvsd's own file is in the table of modules."""
        own = [count for path, count in self._modules.items() if path.endswith("attach_server.py")]
        return max(own, default=1)

    def files(self) -> list[str]:
        """The Python files that are loaded."""
        return [path for path in self._modules if path.endswith((".py", ".pyw"))]

    def modules(self) -> list[str]:
        """All that is loaded, extension modules as well."""
        return list(self._modules)

    def matches(self, path: str) -> list[str]:
        """The loaded files that a path means: by name."""
        return match_by_name(path, self.files())

    def near(self, path: str) -> list[str]:
        """Loaded files with nearly that name."""
        return near_matches(path, self.files())

    # -- their text

    async def text(self, path: str) -> str | None:
        """What the program's file holds, from the program itself. None: nobody there can tell now."""
        if path not in self._texts and self._can_ask:
            assert self.debuggee is not None
            packed = await self.debuggee.ask(_READ.format(path=literal(path), limit=_LIMIT))
            if packed:
                self._texts[path] = _unpacked(packed)
        return self._texts.get(path)

    @property
    def _can_ask(self) -> bool:
        return self.debuggee is not None and self.debuggee.can_ask

    def local_text(self, path: str) -> str | None:
        """The text of this machine's copy."""
        if os.path.isfile(path):
            try:
                with open(path, "rb") as stream:
                    return _decoded(stream.read(_LIMIT))
            except OSError:
                return None
        found = self._local.match(path, None)
        return found.text if found is not None else None

    # -- what is read from it

    async def place(self, path: str, remote: str | None, line: int) -> Placement | None:
        """Where a breakpoint goes. None: there is no text to tell by.

        Args:
            path: as the person means it; a file of this machine, mostly.
            remote: the program's file, where it is loaded.
        """
        text = self.local_text(path)
        if text is None and remote is not None:
            try:
                text = await self.text(remote)
            except RequestFailed:
                text = None
        if text is None:
            return None
        return place(text, line, await self._lines(remote) if remote is not None else frozenset())

    async def _lines(self, remote: str) -> frozenset[int]:
        """The lines with code as the program's own Python compiles its file; none when it cannot be asked."""
        if remote not in self._stops and self._can_ask:
            assert self.debuggee is not None
            try:
                told = await self.debuggee.ask(_STOPS.format(path=literal(remote), limit=_LIMIT))
                self._stops[remote] = frozenset(map(int, told.split()))
            except (RequestFailed, ValueError):
                self._stops[remote] = frozenset()
        return self._stops.get(remote, frozenset())

    async def handlers(self, file: str) -> Sequence[TryRange]:
        """Which exceptions a file handles.

        Where its text is not to be had it counts as handling all: a stop that is missing is better than
        one at every exception that the program expects.
        """
        path = source_path(file)
        if path.replace("\\", "/").rpartition("/")[2] in _THROUGH:
            return ()
        text = self._texts.get(path)
        if text is None and self.debuggee is not None and self.debuggee.number >= 8:
            try:
                text = await self.text(path)
            except RequestFailed:
                text = None
        if text is None:
            text = self.local_text(path)
        return _EVERYTHING if text is None else try_ranges(text)


def _unpacked(packed: str) -> str:
    try:
        unpacker = zlib.decompressobj()
        return _decoded(unpacker.decompress(base64.b64decode(packed), _LIMIT))
    except (binascii.Error, zlib.error, ValueError):
        raise RequestFailed("not-found", "The program's text came garbled.") from None


def _decoded(data: bytes) -> str:
    """By PEP 263; Latin-1, which takes everything, where that does not work."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")
