"""What a server says it cannot do, where a client has to know one such sentence from the others."""

from __future__ import annotations

__all__ = ["REACHES_MAIN_AND_NEW_THREADS", "REACHES_NEW_THREADS"]

#: Nothing gets into threads that ran already when breakpoints were set; or only into the main one of them.
REACHES_NEW_THREADS = "Breakpoints are hit only in threads that start after they are set."
REACHES_MAIN_AND_NEW_THREADS = (
    "Breakpoints are hit only in the main thread and in threads that start after they are set."
)
