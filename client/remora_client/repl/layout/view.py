"""What the panes show: the selected frame, its stack, source and variables, asked for when something changed.

Runs on the event loop's thread. A request that fails because the program ran on leaves what is there: the
event that follows brings the next look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._finding._places import source_named
from remora_client._records import record
from remora_client.commands import FAILURES, Listing, value_notes
from remora_client.repl.layout.tree import Tree

if TYPE_CHECKING:
    from remora_client._model import Breakpoint, Frame, Source
    from remora_client._sessions._session import Session
    from remora_client.commands import Context

__all__ = ["View"]

_FRAMES = 500  # of a deeper stack, the newest


@record
class Place:
    """A line to be seen, and what brought us there: the same again does not scroll back to it."""

    source: Source
    line: int
    because: object


class View:
    """One look at the program.

    Attributes:
        frames: the stack of the thread that is looked at, newest first; () while it runs.
        deeper: there are more frames than those.
        source: the file in the source pane.
        text: its text.
        line: its line that is to be seen: the one that runs next, or where `list` was told to go.
        moves: changes whenever that line has to be scrolled to.
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.frame: Frame | None = None
        self.frames: list[Frame] = []
        self.deeper = False
        self.thread = ""
        self.source: Source | None = None
        self.text = ""
        self.differs = False
        self.line = 0
        self.moves = 0
        self.notes: dict[int, str] = {}
        self.tree = Tree()
        self._place: Place | None = None
        self._stops: tuple[Session, int] | None = None  # whose values the tree has seen last

    @property
    def current(self) -> int | None:
        """The line of the shown file that runs next, if the program stands in it."""
        frame = self.frame
        return frame.line if frame and self.source and frame.path == self.source.path else None

    @property
    def is_current(self) -> bool:
        """Whether a line number alone means the shown file."""
        listing, source = self.ctx.listing, self.source
        if self.frame is not None or source is None:
            return self.current is not None
        return listing is not None and listing.source.path == source.path

    def breakpoints_at(self, line: int) -> list[Breakpoint]:
        """Those on a line of the shown file."""
        path = self.source.path if self.source else ""
        return [
            each
            for each in self.ctx.session.breakpoints
            if (each.bound_path or each.path) == path and (each.bound_line or each.line) == line
        ]

    async def refresh(self) -> None:
        """Look again."""
        session = self.ctx.session
        try:
            if session.stop is None:
                self.clear()
                await self._look_at(self._listed() or await self._script())
                return
            stops = (session, session.state.stops)
            frame = await session.current_frame()
            frames = await session.stack(count=_FRAMES + 1)
            await self._look_at(self._listed() or Place(frame.source, frame.line, (*stops, frame.index)))
            notes = await value_notes(self.ctx, frame, self.text)
            await self.tree.load(session, frame, moved=stops != self._stops)
        except FAILURES:
            return
        self.frame, self.frames, self.deeper = frame, frames[:_FRAMES], len(frames) > _FRAMES
        self.notes = notes if self.current else {}
        thread = session.state.threads.get(session.stop.thread_id) if session.stop else None
        self.thread = thread.name if thread else ""
        self._stops = stops

    def clear(self) -> None:
        """The program runs: there is no stack and no variable to see. The source stays."""
        self.frame, self.frames, self.deeper, self.notes, self.thread = None, [], False, {}, ""
        self.tree.clear()

    def _listed(self) -> Place | None:
        """Where `list` was told to go at this stop."""
        listing = self.ctx.listing
        if listing is None or listing.stops != self.ctx.session.state.stops:
            return None
        return Place(listing.source, (listing.first + listing.last) // 2, listing)

    async def _script(self) -> Place | None:
        """Before the first stop: the script that runs, so that breakpoints can be set in it."""
        process = self.ctx.session.process
        if self.source is not None or process is None:
            return None
        name = next((each for each in process["argv"] if each.endswith(".py")), "")
        if not name:
            return None
        source = await source_named(self.ctx.session, name)
        self.ctx.listing = Listing(source, 1, 1, self.ctx.session.state.stops)  # so that `break 12` means it
        return self._listed()

    async def _look_at(self, place: Place | None) -> None:
        if place is None or place == self._place:
            return
        found = await self.ctx.session.source_text(place.source)
        self._place = place
        self.source, self.text, self.line = place.source, found.text, place.line
        self.differs = found.differs and bool(place.source.sha256)
        self.moves += 1
