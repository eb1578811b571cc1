"""What the programs do while a person is at the prompt: output, stops, comings and goings, told above it.

The part of `Repl` that listens. Runs on the event loop's thread; nothing in here waits.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from remora_client._marking import Marker
from remora_client._text import visible, visible_block

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._fragments import Fragments
    from remora_client._group import Member
    from remora_client._session import Session
    from remora_client.commands import Context
    from remora_client.repl.output import Above
    from remora_client.repl.terminal import Face

__all__ = ["Events"]


class Events:
    """Tells the person what happens in the process that is looked at, and in the others of its group."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.above: Above | None = None
        self._told = asyncio.Event()  # the last stop, or the end, is on the screen
        self._bound: dict[int, bool] = {}
        self._anyone = True  # who stops next is looked at; not while the person steps through one process
        self._marker = Marker(self._add)

    @property
    def session(self) -> Session:
        """The process that is looked at."""
        return self.ctx.session

    @property
    def face(self) -> Face | None:
        """Where the person is."""
        raise NotImplementedError

    async def _tell_stop(self, member: Member | None = None) -> None:
        raise NotImplementedError

    def _end(self) -> None:
        raise NotImplementedError

    def _later(self, coroutine: Any) -> None:
        raise NotImplementedError

    def _listen(self) -> Callable[[], None]:
        if self.ctx.group is None:
            return self.session.listen(self._on_event)
        return self.ctx.group.listen(
            self._on_member_event, lambda text: self._say(visible_block(text), "class:warning")
        )

    def _on_event(self, event: str, body: dict[str, Any]) -> None:
        assert self.above is not None
        if event == "output":
            if body.get("category") != "telemetry":
                self.above.output(str(body.get("category") or "console"), str(body.get("output", "")))
        elif event in ("stopped", "remora/next-stop"):
            if not self._is_beside(self.session, body):
                self._later(self._tell_stop())
        elif event in ("terminated", "remora/gone"):
            self._end()
        elif event == "breakpoint":
            self._tell_bound()
        elif event == "remora/note":
            self._say(visible(str(body.get("text", ""))), "class:warning")
        if self.face is not None:
            self.face.redraw()

    def _on_member_event(self, member: Member, event: str, body: dict[str, Any]) -> None:
        """What a process of a group says, or that it came or went."""
        if event == "output":
            if body.get("category") != "telemetry":
                category = str(body.get("category") or "console")
                self._marker.output(member, category, str(body.get("output", "")))
        elif event == "remora/joined":
            self._say(f"Process {member.number} joined: {member}", "class:dim")
            if self.session.state.over:
                self.ctx.choose(member)
        elif event == "remora/left":
            self._lose(member)
        elif event in ("stopped", "remora/next-stop"):
            if not self._is_beside(member.session, body):
                self._see_stop(member)
        elif event == "breakpoint" and member is self.ctx.member:
            self._tell_bound()
        elif event == "remora/note":
            self._say(f"{member}: {visible(str(body.get('text', '')))}", "class:warning")
        if self.face is not None:
            self.face.redraw()

    def _is_beside(self, session: Session, body: dict[str, Any]) -> bool:
        """Tell briefly of a thread that was held for itself while another is looked at."""
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
        if member is not self.ctx.member and (self.session.stop is not None or not self._anyone):
            self._tell_briefly(member)
            return
        self.ctx.choose(member)
        self._later(self._tell_stop(member))

    def _tell_briefly(self, member: Member) -> None:
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
        self._marker.flush(member)
        code = member.session.state.exit_code
        how = "was lost" if member.session.state.phase == "gone" else "ended"
        told = f" with exit code {code}" if code is not None else ""
        self._say(
            f"Process {member.number} {how}{told}: {member}",
            "class:warning" if "lost" in how else "class:dim",
        )
        if not group.members and not group.goes_on:
            self._end()
        elif member is self.ctx.member:
            other = group.first()
            if other is not None:
                self.ctx.choose(other)
                self._say(f"Looking at process {other.number}: {other}", "class:dim")
            self._told.set()

    def _tell_bound(self) -> None:
        """Say it when a breakpoint that was waiting is bound, or one is lost."""
        for each in self.session.breakpoints:
            before, self._bound[each.number] = self._bound.get(each.number, False), each.verified
            if each.verified and not before:
                self._say(f"Breakpoint {each.number} is set: {visible(each.place())}", "class:dim")
            elif before and not each.verified and each.enabled:
                self._say(
                    f"Breakpoint {each.number}: {visible(each.message or 'not bound any more')}",
                    "class:warning",
                )

    def _say(self, text: str, style: str = "") -> None:
        self._add([(style, f"{text}\n")])

    def _add(self, fragments: Fragments) -> None:
        assert self.above is not None
        self.above.add(fragments)
