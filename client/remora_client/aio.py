"""The scripting API for asyncio: `async with await attach(…) as session`.

`remora_client._sync` is made from this file (scripts/gen_sync.py), so what is here is there as well,
without the awaits. Everything runs on the caller's event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from remora_client._connect import connect
from remora_client._errors import ClientError
from remora_client._options import ConnectOptions
from remora_client._targets import local_processes, open_session
from remora_protocol import parse_qualifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from remora_client import _session
    from remora_client._model import (
        Breakpoint,
        ExceptionFilter,
        ExceptionInfo,
        Frame,
        Scope,
        Source,
        SourceText,
        Stop,
        Task,
        Thread,
        Value,
        Variable,
    )
    from remora_client._state import State
    from remora_protocol import ProcessInfo

__all__ = ["Session", "attach", "processes"]


async def attach(
    target: str | int | None = None,
    *,
    pid: int | None = None,
    name: str | None = None,
    source: Sequence[str] = (),
    force: bool = False,
    just_my_code: bool = True,
    redirect_output: bool = True,
    options: ConnectOptions | None = None,
) -> Session:
    """Attach to a running program.

    Args:
        target: a qualifier such as "tcps://my_secret@host:5678", or the id of a process of this machine;
            None: the only one there is.
        pid: which process, where there are several behind the qualifier.
        name: a glob for its name, instead.
        source: folders on this machine with the program's files.
        force: take over from whoever is attached now.
        options: secret, certificates and time-outs. Nobody is asked for anything unless they say so.

    Raises:
        ConnectError: and what to do about it.
    """
    core = await open_session(
        None if target is None else str(target),
        options or ConnectOptions(),
        pid=pid,
        name=name,
        force=force,
        source=source,
        just_my_code=just_my_code,
        redirect_output=redirect_output,
    )
    return Session(core)


async def processes(target: str | None = None, options: ConnectOptions | None = None) -> list[ProcessInfo]:
    """The processes behind a qualifier, or this user's on this machine."""
    if target is None:
        return await local_processes()
    link = await connect(parse_qualifier(target), options or ConnectOptions())
    try:
        return await link.processes()
    finally:
        await link.close()


