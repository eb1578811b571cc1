"""Other interpreters in this process, which have threads and modules of their own. On the server's thread."""

from __future__ import annotations

import sys

__all__ = ["count_others"]

_NAMES = ("_interpreters", "_xxsubinterpreters")


def count_others() -> int:
    """How many there are beside ours, as far as anybody has asked for some in Python."""
    for name in _NAMES:
        module = sys.modules.get(name)
        if module is not None:
            try:
                return max(0, len(module.list_all()) - 1)
            except Exception:  # a private module: whatever has become of it
                return 0
    return 0
