"""What the program prints, copied to the attached client; the program's own streams get every byte as before.

`write` runs on the program's threads: it passes the text on first and then puts a copy into the feed, without
a lock and without waiting. While nobody is attached the streams are untouched. The stream objects stay the
same ones: only their `write` is covered, by an attribute of the object that detaching removes.

Any function of ours around `write` costs as much as writing a short line does. So in a flood, where most of
it could not be shown anyway, the streams are left alone until the server's thread has taken what there is.
"""

from __future__ import annotations

import itertools
import operator
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from remora._interpreter._originals import monotonic
from remora._streams._feed import LONGEST, SHORT, Feed
from remora._streams._outbox import left_out

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")

__all__ = ["Output"]

_STREAMS = ("stdout", "stderr")
_name_of, _content_of = operator.itemgetter(0), operator.itemgetter(1)
_TOO_FAST = "it prints faster than can be shown"
_FEW = 100
#: A flood that goes on is mentioned so often.
_MENTIONED = 1.0


class _Diversion:
    """One evaluation whose output is the client's."""


_diversion: ContextVar[_Diversion | None] = ContextVar("remora_diversion", default=None)


class Output:
    """Covers `sys.stdout` and `sys.stderr` while it is started.

    Args:
        wake: as for `Feed`.

    Attributes:
        feed: where the copies go, and events beside them.
    """

    def __init__(self, wake: Callable[[bool], None]) -> None:
        self.feed = Feed(wake, self._pause)
        self._covered: list[_Covered] = []
        self._diversions: set[_Diversion] = set()
        self._written: int | None = None
        self._seen = 0
        self._left_out = 0
        self._is_exact = True
        self._flood_since: float | None = None

    # -- on the server's thread -------------------------------------------------------------------

    def start(self) -> list[str]:
        """Copy from now on. Returns the names of streams that cannot be covered."""
        self._written, self._seen = _count_written(), 0
        failed = []
        for name in _STREAMS:
            stream = getattr(sys, name, None)
            if stream is None or any(covered.stream is stream for covered in self._covered):
                continue
            covered = _Covered(stream, self._make_write(name, stream.write))
            if covered.cover():
                self._covered.append(covered)
            else:
                failed.append(name)
        return failed

    def stop(self) -> None:
        """Leave the streams as they were."""
        while self._covered:
            self._covered.pop().uncover()

    def expect(self) -> None:
        """There is something to take, and more may come before it is taken."""
        if len(self.feed.items) < _FEW:  # else it is too late to count from here
            self._written, self._seen = _count_written(), 0

    def take(self) -> list[tuple[str, Any]]:
        """Events and printed texts, in their order."""
        items = _joined(self.feed.take())
        self._seen += sum(len(text) for _, text in items if type(text) is str)
        return items

    def take_stock(self) -> list[tuple[str, Any]]:
        """Now and then, after `take`: what is to be said of what was left out. Ends a flood."""
        dropped = self.feed.take_dropped()
        self._left_out += dropped
        now = monotonic()
        if self.feed.calm():
            self._estimate(dropped)
            self._flood_since = self._flood_since or now
            self._resume()
            if now - self._flood_since < _MENTIONED:
                return []
        self._written, self._seen = _count_written(), 0
        if not self._left_out and self._is_exact:
            return []
        said = left_out(self._say_left_out())
        self._left_out, self._is_exact, self._flood_since = 0, True, None
        return [said]

    @property
    def is_flooded(self) -> bool:
        """Whether there is something to say that waits for the flood's end."""
        return self._flood_since is not None

    def _estimate(self, dropped: int) -> None:
        """While the streams were left alone nobody counted: take what the whole process wrote meanwhile."""
        self._is_exact = False
        written = _count_written()
        if written is not None and self._written is not None:
            self._left_out += max(written - self._written - self._seen - dropped, 0)
        self._written, self._seen = written, 0

    def _say_left_out(self) -> str:
        if self._is_exact:
            return f"{self._left_out:,} characters of the program's output were left out here"
        if self._left_out:
            count = f"about {self._left_out:,} characters"
            return f"{count} of the program's output were left out here: {_TOO_FAST}"
        return f"some of the program's output was left out here: {_TOO_FAST}"

    # -- on the program's threads -----------------------------------------------------------------

    def divert(self, call: Callable[[], T]) -> T:
        """Run `call` on this thread; what it prints goes to the client and not into the program's streams.

        Told by the context, not by the thread: an event loop that turns meanwhile runs other tasks as well.
        """
        self._resume()
        own = [] if self._covered else self._cover_for_diversion()
        diversion = _Diversion()
        self._diversions.add(diversion)
        token = _diversion.set(diversion)
        try:
            return call()
        finally:
            _diversion.reset(token)
            self._diversions.discard(diversion)  # a task that it left behind still has it in its context
            for covered in own:
                covered.uncover()

    def _cover_for_diversion(self) -> list[_Covered]:
        """The client wants no copies of the program's output, but its own evaluations' output it gets."""
        found = []
        for name in _STREAMS:
            stream = getattr(sys, name, None)
            if stream is not None:
                covered = _Covered(stream, self._make_write(name, stream.write, copies=False))
                if covered.cover():
                    found.append(covered)
        return found

    def _pause(self) -> None:
        """A flood: leave the streams alone until the next `take`. Not while an evaluation prints."""
        if not self._diversions:
            for covered in list(self._covered):
                covered.uncover()

    def _resume(self) -> None:
        for covered in list(self._covered):
            covered.cover()

    def _make_write(
        self, category: str, write: Callable[[str], Any], *, copies: bool = True
    ) -> Callable[[str], Any]:
        feed, diversions = self.feed, self._diversions
        items, append = feed.items, feed.items.append

        def copying_write(text: str) -> Any:
            if diversions and _diversion.get() in diversions and isinstance(text, str):
                feed.put_text(category, text)
                return len(text)
            # The program's own stream first: if it raises, nothing was printed.
            written = write(text)
            if type(text) is str and len(text) <= SHORT and len(items) < feed.most and copies:
                append((category, text))
                if not feed.is_announced:
                    feed.announce()
            elif copies and isinstance(text, str):
                feed.put_text(category, text)
            return written

        return copying_write


