"""Pauses: asking for a stop, and what is told when nobody comes by to make it.

A thread that runs Python code comes by within moments. One inside C does not: it is told of as stopped where
it is, and held when it comes back. All on the server's thread.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from remora._interpreter import _frames
from remora._stopping._stops import Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from remora._control._stacks import Stacks
    from remora._control._threads import ThreadInfo, ThreadRecord, Threads
    from remora._control._world import World

    Place = tuple[int, int]

__all__ = ["Pausing"]

_PATIENCE = 0.1
"""Seconds until a thread that does not come by, and does not move either, counts as being inside C."""

_LIMIT = 1.0
"""Seconds more until one that moves counts as out of reach."""


class Pausing:
    """The pauses that were asked for and not made yet.

    Args:
        later: runs a function on this thread after some seconds, unless what it returns is called before.
        tell: tells the client of a stop; with the frame to show, where there is one.
        catch: has a thread stop for good where it next runs in this frame or in one that called it.
    """

    def __init__(
        self,
        world: World,
        threads: Threads,
        stacks: Stacks,
        *,
        later: Callable[[float, Callable[[], None]], Callable[[], None]],
        tell: Callable[[ThreadRecord, Stop, FrameType | None], None],
        catch: Callable[[ThreadRecord, FrameType], None],
    ) -> None:
        self._world = world
        self._threads = threads
        self._stacks = stacks
        self._later = later
        self._tell = tell
        self._catch = catch
        self._cancel: dict[int | None, Callable[[], None]] = {}  # who is meant -> ends the wait for it

    def pause(self, record: ThreadRecord | None) -> None:
        """Have this thread, or whichever comes first, stop."""
        if self._world.pause(None if record is None else record.ident, Stop(None, "pause", "paused")):
            self._wait(record, _PATIENCE, _place_now(record))
            return
        left = self._world.take_abandoned()
        if left is not None and left.stop is not None:
            self._tell(left, left.stop, left.stop.frame)

    def stop_waiting(self) -> None:
        """Nobody wants these pauses any more."""
        for ident in list(self._cancel):
            self._stop_waiting_for(ident)

    def _stop_waiting_for(self, ident: int | None) -> None:
        cancel = self._cancel.pop(ident, None)
        if cancel is not None:
            cancel()

    def _wait(self, record: ThreadRecord | None, seconds: float, seen: Place | None) -> None:
        ident = None if record is None else record.ident

        def look() -> None:
            place = _place_now(record)
            runs = place is None or place != seen
            if runs and seconds < _LIMIT:
                # It will come by, if this Python reaches it and the machine is not too busy.
                self._wait(record, _LIMIT, place)
            else:
                self._give_up(record, runs=runs)

        self._stop_waiting_for(ident)
        self._cancel[ident] = self._later(seconds, look)

    def _give_up(self, record: ThreadRecord | None, *, runs: bool) -> None:
        """Nobody came by: show the thread where it is, and hold it when it comes back, or can be reached."""
        record = self._who_is_meant(record)
        if record is None:
            return
        newest = next(iter(self._stacks.of(record)), None)
        at = "" if newest is None else f" in {newest.name}, line {newest.line}"
        text = f"The thread {_where_it_is(record, at, runs=runs)}. It stops when it comes back."
        stop = Stop(None, "pause", "paused in native code", text)
        if self._world.pause_in_native_code(record, stop):
            self._tell(record, stop, None if newest is None else newest.frame)
            if newest is not None and self._world.leader is None:
                # The others run on, and are not to be looked at for it: whatever this one comes back to.
                self._catch(record, newest.frame)

    def _list(self) -> list[ThreadInfo]:
        """The threads there are; those that have ended are forgotten."""
        return self._threads.list(self._world.leader is not None)

    def _who_is_meant(self, record: ThreadRecord | None) -> ThreadRecord | None:
        free = next((each for each in self._threads.all() if each.is_free), None)
        if free is not None:
            return free
        if record is None:
            infos = [each for each in self._list() if each.state != "untraced"]
            return self._threads.of(infos[0].ident) if infos else None
        if self._stacks.of(record):
            return record
        self._world.give_up_pause(record.ident)  # it has ended meanwhile
        self._list()
        if self._world.stops_all:
            self.pause(None)  # whoever comes first
        return None


def _place_now(record: ThreadRecord | None) -> Place | None:
    """Where the thread, by default the main one, may be inside C code; None: it is not."""
    ident = threading.main_thread().ident if record is None else record.ident
    frame = None if ident is None else _frames.current_frames().get(ident)
    return (id(frame), frame.f_lasti) if frame is not None and _frames.is_in_call(frame) else None


def _where_it_is(record: ThreadRecord, at: str, *, runs: bool) -> str:
    # On PyPy a thread in compiled code seems to stand still, and only the main one is always in reach.
    if sys.implementation.name == "pypy" and record.ident != threading.main_thread().ident:
        return f"is inside native code, or out of this Python's reach{at and ',' + at}"
    if runs:
        return f"runs{at and ', just now' + at}, and cannot be held yet"
    return f"is inside native code{at and ', called' + at}"
