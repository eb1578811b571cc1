"""The scripting API for asyncio: `async with await attach(…) as session`.

`remora_client._sync` is made from this file and `_objects` (scripts/gen_sync.py), so what is here is there as
well, without the awaits. Everything runs on the caller's event loop. The file is long because it is the whole
surface, each method a few lines that hand over to the core.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._connecting._connect import connect
from remora_client._errors import ClientError
from remora_client._finding._facts import code_of, names_of, referrers, size_of, source_of
from remora_client._finding._facts import inspect as inspect_object
from remora_client._finding._functions import break_in, functions
from remora_client._finding._places import Place, resolve
from remora_client._finding._reasons import why
from remora_client._finding._saved import load_breakpoints, saved_breakpoints, write_lines
from remora_client._finding._setting import check_condition, set_breakpoint
from remora_client._groups._feeds import feeds_for
from remora_client._groups._group import Group, How
from remora_client._model import LogRecord
from remora_client._objects import Frame, Stop, Value
from remora_client._options import ConnectOptions
from remora_client._sessions._waiting import at_most
from remora_client._snapshot._file import write_snapshot
from remora_client._snapshot._taking import take_snapshot
from remora_client._targets import local_processes, open_session, via
from remora_client.locspec import BreakSpec, FileLine, Line, ModuleLine, parse_location
from remora_client.locspec import Function as FunctionPlace
from remora_protocol import parse_qualifier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
    from typing import Unpack

    from remora_client import _model
    from remora_client._finding._facts import ObjectInfo, Referrer, Size
    from remora_client._finding._functions import Function
    from remora_client._finding._reasons import Explanation
    from remora_client._groups._group import Member
    from remora_client._model import (
        Breakpoint,
        BreakpointChanges,
        EvaluateContext,
        ExceptionFilter,
        ExceptionInfo,
        Moment,
        Scope,
        Source,
        SourceText,
        StopMode,
        Task,
        Thread,
    )
    from remora_client._sessions import _session
    from remora_client._sessions._state import State
    from remora_client.locspec import Location
    from remora_protocol import ProcessInfo

__all__ = ["Frame", "Session", "Sessions", "Stop", "Value", "attach", "attach_all", "processes"]


async def attach(
    target: str | int | None = None,
    *,
    pid: int | None = None,
    name: str | None = None,
    source: Sequence[str] = (),
    force: bool = False,
    just_my_code: bool = True,
    redirect_output: bool = True,
    stop_mode: StopMode = "all",
    stop_on_entry: bool = False,
    options: ConnectOptions | None = None,
) -> Session:
    """Attach to a running program.

    Args:
        target: a qualifier such as "tcps://my_secret@host:5678", the id of a process of this machine, or a
            snapshot's file; None: the only process there is on this machine.
        pid: which process, where there are several behind the qualifier.
        name: a glob for its name, instead.
        source: folders on this machine with the program's files.
        force: take over from whoever is attached now.
        just_my_code: have steps pass by library code.
        redirect_output: have what the program prints come as "output" events, too.
        stop_mode: whether a stop holds all threads, or only the one that makes it.
        stop_on_entry: have a program that waits for a client stop where it goes on, and pause any other, so
            that there is time to say where else to stop.
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
        stop_mode=stop_mode,
        stop_on_entry=stop_on_entry,
    )
    if core.stop is not None and (core.stop.was_there or core.link.is_snapshot or not core.link.is_remora):
        core.told = core.state.stops  # a stop that was there before us is none to wait for
    return Session(core)


async def attach_all(
    targets: Iterable[str | int] = (),
    *,
    everyone: bool = False,
    name: str | None = None,
    source: Sequence[str] = (),
    force: bool = False,
    just_my_code: bool = True,
    redirect_output: bool = True,
    stop_mode: StopMode = "all",
    stop_on_entry: bool = False,
    options: ConnectOptions | None = None,
) -> Sessions:
    """Attach to several programs at once.

    Args:
        targets: qualifiers (`tcp://host:5678#PID` says which process behind a port), process ids, or the
            addresses of engines such as "dask://scheduler:8786"; none: this machine.
        everyone: all processes behind each target, present and to come; what cannot be attached to is left
            out. Otherwise it is one behind each, and all of them or none. An engine's are always all meant.
        name: a glob; only processes with such a name.

    The rest is as `attach` takes it.

    Raises:
        ConnectError: of the first that failed. Those attached to by then were left again.
    """
    feeds = feeds_for(
        [str(each) for each in targets], options or ConnectOptions(), name=name, everyone=everyone
    )
    core = Group(feeds, How(source, force, just_my_code, redirect_output, stop_mode, stop_on_entry))
    await core.start(all_or_none=not everyone)
    return Sessions(core)


