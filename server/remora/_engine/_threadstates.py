"""Starts a tracing function in threads that run already: by ctypes on CPython 3.9 to 3.11.

`sys.settrace` is for the calling thread only. The C function below it takes any thread state; what it is
given is a tiny C-callable that, at the thread's next event, calls `sys.settrace` there. The world is not
stopped: the GIL is.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ThreadStates"]


class ThreadStates:
    """Every thread of this interpreter. `available` is False where it cannot be reached."""

    available = False

    def __init__(self, boot: Callable[[], None]) -> None:
        """`boot` is called on each started thread, inside a trace callback."""
        if sys.implementation.name != "cpython" or sys.version_info >= (3, 12):
            return
        try:
            import ctypes

            self._open(ctypes, boot)
        except (ImportError, AttributeError, OSError):
            return
        self.available = True

    def _open(self, ctypes: Any, boot: Callable[[], None]) -> None:
        def trampoline(_object: Any, _frame: Any, _what: int, _argument: Any) -> int:
            boot()
            return 0

        # PyDLL and PYFUNCTYPE, since the GIL has to be held: CFUNCTYPE lets it go and crashes.
        api = ctypes.pythonapi
        state = ctypes.c_void_p
        self._interpreter = _declare(api.PyInterpreterState_Get, state)
        self._current = _declare(api.PyThreadState_Get, state)
        self._first = _declare(api.PyInterpreterState_ThreadHead, state, state)
        self._next = _declare(api.PyThreadState_Next, state, state)
        self._set = _declare(api._PyEval_SetTrace, ctypes.c_int, state, state, state)
        kind = ctypes.PYFUNCTYPE(ctypes.c_int, state, ctypes.py_object, ctypes.c_int, state)
        self._keep = kind(trampoline)
        self._trampoline = ctypes.cast(self._keep, state).value

    def start(self) -> None:
        """Have `boot` called at the next event of every other thread."""
        self._set_all(self._trampoline)

    def stop(self) -> None:
        """Take whatever tracing function there is from every other thread."""
        self._set_all(None)

    def _set_all(self, function: int | None) -> None:
        own = self._current()
        state = self._first(self._interpreter())
        while state:
            if state != own:
                self._set(state, function, None)
            state = self._next(state)


def _declare(function: Any, result: Any, *arguments: Any) -> Any:
    function.restype = result
    function.argtypes = arguments
    return function
