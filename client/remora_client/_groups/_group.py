"""Many sessions as one: processes that come and go, and stops from any of them.

A session is one process and stays as it is; a group is above them. It asks its feeds once a second who is
there, attaches to whoever is new with what all have in common, and tells its listeners who came, who left
and what each says. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from remora_client._errors import AlreadyAttached, ClientError, Gone
from remora_client._groups._shared import Shared
from remora_client._options import AttachOptions
from remora_client._sessions._session import Session
from remora_client._text import visible, visible_block
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remora_client._groups._feeds import Candidate, Feed
    from remora_client._model import Stop

    Listener = Callable[["Member", str, dict[str, Any]], None]

__all__ = ["Group", "Member"]

_LOOK_SECONDS = 1.0
_AT_ONCE = 16  # attaches under way
_FAILURES = (ClientError, RequestFailed, OSError, TimeoutError)


@dataclass(eq=False)
class Member:
    """One process of a group. Its number is its own for the group's whole life."""

    number: int
    host: str
    pid: int | None
    name: str
    session: Session
    tried: _Tried | None = None

    @property
    def label(self) -> str:
        """Its number and name, for lines in which there is little room."""
        return f"{self.number} {visible(self.name)}"

    def __str__(self) -> str:
        where = f" on {visible(self.host)}" if self.host else ""
        return f"{visible(self.name)} ({self.pid}{where})"


@dataclass
class _Tried:
    """A candidate that was attached to, or could not be."""

    attached_by: str | None
    failed: bool = False
    lost: bool = False