async def processes(target: str | None = None, options: ConnectOptions | None = None) -> list[ProcessInfo]:
    """The processes behind a qualifier, or this user's on this machine."""
    options = options or ConnectOptions()
    if target is None and options.via is None:
        return await local_processes()
    way = via(options.via) if options.via is not None else parse_qualifier(target or "")
    link = await connect(way, options)
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
        self._on_hit: dict[int, Callable[[Stop], object]] = {}
        self._end_logs: Callable[[], None] = _no_more
        self._told_stop = 0  # the number of the last stop that the callbacks were told of

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

    @property
    def hits(self) -> dict[int, int]:
        """How often each breakpoint has stopped the program, by its number; of several processes, any."""
        return dict(self._core.hits)

    # -- running

    async def resume(self, timeout: float | None = None, *, thread: int | None = None) -> Stop | None:
        """Let the program run until the next stop; one that already runs is just waited for.

        The next stop may have come already, after a breakpoint was set, say: then it is this one.
        """
        if self._core.stop is not None and self._core.told == self._core.state.stops:
            await self._core.resume(thread)
        return await self._next_stop(timeout)

    async def go(self, *, thread: int | None = None) -> None:
        """Let the program run, and do not wait for what comes of it."""
        if self._core.stop is not None:
            await self._core.resume(thread)

    async def step_over(
        self, timeout: float | None = None, *, thread: int | None = None, times: int = 1
    ) -> Stop | None:
        """To the next line of this function; `times` such steps, unless something stops it before."""
        await self._core.step_over(thread, times=times)
        return await self._next_stop(timeout, is_step=True)

    async def step_in(
        self,
        timeout: float | None = None,
        *,
        thread: int | None = None,
        into: str = "",
        everywhere: bool = False,
        times: int = 1,
    ) -> Stop | None:
        """To the next line, in whatever function it is; `times` such steps, unless something stops it before.

        Args:
            into: the call to enter, by (a part of) its name, where the line has several.
            everywhere: enter library code, too, and what `skip` names.
        """
        target = await self._core.step_in_target(into) if into else None
        await self._core.step_in(thread, target=target, everywhere=everywhere, times=times)
        return await self._next_stop(timeout, is_step=True)

    async def step_out(self, timeout: float | None = None, *, thread: int | None = None) -> Stop | None:
        """Out of this function, to its caller."""
        await self._core.step_out(thread)
        return await self._next_stop(timeout, is_step=True)

    async def step_return(self, timeout: float | None = None) -> Stop | None:
        """To the return of this function, still in it."""
        await self._core.step_return()
        return await self._next_stop(timeout, is_step=True)

    async def until(self, line: int | None = None, timeout: float | None = None) -> Stop | None:
        """To a later line of this function, or to its end."""
        await self._core.until(line)
        return await self._next_stop(timeout, is_step=True)

    async def goto(self, line: int, timeout: float | None = None) -> Stop | None:
        """Jump to another line of this function without running what is between."""
        await self._core.goto(line)
        return await self._next_stop(timeout, is_step=True)

    async def restart_frame(
        self, frame: _model.Frame | None = None, timeout: float | None = None
    ) -> Stop | None:
        """Run a call again from its first line, with the arguments that it has now."""
        await self._core.restart_frame(frame)
        return await self._next_stop(timeout, is_step=True)

    async def step_instruction(
        self,
        timeout: float | None = None,
        *,
        into: bool = False,
        thread: int | None = None,
        times: int = 1,
    ) -> Stop | None:
        """To the next instruction of the bytecode: of this function, or of whichever it calls (`into`)."""
        await self._core.step_instruction(into=into, thread=thread, times=times)
        return await self._next_stop(timeout, is_step=True)

    async def skip(
        self,
        *,
        files: Iterable[str] = (),
        functions: Iterable[str] = (),
        modules: Iterable[str] = (),
        just_my_code: bool = True,
    ) -> None:
        """Say anew what steps pass by: patterns such as "generated_*.py"; and library code, or not."""
        kinds = {"file": files, "function": functions, "module": modules}
        skips = [(kind, pattern) for kind, patterns in kinds.items() for pattern in patterns]
        await self._core.skip(skips, just_my_code=just_my_code)

    async def set_stop_mode(self, mode: StopMode) -> None:
        """From now on a stop holds "all" threads, or only the "one" that makes it."""
        await self._core.set_stop_mode(mode)

    async def advance(self, place: str, line: int | None = None, timeout: float | None = None) -> Stop | None:
        """To a place, as `break_at` takes it. Where a breakpoint stops it on the way, it goes no further."""
        self._core.aims.add((await self.break_at(place, line, temporary=True)).number)
        return await self.resume(timeout)

    async def goto_lines(self, frame: _model.Frame | None = None) -> list[int]:
        """The lines of a frame's function that `goto` may name."""
        return await self._core.goto_lines(frame)

    def set_step_mode(self, mode: StopMode) -> None:
        """During a step, "all" threads run, or only the "one" that steps."""
        self._core.steps_alone = mode == "one"

    async def pause(self, timeout: float | None = 10.0, *, thread: int | None = None) -> Stop | None:
        """Stop the program wherever it is; in stop mode "one", only the `thread`, by default the first.

        Where another one stands already, it goes on being looked at; `select_thread` turns to this one.
        """
        if self._core.stop is None:
            await self._core.pause(thread)
        elif thread is not None and self._core.held_alone not in (None, thread):
            await self._core.pause_beside(thread, timeout)
        return await self._next_stop(timeout, is_step=True)

    async def wait_for_stop(self, timeout: float | None = None) -> Stop | None:
        """Wait until the program stands still; at once if it does."""
        return await self._next_stop(timeout)

    async def _next_stop(self, timeout: float | None, *, is_step: bool = False) -> Stop | None:
        """The next stop that is the caller's: those of callbacks that want no more are left again."""
        async with at_most(timeout):
            while True:
                found = await self._core.wait_for_stop()
                if found is None:
                    return None
                stop = await self._judge(found, is_step=is_step)
                if stop is not None:
                    return stop

    async def _judge(self, found: _model.Stop, *, is_step: bool = False) -> Stop | None:
        """The stop, if it is the caller's. None: only callbacks wanted it, and the program runs again."""
        stop, number = Stop.of(found, self._core), self._core.state.stops
        if number == self._told_stop:
            return stop
        self._told_stop = number
        if await self._is_wanted(stop) or is_step:
            return stop
        if self._core.stop is not None:  # else the callback has let it run
            await self._core.resume(self._core.held_alone)
        return None

    async def _is_wanted(self, stop: Stop) -> bool:
        """Whether to hand a stop to the caller: at breakpoints with callbacks it is theirs to say."""
        hit = [each.number for each in stop.hit(self._core.breakpoints)]
        is_hit = bool(hit) and stop.reason in ("breakpoint", "function breakpoint")
        wanted = not is_hit or any(each not in self._on_hit for each in hit)
        for each in hit:
            if each in self._on_hit:
                answer = self._on_hit[each](stop)
                if inspect.isawaitable(answer):
                    answer = await answer
                wanted = bool(answer) or wanted
        return wanted

    # -- breakpoints

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
            _location(place, line, column),
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
        return await break_in(self._core, await functions(self._core, pattern))

    async def change_breakpoint(self, number: int, **changes: Unpack[BreakpointChanges]) -> Breakpoint:
        """Change `enabled`, `condition`, `hit_condition`, `log_message`, `temporary`, `line`, `name` …"""
        if changes.get("condition"):
            check_condition(changes["condition"] or "")
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

    # -- looking

    async def threads(self) -> list[Thread]:
        """All threads."""
        return await self._core.threads()

    async def select_task(self, task: Task) -> Frame:
        """Look at a task in place of a thread, until the next stop or `select_thread`.

        Gives the newest frame of its own code. Raises `ClientError` where its loop's thread is not stopped.
        """
        return Frame.of(self._core.select_task(task), self._core)

    async def tasks(self) -> list[Task]:
        """The tasks of the program's event loops that are not done, with their chains of awaits."""
        return await self._core.tasks()

    async def stack(self, thread: int | None = None, start: int = 0, count: int | None = None) -> list[Frame]:
        """Frames of a thread, newest first."""
        return [Frame.of(each, self._core) for each in await self._core.stack(thread, start, count)]

    def select_frame(self, frame: _model.Frame | None) -> None:
        """Make a frame the one that `evaluate`, `locals` and the like use, until the next stop."""
        self._core.select_frame(frame)

    async def select_thread(self, thread: int) -> Frame:
        """Make a thread's newest frame the selected one, and the thread the one that steps."""
        return Frame.of(await self._core.select_thread(thread), self._core)

    async def evaluate(
        self,
        expression: str,
        frame: _model.Frame | None = None,
        context: EvaluateContext = "watch",
        timeout: float | None = None,
        *,
        keep: bool = False,
    ) -> Value:
        """The value of an expression; context "repl" runs statements as well, "clipboard" cuts nothing.

        With `keep`, later expressions may name the value: as `$1` and so on, by its `number`.
        """
        found = await self._core.evaluate(expression, frame, context, timeout, keep=keep)
        return Value.of(found, self._core, expression=expression, frame=frame)

    async def call(self, expression: str) -> Value | None:
        """The value of an expression, as from `evaluate`; but breakpoints in what it calls stop the program.

        None: it has stopped there, and `wait_for_stop` gives that stop. What the call gives comes later, as
        the event "remora/called"; then the program stands where it stood before.
        """
        found = await self._core.call(expression)
        return None if found is None else Value.of(found, self._core, expression=expression)

    async def completions(self, text: str) -> list[dict[str, Any]]:
        """DAP's completion items for the end of `text`."""
        return await self._core.completions(text)

    async def execute(
        self, code: str, frame: _model.Frame | None = None, timeout: float | None = None
    ) -> Value:
        """Run statements in a frame."""
        return await self.evaluate(code, frame, "repl", timeout)

    async def scopes(self, frame: _model.Frame | None = None) -> list[Scope]:
        """The groups of variables of a frame."""
        return await self._core.scopes(frame)

    async def variables(
        self, of: _model.Value | Scope | int, start: int = 0, count: int | None = None
    ) -> list[Value]:
        """What a scope or a value holds; `start` and `count` page through what is big."""
        reference = of if isinstance(of, int) else of.reference
        found = await self._core.variables(reference, start, count)
        return [Value.of(each, self._core, parent=reference) for each in found]

    async def locals(self, frame: _model.Frame | None = None) -> list[Value]:
        """Arguments and local variables."""
        return [Value.of(each, self._core, frame=frame) for each in await self._core.locals(frame)]

    async def arguments(self, frame: _model.Frame | None = None) -> list[Value]:
        """What the function was called with, as it is now."""
        return [Value.of(each, self._core, frame=frame) for each in await self._core.arguments(frame)]

    async def globals(self, frame: _model.Frame | None = None) -> list[Value]:
        """The global variables of the frame's module."""
        return [Value.of(each, self._core, frame=frame) for each in await self._core.globals(frame)]

    async def inspect(self, expression: str, frame: _model.Frame | None = None) -> ObjectInfo:
        """What an object is: its type, value, signature, file and documentation."""
        return await inspect_object(self._core, expression, frame)

    async def names(self, expression: str, frame: _model.Frame | None = None) -> list[str]:
        """The names that an object has, as from `dir`; none of them is read."""
        return await names_of(self._core, expression, frame)

    async def size(self, expression: str, frame: _model.Frame | None = None) -> Size:
        """How large an object is, without what it refers to."""
        return await size_of(self._core, expression, frame)

    async def referrers(self, expression: str, frame: _model.Frame | None = None) -> list[Referrer]:
        """What refers to an object, and so keeps it alive; at most 50 of those."""
        return await referrers(self._core, expression, frame)

    async def assign(self, target: str, value: str, frame: _model.Frame | None = None) -> Value:
        """`target = value`, both as expressions of the program."""
        found = await self._core.assign(target, value, frame)
        return Value.of(found, self._core, expression=target, frame=frame)

    async def return_value(self) -> Value | None:
        """What the function that was just left returned."""
        found = await self._core.return_value()
        return None if found is None else Value.of(found, self._core)

    async def exception_info(self, thread: int | None = None) -> ExceptionInfo:
        """The exception that a thread is stopped at."""
        return await self._core.exception_info(thread)

    async def select_exception(self, number: int, thread: int | None = None) -> bool:
        """Look at another exception of the chain or group that `exception_info` tells of, by its number.

        From then on the stack is that of the exception, and `$exc` is that one; 1 goes back. False: it was
        never raised, so there is no stack of its own.
        """
        return await self._core.select_exception(number, thread)

    async def source_text(self, source: Source) -> SourceText:
        """The text of a file of the program."""
        return await self._core.source_text(source)

    async def source_of(self, expression: str, frame: _model.Frame | None = None) -> str:
        """The source of a function, class or module of the program. Raises `ClientError`: it has none."""
        return await source_of(self._core, expression, frame)

    async def functions(self, pattern: str) -> list[Function]:
        """The functions of the program's own files whose dotted name a regular expression finds.

        Args:
            pattern: `"^handle_"`, or with a file before it: `"app.py:^handle_"`.
        """
        return await functions(self._core, pattern)

    async def map_folder(self, theirs: str, ours: str | None) -> None:
        """Say in which folder here the files of one of the program's are; None: forget that.

        Files are found by their names anyway: this is for where that is not enough.
        """
        self._core.sources.maps.remove(theirs)
        if ours is not None:
            self._core.sources.maps.add(theirs, ours)
        await self._core.send_breakpoints()

    async def loaded_sources(self) -> list[Source]:
        """The files that the program has loaded."""
        return await self._core.loaded_sources()

    async def modules(self) -> list[dict[str, Any]]:
        """The modules that the program has loaded, as DAP tells of them: `name`, `path`, `version` …"""
        return await self._core.modules()

    async def disassembly(self, frame: _model.Frame | None = None) -> tuple[list[dict[str, Any]], int]:
        """DAP's instructions of the function that a frame runs, and the index of the one that it is at."""
        return await self._core.disassembly(frame)

    async def code_of(self, expression: str, frame: _model.Frame | None = None) -> str:
        """The bytecode of any function, class or code of the program, as its `dis` writes it."""
        return await code_of(self._core, expression, frame)

    async def logs(
        self, level: str | int | None, listener: Callable[[LogRecord], object] | None = None
    ) -> None:
        """Have records of the program's `logging` told, from a level up; None: no more of them.

        They come as "output" events, and `listener` is called with each; it must return at once, and must not
        use the session. Only what the program's own levels let through becomes a record at all.
        """
        await self._core.request("remora/logging", {} if level is None else {"level": str(level)})
        self._end_logs()
        self._end_logs = _no_more
        if level is not None and listener is not None:
            tell = listener

            def take(event: str, body: dict[str, Any]) -> None:
                found = LogRecord.from_dap(body) if event == "output" else None
                if found is not None:
                    tell(found)

            self._end_logs = self._core.listen(take)

    async def take_input(self, *, own: bool = False) -> None:
        """Have the program read only what `send_input` gives it; with `own`, its own standard input again."""
        await self._core.request("remora/input", {"from": "program" if own else "client"})

    async def send_input(self, line: str) -> None:
        """Give the program a line to read, before what its own standard input has for it.

        What it has not read when you detach is taken back: see `unread_input`.
        """
        await self._core.give_input(line)

    async def unread_input(self) -> int:
        """How many of the lines of `send_input` the program has not read yet."""
        return await self._core.unread_input()

    async def request(
        self, command: str, arguments: dict[str, Any] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Any request of the Debug Adapter Protocol, as it is."""
        return await self._core.request(command, arguments, timeout)

    async def snapshot(self, path: str) -> None:
        """Write all stacks, what is in them, and the source to a file; `attach(path)` opens it later.

        Raises:
            ClientError: the file cannot be written.
        """
        write_snapshot(path, await take_snapshot(self._core))

    # -- events and the end

    def listen(self, listener: Callable[[str, dict[str, Any]], None], *events: str) -> Callable[[], None]:
        """Call `listener(event, body)` for every event, or for those named: "output", "stopped", "exited" …

        It must return at once, and must not use the session. Returns what ends it.
        """
        if not events:
            return self._core.listen(listener)
        return self._core.listen(lambda event, body: listener(event, body) if event in events else None)

    async def terminate(self, *, force: bool = False) -> None:
        """End the program: softly, as Ctrl-C would, or with `force` at once."""
        await self._core.terminate(force=force)

    async def detach(self, *, keep_stopped: bool = False) -> None:
        """Leave the program running. Safe to call twice.

        With `keep_stopped` what stands still goes on standing, for whoever attaches next.
        """
        await self._core.detach(keep_stopped=keep_stopped)


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
            check_condition(condition)
        found = await self._place(_location(place, line, column))
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


def _no_more() -> None:
    """What ends nothing."""


def _location(place: str, line: int | None, column: int | None = None) -> Location:
    """What a place says. Raises `ClientError`."""
    found = FileLine(place, line) if line is not None else parse_location(place)
    if column is not None and isinstance(found, FileLine | ModuleLine | Line):
        return replace(found, column=column)
    return found
