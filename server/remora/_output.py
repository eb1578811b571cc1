"""What the program prints, copied to the attached client; the program's own streams get every byte as before.

`write` runs on the program's threads: it passes the text on first and then puts a copy into a queue, without
a lock and without waiting. While nobody is attached the streams are untouched. The stream objects stay the
same ones: only their `write` is covered, by an attribute of the object that detaching removes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

from remora._originals import get_ident

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")
    Copy = Callable[[str, str], None]

__all__ = ["Output"]

_STREAMS = ("stdout", "stderr")


class Output:
    """Covers `sys.stdout` and `sys.stderr` while it is started.

    Args:
        copy: called with category and text, on the program's threads; must not block.
    """

    def __init__(self, copy: Copy) -> None:
        self._copy = copy
        self._covered: list[_Covered] = []
        self._diverted: set[int] = set()

    def start(self) -> list[str]:
        """Copy from now on. Returns the names of streams that cannot be covered."""
        failed = []
        for name in _STREAMS:
            stream = getattr(sys, name, None)
            if stream is None or any(covered.stream is stream for covered in self._covered):
                continue
            covered = _Covered(stream)
            if covered.cover(self._make_write(name, stream.write)):
                self._covered.append(covered)
            else:
                failed.append(name)
        return failed

    def stop(self) -> None:
        """Leave the streams as they were."""
        while self._covered:
            self._covered.pop().uncover()

    def divert(self, call: Callable[[], T]) -> T:
        """Run `call` on this thread; what it prints goes to the client and not into the program's streams."""
        ident = get_ident()
        own = [] if self._covered else self._cover_for_diversion()
        self._diverted.add(ident)
        try:
            return call()
        finally:
            self._diverted.discard(ident)
            for covered in own:
                covered.uncover()

    def _cover_for_diversion(self) -> list[_Covered]:
        """The client wants no copies of the program's output, but its own evaluations' output it gets."""
        found = []
        for name in _STREAMS:
            stream = getattr(sys, name, None)
            if stream is not None:
                covered = _Covered(stream)
                if covered.cover(self._make_write(name, stream.write, copies=False)):
                    found.append(covered)
        return found

    def _make_write(
        self, category: str, write: Callable[[str], Any], *, copies: bool = True
    ) -> Callable[[str], Any]:
        copy, diverted = self._copy, self._diverted

        def copying_write(text: str) -> Any:
            if type(text) is not str:
                return write(text)
            if diverted and get_ident() in diverted:
                copy(category, text)
                return len(text)
            # The program's own stream first: if it raises, nothing was printed.
            written = write(text)
            if copies:
                copy(category, text)
            return written

        return copying_write


class _Covered:
    """One stream, what lies over its `write`, and what was there before."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._cover: Any = None
        self._before: Any = None

    def cover(self, write: Callable[[str], Any]) -> bool:
        """Put ours over the stream's `write`; False where the object has no room for it."""
        own = getattr(self.stream, "__dict__", None)
        if not isinstance(own, dict):
            return False
        self._before = own.get("write")
        try:
            self.stream.write = write
        except (AttributeError, TypeError):
            return False
        self._cover = write
        return True

    def uncover(self) -> None:
        """Remove ours. Where somebody has covered it in turn it stays, copying to nobody."""
        if self.stream.__dict__.get("write") is not self._cover:
            return
        if self._before is None:
            del self.stream.write
        else:
            self.stream.write = self._before