def _joined(items: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Texts that follow each other become one: thousands would cost the server's thread too much."""
    found: list[tuple[str, Any]] = []
    for name, group in itertools.groupby(items, _name_of):
        if name not in _STREAMS:
            found.extend(group)
            continue
        text = "".join(map(_content_of, group))
        while len(text) > LONGEST:
            cut = text.rfind("\n", 0, LONGEST) + 1 or LONGEST
            found.append((name, text[:cut]))
            text = text[cut:]
        found.append((name, text))
    return found


def _count_written() -> int | None:
    """How much this process has written by now, into whatever; None where the system does not count."""
    try:
        with open("/proc/self/io", "rb") as file:
            return int(file.read().partition(b"wchar: ")[2].split(None, 1)[0])
    except (OSError, ValueError, IndexError):
        return None


class _Covered:
    """One stream, what lies over its `write`, and what was there before."""

    def __init__(self, stream: Any, write: Callable[[str], Any]) -> None:
        self.stream = stream
        self._cover = write
        self._before: Any = None

    def cover(self) -> bool:
        """Put ours over the stream's `write`; False where the object has no room for it."""
        own = getattr(self.stream, "__dict__", None)
        if not isinstance(own, dict):
            return False
        before = own.get("write")
        if before is self._cover:
            return True
        self._before = before
        try:
            self.stream.write = self._cover
        except (AttributeError, TypeError):
            return False
        return True

    def uncover(self) -> None:
        """Remove ours. Where somebody has covered it in turn it stays, copying to nobody."""
        own = self.stream.__dict__
        if own.get("write") is not self._cover:
            return
        if self._before is None:
            own.pop("write", None)
        else:
            self.stream.write = self._before
