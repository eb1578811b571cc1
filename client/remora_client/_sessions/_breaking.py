"""Breakpoints of a session: ours, numbered for good, and what the server makes of them.

DAP replaces a whole file's breakpoints at a time, so every change sends the file again. Everything runs on
the event loop's thread.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError
from remora_client._model import Breakpoint, ExceptionFilter, records
from remora_client._sessions._conversation import Conversation
from remora_client._sessions._state import bind, learn_hits, named_breakpoints
from remora_client._source._linemap import same_line
from remora_protocol import RequestFailed, match_by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from remora_client._connecting._connect import Link
    from remora_client._model import Moment
    from remora_client._source._localsource import LocalSources

__all__ = ["Breaking", "breakpoint_for"]


def breakpoint_for(
    sources: LocalSources,
    number: int,
    path: str,
    line: int,
    *,
    function: str = "",
    in_program: bool = False,
    **options: Any,
) -> Breakpoint:
    """A breakpoint where a person says, with the local file's full path and hash if there is one."""
    local = sources.find(path) if path else None
    return Breakpoint(
        number,
        "function" if function else "line",
        local.path if local else path,
        line,
        function,
        sha256=local.sha256 if local else None,
        in_copy=local is not None and not in_program,
        **options,
    )


class Breaking(Conversation):
    """The part of a session that says where to stop."""

    def __init__(self, link: Link, sources: LocalSources) -> None:
        super().__init__(link, sources)
        self._last_number = 0
        self.hits: Counter[int] = (
            Counter()
        )  # by number: how often each has stopped the program; of a group, any
        self.on_temporary_hit: Callable[[Sequence[int]], None] = lambda numbers: None
        self.aims: set[int] = set()  # breakpoints that go away at the next stop, wherever that is
        self._sent_as: dict[str, str] = {}  # our path of a file -> the one that the server was given
        self.filters: tuple[ExceptionFilter, ...] | None = None  # the exception filters last set

    # -- breakpoints ------------------------------------------------------------------------------

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """All of them, in the order they were set."""
        return self.state.breakpoints

    async def add_breakpoint(
        self,
        path: str = "",
        line: int = 0,
        *,
        function: str = "",
        at: Moment = "call",
        column: int | None = None,
        condition: str | None = None,
        hit_condition: str | None = None,
        log_message: str | None = None,
        temporary: bool = False,
        enabled: bool = True,
        name: str = "",
        thread: str | None = None,
        task: str | None = None,
        after: int | None = None,
        in_program: bool = False,
    ) -> Breakpoint:
        """Stop at a line of a file, or at a function. The result says what the server made of it.

        `path` may be any part of a path's end: where a file of that name is under the local source
        folders its full path and hash go along, else the text as it is. Where the program runs another
        text than that copy, the breakpoint goes to the same statement; with `in_program` the line is one of
        the program's own text.

        Args:
            at: for a function, whether to stop where it is called, where it returns, or at each `yield`.
            name: what the person calls it; breakpoints of one name are a group.
            thread, task: patterns for the names of those that stop.
            after: the number of a breakpoint: until that was hit, this one waits.
        """
        if not self.link.is_remora and (thread or task):
            raise ClientError("This server stops every thread alike.", "A condition may tell them apart.")
        if at != "call" and not function:
            raise ClientError("A line does not return: name a function.", "As in: break -r module.function")
        if not self.link.is_remora and (at != "call" or (function and log_message is not None)):
            raise ClientError(
                "This server only stops where a function is called.", "Break at a line of the function."
            )
        self._last_number += 1
        new = breakpoint_for(
            self.sources,
            self._last_number,
            path,
            line,
            function=function,
            at=at,
            in_program=in_program,
            column=column,
            condition=condition,
            hit_condition=hit_condition,
            log_message=log_message,
            enabled=enabled,
            temporary=temporary,
            name=name,
            thread=thread,
            task=task,
            after=after,
        )
        before = self.state.breakpoints
        self.state = replace(self.state, breakpoints=(*before, new))
        try:
            await self._send_like(new)
        except BaseException:
            self._forget((new.number,))
            raise
        stop = self.state.stop  # a temporary one may have been hit by now, and be gone
        known = (*self.breakpoints, *(stop.known if stop is not None else ()))
        return next((each for each in known if each.number == new.number), new)

    def breakpoint(self, number: int) -> Breakpoint:
        """The breakpoint of that number. Raises `ClientError`."""
        found = self._known(number)
        if found is None:
            known = ", ".join(str(each.number) for each in self.breakpoints)
            raise ClientError(
                f"There is no breakpoint {number}.", f"There are: {known}." if known else "None is set."
            )
        return found

    def _known(self, number: int) -> Breakpoint | None:
        return next((each for each in self.breakpoints if each.number == number), None)

    async def change_breakpoint(self, number: int, **changes: Any) -> Breakpoint:
        """Change what `BreakpointChanges` names. Raises `ClientError`."""
        old = self.breakpoint(number)
        if changes.get("ignore") and old.hit_condition:
            raise ClientError(
                f"Breakpoint {number} goes by its number of hits already: on hit {old.hit_condition}.",
                f"condition {number} -hit takes that off it.",
            )
        new = replace(old, **changes)
        if new.hit_condition:
            new = replace(new, ignore=0)
        self._put(new)
        try:
            await self._send_like(new)
        except RequestFailed:
            self._put(old)
            raise
        return self.breakpoint(number)

    async def remove_breakpoints(self, numbers: Iterable[int] | None = None) -> list[Breakpoint]:
        """Remove some, or all; gives those that are gone now."""
        wanted = [each.number for each in self.breakpoints] if numbers is None else list(numbers)
        gone = [self.breakpoint(number) for number in wanted]
        self._forget(wanted)
        for path in dict.fromkeys(each.path for each in gone if each.kind == "line"):
            await self._send_file(path)
        if any(each.kind == "function" for each in gone):
            await self._send_functions()
        return gone

    async def send_breakpoints(self) -> None:
        """Send all of them again (after an attach)."""
        for path in dict.fromkeys(each.path for each in self.breakpoints if each.kind == "line"):
            await self._send_file(path)
        if any(each.kind == "function" for each in self.breakpoints):
            await self._send_functions()

    async def adopt_breakpoints(
        self, breakpoints: Iterable[Breakpoint], instead_of: Iterable[Breakpoint] = ()
    ) -> None:
        """Have these of another session, with their numbers, and no more those `instead_of` which they come.

        Others stay, and what is here already stays bound.
        """
        adopted = {each.number: each.unbound() for each in breakpoints}
        managed = adopted.keys() | {each.number for each in instead_of}
        before = {each.number: each for each in self.breakpoints}
        kept = [each for each in self.breakpoints if each.number not in managed]
        for number, each in adopted.items():
            old = before.get(number)
            kept.append(old if old is not None and old.unbound() == each else each)
        wanted = tuple(sorted(kept, key=lambda each: each.number))
        changed = {each.unbound() for each in self.breakpoints} ^ {each.unbound() for each in wanted}
        self.state = replace(self.state, breakpoints=wanted)
        self._last_number = max(self._last_number, *adopted, 0)
        for path in dict.fromkeys(each.path for each in changed if each.kind == "line"):
            await self._send_file(path)
        if any(each.kind == "function" for each in changed):
            await self._send_functions()

    @property
    def last_number(self) -> int:
        """The highest number that a breakpoint has had."""
        return self._last_number

    async def set_exception_filters(self, filters: Sequence[ExceptionFilter]) -> None:
        """Stop at exceptions, by the server's modes ("raised", "uncaught" …); () for never.

        Raises `ClientError` or `RequestFailed`: one of them cannot be; all is as before.
        """
        before = self.filters
        try:
            await self._send_filters(filters)
        except (ClientError, RequestFailed):
            if before is not None:  # the server may have taken some of them
                await self._quietly(self._send_filters(before))
            raise
        self.filters = tuple(filters)

    async def _send_filters(self, filters: Sequence[ExceptionFilter]) -> None:
        plain = [each.filter for each in filters if not each.condition]
        arguments: dict[str, Any] = {"filters": plain}
        if self.supports("supportsExceptionFilterOptions"):
            arguments["filterOptions"] = [
                {"filterId": each.filter, "condition": each.condition} for each in filters if each.condition
            ]
        elif len(plain) < len(filters):
            raise ClientError("This server cannot narrow exception breakpoints.")
        body = await self.request("setExceptionBreakpoints", arguments)
        for answer in records(body, "breakpoints"):
            if answer.get("verified") is False:
                raise ClientError(str(answer.get("message") or "The server refused an exception filter."))

    @property
    def exception_modes(self) -> list[dict[str, Any]]:
        """The modes the server offers: DAP's ExceptionBreakpointsFilter (`filter`, `label`, `default` …)."""
        return records(self.state.capabilities, "exceptionBreakpointFilters")

    async def _send_like(self, breakpoint_: Breakpoint) -> None:
        if breakpoint_.kind == "function":
            await self._send_functions()
        else:
            await self._send_file(breakpoint_.path)

    async def _send_file(self, path: str) -> None:
        ours = [each for each in self.breakpoints if each.kind == "line" and each.path == path]
        active = [each for each in ours if each.active]
        remote = await self._remote_path(path)
        before = self._sent_as.get(path, remote)
        if before != remote:  # it was mapped meanwhile
            await self.request("setBreakpoints", {"source": {"path": before}, "breakpoints": []})
        self._sent_as[path] = remote
        source: dict[str, Any] = {"name": path.replace("\\", "/").rpartition("/")[2], "path": remote}
        sha256 = next((each.sha256 for each in ours if each.sha256), None)
        if sha256:
            source["checksums"] = [{"algorithm": "SHA256", "checksum": sha256}]
        arguments = {"source": source, "breakpoints": [each.to_dap() for each in active]}
        self._bind(active, await self.request("setBreakpoints", arguments))
        if await self._follow_text(active):
            numbers = {each.number for each in active}  # but for what was removed or turned off meanwhile
            active = [each for each in self.breakpoints if each.number in numbers and each.active]
            arguments = {"source": source, "breakpoints": [each.to_dap() for each in active]}
            self._bind(active, await self.request("setBreakpoints", arguments))

    async def _follow_text(self, sent: Sequence[Breakpoint]) -> bool:
        """Find the statements of the local copy in what the program runs; whether any is elsewhere there."""
        moved = False
        for number in [each.number for each in sent]:
            each = self._known(number)
            if each is None or not each.is_of_other_text:
                continue
            line = await self._line_in_program(each)
            moved = moved or line != each.line
            after = self._known(number)
            if after is not None:  # else it was removed meanwhile
                self._put(replace(after, sent_line=line))
        return moved

    async def _line_in_program(self, each: Breakpoint) -> int:
        local = self.sources.read(each.path)
        try:
            body = await self.request("source", {"source": {"path": each.bound_path}, "sourceReference": 0})
        except RequestFailed:
            return each.line
        theirs = body.get("content")
        if local is None or local.sha256 != each.sha256 or not isinstance(theirs, str):
            return each.line
        return same_line(local.text, theirs, each.line)

    async def _send_functions(self) -> None:
        active = [each for each in self.breakpoints if each.kind == "function" and each.active]
        if active and not self.supports("supportsFunctionBreakpoints"):
            raise ClientError("This server has no function breakpoints.", "Break at a line of the function.")
        arguments = {"breakpoints": [each.to_dap() for each in active]}
        self._bind(active, await self.request("setFunctionBreakpoints", arguments))

    def _bind(self, sent: Sequence[Breakpoint], body: dict[str, Any]) -> None:
        answers = body.get("breakpoints")
        if not isinstance(answers, list) or len(answers) != len(sent):
            raise ClientError("The server answered for another number of breakpoints than were sent.")
        for breakpoint_, answer in zip(sent, answers, strict=True):
            if isinstance(answer, dict):
                with contextlib.suppress(ClientError):  # removed while the answer was under way
                    self._put(bind(self.breakpoint(breakpoint_.number), answer))
        self.state, late = learn_hits(self.state)
        self._were_hit(late)

    def _put(self, breakpoint_: Breakpoint) -> None:
        number = breakpoint_.number
        changed = tuple(breakpoint_ if each.number == number else each for each in self.breakpoints)
        self.state = replace(self.state, breakpoints=changed)

    def _forget(self, numbers: Iterable[int]) -> None:
        gone = set(numbers)
        kept = tuple(each for each in self.breakpoints if each.number not in gone)
        self.state = replace(self.state, breakpoints=kept)

    def _react(self, event: str, body: dict[str, Any]) -> None:
        """See which breakpoints were hit; follow a text just loaded."""
        super()._react(event, body)
        if event == "stopped":
            hit = named_breakpoints(self.state, event, body) or []
            self._were_hit(hit)
            if self.state.stop is not None:
                aims, self.aims = self.aims - {each.number for each in hit}, set()
                self._drop([each for each in aims if self._known(each) is not None])
        if event == "breakpoint":
            for path in {each.path for each in self.breakpoints if each.is_of_other_text}:
                self._later(self._quietly(self._send_file(path)))

    def _were_hit(self, hit: Sequence[Breakpoint]) -> None:
        """Arm what waited for them, and remove temporary ones. What was ignored for a while is so no more."""
        numbers = [each.number for each in hit]
        self.hits.update(numbers)
        for each in [each for each in self.breakpoints if each.ignore and each.number in numbers]:
            self._put(replace(each, ignore=0))
            self._later(self._quietly(self._send_like(each)))
        for each in [each for each in self.breakpoints if each.after in numbers and not each.armed]:
            self._put(replace(each, armed=True))
            self._later(self._quietly(self._send_like(each)))
        self._drop([each.number for each in hit if each.temporary])

    def _drop(self, gone: Sequence[int]) -> None:
        if gone:
            self._later(self._quietly(self.remove_breakpoints(gone)))
            self.on_temporary_hit(gone)

    async def _quietly(self, doing: Coroutine[Any, Any, Any]) -> None:
        with contextlib.suppress(ClientError, RequestFailed):
            await doing

    async def _remote_path(self, path: str) -> str:
        """The path to send. A Remora matches by name itself; for others we do it here, if we can."""
        path = self.sources.maps.theirs(path) or path
        if self.link.is_remora or not self.supports("supportsLoadedSourcesRequest"):
            return path
        body = await self.request("loadedSources")
        loaded = [each["path"] for each in records(body, "sources") if isinstance(each.get("path"), str)]
        return next(iter(match_by_name(path, loaded)), path)