class Group:
    """Sessions with all processes that some feeds give."""

    def __init__(self, feeds: Sequence[Feed], how: AttachOptions | None = None) -> None:
        self.members: dict[int, Member] = {}
        self._feeds = list(feeds)
        self._how = how or AttachOptions()
        self.shared = Shared(lambda: list(self.members.values()), self._how.source)
        self._known: dict[tuple[str, str], _Tried] = {}
        self._troubles: dict[str, str] = {}  # by feed: what it last failed with
        self._listeners: list[Listener] = []
        self._notes: list[Callable[[str], None]] = []
        self._last_number = 0
        self._hits: Counter[int] = Counter()  # breakpoints have the same numbers in all
        self._following: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._changed = asyncio.Event()
        self._closed = False

    # -- beginning and end ------------------------------------------------------------------------

    async def start(self, *, all_or_none: bool = False) -> None:
        """Attach to all that are there now.

        Args:
            all_or_none: the first that fails is the end of it.

        Raises:
            ClientError: the first failure, also when not one could be attached to.
        """
        try:
            failures = await self._look(self._feeds)
            if failures and (all_or_none or not self.members):
                raise failures[0]
            self._how = replace(self._how, stop_on_entry=False)  # whoever comes later is not held up
        except BaseException:
            await self.detach()
            raise
        lasting = [each for each in self._feeds if each.goes_on]
        await asyncio.gather(*(each.close() for each in self._feeds if each not in lasting))
        if lasting:
            self._following = asyncio.get_running_loop().create_task(self._follow(lasting))
            self._following.add_done_callback(lambda _: self._changed.set())

    @property
    def goes_on(self) -> bool:
        """Whether processes may still come."""
        return self._following is not None and not self._following.done() and not self._closed

    async def detach(self) -> None:
        """Leave all processes running. Never raises; safe to call twice."""
        self._closed = True
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*(each.session.detach() for each in self.members.values()))
        await asyncio.gather(*(feed.close() for feed in self._feeds))
        self.members.clear()
        self._changed.set()

    async def _follow(self, feeds: Sequence[Feed]) -> None:
        while any(each.goes_on for each in feeds):
            await _wait_for_news(feeds)
            await self._look(feeds)

    async def _look(self, feeds: Sequence[Feed]) -> list[Exception]:
        """Ask feeds who is there, and attach to whoever is new. Gives what failed."""
        failures: list[Exception] = []
        joins = []
        for feed, found in zip(feeds, await asyncio.gather(*map(self._ask, feeds)), strict=True):
            if isinstance(found, Exception):
                failures.append(found)
            else:
                joins += [self._join(feed, each) for each in found if self._is_news(feed, each)]
        failures += [each for each in await asyncio.gather(*joins) if each is not None]
        return failures

    async def _ask(self, feed: Feed) -> list[Candidate] | Exception:
        try:
            found = await feed.candidates()
        except _FAILURES as error:
            trouble = visible_block(str(error))
            if self._troubles.get(feed.place) != trouble:
                self._troubles[feed.place] = trouble
                self._note(trouble)
            return error
        if self._troubles.pop(feed.place, None):
            self._note(f"{feed.place} answers again.")
        return found

    def _is_news(self, feed: Feed, candidate: Candidate) -> bool:
        known = self._known.get((feed.place, candidate.key))
        if known is None or (known.lost and candidate.comes_back and candidate.attached_by is None):
            return True
        # Who was somebody else's and is free now is asked once more.
        return known.failed and known.attached_by is not None and candidate.attached_by is None

    async def _join(self, feed: Feed, candidate: Candidate) -> Exception | None:
        known = self._known[feed.place, candidate.key] = _Tried(candidate.attached_by)
        if candidate.only_listed:
            self._note(f"{visible(candidate.name)} ({candidate.pid}) is there.")
            return None
        self._last_number += 1
        number = self._last_number
        try:
            async with self._gate:
                session = await self._attach(candidate)
        except _FAILURES as error:
            known.failed = True
            if isinstance(error, AlreadyAttached) and known.attached_by is None:
                known.attached_by = "somebody"
            why = visible_block(str(error))
            self._note(f"{visible(candidate.name)} ({candidate.pid}) was not attached to: {why}")
            return error
        member = self._welcome(number, candidate, session)
        member.tried = known
        trouble = await self.shared.bring(member)  # what was set while we attached
        if trouble:
            self._note(trouble)
        return None

    async def _attach(self, candidate: Candidate) -> Session:
        link = await candidate.link()
        try:
            breakpoints = self.shared.breakpoints
            return await Session.attach(link, candidate.pid, self._how, breakpoints=breakpoints)
        except BaseException:
            await link.close()
            raise

    def _welcome(self, number: int, candidate: Candidate, session: Session) -> Member:
        process = session.process
        pid = candidate.pid if process is None else process["pid"]
        name = candidate.name or ("" if process is None else process["name"])
        member = Member(number, candidate.host, pid, name, session)
        self.members = dict(sorted({**self.members, number: member}.items()))
        session.listen(lambda event, body: self._take(member, event, body))
        session.hits = self._hits
        session.on_temporary_hit = lambda numbers: self._later(self.shared.drop(numbers))  # gone in all
        self._tell(member, "remora/joined", {})
        self._changed.set()
        if session.state.over:
            self._leave(member)
        return member

    # -- what happens -----------------------------------------------------------------------------

    def listen(self, listener: Listener, note: Callable[[str], None] | None = None) -> Callable[[], None]:
        """Call `listener(member, event, body)` for every event of every process; `note` with what is said.

        Beside a session's events there are "remora/joined" and "remora/left". Returns what ends it.
        """
        self._listeners.append(listener)
        if note is not None:
            self._notes.append(note)

        def remove() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)
            if note is not None:
                with contextlib.suppress(ValueError):
                    self._notes.remove(note)

        return remove

    def _take(self, member: Member, event: str, body: dict[str, Any]) -> None:
        self._tell(member, event, body)
        self._changed.set()
        if member.session.state.over:
            self._leave(member)

    def _leave(self, member: Member) -> None:
        if self.members.pop(member.number, None) is None:
            return
        if member.tried is not None:
            member.tried.lost = member.session.state.phase == "gone"
        self._tell(member, "remora/left", {})
        self._later(member.session.detach())

    def _tell(self, member: Member, event: str, body: dict[str, Any]) -> None:
        for listener in list(self._listeners):
            listener(member, event, body)

    def _note(self, text: str) -> None:
        for note in list(self._notes):
            note(text)

    def _later(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def first(self) -> Member | None:
        """The one to look at when nothing else is said: one that stands still, else the lowest number."""
        members = list(self.members.values())
        return next((each for each in members if each.session.stop is not None), next(iter(members), None))

    # -- stops ------------------------------------------------------------------------------------

    def untold(self) -> Member | None:
        """A process that stands still and nobody was told, the one with the lowest number."""
        for member in self.members.values():
            session = member.session
            if session.stop is not None and session.told < session.state.stops:
                return member
        return None

    async def next_stop(self, timeout: float | None = None) -> tuple[Member, Stop] | None:
        """Wait for a stop of any process that nobody was told of. None: nobody is left, or to come.

        Raises:
            TimeoutError: there was none in time.
        """
        async with asyncio.timeout(timeout):
            while True:
                self._changed.clear()
                member = self.untold()
                if member is not None:
                    with contextlib.suppress(Gone):
                        stop = await member.session.wait_for_stop()
                        if stop is not None:
                            return member, stop
                elif not self.members and not self.goes_on:
                    return None
                else:
                    await self._changed.wait()

    async def resume_all(self) -> list[Member]:
        """Let everybody run who stands still; gives them."""
        still = [each for each in self.members.values() if each.session.stop is not None]
        await asyncio.gather(*(each.session.resume() for each in still), return_exceptions=True)
        return still


async def _wait_for_news(feeds: Sequence[Feed]) -> None:
    """Until one of them has something to tell, or it is time to ask."""
    signs = [each.news for each in feeds if each.news is not None]
    if not signs:
        await asyncio.sleep(_LOOK_SECONDS)
        return
    waiting = [asyncio.ensure_future(sign.wait()) for sign in signs]
    try:
        await asyncio.wait(waiting, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
    for sign in signs:
        sign.clear()
