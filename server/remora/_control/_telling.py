"""What the debugger tells the client by itself: events, as DAP bodies. Any thread; nothing here blocks.

`publish` puts into a queue in order. It is None while nobody is attached, and then nothing is told.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from remora._interpreter import _frames

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from remora._source._sources import Sources
    from remora._stopping._breakpoints import Breakpoint
    from remora._stopping._stops import Stop

    Publish = Callable[[str, dict[str, Any]], None]

__all__ = ["Telling"]


class Telling:
    """Makes the events. One `publish` is read per event: it may become None at any moment."""

    def __init__(self, sources: Sources) -> None:
        self.publish: Publish | None = None
        self._sources = sources

    def stopped(
        self, thread_id: int, stop: Stop, frame: FrameType | None, *, all_threads: bool = True
    ) -> None:
        """A thread has stopped the world, or itself, with this as its newest frame."""
        shown = None
        if frame is not None:
            line = stop.line or _frames.line_of(frame)
            path = self._path(frame.f_code.co_filename)
            shown = {"name": _frames.qualified_name(frame), "path": path, "line": line}
        self._tell("stopped", stop.body(thread_id, shown, all_threads=all_threads))

    def continued(self, thread_id: int, *, all_threads: bool = True) -> None:
        """The program, or this thread of it, runs on though nobody asked for it."""
        self._tell("continued", {"threadId": thread_id, "allThreadsContinued": all_threads})

    def breakpoint(self, found: Breakpoint, reason: str) -> None:
        """A breakpoint is bound now (changed), or has done its work (removed)."""
        path = None if found.filename is None else self._path(found.filename)
        self._tell("breakpoint", {"reason": reason, "breakpoint": found.body(path)})

    def logged(self, frame: FrameType, text: str) -> None:
        """A logpoint was reached."""
        path = self._path(frame.f_code.co_filename)
        source = {"name": path.replace("\\", "/").rpartition("/")[2], "path": path}
        body = {
            "category": "console",
            "output": f"{text}\n",
            "source": source,
            "line": _frames.line_of(frame),
        }
        self._tell("output", body)

    def failed(self, error: BaseException) -> None:
        """Something of ours went wrong in the middle of the program, which must not notice."""
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        self._tell(
            "output", {"category": "important", "output": f"Remora failed, and the program went on:\n{text}"}
        )

    def _tell(self, event: str, body: dict[str, Any]) -> None:
        publish = self.publish
        if publish is not None:
            publish(event, body)

    def _path(self, filename: str) -> str:
        return self._sources.display_path(filename)
