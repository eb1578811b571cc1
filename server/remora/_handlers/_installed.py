"""The modules that lie on the program's disks: their names, from reading folders and nothing else.

A folder on a slow network may take seconds. So a thread of ours reads, one at a time, and whoever asks waits
for it no longer than a person would notice; what the system has read by then is there at the next question.
The program's threads have no part in it.
"""

from __future__ import annotations

import functools
import os
import sys
from importlib.machinery import all_suffixes
from itertools import islice
from typing import TYPE_CHECKING, Any

from remora._inspection._statics import own_dict
from remora._interpreter._originals import allocate_lock, monotonic
from remora._log import log
from remora._owner._threads import run_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remora._network._loop import Loop

__all__ = ["find_installed"]

_PATIENCE = 0.25  # seconds
_MOST = 20_000  # entries of a folder that are looked at
_SUFFIXES = frozenset(all_suffixes())
# In a `partial`, since tools that fake a file system replace every function of `os` in every module.
_scandir = functools.partial(os.scandir)
#: Held by the one thread that reads. A child that was forked meanwhile lists what is loaded, and no more.
_reading = allocate_lock()


def find_installed(
    package: str, loop: Loop, own_threads: set[int], answer: Callable[[set[str]], None]
) -> None:
    """Have `answer` called on the server's thread with the names of the modules right in a package.

    Args:
        package: its dotted name; "" for those at the top. Where it is not loaded, it is looked for.
        own_threads: idents of threads that the debugger leaves alone.
        answer: may be called twice: when it takes long, with what was found so far.
    """
    names: list[str] = []

    def give() -> None:
        answer(set(names))

    def read() -> None:
        try:
            end = monotonic() + _PATIENCE
            for folder in _folders(package):
                for name in _modules_in(folder):
                    names.append(name)
                    if monotonic() > end:
                        return
        finally:
            _reading.release()
            loop.post(give)

    if not _reading.acquire(False):
        give()
        return
    try:
        run_apart(read, own_threads)
    except RuntimeError as error:  # no more threads
        log.debug(f"modules on the disks are not looked for: {error}")
        _reading.release()
        give()
        return
    loop.call_later(_PATIENCE, give)


def _folders(package: str) -> Iterator[str]:
    """Where the modules of a package lie, or may lie."""
    if not package:
        path: Any = sys.path
    elif package in sys.modules:
        path = (own_dict(sys.modules.get(package)) or {}).get("__path__")
        if type(path) is not list:  # that of a namespace; to go through it would search the disks
            path = (own_dict(path) or {}).get("_path")
    else:
        parent, _, last = package.rpartition(".")
        yield from (os.path.join(folder, last) for folder in _folders(parent))
        return
    if type(path) is list:
        yield from (folder or os.curdir for folder in path if type(folder) is str)


def _modules_in(folder: str) -> Iterator[str]:
    """Files that Python imports, and folders that it would take for packages."""
    try:
        with _scandir(folder) as entries:
            for entry in islice(entries, _MOST):
                name, dot, suffix = entry.name.partition(".")
                if not name.isidentifier() or name == "__pycache__":
                    continue
                if f".{suffix}" in _SUFFIXES if dot else entry.is_dir():
                    yield name
    except (OSError, ValueError):
        return  # there is none of that name; or it is an archive
