"""What all processes of a group have in common: breakpoints, and the exceptions that stop them.

It is set in all that are there, and brought to whoever comes. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError, Gone
from remora_client._sessions._breaking import breakpoint_for
from remora_client._source._localsource import LocalSources
from remora_client._text import visible_block
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from remora_client._groups._group import Member
    from remora_client._model import Breakpoint, ExceptionFilter

__all__ = ["Shared"]


class Shared:
    """One per group.

    Args:
        members: gives those that are there now.
        source: folders on this machine with the programs' files.
    """

    def __init__(self, members: Callable[[], Iterable[Member]], source: Sequence[str]) -> None:
        self.breakpoints: tuple[Breakpoint, ...] = ()
        self.filters: tuple[ExceptionFilter, ...] | None = None
        self._members = members
        self._source = source
        self._last_number = 0
        self._spreading = asyncio.Lock()

    async def take_from(self, member: Member) -> list[str]:
        """Give everybody the breakpoints and exception filters that one process has now.

        Gives what went wrong, a sentence a process.
        """
        found = tuple(each.unbound() for each in member.session.breakpoints)
        return await self._spread(found, member.session.filters)

    async def bring(self, member: Member, before: Iterable[Breakpoint] = ()) -> str:
        """Set all of it in one process, where `before` was set; gives what went wrong."""
        session = member.session
        try:
            await session.adopt_breakpoints(self.breakpoints, before)
            if self.filters is not None and self.filters != session.filters:
                await session.set_exception_filters(self.filters)
        except Gone:
            return ""
        except (ClientError, RequestFailed, OSError, TimeoutError) as error:
            return f"{member}: {visible_block(str(error))}"
        return ""

    async def add_breakpoint(self, path: str = "", line: int = 0, **options: Any) -> Breakpoint:
        """A breakpoint for everybody, present and to come; as `Session.add_breakpoint`."""
        numbers = [self._last_number, *(each.session.last_number for each in self._members())]
        self._last_number = max(numbers) + 1
        made = breakpoint_for(LocalSources(self._source), self._last_number, path, line, **options)
        _complain(await self._spread((*self.breakpoints, made), self.filters))
        return made

    async def remove_breakpoints(self, numbers: Iterable[int] | None = None) -> None:
        """Remove some everywhere, or all."""
        gone = {each.number for each in self.breakpoints} if numbers is None else set(numbers)
        _complain(await self.drop(gone))

    async def drop(self, numbers: Collection[int]) -> list[str]:
        """As `remove_breakpoints`, but gives what went wrong, a sentence a process."""
        kept = tuple(each for each in self.breakpoints if each.number not in numbers)
        return await self._spread(kept, self.filters)

    async def set_exception_filters(self, filters: Sequence[ExceptionFilter]) -> None:
        """Stop everybody at exceptions."""
        _complain(await self._spread(self.breakpoints, tuple(filters)))

    async def _spread(
        self, breakpoints: tuple[Breakpoint, ...], filters: tuple[ExceptionFilter, ...] | None
    ) -> list[str]:
        before, self.breakpoints, self.filters = self.breakpoints, breakpoints, filters
        self._last_number = max([self._last_number, *(each.number for each in breakpoints)])
        async with self._spreading:
            outcomes = await asyncio.gather(*(self.bring(each, before) for each in self._members()))
        return [each for each in outcomes if each]


def _complain(troubles: Sequence[str]) -> None:
    if troubles:
        raise ClientError("; ".join(troubles))
