"""What the program prints, copied to the attached client; the program's own streams get every byte as before.

`write` runs on the program's threads: it passes the text on first and then puts a copy into the feed, without
a lock and without waiting. While nobody is attached the streams are untouched. The stream objects stay the
same ones: only their `write` is covered, by an attribute of the object that detaching removes.

Any function of ours around `write` costs as much as writing a short line does. So in a flood, where most of
it could not be shown anyway, the streams are left alone until the server's thread has taken what there is.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from remora._interpreter._originals import monotonic
from remora._streams._feed import LONGEST, PLAIN, SHORT, Feed
from remora._streams._outbox import left_out

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")

__all__ = ["Output"]

_STREAMS = ("stdout", "stderr")
_END = "\n"  # what `print` writes by itself after each text; this very object, on CPython
_OUTPUT = "the program's output"
_TOO_FAST = "it prints faster than can be shown"
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
        self._before: list[int | None] = []  # one number: what had been written when a flood began
        self._cut = 0  # of what was copied before it was known for a flood
        self._seen = 0  # of what was copied since
        self._left_out = 0
        self._flood_since: float | None = None

    # -- on the server's thread -------------------------------------------------------------------

    def start(self) -> list[str]:
        """Copy from now on. Returns the names of streams that cannot be covered."""
        failed = []
        for name in _STREAMS:
            stream = getattr(sys, name, None)
            if stream is None or any(covered.stream is stream for covered in self._covered):
                continue
            covered = _Covered(stream, functools.partial(self._make_write, name))
            if covered.cover():
                self._covered.append(covered)
            else:
                failed.append(name)
        return failed

    def stop(self) -> None:
        """Leave the streams as they were."""
        while self._covered:
            self._covered.pop().uncover()

    def take(self) -> list[tuple[str, Any]]:
        """Events and printed texts, in their order."""
        is_flooded = self.feed.is_flooded
        items = _joined(self.feed.take())
        if is_flooded:
            items = self._shortened(items)
        if self.is_flooded:
            self._seen += sum(len(text) for _, text in items if type(text) is str)
        return items

    def _shortened(self, items: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """What a flood has piled up costs more to send than to print: nobody would read most of it."""
        kept, shown = [], 0
        for name, content in items:
            size = len(content) if type(content) is str else 0
            if not size or not shown or shown + size <= LONGEST:
                kept.append((name, content))
                shown += size
            elif not self.is_flooded:  # else what was written meanwhile is counted, and this is part of it
                self._cut += size
        return kept

    def take_stock(self) -> list[tuple[str, Any]]:
        """Now and then, after `take`: what is to be said of what was left out. Ends a flood."""
        self._left_out += self.feed.take_dropped()
        before, self._before = self._before, []  # of the next flood from here on, which may begin at any time
        now = monotonic()
        if self.feed.calm():
            self._flood_since = self._flood_since or now
            if now - self._flood_since < _MENTIONED:
                self._before = before or self._before
                self._resume()
                return []
        said = self._say_left_out(before)
        self._left_out = self._cut = self._seen = 0
        self._flood_since = None
        self._resume()
        return [left_out(said)] if said else []

    @property
    def is_flooded(self) -> bool:
        """Whether there is something to say that waits for the flood's end."""
        return self._flood_since is not None

    def _say_left_out(self, before: list[int | None]) -> str:
        """While the streams were left alone nobody counted: take what the whole process wrote meanwhile."""
        count = self._left_out + self._cut
        if not before:
            return f"{count:,} characters of {_OUTPUT} were left out here" if count else ""
        written = _count_written()
        if written is None or before[0] is None:
            return f"some of {_OUTPUT} was left out here: {_TOO_FAST}"
        count = self._cut + max(self._left_out, written - before[0] - self._seen)
        return f"about {count:,} characters of {_OUTPUT} were left out here: {_TOO_FAST}"

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
                covered = _Covered(stream, functools.partial(self._make_write, name, copies=False))
                if covered.cover():
                    found.append(covered)
        return found

    def _pause(self) -> bool:
        """A flood: leave the streams alone until stock is taken. Not while an evaluation prints."""
        if not self._diversions:
            if not self._before:
                self._before = [_count_written()]
            for covered in list(self._covered):
                covered.uncover()
        return not self.is_flooded

    def _resume(self) -> None:
        for covered in list(self._covered):
            covered.cover()

    def _make_write(
        self, category: str, write: Callable[[str], Any], *, copies: bool = True
    ) -> Callable[[str], Any]:
        feed, diversions = self.feed, self._diversions
        items, append = feed.items, feed.items.append
        end, is_plain = _END, copies and category == PLAIN

        def copying_write(text: str) -> Any:
            if diversions and _diversion.get() in diversions and isinstance(text, str):
                feed.put_text(category, text)
                return len(text)
            # The program's own stream first: if it raises, nothing was printed.
            written = write(text)
            if (
                is_plain
                and len(items) < feed.most
                and (text is end or (type(text) is str and len(text) <= SHORT))
            ):
                append(text)
                if not feed.is_announced:
                    feed.announce()
            elif copies and isinstance(text, str):
                feed.put_text(category, text)
            return written

        return copying_write


