"""Imports, while the program runs, all that the server may need while it is stopped.

A thread may be stopped in the middle of an import, and holds that module's lock then: whoever imports the
same module waits for it, and must not be the server. Called on its thread when a client attaches.
"""

from __future__ import annotations

import importlib
import sys

from remora._log import log

__all__ = ["preload"]

_NEEDED = (
    "__future__", "_thread", "ast", "ctypes", "difflib", "encodings.latin_1", "importlib.util", "linecache",
    "pwd", "textwrap", "tokenize", "traceback", "warnings",
)  # fmt: skip


def preload() -> None:
    """Import them; what this system has not got is not needed on it."""
    for name in _NEEDED:
        if name not in sys.modules:
            try:
                importlib.import_module(name)
            except Exception as error:  # an embedded Python may lack what they need: sys.executable, say
                log.debug(f"{name} cannot be imported: {error!r}")
