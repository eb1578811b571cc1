"""GENERATED from aio.py by scripts/gen_sync.py: the scripting API without asyncio.

Each session has a thread with an event loop; every call here has a coroutine of `aio` run there and waits
for it. A session may be used from any thread, one call at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from remora_client import aio
from remora_client._loop_thread import LoopThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
    from remora_client._options import ConnectOptions
    from remora_client._state import State
    from remora_protocol import ProcessInfo

__all__ = ["Session", "attach", "processes"]


def attach(
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
    loop = LoopThread()
    try:
        return Session(
            loop.run(
                aio.attach(
                    target,
                    pid=pid,
                    name=name,
                    source=source,
                    force=force,
                    just_my_code=just_my_code,
                    redirect_output=redirect_output,
                    options=options,
                )
            ),
            loop,
        )
    except BaseException:
        loop.stop()
        raise


def processes(target: str | None = None, options: ConnectOptions | None = None) -> list[ProcessInfo]:
    """The processes behind a qualifier, or this user's on this machine."""
    loop = LoopThread()
    try:
        return loop.run(aio.processes(target, options))
    finally:
        loop.stop()


class Session:
    """One program being debugged. Use it in a `with` block: leaving it detaches, and the program runs on.

    Whatever makes the program run (`resume`, the steps, `goto`) waits for the next stop and returns it, or
    None when the program ended. `timeout` is in seconds; when it passes, `TimeoutError` is raised and the
    program runs on.
    """

    def __init__(self, twin: aio.Session, loop: LoopThread) -> None:
        self._twin = twin
        self._loop = loop

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.detach()

    def __repr__(self) -> str:
        return repr(self._twin)

    @property
    def state(self) -> State:
        """What is known of the program now."""
        return self._twin.state

    @property
    def process(self) -> ProcessInfo | None:
        """What the process says of itself (None from servers other than Remora)."""
        return self._twin.process

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """All breakpoints of this session."""
        return self._twin.breakpoints

    def resume(self, timeout: float | None = None, *, thread: int | None = None) -> Stop | None:
        """Let the program run until the next stop; one that already runs is just waited for."""
        return self._loop.run(self._twin.resume(timeout, thread=thread))

    def step_over(self, timeout: float | None = None) -> Stop | None:
        """To the next line of this function."""
        return self._loop.run(self._twin.step_over(timeout))

    def step_in(self, timeout: float | None = None) -> Stop | None:
        """To the next line, in whatever function it is."""
        return self._loop.run(self._twin.step_in(timeout))

    def step_out(self, timeout: float | None = None) -> Stop | None:
        """Out of this function, to its caller."""
        return self._loop.run(self._twin.step_out(timeout))

    def step_return(self, timeout: float | None = None) -> Stop | None:
        """To the return of this function, still in it."""
        return self._loop.run(self._twin.step_return(timeout))

    def until(self, line: int | None = None, timeout: float | None = None) -> Stop | None:
        """To a later line of this function, or to its end."""
        return self._loop.run(self._twin.until(line, timeout))

    def goto(self, line: int, timeout: float | None = None) -> Stop | None:
        """Jump to another line of this function without running what is between."""
        return self._loop.run(self._twin.goto(line, timeout))

    def pause(self, timeout: float | None = 10.0) -> Stop | None:
        """Stop the program wherever it is."""
        return self._loop.run(self._twin.pause(timeout))

    def wait_for_stop(self, timeout: float | None = None) -> Stop | None:
        """Wait until the program stands still; at once if it does."""
        return self._loop.run(self._twin.wait_for_stop(timeout))

    def break_at(
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
        return self._loop.run(
            self._twin.break_at(
                place,
                line,
                condition=condition,
                hit_condition=hit_condition,
                log_message=log_message,
                temporary=temporary,
            )
        )

    def change_breakpoint(self, number: int, **changes: Any) -> Breakpoint:
        """Change `enabled`, `condition`, `hit_condition`, `log_message` or `temporary`."""
        return self._loop.run(self._twin.change_breakpoint(number, **changes))

    def clear(self, numbers: Iterable[int] | None = None) -> list[Breakpoint]:
        """Remove breakpoints, by their numbers or all."""
        return self._loop.run(self._twin.clear(numbers))

    def break_on_exceptions(self, filters: Sequence[ExceptionFilter]) -> None:
        """Stop at exceptions; an empty sequence for never."""
        return self._loop.run(self._twin.break_on_exceptions(filters))

    def threads(self) -> list[Thread]:
        """All threads."""
        return self._loop.run(self._twin.threads())

    def tasks(self) -> list[Task]:
        """The tasks of the program's event loops that are not done, with their chains of awaits."""
        return self._loop.run(self._twin.tasks())

    def stack(self, thread: int | None = None, start: int = 0, count: int | None = None) -> list[Frame]:
        """Frames of a thread, newest first."""
        return self._loop.run(self._twin.stack(thread, start, count))

    def select_frame(self, frame: Frame | None) -> None:
        """Make a frame the one that `evaluate`, `locals` and the like use, until the next stop."""
        return self._loop.call(self._twin.select_frame, frame)

    def evaluate(
        self,
        expression: str,
        frame: Frame | None = None,
        context: Literal["repl", "watch", "hover", "clipboard", "variables"] = "watch",
        timeout: float | None = None,
    ) -> Value:
        """The value of an expression; context "repl" runs statements as well, "clipboard" cuts nothing."""
        return self._loop.run(self._twin.evaluate(expression, frame, context, timeout))

    def execute(self, code: str, frame: Frame | None = None, timeout: float | None = None) -> Value:
        """Run statements in a frame."""
        return self._loop.run(self._twin.execute(code, frame, timeout))

    def scopes(self, frame: Frame | None = None) -> list[Scope]:
        """The groups of variables of a frame."""
        return self._loop.run(self._twin.scopes(frame))

    def variables(self, of: Value | Scope | int, start: int = 0, count: int | None = None) -> list[Variable]:
        """What a scope or a value holds."""
        return self._loop.run(self._twin.variables(of, start, count))

    def locals(self, frame: Frame | None = None) -> list[Variable]:
        """Arguments and local variables."""
        return self._loop.run(self._twin.locals(frame))

    def assign(self, target: str, value: str, frame: Frame | None = None) -> Value:
        """`target = value`, both as expressions of the program."""
        return self._loop.run(self._twin.assign(target, value, frame))

    def return_value(self) -> Variable | None:
        """What the function that was just left returned."""
        return self._loop.run(self._twin.return_value())

    def exception_info(self, thread: int | None = None) -> ExceptionInfo:
        """The exception that a thread is stopped at."""
        return self._loop.run(self._twin.exception_info(thread))

    def source_text(self, source: Source) -> SourceText:
        """The text of a file of the program."""
        return self._loop.run(self._twin.source_text(source))

    def request(
        self, command: str, arguments: dict[str, Any] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Any request of the Debug Adapter Protocol, as it is."""
        return self._loop.run(self._twin.request(command, arguments, timeout))

    def listen(self, listener: Callable[[str, dict[str, Any]], None]) -> Callable[[], None]:
        """Call `listener(event, body)` for every event, output of the program among them.

        It must return at once, and must not use the session. Returns what ends it.
        """
        return self._loop.call(self._twin.listen, listener)

    def detach(self) -> None:
        """Leave the program running. Safe to call twice."""
        if self._loop.running:
            self._loop.run(self._twin.detach())
            self._loop.stop()
