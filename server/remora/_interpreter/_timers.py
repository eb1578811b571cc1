"""Something to be done later, on a thread of ours. Any thread may ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora._interpreter._originals import allocate_lock, get_ident, start_new_thread

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["after"]


def after(seconds: float, function: Callable[[], None], own_threads: set[int]) -> Callable[[], None]:
    """Call `function` after this time on a thread of ours, unless the function returned is called before.

    Never, where there is no thread to be had: from 3.12 on while the program ends, or when it has used up
    what the system gives.
    """
    cancelled, started = allocate_lock(), allocate_lock()
    cancelled.acquire()
    started.acquire()

    def wait() -> None:
        own_threads.add(get_ident())
        try:
            started.release()
            if not cancelled.acquire(timeout=seconds):
                function()
        finally:
            own_threads.discard(get_ident())

    try:
        start_new_thread(wait, ())
    except RuntimeError:
        return lambda: None
    started.acquire()  # not before it is known to be ours: it would be held with the program's threads

    def cancel() -> None:
        try:
            cancelled.release()
        except RuntimeError:
            pass  # cancelled twice

    return cancel
