"""Breakpoints, and the callbacks that are called at them. Everything runs on the caller's event loop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._finding._functions import break_in, functions
from remora_client._finding._reasons import why
from remora_client._finding._saved import load_breakpoints, saved_breakpoints, write_lines
from remora_client._finding._setting import change_condition, set_breakpoint
from remora_client._scripting._part import Part
from remora_client.locspec import BreakSpec, FileLine, Line, ModuleLine, parse_location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Unpack

    from remora_client._finding._reasons import Explanation
    from remora_client._model import Breakpoint, BreakpointChanges, ExceptionFilter, Moment
    from remora_client._scripting._objects import Stop
    from remora_client._sessions import _session
    from remora_client.locspec import Location

__all__ = ["Breaking", "location"]


class Breaking(Part):
    """The part of a session that says where to stop."""

    def __init__(self, core: _session.Session) -> None:
        super().__init__(core)
        self._on_hit: dict[int, Callable[[Stop], object]] = {}

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """All breakpoints of this session."""
        return self._core.breakpoints

    @property
    def hits(self) -> dict[int, int]:
        """How often each breakpoint has stopped the program, by its number; of several processes, any."""
        return dict(self._core.hits)

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
        on_hit: Callable[[Stop], object] | None = None,
    ) -> Breakpoint:
        """Stop at "file.py:12", at ("file.py", 12), or where a function such as "package.module.f" begins.

        Any place will do that the prompt takes: "module:12", "file.py:/text of the line/", "file.py:12#2".

        Args:
            at: where in a function: "return" and "yield" stop with the value at hand, as `return_value`.
            column: which of several lambdas or comprehensions on a line.
            condition: an expression of the program; it stops only where that is true.
            hit_condition: ">= 3", "% 10": which of the hits count.
            log_message: print this, with `{expressions}` filled in, and do not stop.
            temporary: the first hit removes it.
            thread, task: patterns such as "worker-*" for the names of those that stop.
            after: the number of a breakpoint; until that was hit, this one waits.
            enabled: False keeps it, and does not stop at it until `change_breakpoint` says so.
            name: for people; several may have the same.
            on_hit: called with each stop here, while you wait for a stop (in the thread that waits). Unless
                it returns something true, the program goes on, and so does the waiting.

        Raises:
            ClientError: the place or the condition is none, or the program cannot stop there.
        """
        spec = BreakSpec(
            location(place, line, column),
            condition=condition,
            hit=hit_condition,
            log=log_message,
            temporary=temporary,
            disabled=not enabled,
            name=name,
            after="" if after is None else str(after),
            at=at,
            thread=thread,
            task=task,
        )
        found = await set_breakpoint(self._core, spec)
        if on_hit is not None:
            self._on_hit[found.number] = on_hit
        return found

    async def break_at_functions(self, pattern: str) -> list[Breakpoint]:
        """Stop in every function that `functions` finds. Several get a name together."""
        return await break_in(self._core, await functions(self._core, pattern), BreakSpec(None))

    async def change_breakpoint(self, number: int, **changes: Unpack[BreakpointChanges]) -> Breakpoint:
        """Change `enabled`, `condition`, `hit_condition`, `ignore` (so many hits, once), `line`, `name` …"""
        if "condition" in changes:
            found = await change_condition(self._core, number, changes.pop("condition"))
            if not changes:
                return found
        return await self._core.change_breakpoint(number, **changes)

    async def clear(self, numbers: Iterable[int] | None = None) -> list[Breakpoint]:
        """Remove breakpoints, by their numbers or all."""
        return await self._core.remove_breakpoints(numbers)

    async def why(self, number: int) -> Explanation:
        """Why a breakpoint stops the program where and when it does, or why not: what it found, its hits."""
        return await why(self._core, number)

    async def save_breakpoints(self, path: str) -> None:
        """Write the breakpoints into a file, which `load_breakpoints` and the prompt's `load` read.

        A line is found again by its text, also when it has moved by then. Callbacks are not saved.

        Raises:
            ClientError: the file cannot be written.
        """
        write_lines(path, [line for _, line in await saved_breakpoints(self._core)])

    async def load_breakpoints(self, path: str | None = None) -> list[Breakpoint]:
        """Set the breakpoints that a file has, by default those that the prompt has kept for this project.

        Displays, aliases and the commands of breakpoints, which the prompt saves as well, are passed over.

        Raises:
            ClientError: the file cannot be read, or one of them cannot be set; it says in which line.
        """
        return await load_breakpoints(self._core, path)

    async def break_on_exceptions(self, filters: Sequence[ExceptionFilter]) -> None:
        """Stop at exceptions; an empty sequence for never. `exception_modes` are what there is."""
        await self._core.set_exception_filters(filters)

    @property
    def exception_modes(self) -> list[dict[str, Any]]:
        """What an `ExceptionFilter` can name, as DAP tells of it: `filter`, `label`, `default` …"""
        return self._core.exception_modes


def location(place: str, line: int | None, column: int | None = None) -> Location:
    """What a place says. Raises `ClientError`."""
    found = FileLine(place, line) if line is not None else parse_location(place)
    if column is not None and isinstance(found, FileLine | ModuleLine | Line):
        return replace(found, column=column)
    return found
