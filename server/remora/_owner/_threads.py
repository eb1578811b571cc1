"""Threads of ours on which the owner's functions run, away from the server's own and from the debugger."""

from __future__ import annotations

import threading

from remora._interpreter._originals import allocate_lock, get_ident, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run_apart"]


def run_apart(function: Callable[[], None], own_threads: set[int]) -> None:
    """Run `function` on a new thread, which the debugger neither stops nor lists.

    Raises:
        RuntimeError: the system has no more threads.
    """
    started = allocate_lock()
    started.acquire()

    def run() -> None:
        ident = get_ident()
        own_threads.add(ident)
        try:
            started.release()
            function()
        finally:
            _forget_dummy(ident)
            own_threads.discard(ident)

    start_new_thread(run, ())
    started.acquire()  # not before it is known to be ours: it would be held with the program's threads


def _forget_dummy(ident: int) -> None:
    """`threading` remembers a thread that it has not started and that asked who it is: logging does."""
    known = threading._active.get(ident)  # type: ignore[attr-defined]
    if isinstance(known, threading._DummyThread):
        threading._active.pop(ident, None)  # type: ignore[attr-defined]
