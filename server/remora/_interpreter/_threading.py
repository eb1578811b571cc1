"""What the module `threading` knows of a thread. On any thread.

Not by `threading.enumerate()`: it takes a lock that the program's threads hold while they start. Nor by
`threading.current_thread()`, which remembers a thread that it did not know, for as long as the program runs.
"""

from __future__ import annotations

import threading

__all__ = ["forget_dummy", "thread_object"]


def thread_object(ident: int) -> threading.Thread | None:
    """The `Thread` of the thread with this ident; None where `threading` has not started it."""
    found: threading.Thread | None = threading._active.get(ident)  # type: ignore[attr-defined]
    return found


def forget_dummy(ident: int) -> None:
    """`threading` remembers a thread that it has not started and that asked who it is: logging does."""
    if isinstance(thread_object(ident), threading._DummyThread):
        threading._active.pop(ident, None)  # type: ignore[attr-defined]
