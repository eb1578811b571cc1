"""GENERATED from aio.py and _objects.py by scripts/gen_sync.py: the scripting API without asyncio.

Each session or group of them has a thread with an event loop; every call here has a coroutine of `aio` run
there and waits for it. A session may be used from any thread, one call at a time.
"""

from __future__ import annotations

import dataclasses
from dataclasses import field
from typing import TYPE_CHECKING, Any

from remora_client import _model, aio
from remora_client._loop_thread import LoopThread, in_caller
from remora_client._records import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Unpack

    from remora_client._finding._facts import ObjectInfo, Referrer, Size
    from remora_client._finding._functions import Function
    from remora_client._finding._reasons import Explanation
    from remora_client._model import (
        Breakpoint,
        BreakpointChanges,
        EvaluateContext,
        ExceptionFilter,
        ExceptionInfo,
        LogRecord,
        Moment,
        Scope,
        Source,
        SourceText,
        StopMode,
        Task,
        Thread,
    )
    from remora_client._options import ConnectOptions
    from remora_client._sessions._state import State
    from remora_protocol import ProcessInfo

__all__ = ["Frame", "Session", "Sessions", "Stop", "Value", "attach", "attach_all", "processes"]


def _own(found: Any, loop: LoopThread) -> Any:
    """What a coroutine of `aio` gave, as what is of this module."""
    match found:
        case aio.Session():
            return Session(found, loop)
        case aio.Frame():
            return Frame(**_fields(found, _model.Frame), _twin=found, _loop=loop)
        case aio.Value():
            return Value(**_fields(found, _model.Variable), _twin=found, _loop=loop)
        case aio.Stop():
            return Stop(**{**_fields(found, _model.Stop), "frame": _own(found.frame, loop)})
        case list():
            return [_own(each, loop) for each in found]
        case tuple():
            return tuple(_own(each, loop) for each in found)
    return found


def _fields(found: Any, kind: type) -> dict[str, Any]:
    return {each.name: getattr(found, each.name) for each in dataclasses.fields(kind)}


def _called_here(
    function: Callable[[Stop], object] | None, loop: LoopThread
) -> Callable[[aio.Stop], object] | None:
    """A callback that the thread which waits for a stop is to run."""
    return None if function is None else lambda stop: in_caller(function, _own(stop, loop))


@record
class Value(_model.Variable):
    """A value of the program: its text, its type, and its children on demand."""

    _twin: aio.Value = field(kw_only=True, repr=False, compare=False)
    _loop: LoopThread = field(kw_only=True, repr=False, compare=False)

    @property
    def count(self) -> int | None:
        """How many children it has; None where the server does not say."""
        return self._twin.count

    def children(self, start: int = 0, count: int | None = None) -> list[Value]:
        """Items, keys and attributes; `start` and `count` page through what is big."""
        found: list[Value] = _own(self._loop.run(self._twin.children(start, count)), self._loop)
        return found

    def child(self, name: str) -> Value:
        """The child of that name. Raises `ClientError` when there is none."""
        found: Value = _own(self._loop.run(self._twin.child(name)), self._loop)
        return found

    def set(self, expression: str) -> Value:
        """Change it in the program to what an expression gives there. Returns the new value."""
        found: Value = _own(self._loop.run(self._twin.set(expression)), self._loop)
        return found


@record
class Frame(_model.Frame):
    """One call on a stack. What is asked of it is asked in it, whichever frame is selected."""

    _twin: aio.Frame = field(kw_only=True, repr=False, compare=False)
    _loop: LoopThread = field(kw_only=True, repr=False, compare=False)

    def locals(self) -> list[Value]:
        """Its arguments and local variables."""
        found: list[Value] = _own(self._loop.run(self._twin.locals()), self._loop)
        return found

    def arguments(self) -> list[Value]:
        """What its function was called with, as it is now."""
        found: list[Value] = _own(self._loop.run(self._twin.arguments()), self._loop)
        return found

    def globals(self) -> list[Value]:
        """The global variables of its module."""
        found: list[Value] = _own(self._loop.run(self._twin.globals()), self._loop)
        return found

    def scopes(self) -> list[Scope]:
        """Its groups of variables."""
        return self._loop.run(self._twin.scopes())

    def evaluate(
        self, expression: str, context: EvaluateContext = "watch", timeout: float | None = None
    ) -> Value:
        """The value of an expression; context "repl" runs statements as well, "clipboard" cuts nothing."""
        found: Value = _own(self._loop.run(self._twin.evaluate(expression, context, timeout)), self._loop)
        return found

    def source_text(self) -> SourceText:
        """The text of its file."""
        return self._loop.run(self._twin.source_text())


