"""The stacks that a client is shown, and the numbers it knows frames by. Server's thread only."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from remora._interpreter import _frames
from remora._interpreter._frames import Frame
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

    from remora._control._threads import ThreadRecord
    from remora._source._filters import Filters
    from remora._stopping._stops import Stop

    Place = tuple[FrameType, int]

__all__ = ["Stacks"]


class Stacks:
    """Frames live until their thread goes on; so do the objects they hold. Numbers are not used again.

    Args:
        gone: called when the frames of this thread are, or of every one (None).
    """

    def __init__(self, filters: Filters, gone: Callable[[int | None], None]) -> None:
        self._filters = filters
        self._gone = gone
        self._numbers = itertools.count(1)
        self._frames: dict[int, Frame] = {}
        self._held: dict[int, tuple[Stop, list[Frame]]] = {}

    def of(self, record: ThreadRecord) -> list[Frame]:
        """The stack, newest first. Of a held thread the same frames until it goes on; else how it is now."""
        stop = record.stop
        if stop is None:
            if record.native_stop is None:
                self.forget(record.id)  # it has run on since it was last looked at
            newest = _frames.current_frames().get(record.ident)
            return self._make(record, ((frame, _frames.line_of(frame)) for frame in _frames.walk(newest)))
        known = self._held.get(record.id)
        if known is None or known[0] is not stop:
            known = self._held[record.id] = (stop, self._make(record, _stack_of(stop)))
        return known[1]

    def of_task(self, record: ThreadRecord, chain: Iterable[Place]) -> list[Frame]:
        """The frames of a chain of awaits, for as long as the thread of its loop is held."""
        return self._make(record, chain)

    def frame(self, number: int) -> Frame:
        """A frame that `of` gave out and that has not moved on since."""
        frame = self._frames.get(number)
        if frame is None:
            raise RequestFailed("not-found", "This frame is gone: its thread has run on.")
        return frame

    def forget(self, thread_id: int | None = None) -> None:
        """This thread, or every one, goes on."""
        if thread_id is None:
            self._frames.clear()
            self._held.clear()
        else:
            self._held.pop(thread_id, None)
            self._frames = {
                number: each for number, each in self._frames.items() if each.thread_id != thread_id
            }
        self._gone(thread_id)

    def forget_left(self, records: Iterable[ThreadRecord]) -> None:
        """What was shown of stops that these threads have left is gone; of those they are in by now, not.

        A client may have asked about the new stop before we come to hear that the old one is over.
        """
        for record in records:
            known = self._held.get(record.id)
            if known is None or known[0] is not record.stop:
                self.forget(record.id)

    def _make(self, record: ThreadRecord, stack: Iterable[Place]) -> list[Frame]:
        made = [self._describe(record, *place) for place in self._shown(stack)]
        self._frames.update((frame.id, frame) for frame in made)
        return made

    def _shown(self, stack: Iterable[Place]) -> Iterator[Place]:
        for place in stack:
            if not self._filters.is_own(place[0]):
                yield place
            elif place[0].f_code.co_filename == _frames.LAUNCHER:
                return  # what is left is how `python -m remora` itself was started

    def _describe(self, record: ThreadRecord, frame: FrameType, line: int) -> Frame:
        return Frame(
            id=next(self._numbers),
            thread_id=record.id,
            frame=frame,
            line=line,
            filename=frame.f_code.co_filename,
            name=_frames.qualified_name(frame),
            subtle=not self._filters.is_user(frame),
        )


def _stack_of(stop: Stop) -> list[Place]:
    if stop.shown_error is not None and stop.shown_error.frames:
        return list(stop.shown_error.frames)
    if stop.traceback_frames:
        return list(stop.traceback_frames)
    stack = [(frame, _frames.line_of(frame)) for frame in _frames.walk(stop.frame)]
    if stop.line is not None:
        stack[0] = (stack[0][0], stop.line)
    return stack
