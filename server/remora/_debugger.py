"""The debugger of this process: what a client may ask of it, and what the engine reports to it. Both sides touch it.

Every method but `break_here` and those named `on_…` is called on the server's thread and returns at once. Those are called
on the program's threads, by the engine. What is published goes through one callable that never blocks.
"""

from __future__ import annotations

import itertools
import threading
import traceback
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from remora import _exceptions, _frames
from remora._binding import LineTable
from remora._breakpoints import (
    Breakpoint,
    ExceptionFilter,
    FunctionBreakpoint,
    Outcome,
    Point,
    SourceBreakpoint,
)
from remora._calls import Call, after
from remora._conditions import BadExpression
from remora._engine import Engine, Happening, choose
from remora._filters import Filters
from remora._frames import Frame
from remora._functions import FunctionTable
from remora._originals import get_ident
from remora._stepping import Plan, Verdict
from remora._stops import Stop
from remora._threads import ThreadInfo, ThreadRecord, Threads
from remora._world import World
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType, TracebackType

    from remora._engine._base import Report
    from remora._sources import Sources

    T = TypeVar("T")
    Publish = Callable[[str, dict[str, Any]], None]
    Post = Callable[[Callable[[], None]], None]
    StepKind = Literal["in", "over", "out", "return", "until"]

__all__ = ["Debugger"]

PAUSE_PATIENCE = 0.1
"""Seconds until a thread that does not come by counts as being inside C."""


