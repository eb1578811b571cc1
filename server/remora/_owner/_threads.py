"""Threads of ours on which the owner's functions run, away from the server's own and from the debugger."""

from __future__ import annotations

from remora._interpreter._originals import allocate_lock, get_ident, start_new_thread
from remora._interpreter._threading import forget_dummy
from remora._log import log
from remora._owner._spared import spared

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
        spared.give_up(ident)
        own_threads.add(ident)
        try:
            started.release()
            function()
        except (
            BaseException
        ):  # an exception of the owner's that cannot even be named: none of it is to be printed
            log.error("what the program has set with remora.on_attach or on_stop failed, and cannot say how")
        finally:
            forget_dummy(ident)
            own_threads.discard(ident)

    start_new_thread(run, ())
    started.acquire()  # not before it is known to be ours: it would be held with the program's threads
