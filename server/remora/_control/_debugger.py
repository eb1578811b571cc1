"""The debugger of this process: what a client may ask of it.

Every method is called on the server's thread and returns at once, but for `break_here` and `post_mortem`,
which the program calls. What happens on the program's threads is in `_reports`.

It is this long because it is the whole of what can be asked for, each in a few lines.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from remora._control._calls import Call
from remora._control._lost_steps import LostSteps
from remora._control._pausing import Pausing
from remora._control._reports import Reports
from remora._control._signalling import send_signal
from remora._control._stacks import Stacks
from remora._control._telling import Telling
from remora._control._threads import ThreadInfo, ThreadRecord, Threads
from remora._control._world import World
from remora._engine import Engine, choose
from remora._engine._lines import lines_of
from remora._inspection._disassembly import Addresses
from remora._inspection._tasks import TaskNumbers
from remora._interpreter import _frames
from remora._interpreter._frames import Frame
from remora._interpreter._originals import get_ident
from remora._owner._spared import spared
from remora._source._filters import Filters
from remora._source._placement import code_lines
from remora._stopping import _exceptions
from remora._stopping._binding import LineTable
from remora._stopping._breakpoints import Breakpoint, ExceptionFilter, FunctionBreakpoint, SourceBreakpoint
from remora._stopping._conditions import BadExpression
from remora._stopping._functions import FunctionTable
from remora._stopping._stepping import Plan, ReturnValue
from remora._stopping._stops import ShownError, Stop
from remora._stopping._targets import Target, calls_at
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType, FrameType

    from remora._control._telling import Publish
    from remora._source._sources import Sources

    T = TypeVar("T")
    Done = Callable[[Any, "BaseException | None"], None]
    Post = Callable[[Callable[[], None]], None]
    Later = Callable[[float, Callable[[], None]], Callable[[], None]]
    StepKind = Literal["in", "over", "out", "return", "until"]

__all__ = [
    "Breakpoint",
    "Debugger",
    "ExceptionFilter",
    "Frame",
    "FunctionBreakpoint",
    "SourceBreakpoint",
    "Stop",
    "ThreadInfo",
]

_FILTERS = ("raised", "uncaught", "userUnhandled")
_UNTIL_REMOVED = 0.05
_SPARED = "{} is left alone, as the program wants it (remora.trace_this_thread)."


class Debugger:
    """One per process.

    Args:
        sources: which files there are.
        post: runs a function on the server's thread; from any thread, never blocks.
        later: runs one there after some seconds, unless what it returns is called before.
        engine: for tests; by default the best one for this Python.

    Attributes:
        engine_name: monitoring, inserted or settrace.
        limits: what this Python cannot do, as sentences.
        own_threads: idents of threads that are never stopped: ours, which are not listed either, and those
            that the program wants left alone.
        addresses: of the instructions that clients were shown.
        task_numbers: by which clients know tasks.
        filters: whose code is whose; `filters.just_my_code` may be set at any time.
        frames_gone: called when the frames that were shown of this thread, or of all (None), are gone.
    """

    def __init__(self, sources: Sources, post: Post, later: Later, engine: Engine | None = None) -> None:
        self.own_threads: set[int] = set()
        spared.never_stopped = self.own_threads
        self.filters = Filters()
        self.addresses = Addresses()
        self.task_numbers = TaskNumbers()
        self._sources = sources
        self._post = post
        self._later = later
        self._engine: Engine = choose() if engine is None else engine
        self.engine_name = self._engine.name
        self.limits = self._engine.limits
        self._numbers = itertools.count(1)
        self._exits: _exceptions.ExitMatcher | None = None
        self._telling = Telling(sources)
        self._lines = LineTable(sources, self._next_number, self._is_user)
        self._functions = FunctionTable(self._next_number, self._engine, self._is_user, sources.line_of_def)
        self._reports = Reports(
            engine=self._engine,
            filters=self.filters,
            lines=self._lines,
            functions=self._functions,
            telling=self._telling,
            own_threads=self.own_threads,
            removed=lambda: self._post(self._return_soon),
        )
        self.frames_gone: Callable[[int | None], None] = lambda _thread_id: None
        self._stacks = Stacks(self.filters, self._tell_gone)
        self._make_world()

    def _next_number(self) -> int:
        return next(self._numbers)

    def _is_user(self, path: str) -> bool:
        return self.filters.rule(path) is None

    def _tell_gone(self, thread_id: int | None) -> None:
        self.frames_gone(thread_id)

    def _make_world(self) -> None:
        self._threads = Threads(self.own_threads, spared.idents)
        self._world = World(self._engine, self._threads, self._announce, self._lose_stop)
        self._reports.world = self._world
        self._pausing = Pausing(
            self._world,
            self._threads,
            self._stacks,
            later=self._later,
            tell=self._tell_stopped,
            catch=self._catch,
        )
        self._lost_steps = LostSteps(self._reports, self._later)

    # -- attaching

    def attach(self, publish: Publish) -> None:
        """Begin to debug; `publish(event, body)` is called on any thread and must not block."""
        if self._telling.publish is None:
            spared.forget_ended()
            self.own_threads |= spared.idents
            self._engine.attach(self._reports)
            self._world.open()
        self._telling.publish = publish

    def detach(self) -> None:
        """End it: every thread runs, and nothing of ours is left in the program. Idempotent."""
        if self._telling.publish is None:
            return
        self._telling.publish = None
        self._pausing.stop_waiting()
        self._lost_steps.stop_looking()
        with self._world.lock:
            self._clear()
            self._engine.detach()
        self._world.close()

    def after_fork_in_child(self) -> None:
        """This process is a copy with one thread. It is not debugged until somebody attaches here."""
        self._telling.publish = None
        self.own_threads.clear()
        self._make_world()
        self._clear()
        self._engine.after_fork_in_child()

    def _clear(self) -> None:
        self._lines.clear()
        self._functions.clear()
        self._exits = None
        self._reports.forget()
        self._reports.hooks.remove()
        self._stacks.forget()
        self.addresses.clear()

    # -- breakpoints

    def set_breakpoints(
        self, path: str, specs: Sequence[SourceBreakpoint], *, sha256: str | None = None
    ) -> list[Breakpoint]:
        """Replace the breakpoints of one file, named as the client names it."""
        with self._world.lock:
            found = self._lines.set(path, specs, sha256)
            self._reports.watch_lines()
        return found

    def set_function_breakpoints(self, specs: Sequence[FunctionBreakpoint]) -> list[Breakpoint]:
        """Replace the breakpoints on functions."""
        with self._world.lock:
            found = self._functions.set(specs)
            self._reports.watch_functions()
        return found

    def set_exception_filters(self, filters: Sequence[ExceptionFilter]) -> list[Breakpoint]:
        """Replace the exception breakpoints. The answer is in the same order."""
        errors: dict[str, _exceptions.Matches] = {}
        found = [self._make_filter(each, errors) for each in filters]
        self._watch_errors(errors, self._exits)
        return found

    def stop_at_exits(self, exits: _exceptions.ExitMatcher | None) -> None:
        """Stop, too, where one of these is about to end the program. Takes all exception breakpoints away."""
        self._watch_errors({}, exits)

    def _watch_errors(
        self, errors: dict[str, _exceptions.Matches], exits: _exceptions.ExitMatcher | None
    ) -> None:
        self._exits = exits
        if exits is not None:
            unhandled = errors.get("userUnhandled")
            errors["userUnhandled"] = exits if unhandled is None else _exceptions.AnyOf(unhandled, exits)
        with self._world.lock:
            self._reports.errors = errors
            self._reports.watch_errors()

    def _make_filter(self, spec: ExceptionFilter, errors: dict[str, _exceptions.Matches]) -> Breakpoint:
        number = self._next_number()
        if spec.filter not in _FILTERS:
            message = f"There is no filter {spec.filter!r}, only {', '.join(_FILTERS)}."
            return Breakpoint(number, False, message=message, reason="failed")
        try:
            errors[spec.filter] = _exceptions.ErrorMatcher(spec.condition)
        except BadExpression as error:
            return Breakpoint(number, False, message=f"Not set: {error}", reason="failed")
        return Breakpoint(number, True)

    # -- looking

    @property
    def stops_all(self) -> bool:
        """Whether a stop holds all threads, or only the one that makes it; may be set at any time."""
        return self._world.stops_all

    @stops_all.setter
    def stops_all(self, wanted: bool) -> None:
        self._world.stops_all = wanted

    def all_are_stopped(self) -> bool:
        """Whether all threads are stopped because of one of them."""
        return self._world.leader is not None

    def threads(self) -> list[ThreadInfo]:
        """Every thread of the program, main first."""
        spared.forget_ended()
        infos = self._threads.list(self.all_are_stopped())
        for ident in self._reports.plans.keys() - {info.ident for info in infos}:
            self._reports.end(ident)  # the thread ended in the middle of a step
        return infos

    def stop_info(self, thread_id: int) -> Stop | None:
        """Why this thread is held; None when it is not."""
        record = self._threads.numbered(thread_id)
        if record is None:
            return None
        return record.stop or record.native_stop

    def look_at(self, thread_id: int, chosen: ShownError | None) -> None:
        """Show the stack of an exception that belongs to the one a thread is held for; None: as it was."""
        record, stop = self._held(thread_id)
        record.stop = replace(stop, shown_error=chosen)
        self._stacks.forget(thread_id)

    def held(self) -> list[tuple[int, Stop]]:
        """The threads that are held, each with why."""
        stops = [(thread.id, self.stop_info(thread.id)) for thread in self.threads()]
        return [(number, stop) for number, stop in stops if stop is not None]

    def require_changeable_value(self, thread_id: int) -> ReturnValue:
        """What a held thread is about to return, if the caller can be given something else. On any thread."""
        stop = self.stop_info(thread_id)
        returned = None if stop is None else stop.returned
        if stop is None or returned is None or not (stop.is_returning or stop.is_yielding):
            text = "The function does not return here: break -r NAME stops where it does."
        elif returned.can_change:
            return returned
        elif self._engine.replaces_values:
            text = (
                "Only a call that began after break -r NAME was set, and stopped there, can be given another."
            )
        else:
            text = "This Python lets nobody change what a function returns; CPython 3.9 to 3.11 does."
        raise RequestFailed("not-supported", text)

    def frames(self, thread_id: int) -> list[Frame]:
        """The stack, newest first. Of a held thread the same frames until it goes on; else how it is now."""
        return self._stacks.of(self._record(thread_id))

    def task_frames(self, ident: int, chain: Sequence[tuple[FrameType, int]]) -> list[Frame]:
        """The frames of a task, newest first. To be looked into only while the thread of its loop is held."""
        return self._stacks.of_task(self._threads.of(ident), chain)

    def frame(self, frame_id: int) -> Frame:
        """A frame that `frames` or `task_frames` gave out and that has not moved on since."""
        return self._stacks.frame(frame_id)

    def place_of(self, frame: Frame) -> tuple[CodeType, int]:
        """The code that a frame runs, as the program made it, and the offset of its instruction there."""
        return self._engine.original(frame.code), self._engine.place_of(frame.frame)

    def _record(self, thread_id: int) -> ThreadRecord:
        record = self._threads.numbered(thread_id)
        if record is None:
            self._threads.list(False)  # it may not have been of interest yet
            record = self._threads.numbered(thread_id)
        if record is None:
            raise RequestFailed("not-found", f"There is no thread {thread_id}.")
        return record

    def _held(self, thread_id: int) -> tuple[ThreadRecord, Stop]:
        record = self._record(thread_id)
        stop = record.stop
        if stop is None:
            raise self.not_stopped(thread_id)
        return record, stop

    def not_stopped(self, thread_id: int) -> RequestFailed:
        """The refusal of what needs this thread held, which it is not; with the reason where others are."""
        record = self._threads.numbered(thread_id)
        why = ""
        if record is not None and record.ident in spared.idents:
            why = " " + _SPARED.format("It")
        elif self._world.leader is not None or (record is not None and record.native_stop is not None):
            why = " It is inside native code, and stops when that returns."
        return RequestFailed("not-stopped", f"Thread {thread_id} is not stopped.{why}")

    # -- running

    def resume(self, thread_id: int | None) -> None:
        """Let this thread go on alone, or all."""
        if thread_id is not None:
            if self.stop_info(thread_id) is None:
                self._held(thread_id)  # says that it is not
            self._stacks.forget(thread_id)
            self._world.let_go_alone(self._record(thread_id))
        elif self._world.leader is None and not any(
            each.stop or each.native_stop for each in self._threads.all()
        ):
            raise RequestFailed("not-stopped", "The program is running.")
        else:
            self._stacks.forget()
            self._world.let_all_go()

    def whom_to_pause(self, thread_id: int) -> int | None:
        """Which thread to give to `pause` when a client wants this one stopped; None: whichever comes first.

        Raises:
            RequestFailed: "not-supported": the program wants it, or each of them, left alone.
        """
        known = {info.id: info.state for info in self.threads()}
        if known.get(thread_id, "untraced") != "untraced":
            return thread_id
        if thread_id in known and not self.stops_all:
            raise RequestFailed("not-supported", _SPARED.format("This thread"))
        if all(state == "untraced" for state in known.values()):
            raise RequestFailed("not-supported", _SPARED.format("Every thread"))
        return None

    def pause(self, thread_id: int | None) -> None:
        """Stop the program at the next line of this thread, or of whichever comes first.

        Where each thread stops for itself, only this one is stopped.
        """
        record = None if thread_id is None else self._record(thread_id)
        self.threads()  # so that those that have ended are forgotten
        self._pausing.pause(record)

    def step(
        self,
        thread_id: int,
        kind: StepKind,
        *,
        line: int | None = None,
        single_thread: bool = False,
        target: int | None = None,
        by_instruction: bool = False,
        everywhere: bool = False,
    ) -> None:
        """Let this thread go on as far as `kind` says, and with it all others unless `single_thread`.

        Args:
            thread_id: whose step it is; it has to be held.
            kind: how far.
            line: for "until", the line to reach.
            single_thread: the others stay held.
            target: for "in", which call to enter: the start of one of `step_targets`.
            by_instruction: stop at the next instruction rather than line.
            everywhere: the filters do not count.
        """
        record, stop = self._held(thread_id)
        frame = _frame_to_run_on(stop)
        if kind == "until" and line is None:
            line = (stop.line or _frames.line_of(frame)) + 1
        ends_here = kind in ("in", "over") or (line is not None and _frames.line_of(frame) >= line)
        if stop.is_before_line and ends_here and not by_instruction and target is None:
            self._show_anew(record, Stop(frame, "step"))  # it is there already
            return
        plan = Plan(
            kind,
            frame,
            self.filters.is_not_own if everywhere else self.filters.is_user,
            line,
            place_of=self._engine.place_of if by_instruction else None,
            is_wanted_call=None if target is None else self._is_in_call(record, target),
        )
        if (stop.is_returning or stop.is_yielding) and stop.returned is not None:
            plan.leave(stop.returned.value, by_yield=stop.is_yielding)
        record.was_stepped = True
        self._reports.begin(record.ident, plan)
        self._lost_steps.look_later()
        self._stacks.forget(thread_id if single_thread else None)
        if single_thread:
            self._world.let_go_alone(record)
        else:
            self._world.let_all_go()

    def step_targets(self, frame: Frame) -> list[Target]:
        """The calls that a step in from this frame can be told to enter."""
        text = self._sources.text(frame.filename)
        if text is None:
            return []
        after = self._engine.place_of(frame.frame)
        try:
            return calls_at(text, self._engine.original(frame.code), frame.line, after)
        except (SyntaxError, ValueError):
            return []

    def _is_in_call(self, record: ThreadRecord, target: int) -> Callable[[FrameType], bool]:
        targets = self.step_targets(self._stacks.of(record)[0])
        offsets = next((each.offsets for each in targets if each.offsets.start == target), None)
        if offsets is None:
            raise RequestFailed("not-found", "There is no such call on the line that the thread is at.")
        return lambda at: self._engine.place_of(at) in offsets

    def goto_lines(self, frame: Frame, line: int) -> list[int]:
        """Where a jump to this line would go: to one line of the same function, or nowhere."""
        placed = line
        if self._sources.lines(frame.filename) is not None:
            found = self._sources.place(frame.filename, line)
            if found is None:
                return []
            placed = found
        return [placed] if placed in lines_of(frame.frame.f_code) else []

    def restart(self, frame: Frame, done: Done | None = None) -> None:
        """Have a held thread go on at the first line of its newest call. Its variables stay as they are.

        `done` as for `goto`; the `stopped` event has the reason restart.
        """
        _, stop = self._held(frame.thread_id)
        if _frame_to_run_on(stop) is not frame.frame:
            raise RequestFailed("failed", "Only the newest call can run again: those below it wait for it.")
        if _frames.is_generator(frame.frame):
            raise RequestFailed("failed", "A generator or coroutine cannot run again: it may have yielded.")
        starts = code_lines(self._engine.original(frame.code))
        if not starts:
            raise RequestFailed("failed", "This call has no line to begin at.")
        self.goto(frame.thread_id, starts[0][1], done, Stop(frame.frame, "restart", "runs again"))

    def goto(
        self, thread_id: int, line: int, done: Done | None = None, stop_then: Stop | None = None
    ) -> None:
        """Have the held thread go on at another line of its newest frame.

        `done` hears RequestFailed with the interpreter's reason when it cannot; else a `stopped` event with
        reason goto follows, or `stop_then`.
        """
        record, stop = self._held(thread_id)
        frame = _frame_to_run_on(stop)

        def jumped(result: Any, error: BaseException | None) -> None:
            if isinstance(error, ValueError):
                error = RequestFailed("failed", _why_no_jump(str(error)))
            if done is not None:
                done(result, error)
            if error is None and record.stop is stop:
                self._show_anew(record, stop_then or Stop(frame, "goto", "jumped"))

        record.post(Call(record, lambda: _frames.jump(frame, line), jumped, self._post, self.own_threads))

    def _show_anew(self, record: ThreadRecord, stop: Stop) -> None:
        """The thread stays held, and is elsewhere now."""
        record.stop = stop
        self._stacks.forget(record.id)
        self._tell_stopped(record, stop, stop.frame)

    def _tell_stopped(self, record: ThreadRecord, stop: Stop, frame: FrameType | None) -> None:
        self._telling.stopped(record.id, stop, frame, all_threads=self.all_are_stopped())

    def call_on(
        self,
        thread_id: int,
        function: Callable[[], T],
        done: Callable[[T | None, BaseException | None], None],
        *,
        timeout: float | None = None,
        is_nested: bool = False,
    ) -> Call:
        """Have the held thread run `function`; `done` is called on the server's thread.

        With `is_nested` breakpoints in it stop the thread, as if the program had called it.
        """
        record, _ = self._held(thread_id)
        timers: list[Callable[[], None]] = []

        def answered(result: Any, error: BaseException | None) -> None:
            for cancel in timers:
                cancel()
            done(result, error)

        run = (lambda: self._world.run_nested(function)) if is_nested else function
        call = Call(record, run, answered, self._post, self.own_threads, is_nested=is_nested)
        if timeout is not None:
            timers.append(self._later(timeout, call.cancel))
        record.post(call)
        return call

    def let_others_help(self, thread_id: int) -> bool:
        """Let other held threads run for this one's sake, but not the one that leads. False: none can."""
        helping = self._world.let_help(self._record(thread_id))
        for record in helping:
            self._stacks.forget(record.id)
        return bool(helping)

    def stop_help(self) -> None:
        """Hold the threads that help where they next come by."""
        self._world.stop_help()

    def send_signal(self, number: int) -> None:
        """Send the program a signal, now or as soon as its main thread has left us."""
        send_signal(number, self._later)

    # -- called by the program

    def break_here(self, frame: FrameType) -> None:
        """`breakpoint()` was called in this frame: stop at its next line. Nothing when nobody is attached."""
        if self._telling.publish is not None and get_ident() not in self.own_threads:
            plan = Plan("here", frame, self.filters.is_user)
            plan.reason = "breakpoint"
            self._reports.begin(get_ident(), plan)

    def enter_here(self, frame: FrameType) -> None:
        """The program goes on in this frame, and the client wants it to stop first of all."""
        if self._telling.publish is not None:
            # What runs on the way from us to the program's first line is the library's.
            plan = Plan("begin" if self.filters.is_own(frame) else "here", frame, self.filters.is_yours)
            plan.reason, plan.description = "entry", "stopped on entry"
            self._reports.begin(get_ident(), plan)

    def trace_here(self, wanted: bool) -> None:
        """The calling thread is one of those to leave alone, or is so no more, from now on."""
        with self._world.lock:
            if self._telling.publish is None:
                return
            self._reports.watch_lines()
            if not wanted:
                self._reports.end(get_ident())  # the step that it is in the middle of
                self._engine.leave_thread()

    def post_mortem(self, error: BaseException) -> bool:
        """Stop the calling thread with the stack of this exception. False when nobody is attached.

        Raises:
            ValueError: the exception was never raised.
        """
        stop = _exceptions.stop_after_the_fact(error)
        if self._telling.publish is None or get_ident() in self.own_threads:
            return False
        return self._world.hold(stop, lambda: self._telling.publish is not None)

    def _catch(self, record: ThreadRecord, frame: FrameType) -> None:
        self._reports.begin(record.ident, Plan("until", frame, self.filters.is_not_own, 0))

    def _return_soon(self) -> None:
        """What an interrupted thread raises goes through us first, and takes us out of the thread."""
        self._later(_UNTIL_REMOVED, self._return_to_threads)

    def _return_to_threads(self) -> None:
        with self._world.lock:
            if self._telling.publish is not None:
                self._engine.return_to_threads()

    # -- called by the world, on the thread that makes or loses a stop

    def _announce(self, record: ThreadRecord, stop: Stop) -> None:
        if self._world.leader is not None:
            self._reports.plans.clear()
        else:
            self._reports.plans.pop(record.ident, None)
        self._post(lambda: self._stacks.forget_left([record]))
        self._tell_stopped(record, stop, stop.frame)

    def _lose_stop(self, was_alone: bool) -> None:
        record = self._threads.of(get_ident())
        self._telling.continued(record.id, all_threads=not was_alone)
        self._post(lambda: self._stacks.forget_left([record] if was_alone else self._threads.all()))


def _why_no_jump(reason: str) -> str:
    if "trace event" not in reason:
        return reason
    return (
        "Nothing can jump from the middle of a line, where a call has just returned: next leads on to a line."
    )


def _frame_to_run_on(stop: Stop) -> FrameType:
    if stop.frame is None or stop.traceback_frames:
        raise RequestFailed("not-stopped", "The thread has already left the frames that are shown.")
    return stop.frame
