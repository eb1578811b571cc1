"""Several programs that are debugged together. Everything runs on the caller's event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError
from remora_client._finding._places import Place, resolve
from remora_client._finding._setting import check_condition
from remora_client._scripting._breaking import location
from remora_client._scripting._session import Session
from remora_client._sessions._waiting import at_most
from remora_client.locspec import FileLine
from remora_client.locspec import Function as FunctionPlace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from remora_client._groups._group import Group, Member
    from remora_client._model import Breakpoint, ExceptionFilter, Moment
    from remora_client._scripting._objects import Stop
    from remora_client.locspec import Location

__all__ = ["Sessions"]


class Sessions:
    """Several programs that are debugged together. Leaving the `with` block detaches from all of them.

    What is set here is in every process, present and to come. A stop is one process's; the others run on.
    """

    def __init__(self, core: Group) -> None:
        self._core = core
        self._by_member: dict[Member, Session] = {}

    async def __aenter__(self) -> Sessions:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.detach()

    def __repr__(self) -> str:
        return f"<Sessions {', '.join(map(repr, self))}>"

    def __iter__(self) -> Iterator[Session]:
        return iter([self._session(each) for each in self._core.members.values()])

    def __len__(self) -> int:
        return len(self._core.members)

    def __getitem__(self, index: int) -> Session:
        return list(self)[index]

    def _session(self, member: Member) -> Session:
        if member not in self._by_member:
            self._by_member[member] = Session(member.session)
        session: Session = self._by_member[member]
        return session

    # -- breakpoints

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """What was set for all. What a process made of it is in its session's `breakpoints`."""
        return self._core.shared.breakpoints

    async def break_at(
        self,
        place: str,
        line: int | None = None,
        *,
        at: Moment = "call",
        column: int | None = None,
        condition: str | None = None,
        hit_condition: str | None = None,
        log_message: str | None = None,
        temporary: bool = False,
        thread: str | None = None,
        task: str | None = None,
        after: int | None = None,
        enabled: bool = True,
        name: str = "",
    ) -> Breakpoint:
        """Stop every process at a place, as `Session.break_at` does one."""
        if condition:
            check_condition(condition, *(each.session for each in self._core.members.values()))
        found = await self._place(location(place, line, column))
        return await self._core.shared.add_breakpoint(
            found.path,
            found.line,
            function=found.function,
            at=at,
            column=found.column,
            condition=condition,
            hit_condition=hit_condition,
            log_message=log_message,
            temporary=temporary,
            enabled=enabled,
            name=name,
            thread=thread,
            task=task,
            after=after,
        )

    async def _place(self, location: Location) -> Place:
        """Where that is; what takes a look into a program is looked up in one of them."""
        match location:
            case FileLine(path, line, column, None):
                return Place(path, line, column)
            case FunctionPlace(name):
                return Place(function=name)
        member = self._core.first()
        if member is None:
            raise ClientError(f"No process is there to find {location} in.", 'Write "file.py:12".')
        return await resolve(member.session, location)

    async def clear(self, numbers: Iterable[int] | None = None) -> None:
        """Remove what was set for all, by its numbers or all of it."""
        await self._core.shared.remove_breakpoints(numbers)

    async def break_on_exceptions(self, filters: Sequence[ExceptionFilter]) -> None:
        """Stop every process at exceptions; an empty sequence for never."""
        await self._core.shared.set_exception_filters(filters)

    # -- running

    async def stops(self, timeout: float | None = None) -> AsyncIterator[tuple[Session, Stop]]:
        """The stops of all processes as they come, each once, with the session of the one that stands still.

        It stands until `Session.go`, or `go` here. The iteration ends when the last process has gone and none
        is to come.

        Raises:
            TimeoutError: there was none for `timeout` seconds.
        """
        while (found := await self.next_stop(timeout)) is not None:
            yield found

    async def next_stop(self, timeout: float | None = None) -> tuple[Session, Stop] | None:
        """The next of `stops`; None at its end."""
        async with at_most(timeout):
            while (found := await self._core.next_stop()) is not None:
                session = self._session(found[0])
                stop = await session._judge(found[1])
                if stop is not None:
                    return session, stop
            return None

    async def wait_for_stop(self, timeout: float | None = None) -> tuple[Session, Stop] | None:
        """Wait until one of the programs stands still, at once if one does; None: all of them have ended.

        The others run on. `Session.go` lets the one that stopped run, too.
        """
        for session in self:
            if session.state.stop is not None and (stop := await session.wait_for_stop()) is not None:
                return session, stop
        return await self.next_stop(timeout)

    async def go(self) -> None:
        """Let all that stand still run, and do not wait for what comes of it."""
        await self._core.resume_all()

    # -- events and the end

    def listen(
        self, listener: Callable[[Session, str, dict[str, Any]], None], *events: str
    ) -> Callable[[], None]:
        """Call `listener(session, event, body)` for every event of every process, or for those named.

        Beside DAP's there are "remora/joined" and "remora/left". It must return at once, and must not use the
        session. Returns what ends it.
        """

        def tell(member: Member, event: str, body: dict[str, Any]) -> None:
            if not events or event in events:
                listener(self._session(member), event, body)

        return self._core.listen(tell)

    async def detach(self) -> None:
        """Leave all of them running. Safe to call twice."""
        await self._core.detach()
