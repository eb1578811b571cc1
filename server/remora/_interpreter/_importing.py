"""Keeps forks away from our imports: a child forked in the middle of one could never import these modules.

Held by the server's thread while it imports, and by whatever thread forks until it has.
"""

from __future__ import annotations

from remora._interpreter._originals import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["importing"]

_FORK_PATIENCE = 2.0


class _Importing:
    """Use it in a `with` statement around imports on the server's thread."""

    def __init__(self) -> None:
        self._is_held_by_fork = False
        self.make_lock()

    def make_lock(self) -> None:
        """In a forked child: a new one, for whoever held the old one may not be in this process."""
        self._lock = allocate_lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def before_fork(self) -> None:
        """Wait until nothing is being imported, but not for ever."""
        self._is_held_by_fork = self._lock.acquire(timeout=_FORK_PATIENCE)

    def after_fork(self) -> None:
        """In the parent."""
        if self._is_held_by_fork:
            self._is_held_by_fork = False
            self._lock.release()


importing = _Importing()