def _joined(items: list[Any]) -> list[tuple[str, Any]]:
    """Texts that follow each other become one: thousands would cost the server's thread too much."""
    try:
        return _pieces(PLAIN, "".join(items))
    except TypeError:
        pass  # there are others between them
    found: list[tuple[str, Any]] = []
    for name, group in itertools.groupby(items, _name_of):
        if name == PLAIN:
            found += _pieces(name, "".join(group))
        elif name in _STREAMS:
            found += _pieces(name, "".join(text for _, text in group))
        else:
            found += group
    return found


def _name_of(item: Any) -> str:
    return PLAIN if type(item) is str else item[0]


def _pieces(name: str, text: str) -> list[tuple[str, Any]]:
    """In pieces that are not too long, where a line ends if possible."""
    found = []
    start = 0
    while start < len(text):
        end = start + LONGEST
        if end < len(text):
            end = text.rfind("\n", start, end) + 1 or end
        found.append((name, text[start:end]))
        start = end
    return found


def _count_written() -> int | None:
    """How much this process has written by now, into whatever; None where the system does not count."""
    try:
        file = os.open("/proc/self/io", os.O_RDONLY)
    except OSError:
        return None
    try:
        return int(os.read(file, 1024).partition(b"wchar: ")[2].split(None, 1)[0])
    except (OSError, ValueError, IndexError):
        return None
    finally:
        os.close(file)


class _Covered:
    """One stream, what lies over its `write`, and what was there before.

    A program's thread uncovers it where a flood begins while the server's may be covering it: whichever comes
    last, ours is there or known not to be.
    """

    def __init__(self, stream: Any, make: Callable[[Callable[[str], Any]], Callable[[str], Any]]) -> None:
        self.stream = stream
        self._make = make
        self._cover: Callable[[str], Any] | None = None
        self._before: Any = None

    def cover(self) -> bool:
        """Put ours over the stream's `write`; False where the object has no room for it."""
        own = getattr(self.stream, "__dict__", None)
        if not isinstance(own, dict):
            return False
        present = own.get("write")
        if self._cover is not None and present is not None and present is not self._before:
            return True  # it is there, if perhaps under one of the program's
        cover = self._make(self.stream.write)
        self._before = own.get("write")
        try:
            self.stream.write = cover
        except (AttributeError, TypeError):
            return False
        self._cover = cover
        return True

    def uncover(self) -> None:
        """Remove ours. Where somebody has covered it in turn it stays, copying to nobody."""
        own = self.stream.__dict__
        if self._cover is None or own.get("write") is not self._cover:
            return
        if self._before is None:
            own.pop("write", None)
        else:
            self.stream.write = self._before
        self._cover = None  # at last: who covers it meanwhile must not put his under what goes here
