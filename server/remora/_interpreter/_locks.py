"""A lock that no forked child waits for in vain. Any thread may call."""

from __future__ import annotations

from os import getpid

from remora._interpreter._originals import allocate_rlock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["ProcessLock"]


class ProcessLock:
    """A reentrant lock among the threads of one process; a forked child begins with a new one.

    Whoever held it at the fork is not in the child. Our hook there comes too late: those that were registered
    before, as `threading`'s, run Python code first, and an engine may report that.

    Args:
        renewed: called in a forked child, by whoever is first to want the lock there.
    """

    def __init__(self, renewed: Callable[[], None]) -> None:
        self._renewed = renewed
        self._renew()

    def _renew(self) -> None:
        self._lock, self._pid = allocate_rlock(), getpid()

    def run(self, function: Callable[[], None]) -> None:
        """Call it while holding the lock, which this thread does not hold yet."""
        try:
            with self:
                function()
        except BaseException:
            self.give_back()
            raise

    def give_back(self) -> None:
        """Let go of it if this thread holds it: an exception may come between taking it and the block inside.

        That of a signal's handler can come anywhere.
        """
        while self._lock._is_owned():
            self._lock.release()

    def __enter__(self) -> None:
        if self._pid != getpid():
            self._renew()
            self._renewed()
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()
