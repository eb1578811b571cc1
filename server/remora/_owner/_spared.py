"""The threads that the program wants the debugger to leave alone: `remora.trace_this_thread(False)`.

A thread is known by its ident, which the system gives to another one when it has ended. So each such thread
keeps a mark in a thread-local variable, which goes with it.
"""

from __future__ import annotations

from weakref import ref

from remora._interpreter._originals import get_ident, local
from remora._interpreter._threading import thread_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Thread
    from typing import Any

__all__ = ["spared"]


class _Mark:
    """Lives as long as its thread, and takes it off the list at the end."""

    def __init__(self, ident: int, token: object, threads: _Spared) -> None:
        self._ident = ident
        self._token = token
        self._threads = threads

    def __del__(self) -> None:
        self._threads.forget(self._ident, self._token)


class _Spared:
    """Which threads they are. Changed by each for itself; read on any.

    Attributes:
        idents: theirs.
        never_stopped: the debugger's own set of all threads that it does not stop; they are in it as well.
    """

    def __init__(self) -> None:
        self.idents: set[int] = set()
        self.never_stopped: set[int] = set()
        self._marks: dict[int, tuple[object, ref[Thread] | None]] = {}
        self._here: Any = local()

    def add(self) -> bool:
        """This thread is one of them. Whether it was not before."""
        ident = get_ident()
        if getattr(self._here, "mark", None) is not None and ident in self.idents:
            return False
        token = object()
        thread = thread_object(ident)
        self._marks[ident] = token, None if thread is None else ref(thread)
        self._here.mark = _Mark(ident, token, self)
        self.idents.add(ident)
        self.never_stopped.add(ident)
        return True

    def remove(self) -> bool:
        """This thread is none of them. Whether it was before."""
        was = get_ident() in self.idents
        self._here.mark = None
        self._drop(get_ident())
        return was

    def give_up(self, ident: int) -> None:
        """The thread that had this ident has ended: it is one of ours' now, and its mark may go late."""
        self._drop(ident)

    def forget(self, ident: int, token: object) -> None:
        """A mark of the thread with this ident is gone. By now it may have another, or the ident an owner."""
        known = self._marks.get(ident)
        if known is not None and known[0] is token:
            self._drop(ident)

    def forget_ended(self) -> None:
        """Where nobody counts references, a mark may outlive its thread: look which there are."""
        from remora._interpreter._frames import current_frames  # not above: only who is debugged needs it

        alive = current_frames()
        for ident, (_, thread) in list(self._marks.items()):
            if ident not in alive or (thread is not None and thread() is not thread_object(ident)):
                self._drop(ident)

    def _drop(self, ident: int) -> None:
        self._marks.pop(ident, None)
        self.idents.discard(ident)
        self.never_stopped.discard(ident)


spared = _Spared()
