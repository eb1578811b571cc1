"""What the programs do while a person is at the prompt: output, stops, comings and goings, told above it.

The part of the prompt that listens. Runs on the event loop's thread; what waits is a task of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._text import visible, visible_block
from remora_client.commands import (
    FAILURES,
    called_lines,
    classify_script,
    commands_for,
    error_text,
    run_line,
    stop_lines,
)
from remora_client.repl._marking import Marker

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._groups._group import Member
    from remora_client._model import Stop
    from remora_client._sessions._session import Session
    from remora_client.repl.app import Repl

__all__ = ["Events"]


class Events:
    """Tells the person what happens in the process that is looked at, and in the others of its group.

    Attributes:
        anyone: who stops next is looked at; not while the person steps through one process.
        shown: the number of the last stop that is on the screen.
        showing: how many are on their way there.
        marker: puts the lines of several processes apart.
    """

    def __init__(self, repl: Repl) -> None:
        self._repl = repl
        self.ctx = repl.ctx
        self.anyone = True
        self.shown = 0
        self.showing = 0
        self.marker = Marker(repl.add)
        self._bound: dict[int, bool] = {}
        # Who else stopped while a stop is on its way to the screen; None: none is.
        self._beside: list[Member] | None = None

    @property
    def session(self) -> Session:
        """The process that is looked at."""
        return self.ctx.session

    def listen(self) -> Callable[[], None]:
        """Hear of everything from now on; what is given ends it."""
        self.know_bound()
        if self.ctx.group is None:
            return self.session.listen(self._on_event)
        return self.ctx.group.listen(
            self._on_member_event, lambda text: self._say(visible_block(text), "class:warning")
        )

    def _on_event(self, event: str, body: dict[str, Any]) -> None:
        if event == "output":
            if body.get("category") != "telemetry":
                self._repl.print_output(str(body.get("category") or "console"), str(body.get("output", "")))
        elif event in ("stopped", "remora/next-stop"):
            if not self._tell_if_beside(self.session, body):
                self._repl.later(self.tell_stop())
        elif event in ("terminated", "remora/gone"):
            self._repl.end()
        elif event == "breakpoint":
            self._tell_bound()
        elif event == "remora/called":
            self._repl.add(called_lines(body))
        elif event == "remora/note":
            self._say(visible(str(body.get("text", ""))), "class:warning")
        if self._repl.face is not None:
            self._repl.face.redraw()

    def _on_member_event(self, member: Member, event: str, body: dict[str, Any]) -> None:
        """What a process of a group says, or that it came or went."""
        if event == "output":
            if body.get("category") != "telemetry":
                category = str(body.get("category") or "console")
                self.marker.output(member, category, str(body.get("output", "")))
        elif event == "remora/joined":
            self._say(f"Process {member.number} joined: {member}", "class:dim")
            if self.session.state.over:
                self.ctx.choose(member)
        elif event == "remora/left":
            self._lose(member)
        elif event in ("stopped", "remora/next-stop"):
            if not self._tell_if_beside(member.session, body):
                self._see_stop(member)
        elif event == "breakpoint" and member is self.ctx.member:
            self._tell_bound()
        elif event == "remora/called":
            self._repl.add(called_lines(body))
        elif event == "remora/note":
            self._say(f"{member}: {visible(str(body.get('text', '')))}", "class:warning")
        if self._repl.face is not None:
            self._repl.face.redraw()

    def _tell_if_beside(self, session: Session, body: dict[str, Any]) -> bool:
        """Tell briefly of a thread that was held for itself while another is looked at; False: of none."""
        stop = next((each for each in session.state.waiting if each.thread_id == body.get("threadId")), None)
        if stop is None:
            return False
        frame = stop.frame
        where = f" at {visible(frame.source.name)}:{frame.line}" if frame is not None else ""
        told = f"Thread {stop.thread_id} stopped, too: {visible(stop.reason)}{where}."
        self._say(f"{told} To look at it: thread {stop.thread_id}", "class:heading")
        return True

    def _see_stop(self, member: Member) -> None:
        """Show a stop of the process that is looked at; another's, too, where nothing else is going on."""
        if member is not self.ctx.member and (self.session.stop is not None or not self.anyone):
            if self._beside is None:
                self.tell_briefly(member)
            else:
                self._beside.append(member)
            return
        self.ctx.choose(member)
        self._beside = self._beside or []
        self._repl.later(self.tell_stop(member))

    def _tell_beside(self) -> None:
        waiting, self._beside = self._beside, None
        for member in waiting or ():
            if member.session.stop is not None:
                self.tell_briefly(member)

    async def tell_stop(self, member: Member | None = None) -> None:
        """Show a stop, learn the names in scope, and run what was left for its breakpoint."""
        self.showing += 1
        try:
            stop = await self._show_stop(member)
        finally:
            self.showing -= 1
            self._tell_beside()
        if stop is not None:
            await self._on_hit(stop)

    async def _show_stop(self, member: Member | None) -> Stop | None:
        """The stop, once it is on the screen; None: it is over already."""
        session = self.session if member is None else member.session
        if session is not self.session:  # the person has turned to another process meanwhile
            assert member is not None
            self.tell_briefly(member)
            return None
        number = session.state.stops
        self.ctx.width = self._repl.width
        try:
            stop = await session.wait_for_stop()
            if stop is None or session.state.stops != number or session is not self.session:
                return None
            self.ctx.shown_stop = number
            self.ctx.listing = None
            shown = await stop_lines(self.ctx, stop)
            await self._repl.learn_names()
        except FAILURES:
            return None  # it ran on meanwhile, or is gone: another event says so
        if session.state.stops != number or session is not self.session:
            return None
        if member is not None:
            self.marker.flush()
            shown = [("class:heading", f"Process {member.number}, {member}:\n"), *shown]
        self._repl.add(shown)
        self.shown = number
        self._repl.told.set()
        return stop

    async def _on_hit(self, stop: Stop) -> None:
        for text in commands_for(self.ctx, stop):
            if self._repl.over:
                return
            try:
                result = await run_line(self.ctx, classify_script(text))
            except FAILURES as error:
                self._say(f"{text}: {error_text(error)}", "class:error")
                return
            self._repl.add(result.text)
            if result.resumed or result.left:
                self._repl.left = self._repl.left or result.left
                return

    def tell_briefly(self, member: Member) -> None:
        """In a line: another process has stopped."""
        stop = member.session.stop
        frame = stop.frame if stop is not None else None
        where = (
            f", {visible(frame.name)} at {visible(frame.source.name)}:{frame.line}"
            if frame is not None
            else ""
        )
        number = member.number
        self._say(
            f"Process {number} stopped, too: {member}{where}. To look at it: proc {number}", "class:heading"
        )

    def _lose(self, member: Member) -> None:
        group = self.ctx.group
        assert group is not None
        self.marker.flush(member)
        code = member.session.state.exit_code
        how = "was lost" if member.session.state.phase == "gone" else "ended"
        told = f" with exit code {code}" if code is not None else ""
        self._say(
            f"Process {member.number} {how}{told}: {member}",
            "class:warning" if "lost" in how else "class:dim",
        )
        if not group.members and not group.goes_on:
            self._repl.end()
        elif member is self.ctx.member:
            other = group.first()
            if other is not None:
                self.ctx.choose(other)
                self._say(f"Looking at process {other.number}: {other}", "class:dim")
            self._repl.told.set()

    def know_bound(self) -> None:
        """Take note of how breakpoints are: the person has been told."""
        self._bound = {each.number: each.verified for each in self.session.breakpoints}

    def _tell_bound(self) -> None:
        """Say it when a breakpoint that was waiting is bound, or one is lost."""
        for each in self.session.breakpoints:
            before = self._bound.get(each.number, each.verified)
            self._bound[each.number] = each.verified
            if each.verified and not before:
                self._say(f"Breakpoint {each.number} is set: {visible(each.place())}", "class:dim")
            elif before and not each.verified and each.enabled:
                self._say(
                    f"Breakpoint {each.number}: {visible(each.message or 'not bound any more')}",
                    "class:warning",
                )

    def _say(self, text: str, style: str = "") -> None:
        self._repl.say(text, style)