class Session:
    """One program being debugged. Use it in a `with` block: leaving it detaches, and the program runs on.

    Whatever makes the program run (`resume`, the steps, `goto`) waits for the next stop and returns it, or
    None when the program ended. `timeout` is in seconds; when it passes, `TimeoutError` is raised and the
    program runs on.
    """

    def __init__(self, core: _session.Session) -> None:
        self._core = core

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.detach()

    def __repr__(self) -> str:
        return f"<Session {self._core.link.address}, {self._core.state.phase}>"

    @property
    def state(self) -> State:
        """What is known of the program now."""
        return self._core.state

    @property
    def process(self) -> ProcessInfo | None:
        """What the process says of itself (None from servers other than Remora)."""
        return self._core.process

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """All breakpoints of this session."""
        return self._core.breakpoints

    # -- running

    async def resume(self, timeout: float | None = None, *, thread: int | None = None) -> Stop | None:
        """Let the program run until the next stop; one that already runs is just waited for."""
        if self._core.stop is not None:
            await self._core.resume(thread)
        return await self._core.wait_for_stop(timeout)

    async def step_over(self, timeout: float | None = None) -> Stop | None:
        """To the next line of this function."""
        await self._core.step_over()
        return await self._core.wait_for_stop(timeout)

    async def step_in(self, timeout: float | None = None) -> Stop | None:
        """To the next line, in whatever function it is."""
        await self._core.step_in()
        return await self._core.wait_for_stop(timeout)

    async def step_out(self, timeout: float | None = None) -> Stop | None:
        """Out of this function, to its caller."""
        await self._core.step_out()
        return await self._core.wait_for_stop(timeout)

    async def step_return(self, timeout: float | None = None) -> Stop | None:
        """To the return of this function, still in it."""
        await self._core.step_return()
        return await self._core.wait_for_stop(timeout)

    async def until(self, line: int | None = None, timeout: float | None = None) -> Stop | None:
        """To a later line of this function, or to its end."""
        await self._core.until(line)
        return await self._core.wait_for_stop(timeout)

    async def goto(self, line: int, timeout: float | None = None) -> Stop | None:
        """Jump to another line of this function without running what is between."""
        await self._core.goto(line)
        return await self._core.wait_for_stop(timeout)

    async def pause(self, timeout: float | None = 10.0) -> Stop | None:
        """Stop the program wherever it is."""
        if self._core.stop is None:
            await self._core.pause()
        return await self._core.wait_for_stop(timeout)

    async def wait_for_stop(self, timeout: float | None = None) -> Stop | None:
        """Wait until the program stands still; at once if it does."""
        return await self._core.wait_for_stop(timeout)

    # -- breakpoints

    async def break_at(
        self,
        place: str,
        line: int | None = None,
        *,
        condition: str | None = None,
        hit_condition: str | None = None,
        log_message: str | None = None,
        temporary: bool = False,
    ) -> Breakpoint:
        """Stop at "file.py:12", at ("file.py", 12), or where a function such as "package.module.f" begins."""
        path, number, function = _parse_place(place, line)
        return await self._core.add_breakpoint(
            path,
            number,
            function=function,
            condition=condition,
            hit_condition=hit_condition,
            log_message=log_message,
            temporary=temporary,
        )

    async def change_breakpoint(self, number: int, **changes: Any) -> Breakpoint:
        """Change `enabled`, `condition`, `hit_condition`, `log_message` or `temporary`."""
        return await self._core.change_breakpoint(number, **changes)

    async def clear(self, numbers: Iterable[int] | None = None) -> list[Breakpoint]:
        """Remove breakpoints, by their numbers or all."""
        return await self._core.remove_breakpoints(numbers)

    async def break_on_exceptions(self, filters: Sequence[ExceptionFilter]) -> None:
        """Stop at exceptions; an empty sequence for never."""
        await self._core.set_exception_filters(filters)

    # -- looking

    async def threads(self) -> list[Thread]:
        """All threads."""
        return await self._core.threads()

    async def tasks(self) -> list[Task]:
        """The tasks of the program's event loops that are not done, with their chains of awaits."""
        return await self._core.tasks()

    async def stack(self, thread: int | None = None, start: int = 0, count: int | None = None) -> list[Frame]:
        """Frames of a thread, newest first."""
        return await self._core.stack(thread, start, count)

    def select_frame(self, frame: Frame | None) -> None:
        """Make a frame the one that `evaluate`, `locals` and the like use, until the next stop."""
        self._core.select_frame(frame)

    async def evaluate(
        self,
        expression: str,
        frame: Frame | None = None,
        context: Literal["repl", "watch", "hover", "clipboard", "variables"] = "watch",
        timeout: float | None = None,
    ) -> Value:
        """The value of an expression; context "repl" runs statements as well, "clipboard" cuts nothing."""
        return await self._core.evaluate(expression, frame, context, timeout)

    async def execute(self, code: str, frame: Frame | None = None, timeout: float | None = None) -> Value:
        """Run statements in a frame."""
        return await self._core.evaluate(code, frame, "repl", timeout)

    async def scopes(self, frame: Frame | None = None) -> list[Scope]:
        """The groups of variables of a frame."""
        return await self._core.scopes(frame)

    async def variables(
        self, of: Value | Scope | int, start: int = 0, count: int | None = None
    ) -> list[Variable]:
        """What a scope or a value holds."""
        return await self._core.variables(of if isinstance(of, int) else of.reference, start, count)

    async def locals(self, frame: Frame | None = None) -> list[Variable]:
        """Arguments and local variables."""
        return await self._core.locals(frame)

    async def assign(self, target: str, value: str, frame: Frame | None = None) -> Value:
        """`target = value`, both as expressions of the program."""
        return await self._core.assign(target, value, frame)

    async def return_value(self) -> Variable | None:
        """What the function that was just left returned."""
        return await self._core.return_value()

    async def exception_info(self, thread: int | None = None) -> ExceptionInfo:
        """The exception that a thread is stopped at."""
        return await self._core.exception_info(thread)

    async def source_text(self, source: Source) -> SourceText:
        """The text of a file of the program."""
        return await self._core.source_text(source)

    async def request(
        self, command: str, arguments: dict[str, Any] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Any request of the Debug Adapter Protocol, as it is."""
        return await self._core.request(command, arguments, timeout)

    # -- events and the end

    def listen(self, listener: Callable[[str, dict[str, Any]], None]) -> Callable[[], None]:
        """Call `listener(event, body)` for every event, output of the program among them.

        It must return at once, and must not use the session. Returns what ends it.
        """
        return self._core.listen(listener)

    async def detach(self) -> None:
        """Leave the program running. Safe to call twice."""
        await self._core.detach()


def _parse_place(place: str, line: int | None) -> tuple[str, int, str]:
    """A path and a line, or a function."""
    if line is not None:
        return place, line, ""
    path, colon, number = place.rpartition(":")
    if colon and number.isdecimal() and path:
        return path, int(number), ""
    if all(part.isidentifier() for part in place.split(".")) and not place.endswith(".py"):
        return "", 0, place
    raise ClientError(f"{place!r} is no place to stop at.", 'Write "file.py:12", or the name of a function.')