class Debugger:
    """One per process.

    Args:
        sources: which files there are.
        post: runs a function on the server's thread; from any thread, never blocks.

    Attributes:
        engine_name: monitoring, inserted or settrace.
        limits: what this Python cannot do, as sentences.
        own_threads: idents of threads that are never stopped or listed.
        filters: whose code is whose.
    """

    def __init__(self, sources: Sources, post: Post, engine: Engine | None = None) -> None:
        self._sources = sources
        self._post = post
        self._engine: Engine = choose() if engine is None else engine
        self.engine_name = self._engine.name
        self.limits = self._engine.limits
        self.own_threads: set[int] = set()
        self.filters = Filters()
        self._publish: Publish | None = None
        self._threads = Threads(self.own_threads)
        self._world = World(self._engine, self._threads, self._announce, self._lose_stop)
        self._plans: dict[int, Plan] = {}
        self._numbers = itertools.count(1)
        self._lines = LineTable(sources, lambda: next(self._numbers))
        self._functions = FunctionTable(lambda: next(self._numbers))
        self._errors: dict[str, _exceptions.ErrorMatcher] = {}
        self._told_error: dict[int, int] = {}
        self._hooks = _exceptions.UncaughtHooks(self._on_uncaught)
        self._frame_numbers = itertools.count(1)
        self._frames: dict[int, Frame] = {}
        self._stacks: dict[int, tuple[Stop, list[Frame]]] = {}
        self._native_stop: Stop | None = None
        self._cancel_pause: Callable[[], None] | None = None

    # -- attaching

    def attach(self, publish: Publish) -> None:
        """Begin to debug; `publish(event, body)` is called on any thread and must not block."""
        if self._publish is None:
            self._engine.attach(self)
            self._world.open()
        self._publish = publish

    def detach(self) -> None:
        """End it: every thread runs, and nothing of ours is left in the program. Idempotent."""
        if self._publish is None:
            return
        self._publish = None
        self._stop_waiting_for_pause()
        with self._world.lock:
            self._lines.clear()
            self._functions.clear()
            self._errors.clear()
            self._plans.clear()
            self._hooks.remove()
            self._engine.detach()
        self._world.close()
        self._forget_frames()

    def after_fork_in_child(self) -> None:
        """This process is a copy with one thread. It is not debugged until somebody attaches here."""
        self.own_threads.clear()
        self._world.after_fork_in_child()
        self._publish = None
        self._lines.clear()
        self._functions.clear()
        self._errors.clear()
        self._plans.clear()
        self._hooks.remove()
        self._engine.after_fork_in_child()
        self._threads = Threads(self.own_threads)
        self._world = World(self._engine, self._threads, self._announce, self._lose_stop)
        self._forget_frames()

    # -- breakpoints

    def set_breakpoints(
        self, path: str, specs: Sequence[SourceBreakpoint], *, sha256: str | None = None
    ) -> list[Breakpoint]:
        """Replace the breakpoints of one file, named as the client names it."""
        with self._world.lock:
            found = self._lines.set(path, specs, sha256)
            self._watch_lines()
        return found

    def set_function_breakpoints(self, specs: Sequence[FunctionBreakpoint]) -> list[Breakpoint]:
        """Replace the breakpoints on functions."""
        with self._world.lock:
            found = self._functions.set(specs)
            self._watch_functions()
        return found

    def set_exception_filters(self, filters: Sequence[ExceptionFilter]) -> list[Breakpoint]:
        """Replace the exception breakpoints. The answer is in the same order."""
        errors: dict[str, _exceptions.ErrorMatcher] = {}
        found = []
        for each in filters:
            number = next(self._numbers)
            if each.filter not in ("raised", "uncaught", "userUnhandled"):
                found.append(Breakpoint(number, False, message=f"No filter {each.filter!r}.", reason="failed"))
                continue
            try:
                errors[each.filter] = _exceptions.ErrorMatcher(each.condition)
            except BadExpression as error:
                found.append(Breakpoint(number, False, message=f"Not set: {error}", reason="failed"))
            else:
                found.append(Breakpoint(number, True))
        with self._world.lock:
            self._errors = errors
            self._watch_errors()
        return found

    def _watch_lines(self) -> None:
        table: dict[str, dict[int, list[Point]]] = {}
        for filename, line, point in self._lines.points():
            table.setdefault(filename, {}).setdefault(line, []).append(point)
        self._engine.watch_lines(
            {
                filename: {line: self._line_report(points) for line, points in lines.items()}
                for filename, lines in table.items()
            }
        )
        self._engine.watch_files(self._lines.wants_files())

    def _watch_functions(self) -> None:
        self._engine.watch_entries(
            [(code, self._entry_report(points)) for code, points in self._functions.entries()]
        )
        self._engine.watch_new_code(self._functions.wants_code())

    def _watch_errors(self) -> None:
        if "uncaught" in self._errors:
            self._hooks.install()
        else:
            self._hooks.remove()
        self._engine.watch_exceptions(
            self._on_raised if "raised" in self._errors else None,
            self._on_unwound if "userUnhandled" in self._errors else None,
        )

    # -- looking

    def threads(self) -> list[ThreadInfo]:
        """Every thread of the program, main first."""
        infos = self._threads.list(self._world.leader is not None)
        with self._world.lock:
            for ident in self._plans.keys() - {info.ident for info in infos}:
                del self._plans[ident]  # it ended in the middle of a step
                self._engine.follow(ident, None)
        return infos

    def stop_info(self, thread_id: int) -> Stop | None:
        """Why this thread is held; None when it is not."""
        record = self._threads.numbered(thread_id)
        if record is None:
            return None
        return record.stop or (self._native_stop if self._world.leader is record else None)

    def frames(self, thread_id: int) -> list[Frame]:
        """The stack, newest first. Of a held thread the same frames until it goes on; else how it is now."""
        record = self._record(thread_id)
        stop = record.stop
        if stop is None or stop.frame is None:
            return self._make_frames(record, self._running_stack(record))
        known = self._stacks.get(thread_id)
        if known is None or known[0] is not stop:
            known = (stop, self._make_frames(record, self._held_stack(stop)))
            self._stacks[thread_id] = known
        return known[1]

    def frame(self, frame_id: int) -> Frame:
        """A frame that `frames` gave out and that has not moved on since."""
        frame = self._frames.get(frame_id)
        if frame is None:
            raise RequestFailed("not-found", "This frame is gone: its thread has run on.")
        return frame

    def _record(self, thread_id: int) -> ThreadRecord:
        record = self._threads.numbered(thread_id)
        if record is None:
            self._threads.list(False)
            record = self._threads.numbered(thread_id)
        if record is None:
            raise RequestFailed("not-found", f"There is no thread {thread_id}.")
        return record

    def _held_record(self, thread_id: int) -> ThreadRecord:
        record = self._record(thread_id)
        if record.stop is None:
            raise RequestFailed("not-stopped", f"Thread {thread_id} is not stopped.")
        return record

    @staticmethod
    def _held_stack(stop: Stop) -> list[tuple[FrameType, int]]:
        if stop.traceback_frames:
            return list(stop.traceback_frames)
        stack = [(frame, frame.f_lineno) for frame in _frames.walk(stop.frame)]
        if stop.line is not None:
            stack[0] = (stack[0][0], stop.line)
        return stack

    @staticmethod
    def _running_stack(record: ThreadRecord) -> list[tuple[FrameType, int]]:
        newest = _frames.current_frames().get(record.ident)
        return [(frame, frame.f_lineno) for frame in _frames.walk(newest)]

    def _make_frames(self, record: ThreadRecord, stack: list[tuple[FrameType, int]]) -> list[Frame]:
        made = []
        for frame, line in stack:
            if self.filters.is_own(frame):
                continue
            number = next(self._frame_numbers)
            filename = frame.f_code.co_filename
            subtle = not self.filters.is_user(frame)
            name = _frames.qualified_name(frame)
            made.append(Frame(number, record.id, frame, line or frame.f_code.co_firstlineno, filename, name, subtle))
        self._frames.update((frame.id, frame) for frame in made)
        return made

    def _forget_frames(self, thread_id: int | None = None) -> None:
        """Frames live until their thread goes on; so do the objects that they hold."""
        if thread_id is None:
            self._frames.clear()
            self._stacks.clear()
        else:
            self._stacks.pop(thread_id, None)
            self._frames = {key: frame for key, frame in self._frames.items() if frame.thread_id != thread_id}

    # -- running

    def resume(self, thread_id: int | None) -> None:
        """Let this thread go on, or all."""
        if thread_id is None:
            if self._world.leader is None:
                raise RequestFailed("not-stopped", "The program is running.")
            self._forget_frames()
            self._world.let_all_go()
            return
        record = self._held_record(thread_id)
        self._forget_frames(thread_id)
        self._world.let_go_alone(record)

    def pause(self, thread_id: int | None) -> None:
        """Stop the program at the next line of this thread, or of whichever comes first."""
        if self._world.leader is not None:
            return
        record = None if thread_id is None else self._record(thread_id)
        self._stop_waiting_for_pause()
        self._cancel_pause = after(
            PAUSE_PATIENCE, lambda: self._post(lambda: self._pause_in_native_code(record)), self.own_threads
        )
        self._world.pause(None if record is None else record.ident, Stop(None, "pause", "paused"))

    def _pause_in_native_code(self, record: ThreadRecord | None) -> None:
        if self._publish is None:
            return
        if record is None:
            infos = self.threads()
            if not infos:
                return
            record = self._threads.of(infos[0].ident)
        if self._world.pause_in_native_code(record):
            stack = self._make_frames(record, self._running_stack(record))
            where = f" in {stack[0].name}, line {stack[0].line}" if stack else ""
            text = f"The thread is inside native code called{where}. It stops when it returns."
            self._native_stop = Stop(None, "pause", "paused in native code", text)
            self._tell_stop(record, self._native_stop, stack[:1])

    def _stop_waiting_for_pause(self) -> None:
        if self._cancel_pause is not None:
            self._cancel_pause()
            self._cancel_pause = None

    def step(
        self,
        thread_id: int,
        kind: StepKind,
        *,
        line: int | None = None,
        single_thread: bool = False,
        target: Any = None,
    ) -> None:
        """Let this thread go on as far as `kind` says, and with it all others unless `single_thread`."""
        record = self._held_record(thread_id)
        stop = record.stop
        if stop is None or stop.frame is None or stop.traceback_frames:
            raise RequestFailed("not-stopped", "This thread cannot be stepped: it has left the frames shown.")
        plan = Plan(kind, stop.frame, self.filters.is_user, line)
        if stop.is_returning and stop.returned is not None:
            plan.leave(stop.returned.value)
        with self._world.lock:
            self._plans[record.ident] = plan
            record.was_stepped = True
            self._engine.follow(record.ident, plan.watch)
        self._forget_frames(thread_id if single_thread else None)
        if single_thread:
            self._world.let_go_alone(record)
        else:
            self._world.let_all_go()

    def goto(self, thread_id: int, line: int, done: Callable[[Any, BaseException | None], None]) -> None:
        """Have the held thread go on at another line of its newest frame. `done` hears the interpreter's reason
        when it cannot; else a `stopped` event with reason goto follows."""
        record = self._held_record(thread_id)
        stop = record.stop
        assert stop is not None
        frame = stop.frame
        if frame is None or stop.traceback_frames:
            raise RequestFailed("not-stopped", "This thread cannot jump: it has left the frames shown.")

        def jump() -> None:
            import warnings

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # locals that are not assigned yet
                frame.f_lineno = line

        def jumped(result: Any, error: BaseException | None) -> None:
            if isinstance(error, ValueError):
                error = RequestFailed("failed", str(error))
            if error is None and record.stop is stop:
                moved = Stop(frame, "goto", "jumped")
                record.stop = moved
                self._forget_frames(thread_id)
                self._tell_stop(record, moved, self.frames(thread_id)[:1])
            done(result, error)

        record.post(Call(record, jump, jumped, self._post))

    def goto_lines(self, frame: Frame, line: int) -> list[int]:
        """Where a jump to this line would go: nowhere, or to one line of the same function."""
        lines = self._sources.lines(frame.filename)
        placed = line if lines is None else self._sources.place(frame.filename, line)
        from remora._engine._lines import lines_of

        return [placed] if placed is not None and placed in lines_of(frame.frame.f_code) else []

    def call_on(
        self,
        thread_id: int,
        function: Callable[[], T],
        done: Callable[[T | None, BaseException | None], None],
        *,
        timeout: float | None = None,
    ) -> Call:
        """Have the held thread run `function`; `done` is called on the server's thread."""
        record = self._held_record(thread_id)
        if record.stop is None or record.stop.frame is None:
            raise RequestFailed("not-stopped", f"Thread {thread_id} is inside native code.")
        cancel_timer: list[Callable[[], None]] = []

        def answered(result: Any, error: BaseException | None) -> None:
            for cancel in cancel_timer:
                cancel()
            done(result, error)

        call = Call(record, function, answered, self._post)
        if timeout is not None:
            cancel_timer.append(after(timeout, call.cancel, self.own_threads))
        record.post(call)
        return call

    # -- on the program's threads

    def break_here(self, frame: FrameType) -> None:
        """`breakpoint()` was called in this frame: stop at its next line. Nothing when nobody is attached."""
        if self._publish is None or get_ident() in self.own_threads:
            return
        self._begin_plan(get_ident(), Plan("here", frame, self.filters.is_user), "breakpoint")

    def _begin_plan(self, ident: int, plan: Plan, reason: str, numbers: Sequence[int] = ()) -> None:
        plan.reason, plan.breakpoint_ids = reason, numbers
        with self._world.lock:
            self._plans[ident] = plan
            self._engine.follow(ident, plan.watch)

    def on_file(self, filename: str) -> None:
        """The engine: code of a file runs for the first time."""
        with self._world.lock:
            found = self._lines.meet(filename)
            if found:
                self._watch_lines()
        for each in found:
            self._publish_breakpoint(each)

    def on_code(self, frame: FrameType) -> None:
        """The engine: a function runs for the first time, while a function breakpoint waits for one."""
        with self._world.lock:
            found = self._functions.meet(frame)
            if found:
                self._watch_functions()
        for each in found:
            self._publish_breakpoint(each)

    def on_interrupt(self, frame: FrameType) -> bool:
        """The engine: an interrupted thread comes by."""
        if self.filters.is_own(frame):
            return False
        return self._world.hold_with_others(frame)

    def on_step(self, owner: int, happening: Happening, frame: FrameType, value: Any) -> bool:
        """The engine: a followed frame did something."""
        plan = self._plans.get(owner)
        if plan is None or get_ident() in self.own_threads:
            return False
        verdict = plan.decide(happening, frame, value)
        if verdict is Verdict.GO:
            return False
        if verdict is Verdict.STOP:
            in_return = happening is Happening.RETURN
            reason = plan.reason
            stop = Stop(
                frame,
                reason,
                description="returning" if in_return and reason == "step" else plan.description,
                line=plan.at_line,
                breakpoint_ids=plan.breakpoint_ids,
                returned=plan.returned,
                is_returning=in_return,
            )
            return self._world.hold(stop)
        with self._world.lock:
            if self._plans.get(owner) is plan:
                if verdict is Verdict.OVER:
                    del self._plans[owner]
                self._engine.follow(owner, None if verdict is Verdict.OVER else plan.watch)
        return False

    def on_failure(self, error: BaseException) -> None:
        """The engine: something of ours went wrong in the middle of the program."""
        publish = self._publish
        if publish is not None:
            text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            publish("output", {"category": "important", "output": f"Remora failed:\n{text}"})

    def _line_report(self, points: list[Point]) -> Report:
        def report(frame: FrameType) -> bool:
            outcomes = [(point, point.reach(frame, _thread_name)) for point in points]
            return self._act(frame, [(point, outcome) for point, outcome in outcomes if outcome is not None])

        if len(points) > 1 or points[0].condition is None:
            return report
        reach = points[0].reach

        def report_one(frame: FrameType) -> bool:  # the same, for a condition on a hot line
            outcome = reach(frame, _thread_name)
            return outcome is not None and self._act(frame, [(points[0], outcome)])

        return report_one

    def _act(self, frame: FrameType, outcomes: list[tuple[Point, Outcome]]) -> bool:
        for point, outcome in outcomes:
            if outcome.log is not None:
                self._log(frame, point, outcome.log)
        stops = [(point, outcome) for point, outcome in outcomes if outcome.stop]
        if not stops or get_ident() in self.own_threads:
            return False
        for point, _ in stops:
            if point.spec.temporary:
                self._remove(point)
        text = " ".join(outcome.text for _, outcome in stops if outcome.text)
        return self._world.hold(
            Stop(frame, "breakpoint", text=text, breakpoint_ids=[point.id for point, _ in stops])
        )

    def _entry_report(self, points: list[Point]) -> Report:
        def report(frame: FrameType) -> bool:
            outcomes = [(point, point.reach(frame, _thread_name)) for point in points]
            hit = [point for point, outcome in outcomes if outcome is not None and outcome.stop]
            for point, outcome in outcomes:
                if outcome is not None and outcome.log is not None:
                    self._log(frame, point, outcome.log)
            if hit:
                plan = Plan("here", frame, self.filters.is_user)
                self._begin_plan(get_ident(), plan, "function breakpoint", [point.id for point in hit])
            return False

        return report

    def _log(self, frame: FrameType, point: Point, text: str) -> None:
        publish = self._publish
        if publish is not None:
            path = self._sources.display_path(frame.f_code.co_filename)
            body = {"category": "console", "output": f"{text}\n", "line": frame.f_lineno}
            publish("output", {**body, "source": {"name": path.replace("\\", "/").rpartition("/")[2], "path": path}})

    def _remove(self, point: Point) -> None:
        with self._world.lock:
            removed = self._lines.remove(point) or self._functions.remove(point)
            self._watch_lines()
            self._watch_functions()
        if removed is not None and self._publish is not None:
            self._publish("breakpoint", {"reason": "removed", "breakpoint": removed.body()})

    def _on_raised(self, frame: FrameType, error: BaseException, found: TracebackType | None) -> None:
        matcher = self._errors.get("raised")
        if matcher is not None and matcher(frame, error):
            self._hold_error(_exceptions.stop_where_raised(self.filters, frame, error, found))

    def _on_unwound(self, frame: FrameType, error: BaseException, found: TracebackType | None) -> None:
        matcher = self._errors.get("userUnhandled")
        if matcher is not None and matcher(frame, error):
            self._hold_error(_exceptions.stop_where_unwound(self.filters, frame, error))

    def _on_uncaught(self, error: BaseException, found: TracebackType | None) -> None:
        matcher = self._errors.get("uncaught")
        if matcher is not None:
            stop = _exceptions.stop_where_uncaught(error, found)
            if stop is not None and stop.frame is not None and matcher(stop.frame, error):
                self._hold_error(stop)

    def _hold_error(self, stop: Stop | None) -> None:
        """Stop for an exception, once: a filter that it was shown for does not show it to another."""
        if stop is None or get_ident() in self.own_threads:
            return
        if self._told_error.get(get_ident()) == id(stop.error) and stop.break_mode != "always":
            return
        self._told_error[get_ident()] = id(stop.error)
        self._world.hold(stop)

    # -- telling the client

    def _announce(self, record: ThreadRecord, stop: Stop) -> None:
        """A thread has stopped the world: on that thread."""
        self._plans.clear()
        frame = stop.frame
        assert frame is not None
        line = stop.line or frame.f_lineno
        shown = {
            "name": _frames.qualified_name(frame),
            "path": self._sources.display_path(frame.f_code.co_filename),
            "line": line,
        }
        publish = self._publish
        if publish is not None:
            publish("stopped", stop.body(record.id, shown))

    def _tell_stop(self, record: ThreadRecord, stop: Stop, top: list[Frame]) -> None:
        """The same from the server's thread, for a stop that no thread has made."""
        shown = None
        if top:
            shown = {"name": top[0].name, "path": self._sources.display_path(top[0].filename), "line": top[0].line}
        if self._publish is not None:
            self._publish("stopped", stop.body(record.id, shown))

    def _lose_stop(self) -> None:
        """Ctrl-C has taken a thread out of its stop, and the program runs on."""
        publish = self._publish
        if publish is not None:
            publish("continued", {"threadId": 1, "allThreadsContinued": True})
        self._post(self._forget_frames)

    def _publish_breakpoint(self, found: Breakpoint) -> None:
        publish = self._publish
        if publish is not None:
            path = None if found.filename is None else self._sources.display_path(found.filename)
            publish("breakpoint", {"reason": "changed", "breakpoint": found.body(path)})


def _thread_name() -> str:
    known = threading._active.get(get_ident())  # type: ignore[attr-defined]
    return "" if known is None else str(known.name)
