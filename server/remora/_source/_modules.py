"""What the loaded modules, and the code that runs, tell of the files that they come from. Any thread."""

from __future__ import annotations

import os
import sys
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from remora._identity import start_time
from remora._interpreter._compiling import compile_quietly
from remora._interpreter._frames import current_frames, walk
from remora._interpreter._originals import read_file
from remora._source._placement import code_lines, nested_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["codes_of", "filename_of", "is_what_was_loaded", "module_dict"]

_MODULE_DICT: Any = vars(ModuleType)["__dict__"]
_TYPE_DICT: Any = vars(type)["__dict__"]


def module_dict(module: Any) -> dict[str, Any]:
    """A module's names without running `__getattr__` or loading a lazy module."""
    found = _MODULE_DICT.__get__(module)
    return found if type(found) is dict else {}


def filename_of(module: Any) -> str | None:
    """The `co_filename` of a module's code; None where it has no source."""
    if not issubclass(type(module), ModuleType):
        return None
    names = module_dict(module)
    file = names.get("__file__")
    if type(file) is not str or file.endswith((".so", ".pyd", ".dll")):
        return None
    own = names.get("__name__")
    # Only the code itself knows for certain: a .pyc may stand elsewhere than its source did.
    for value in list(names.values()):
        if type(value) is FunctionType and value.__module__ == own and value.__globals__ is names:
            return value.__code__.co_filename
    return file[:-1] if file.endswith((".pyc", ".pyo")) else file


def codes_of(filename: str) -> Iterator[CodeType]:
    """The code of the functions and methods that modules hold and that come from this file."""
    for module in list(sys.modules.values()):
        if issubclass(type(module), ModuleType):
            yield from _codes_in(module_dict(module), filename, 0)


def _codes_in(names: Any, filename: str, depth: int) -> Iterator[CodeType]:
    for held in list(names.values()):
        value = held.__func__ if type(held) in (staticmethod, classmethod) else held
        kind = type(value)
        if kind is FunctionType:
            if getattr(value.__code__, "co_filename", None) == filename:  # PyPy's own code has none
                yield value.__code__
        elif issubclass(kind, type) and depth < 4:
            inner = _TYPE_DICT.__get__(value)
            if depth == 0 or inner.get("__module__"):
                yield from _codes_in(inner, filename, depth + 1)


def is_what_was_loaded(filename: str, path: str, text: str) -> bool:
    """Whether the file is still the one that runs. Unknown counts as yes."""
    try:
        now = os.stat(path)
    except OSError:
        return True
    for module in list(sys.modules.values()):
        if not issubclass(type(module), ModuleType):
            continue
        names = module_dict(module)
        cached = names.get("__cached__")
        if names.get("__file__") != filename or type(cached) is not str:
            continue
        header = _file_bytes_head(cached)
        if len(header) >= 16 and header[4:8] == b"\0\0\0\0":
            made = (int.from_bytes(header[8:12], "little"), int.from_bytes(header[12:16], "little"))
            return made == (int(now.st_mtime) & 0xFFFFFFFF, now.st_size & 0xFFFFFFFF)
    # The script itself, say, has no .pyc. To compile every such file would take long.
    return now.st_mtime < start_time() or _holds_codes(text, filename)


def _holds_codes(text: str, filename: str) -> bool:
    """Whether all code that is known of a file can have come from this text."""
    codes = list(codes_of(filename))
    for newest in current_frames().values():
        codes += [frame.f_code for frame in walk(newest) if frame.f_code.co_filename == filename]
    try:
        module = compile_quietly(text)
    except (SyntaxError, ValueError, RecursionError):
        return True  # a template, say
    there = set(map(_shape, nested_codes(module)))
    return all(_shape(code) in there for code in codes)


def _shape(code: CodeType) -> tuple[str, int, frozenset[int]]:
    return code.co_name, code.co_firstlineno, frozenset(line for _, line in code_lines(code))


def _file_bytes_head(path: str) -> bytes:
    try:
        return read_file(path, 16)
    except (OSError, ValueError):
        return b""
