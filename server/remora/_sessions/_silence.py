"""A client that promised to say something every few seconds: its silence is its end. On our own thread."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._network._loop import Loop

__all__ = ["Silence"]

#: So often, and so many times in a row without a word: a silent client is given up within 15 seconds.
_SECONDS = 1.1
_CHECKS = 12


class Silence:
    """Measures it, from `watch` on.

    Args:
        is_over: whether nobody is to be missed any more.
        is_deaf: whether it is us who do not listen.
        missed: called once, when it has lasted too long.
    """

    def __init__(
        self, loop: Loop, is_over: Callable[[], bool], is_deaf: Callable[[], bool], missed: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._is_over = is_over
        self._is_deaf = is_deaf
        self._missed = missed
        self._is_watched = False
        self._count = 0

    def heard(self) -> None:
        """There was a word."""
        self._count = 0

    def watch(self) -> None:
        """The client has promised it."""
        if not self._is_watched:
            self._is_watched = True
            self._check()

    def _check(self) -> None:
        if self._is_over():
            return
        # Counted, not measured: after a long pause of the whole process its words may still lie unread.
        self._count += not self._is_deaf()
        if self._count > _CHECKS:
            self._missed()
        else:
            self._loop.call_later(_SECONDS, self._check)
