"""How often the interpreter switches between threads while the server works. On its thread.

Who comes back from a system call waits for the interpreter until the thread that computes has had its switch
interval, 5 ms by default. A request takes several calls and the first client's imports take hundreds, so a
program that computes without a break would keep a person waiting for seconds. While the server works, the
interval is short for all; the program, in turn, is not kept waiting by the server.
"""

from __future__ import annotations

import functools
import sys

__all__ = ["SwitchInterval"]

_SECONDS = 0.000193  # that no program chooses, so that ours is told from theirs
# In `partial`s, since a program may replace what a module has.
_get = functools.partial(sys.getswitchinterval)
_set = functools.partial(sys.setswitchinterval)
_HAS_INTERVAL = sys.implementation.name == "cpython"  # PyPy counts bytecodes instead, and is quick by itself


class SwitchInterval:
    """The interpreter's switch interval, which is the program's own whenever the server waits."""

    def __init__(self) -> None:
        self._theirs = _get()
        self._ours = 0.0

    def shorten(self) -> None:
        """Until `restore`; not at all where the program's own is as short."""
        current = _get()
        if current != self._ours:  # the same: the program read it while it was ours, and has set that now
            self._theirs = current
        if _HAS_INTERVAL and self._theirs > _SECONDS:
            _set(_SECONDS)
            self._ours = _get()  # as the interpreter has rounded it

    def restore(self) -> None:
        """Give the program its interval back, unless it has set another by now."""
        if self._ours and _get() == self._ours:
            _set(self._theirs)