@record
class Stop(_model.Stop):
    """Why and where the program stands still."""

    frame: Frame | None = None


def attach(
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
                    stop_mode=stop_mode,
                    stop_on_entry=stop_on_entry,
                    options=options,
                )
            ),
            loop,
        )
    except BaseException:
        loop.stop()
        raise


def attach_all(
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
    loop = LoopThread()
    try:
        return Sessions(
            loop.run(
                aio.attach_all(
                    targets,
                    everyone=everyone,
                    name=name,
                    source=source,
                    force=force,
                    just_my_code=just_my_code,
                    redirect_output=redirect_output,
                    stop_mode=stop_mode,
                    stop_on_entry=stop_on_entry,
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
        loop.enter(self)

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

    @property
    def hits(self) -> dict[int, int]:
        """How often each breakpoint has stopped the program, by its number; of several processes, any."""
        return self._twin.hits

    def resume(self, timeout: float | None = None, *, thread: int | None = None) -> Stop | None:
        """Let the program run until the next stop; one that already runs is just waited for.

        The next stop may have come already, after a breakpoint was set, say: then it is this one.
        """
        found: Stop | None = _own(self._loop.run(self._twin.resume(timeout, thread=thread)), self._loop)
        return found

    def go(self, *, thread: int | None = None) -> None:
        """Let the program run, and do not wait for what comes of it."""
        return self._loop.run(self._twin.go(thread=thread))

    def step_over(
        self, timeout: float | None = None, *, thread: int | None = None, times: int = 1
    ) -> Stop | None:
        """To the next line of this function; `times` such steps, unless something stops it before."""
        found: Stop | None = _own(
            self._loop.run(self._twin.step_over(timeout, thread=thread, times=times)), self._loop
        )
        return found

    def step_in(
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
        found: Stop | None = _own(
            self._loop.run(
                self._twin.step_in(timeout, thread=thread, into=into, everywhere=everywhere, times=times)
            ),
            self._loop,
        )
        return found

    def step_out(self, timeout: float | None = None, *, thread: int | None = None) -> Stop | None:
        """Out of this function, to its caller."""
        found: Stop | None = _own(self._loop.run(self._twin.step_out(timeout, thread=thread)), self._loop)
        return found

    def step_return(self, timeout: float | None = None) -> Stop | None:
        """To the return of this function, still in it."""
        found: Stop | None = _own(self._loop.run(self._twin.step_return(timeout)), self._loop)
        return found

    def until(self, line: int | None = None, timeout: float | None = None) -> Stop | None:
        """To a later line of this function, or to its end."""
        found: Stop | None = _own(self._loop.run(self._twin.until(line, timeout)), self._loop)
        return found

    def goto(self, line: int, timeout: float | None = None) -> Stop | None:
        """Jump to another line of this function without running what is between."""
        found: Stop | None = _own(self._loop.run(self._twin.goto(line, timeout)), self._loop)
        return found

    def restart_frame(self, frame: _model.Frame | None = None, timeout: float | None = None) -> Stop | None:
        """Run a call again from its first line, with the arguments that it has now."""
        found: Stop | None = _own(self._loop.run(self._twin.restart_frame(frame, timeout)), self._loop)
        return found

    def step_instruction(
        self, timeout: float | None = None, *, into: bool = False, thread: int | None = None, times: int = 1
    ) -> Stop | None:
        """To the next instruction of the bytecode: of this function, or of whichever it calls (`into`)."""
        found: Stop | None = _own(
            self._loop.run(self._twin.step_instruction(timeout, into=into, thread=thread, times=times)),
            self._loop,
        )
        return found

    def skip(
        self,
        *,
        files: Iterable[str] = (),
        functions: Iterable[str] = (),
        modules: Iterable[str] = (),
        just_my_code: bool = True,
    ) -> None:
        """Say anew what steps pass by: patterns such as "generated_*.py"; and library code, or not."""
        return self._loop.run(
            self._twin.skip(files=files, functions=functions, modules=modules, just_my_code=just_my_code)
        )

    def set_stop_mode(self, mode: StopMode) -> None:
        """From now on a stop holds "all" threads, or only the "one" that makes it."""
        return self._loop.run(self._twin.set_stop_mode(mode))

    def advance(self, place: str, line: int | None = None, timeout: float | None = None) -> Stop | None:
        """To a place, as `break_at` takes it. Where a breakpoint stops it on the way, it goes no further."""
        found: Stop | None = _own(self._loop.run(self._twin.advance(place, line, timeout)), self._loop)
        return found

    def goto_lines(self, frame: _model.Frame | None = None) -> list[int]:
        """The lines of a frame's function that `goto` may name."""
        return self._loop.run(self._twin.goto_lines(frame))

    def set_step_mode(self, mode: StopMode) -> None:
        """During a step, "all" threads run, or only the "one" that steps."""
        return self._loop.call(self._twin.set_step_mode, mode)

    def pause(self, timeout: float | None = 10.0, *, thread: int | None = None) -> Stop | None:
        """Stop the program wherever it is; in stop mode "one", only the `thread`, by default the first.

        Where another one stands already, it goes on being looked at; `select_thread` turns to this one.
        """
        found: Stop | None = _own(self._loop.run(self._twin.pause(timeout, thread=thread)), self._loop)
        return found

    def wait_for_stop(self, timeout: float | None = None) -> Stop | None:
        """Wait until the program stands still; at once if it does."""
        found: Stop | None = _own(self._loop.run(self._twin.wait_for_stop(timeout)), self._loop)
        return found

    def break_at(
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
        return self._loop.run(
            self._twin.break_at(
                place,
                line,
                at=at,
                column=column,
                condition=condition,
                hit_condition=hit_condition,
                log_message=log_message,
                temporary=temporary,
                thread=thread,
                task=task,
                after=after,
                enabled=enabled,
                name=name,
                on_hit=_called_here(on_hit, self._loop),
            )
        )

    def break_at_functions(self, pattern: str) -> list[Breakpoint]:
        """Stop in every function that `functions` finds. Several get a name together."""
        return self._loop.run(self._twin.break_at_functions(pattern))

    def change_breakpoint(self, number: int, **changes: Unpack[BreakpointChanges]) -> Breakpoint:
        """Change `enabled`, `condition`, `hit_condition`, `log_message`, `temporary`, `line`, `name` …"""
        return self._loop.run(self._twin.change_breakpoint(number, **changes))

    def clear(self, numbers: Iterable[int] | None = None) -> list[Breakpoint]:
        """Remove breakpoints, by their numbers or all."""
        return self._loop.run(self._twin.clear(numbers))

    def why(self, number: int) -> Explanation:
        """Why a breakpoint stops the program where and when it does, or why not: what it found, its hits."""
        return self._loop.run(self._twin.why(number))

    def save_breakpoints(self, path: str) -> None:
        """Write the breakpoints into a file, which `load_breakpoints` and the prompt's `load` read.

        A line is found again by its text, also when it has moved by then. Callbacks are not saved.

        Raises:
            ClientError: the file cannot be written.
        """
        return self._loop.run(self._twin.save_breakpoints(path))

    def load_breakpoints(self, path: str | None = None) -> list[Breakpoint]:
        """Set the breakpoints that a file has, by default those that the prompt has kept for this project.

        Displays, aliases and the commands of breakpoints, which the prompt saves as well, are passed over.

        Raises:
            ClientError: the file cannot be read, or one of them cannot be set; it says in which line.
        """
        return self._loop.run(self._twin.load_breakpoints(path))

    def break_on_exceptions(self, filters: Sequence[ExceptionFilter]) -> None:
        """Stop at exceptions; an empty sequence for never. `exception_modes` are what there is."""
        return self._loop.run(self._twin.break_on_exceptions(filters))

    @property
    def exception_modes(self) -> list[dict[str, Any]]:
        """What an `ExceptionFilter` can name, as DAP tells of it: `filter`, `label`, `default` …"""
        return self._twin.exception_modes

    def threads(self) -> list[Thread]:
        """All threads."""
        return self._loop.run(self._twin.threads())

    def select_task(self, task: Task) -> Frame:
        """Look at a task in place of a thread, until the next stop or `select_thread`.

        Gives the newest frame of its own code. Raises `ClientError` where its loop's thread is not stopped.
        """
        found: Frame = _own(self._loop.run(self._twin.select_task(task)), self._loop)
        return found

    def tasks(self) -> list[Task]:
        """The tasks of the program's event loops that are not done, with their chains of awaits."""
        return self._loop.run(self._twin.tasks())

    def stack(self, thread: int | None = None, start: int = 0, count: int | None = None) -> list[Frame]:
        """Frames of a thread, newest first."""
        found: list[Frame] = _own(self._loop.run(self._twin.stack(thread, start, count)), self._loop)
        return found

    def select_frame(self, frame: _model.Frame | None) -> None:
        """Make a frame the one that `evaluate`, `locals` and the like use, until the next stop."""
        return self._loop.call(self._twin.select_frame, frame)

    def select_thread(self, thread: int) -> Frame:
        """Make a thread's newest frame the selected one, and the thread the one that steps."""
        found: Frame = _own(self._loop.run(self._twin.select_thread(thread)), self._loop)
        return found

    def evaluate(
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
        found: Value = _own(
            self._loop.run(self._twin.evaluate(expression, frame, context, timeout, keep=keep)), self._loop
        )
        return found

    def call(self, expression: str) -> Value | None:
        """The value of an expression, as from `evaluate`; but breakpoints in what it calls stop the program.

        None: it has stopped there, and `wait_for_stop` gives that stop. What the call gives comes later, as
        the event "remora/called"; then the program stands where it stood before.
        """
        found: Value | None = _own(self._loop.run(self._twin.call(expression)), self._loop)
        return found

    def completions(self, text: str) -> list[dict[str, Any]]:
        """DAP's completion items for the end of `text`."""
        return self._loop.run(self._twin.completions(text))

    def execute(self, code: str, frame: _model.Frame | None = None, timeout: float | None = None) -> Value:
        """Run statements in a frame."""
        found: Value = _own(self._loop.run(self._twin.execute(code, frame, timeout)), self._loop)
        return found

    def scopes(self, frame: _model.Frame | None = None) -> list[Scope]:
        """The groups of variables of a frame."""
        return self._loop.run(self._twin.scopes(frame))

    def variables(
        self, of: _model.Value | Scope | int, start: int = 0, count: int | None = None
    ) -> list[Value]:
        """What a scope or a value holds; `start` and `count` page through what is big."""
        found: list[Value] = _own(self._loop.run(self._twin.variables(of, start, count)), self._loop)
        return found

    def locals(self, frame: _model.Frame | None = None) -> list[Value]:
        """Arguments and local variables."""
        found: list[Value] = _own(self._loop.run(self._twin.locals(frame)), self._loop)
        return found

    def arguments(self, frame: _model.Frame | None = None) -> list[Value]:
        """What the function was called with, as it is now."""
        found: list[Value] = _own(self._loop.run(self._twin.arguments(frame)), self._loop)
        return found

    def globals(self, frame: _model.Frame | None = None) -> list[Value]:
        """The global variables of the frame's module."""
        found: list[Value] = _own(self._loop.run(self._twin.globals(frame)), self._loop)
        return found

    def inspect(self, expression: str, frame: _model.Frame | None = None) -> ObjectInfo:
        """What an object is: its type, value, signature, file and documentation."""
        return self._loop.run(self._twin.inspect(expression, frame))

    def names(self, expression: str, frame: _model.Frame | None = None) -> list[str]:
        """The names that an object has, as from `dir`; none of them is read."""
        return self._loop.run(self._twin.names(expression, frame))

    def size(self, expression: str, frame: _model.Frame | None = None) -> Size:
        """How large an object is, without what it refers to."""
        return self._loop.run(self._twin.size(expression, frame))

    def referrers(self, expression: str, frame: _model.Frame | None = None) -> list[Referrer]:
        """What refers to an object, and so keeps it alive; at most 50 of those."""
        return self._loop.run(self._twin.referrers(expression, frame))

    def assign(self, target: str, value: str, frame: _model.Frame | None = None) -> Value:
        """`target = value`, both as expressions of the program."""
        found: Value = _own(self._loop.run(self._twin.assign(target, value, frame)), self._loop)
        return found

    def return_value(self) -> Value | None:
        """What the function that was just left returned."""
        found: Value | None = _own(self._loop.run(self._twin.return_value()), self._loop)
        return found

    def exception_info(self, thread: int | None = None) -> ExceptionInfo:
        """The exception that a thread is stopped at."""
        return self._loop.run(self._twin.exception_info(thread))

    def select_exception(self, number: int, thread: int | None = None) -> bool:
        """Look at another exception of the chain or group that `exception_info` tells of, by its number.

        From then on the stack is that of the exception, and `$exc` is that one; 1 goes back. False: it was
        never raised, so there is no stack of its own.
        """
        return self._loop.run(self._twin.select_exception(number, thread))

    def source_text(self, source: Source) -> SourceText:
        """The text of a file of the program."""
        return self._loop.run(self._twin.source_text(source))

    def source_of(self, expression: str, frame: _model.Frame | None = None) -> str:
        """The source of a function, class or module of the program. Raises `ClientError`: it has none."""
        return self._loop.run(self._twin.source_of(expression, frame))

    def functions(self, pattern: str) -> list[Function]:
        """The functions of the program's own files whose dotted name a regular expression finds.

        Args:
            pattern: `"^handle_"`, or with a file before it: `"app.py:^handle_"`.
        """
        return self._loop.run(self._twin.functions(pattern))

    def map_folder(self, theirs: str, ours: str | None) -> None:
        """Say in which folder here the files of one of the program's are; None: forget that.

        Files are found by their names anyway: this is for where that is not enough.
        """
        return self._loop.run(self._twin.map_folder(theirs, ours))

    def loaded_sources(self) -> list[Source]:
        """The files that the program has loaded."""
        return self._loop.run(self._twin.loaded_sources())

    def modules(self) -> list[dict[str, Any]]:
        """The modules that the program has loaded, as DAP tells of them: `name`, `path`, `version` …"""
        return self._loop.run(self._twin.modules())

    def disassembly(self, frame: _model.Frame | None = None) -> tuple[list[dict[str, Any]], int]:
        """DAP's instructions of the function that a frame runs, and the index of the one that it is at."""
        return self._loop.run(self._twin.disassembly(frame))

    def code_of(self, expression: str, frame: _model.Frame | None = None) -> str:
        """The bytecode of any function, class or code of the program, as its `dis` writes it."""
        return self._loop.run(self._twin.code_of(expression, frame))

    def logs(self, level: str | int | None, listener: Callable[[LogRecord], object] | None = None) -> None:
        """Have records of the program's `logging` told, from a level up; None: no more of them.

        They come as "output" events, and `listener` is called with each; it must return at once, and must not
        use the session. Only what the program's own levels let through becomes a record at all.
        """
        return self._loop.run(self._twin.logs(level, listener))

    def take_input(self, *, own: bool = False) -> None:
        """Have the program read only what `send_input` gives it; with `own`, its own standard input again."""
        return self._loop.run(self._twin.take_input(own=own))

    def send_input(self, line: str) -> None:
        """Give the program a line to read, before what its own standard input has for it.

        What it has not read when you detach is taken back: see `unread_input`.
        """
        return self._loop.run(self._twin.send_input(line))

    def unread_input(self) -> int:
        """How many of the lines of `send_input` the program has not read yet."""
        return self._loop.run(self._twin.unread_input())

    def request(
        self, command: str, arguments: dict[str, Any] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Any request of the Debug Adapter Protocol, as it is."""
        return self._loop.run(self._twin.request(command, arguments, timeout))

    def snapshot(self, path: str) -> None:
        """Write all stacks, what is in them, and the source to a file; `attach(path)` opens it later.

        Raises:
            ClientError: the file cannot be written.
        """
        return self._loop.run(self._twin.snapshot(path))

    def listen(self, listener: Callable[[str, dict[str, Any]], None], *events: str) -> Callable[[], None]:
        """Call `listener(event, body)` for every event, or for those named: "output", "stopped", "exited" …

        It must return at once, and must not use the session. Returns what ends it.
        """
        return self._loop.call(self._twin.listen, listener, *events)

    def terminate(self, *, force: bool = False) -> None:
        """End the program: softly, as Ctrl-C would, or with `force` at once."""
        return self._loop.run(self._twin.terminate(force=force))

    def detach(self, *, keep_stopped: bool = False) -> None:
        """Leave the program running. Safe to call twice.

        With `keep_stopped` what stands still goes on standing, for whoever attaches next.
        """
        if self._loop.running:
            try:
                self._loop.run(self._twin.detach(keep_stopped=keep_stopped))
            finally:
                self._loop.leave(self)


class Sessions:
    """Several programs that are debugged together. Leaving the `with` block detaches from all of them.

    What is set here is in every process, present and to come. A stop is one process's; the others run on.
    """

    def __init__(self, twin: aio.Sessions, loop: LoopThread) -> None:
        self._twin = twin
        self._loop = loop
        self._own: dict[int, Session] = {}
        loop.enter(self)

    def _session(self, twin: aio.Session) -> Session:
        if id(twin) not in self._own:
            self._own[id(twin)] = Session(twin, self._loop)
        session: Session = self._own[id(twin)]
        return session

    def __enter__(self) -> Sessions:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.detach()

    def __repr__(self) -> str:
        return repr(self._twin)

    def __iter__(self) -> Iterator[Session]:
        return iter([self._session(each) for each in self._loop.call(list, self._twin)])

    def __len__(self) -> int:
        return len(self._twin)

    def __getitem__(self, index: int) -> Session:
        return list(self)[index]

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """What was set for all. What a process made of it is in its session's `breakpoints`."""
        return self._twin.breakpoints

    def break_at(
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
        return self._loop.run(
            self._twin.break_at(
                place,
                line,
                at=at,
                column=column,
                condition=condition,
                hit_condition=hit_condition,
                log_message=log_message,
                temporary=temporary,
                thread=thread,
                task=task,
                after=after,
                enabled=enabled,
                name=name,
            )
        )

    def clear(self, numbers: Iterable[int] | None = None) -> None:
        """Remove what was set for all, by its numbers or all of it."""
        return self._loop.run(self._twin.clear(numbers))

    def break_on_exceptions(self, filters: Sequence[ExceptionFilter]) -> None:
        """Stop every process at exceptions; an empty sequence for never."""
        return self._loop.run(self._twin.break_on_exceptions(filters))

    def stops(self, timeout: float | None = None) -> Iterator[tuple[Session, Stop]]:
        """The stops of all processes as they come, each once, with the session of the one that stands still.

        It stands until `Session.go`, or `go` here. The iteration ends when the last process has gone and none
        is to come.

        Raises:
            TimeoutError: there was none for `timeout` seconds.
        """
        while (found := self.next_stop(timeout)) is not None:
            yield found

    def next_stop(self, timeout: float | None = None) -> tuple[Session, Stop] | None:
        """The next of `stops`; None at its end."""
        found = self._loop.run(self._twin.next_stop(timeout))
        if found is None:
            return None
        stop: Stop = _own(found[1], self._loop)
        return self._session(found[0]), stop

    def wait_for_stop(self, timeout: float | None = None) -> tuple[Session, Stop] | None:
        """Wait until one of the programs stands still, at once if one does; None: all of them have ended.

        The others run on. `Session.go` lets the one that stopped run, too.
        """
        found = self._loop.run(self._twin.wait_for_stop(timeout))
        if found is None:
            return None
        stop: Stop = _own(found[1], self._loop)
        return self._session(found[0]), stop

    def go(self) -> None:
        """Let all that stand still run, and do not wait for what comes of it."""
        return self._loop.run(self._twin.go())

    def listen(
        self, listener: Callable[[Session, str, dict[str, Any]], None], *events: str
    ) -> Callable[[], None]:
        """Call `listener(session, event, body)` for every event of every process, or for those named.

        Beside DAP's there are "remora/joined" and "remora/left". It must return at once, and must not use the
        session. Returns what ends it.
        """

        def tell(twin: aio.Session, event: str, body: dict[str, Any]) -> None:
            listener(self._session(twin), event, body)

        return self._loop.call(self._twin.listen, tell, *events)

    def detach(self) -> None:
        """Leave all of them running. Safe to call twice."""
        if self._loop.running:
            try:
                self._loop.run(self._twin.detach())
            finally:
                for each in self._own.values():
                    self._loop.leave(each)
                self._loop.leave(self)
