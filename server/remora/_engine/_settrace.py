"""The engine for Pythons without `sys.monitoring`: a tracer on each thread, as long as something is watched.

It imitates the other engine: one global function per thread, and a local one on the frames that are of
interest. Where there is ctypes (CPython) the tracer reaches threads that run already; on PyPy only the main
thread, through a signal, and threads that start later.

The tracing functions run on the program's threads, the rest under the debugger's lock. The tables are
replaced whole.

It is this long because one tracer imitates all that the other engine has separate events for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._engine import _leaving, _lines, _tracing
from remora._engine._base import Happening
from remora._engine._following import Following
from remora._engine._live import running_frames
from remora._engine._raising import can_raise_soon, raise_soon, without_reports
from remora._interpreter import _frames
from remora._interpreter._originals import get_ident

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import CodeType, FrameType
    from typing import TypeVar

    from remora._engine._base import ErrorWatch, ExitReport, Lines, Listener, Report, Watch

    T = TypeVar("T")

__all__ = ["SettraceEngine"]

_LONG = 100
"""So many lines and calls of what is stepped over are traced at most: some tenths of a millisecond."""


class SettraceEngine(Following):
    """Reports by `sys.settrace`."""

    name = "settrace"
    replaces_values = False

    def __init__(self) -> None:
        super().__init__()
        self.limits = [
            "While a breakpoint is set the program runs slower on this Python: every call is looked at."
        ]
        self._on_error = self._report_error  # one object: made anew for each call it would take its time
        self._on_passed = self._count_passed
        self._reach = _tracing.Reach(self._on_call, self._on_event, self._on_error, self._on_passed)
        self.limits += self._reach.limits
        self._lines: dict[str, Mapping[int, Report]] = {}
        self._interesting: dict[int, tuple[CodeType, bool]] = {}
        self._entries: dict[int, tuple[CodeType, Report]] = {}
        self._exits: dict[int, tuple[CodeType, ExitReport]] = {}
        self._seen: dict[str, set[int]] = {}
        self._wants_new_code = self._wants_files = False
        self._raised: ErrorWatch | None = None
        self._unwound: ErrorWatch | None = None
        self._unwanted_errors: set[type] = set()
        self._only_errors = False
        self._patience: dict[int, int] = {}  # thread -> events left until what it steps over is long
        self._unwinding: dict[int, tuple[int, BaseException]] = {}  # thread -> frame it was last seen in

    # -- taking and giving back

    def attach(self, listener: Listener) -> None:
        self._listener = listener
        self._reach.own_threads = listener.own_threads

    def detach(self) -> None:
        self._lines = {}
        self._entries = {}
        self._exits = {}
        self._raised = self._unwound = None
        self._wants_new_code = self._wants_files = self._interrupting = False
        self.follow_nobody()
        self._update()
        for frame in running_frames():
            if frame.f_trace in (self._on_event, self._on_error, self._on_passed):
                self._reach.give_back(frame)
        self._listener = None
        self._interesting = {}
        self._seen.clear()
        self._patience.clear()

    def after_fork_in_child(self) -> None:
        self._reach.after_fork_in_child()
        self.detach()

    # -- what to watch

    def watch_lines(self, lines: Lines) -> None:
        self._lines = {filename: table for filename, table in lines.items() if table}
        self._interesting = {}
        self._update()
        self._reach.return_to_main()

    def watch_entries(self, entries: Sequence[tuple[CodeType, Report]]) -> None:
        self._entries = {id(entry[0]): entry for entry in entries}
        self._update()

    def watch_exits(self, exits: Sequence[tuple[CodeType, ExitReport]]) -> None:
        self._exits = {id(each[0]): each for each in exits}
        self._update()

    def watch_new_code(self, wanted: bool) -> None:
        if wanted and not self._wants_new_code:
            for codes in self._seen.values():
                codes.clear()
        self._wants_new_code = wanted
        self._update()

    def original(self, code: CodeType) -> CodeType:
        return code

    def place_of(self, frame: FrameType) -> int:
        return frame.f_lasti

    def known_functions(self) -> Iterable[tuple[CodeType, str, object]]:
        return ()

    def watch_files(self, wanted: bool) -> None:
        self._wants_files = wanted
        self._update()

    def watch_exceptions(self, raised: ErrorWatch | None, unwound: ErrorWatch | None) -> None:
        self._raised, self._unwound = raised, unwound
        self._unwanted_errors = set()
        self._update()

    # -- what is followed or interrupted

    def follow(self, owner: int, watch: Watch | None) -> None:
        self._patience.pop(owner, None)
        super().follow(owner, watch)

    def _apply_interrupt(self) -> None:
        self._update()

    def _apply_watches(self) -> None:
        self._update()
        for watch in self._watches.values():
            for frame in (*watch.lines.values(), *watch.returns.values()):
                self._take(frame)
            if watch.landing is not None:
                self._take(watch.landing)
                watch.landing.f_trace_opcodes = True

    def leave_thread(self) -> None:
        self._reach.leave_if_here()

    def let_out(self) -> None:
        """A tracing function raises nothing itself: see `_raising`."""

    def return_to_threads(self) -> None:
        self._reach.return_everywhere()
        self._apply_watches()

    # -- which threads and frames to trace

    def _needs_calls(self) -> bool:
        """Whether breakpoints make every call interesting."""
        return bool(self._lines or self._entries or self._exits or self._wants_new_code or self._wants_files)

    def _needed_threads(self) -> set[int]:
        """Threads that are traced even if nothing is wanted of all."""
        return set(self._watches)

    def _has_watched_lines(self, frame: FrameType) -> bool:
        return frame.f_code.co_filename in self._lines and self._has_lines(frame.f_code)

    def _wants_errors(self) -> bool:
        return self._raised is not None or self._unwound is not None

    def _is_needed_everywhere(self) -> bool:
        return self._needs_calls() or self._interrupting or self._wants_errors()

    def _update(self) -> None:
        """Have the tracer where it is needed now, and nowhere else."""
        everywhere = self._is_needed_everywhere()
        self._only_errors = self._wants_errors() and not (
            self._needs_calls() or self._interrupting or self._needed_threads()
        )
        self._reach.trace(everywhere, self._needed_threads())
        if everywhere:
            for ident, newest in _frames.current_frames().items():
                if self._listener is not None and ident not in self._listener.own_threads:
                    for frame in _frames.walk(newest):
                        self._take(frame)

    def _take(self, frame: FrameType) -> None:
        """Hear of what is wanted of a frame that runs already."""
        local = self._local_for(frame)
        if local is not None:
            self._reach.take(frame, local)

    def _local_for(self, frame: FrameType) -> Any:
        """The tracing function for what happens inside this frame, if anything there is to be reported.

        Where only exceptions matter, the frame is spared the events of its lines.
        """
        key = id(frame)
        if (
            self._interrupting
            or key in self._line_frames
            or key in self._return_frames
            or key in self._landings
            or self._has_watched_lines(frame)
            or self._exit_of(frame) is not None
        ):
            frame.f_trace_lines = True
            return self._on_event
        if not self._wants_errors():
            return None
        if self._unwound is not None and _frames.is_generator(frame):
            frame.f_trace_lines = True  # or else nobody could tell its `yield` from its end by an exception
            return self._on_event
        frame.f_trace_lines = self._reach.is_shared
        return self._on_error

    def _exit_of(self, frame: FrameType) -> ExitReport | None:
        """Whom to tell of what this frame returns or yields."""
        watched = self._exits.get(id(frame.f_code))
        return None if watched is None else watched[1]

    def _has_lines(self, code: CodeType) -> bool:
        # By identity: hashing a code object costs as much as it is long.
        interesting = self._interesting  # first: what is found by an old table goes with it
        known = interesting.get(id(code))
        if known is None:
            watched = self._lines.get(code.co_filename, {})
            known = (code, any(line in watched for line in _lines.lines_of(code)))
            interesting[id(code)] = known
        return known[1]

    # -- on the program's threads

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> Any:
        """The global tracing function: a frame starts or is resumed."""
        try:
            if not self._reach.foreign:
                return self._hear_call(frame)
            self._reach.pass_on(frame, event, argument)
            local = self._hear_call(frame)
            frame.f_trace_lines = True
            return self._reach.passing if local is None else local
        except BaseException as error:
            self._tell_removed()
            if can_raise_soon(frame, event):
                return raise_soon(frame, event, error)
            raise without_reports(error)  # noqa: B904  It is the same exception, without its traceback.

    def _tell_removed(self) -> None:
        """The program gets what a signal's handler has raised in us; the interpreter takes us out for it."""
        if self._listener is not None:
            self._listener.on_removed()

    def _hear_call(self, frame: FrameType) -> Any:
        """Report it, and give the tracing function for what follows in the frame."""
        if self._only_errors and not (self._unwound is not None and _frames.is_generator(frame)):
            # As few steps as can be, since this is every call that the program makes.
            frame.f_trace_lines = False
            if self._only_errors:  # still: another thread may be taking the frames that it finds
                return self._on_error
        listener = self._listener
        ident = get_ident()
        if listener is None or not self._reach.is_needed_here(ident):
            self._reach.leave()
            return None
        if self._is_ours(frame):
            return None
        try:
            self._report_start(frame, listener)
            local = self._local_for(frame)
            return self._pass_over(frame) if local is None else local
        except RecursionError:
            return None  # see `Engine`
        except Exception as error:
            listener.on_failure(error)
            return None

    def _is_ours(self, frame: FrameType) -> bool:
        """Whether this thread is in the middle of a report, of which nothing is to be reported."""
        return False  # in a tracing function nothing is traced

    def _pass_over(self, frame: FrameType) -> Any:
        """Give the tracing function for a call, if it is stepped over or is made in one that is."""
        caller = frame.f_back
        if caller is not None and caller.f_trace == self._on_passed:
            return self._on_passed(frame, "call", None)
        if not self._may_run_untraced(frame):
            return None
        if self._reach.counts_references_here() and self._patience.get(get_ident(), _LONG) > 0:
            return self._on_passed
        return None if self._reach.leave_until_end(frame) else self._local_for(frame)

    def _count_passed(self, frame: FrameType, event: str, argument: Any) -> Any:
        """The local tracing function of what is stepped over, until it has taken long: then it runs untraced.

        What is short ends in time so, whoever keeps its frame: see `_untraced`.
        """
        try:
            ident = get_ident()
            left = self._patience[ident] = self._patience.get(ident, _LONG) - 1
            if left > 0:
                return self._on_passed
            passed = frame
            while passed.f_back is not None and passed.f_back.f_trace == self._on_passed:
                passed = passed.f_back
            self._reach.give_back(frame)
            if self._may_run_untraced(passed):
                self._reach.leave_until_end(passed)
            return None
        except RecursionError:
            return None  # see `Engine`
        except BaseException as error:
            self._tell_removed()
            if can_raise_soon(frame, event):
                return raise_soon(frame, event, error)
            raise without_reports(error)  # noqa: B904  It is the same exception, without its traceback.

    def _may_run_untraced(self, frame: FrameType) -> bool:
        """Whether nothing in this call can matter to any step: what is stepped over runs at full speed then.

        A generator does not end when it yields. A hook of ours may have the thread traced before it ends. And
        an exception keeps the frames that it came through, so tracing would go on only after it was handled.
        """
        caller = frame.f_back
        if self._callers or self._is_needed_everywhere() or caller is None or _frames.is_generator(frame):
            return False
        if frame.f_code.co_filename.startswith(_frames.OWN_FOLDER):
            return False
        if id(caller) not in self._line_frames and id(caller) not in self._return_frames:
            return False
        followed = [{**watch.lines, **watch.returns} for watch in self._watches.values()]
        return not any(_lines.may_catch(each) for frames in followed for each in frames.values())

    def _report_start(self, frame: FrameType, listener: Listener) -> None:
        if self._wants_files or self._wants_new_code:
            self._report_new(frame, listener)
        if self._is_held_with_others(frame):
            return
        if self._entries and self._report_entry(frame):
            return
        self._report_call(frame)

    def _report_entry(self, frame: FrameType) -> object:
        """True: the thread was held, as by any report."""
        entry = self._entries.get(id(frame.f_code))
        return entry is not None and entry[1](frame)

    def _report_new(self, frame: FrameType, listener: Listener) -> None:
        code = frame.f_code
        codes = self._seen.get(code.co_filename)
        # Noted when it is done: another thread that comes by meanwhile is not to run on before.
        if codes is None:
            listener.on_file(code.co_filename)
            codes = self._seen.setdefault(code.co_filename, set())
        if self._wants_new_code and id(code) not in codes:
            name = getattr(code, "co_qualname", code.co_name)
            listener.on_code(code, name, frame.f_globals.get("__name__"))
            codes.add(id(code))

    def _on_event(self, frame: FrameType, event: str, argument: Any) -> Any:
        """The local tracing function of the frames that are of interest."""
        try:
            return self._hear_event(frame, event, argument)
        except BaseException as error:
            self._tell_removed()
            if can_raise_soon(frame, event):
                return raise_soon(frame, event, error)
            raise without_reports(error)  # noqa: B904  It is the same exception, without its traceback.

    def _hear_event(self, frame: FrameType, event: str, argument: Any) -> Any:
        listener = self._listener
        if self._reach.foreign:
            self._reach.pass_on(frame, event, argument)
        if listener is None or self._is_ours(frame):
            self._reach.give_back(frame)
            return frame.f_trace
        try:
            if event == "line":
                self._unwinding.pop(get_ident(), None)
                if not self._reach.is_stale_line(frame):
                    self._report_line(frame)
            elif event == "opcode":
                if self.place_of(frame) >= 0:
                    self._report_step(self._landings, Happening.INSTRUCTION, frame, None)
            elif event == "exception":
                self._report_exception(frame, argument)
            elif event == "return":
                self._report_leaving(frame, argument)
        except RecursionError:
            return self._on_event  # see `Engine`
        except Exception as error:
            listener.on_failure(error)
        local = self._local_for(frame)
        if self._reach.foreign:
            frame.f_trace_lines = True
        if local is None:
            self._reach.give_back(frame)
            return frame.f_trace
        if id(frame) not in self._landings and frame.f_trace_opcodes:
            frame.f_trace_opcodes = False
        return local

    def _report_error(self, frame: FrameType, event: str, argument: Any) -> Any:
        """The local tracing function of frames in which only exceptions matter: as few steps as can be."""
        if self._reach.foreign:
            return self._on_event(frame, event, argument)
        if event == "exception":
            if argument[0] in self._unwanted_errors:
                return self._on_error
            if self._raised is None and self._unwound is not None and not self._unwound.concerns(frame):
                return self._on_error
        elif event == "return" and not self._unwinding:
            return self._on_error
        return self._on_event(frame, event, argument)

    def _report_exception(self, frame: FrameType, argument: Any) -> None:
        error = _as_error(argument)
        raised, unwound = self._raised, self._unwound
        if raised is not None and raised.wants(type(error)):
            self._unwinding[get_ident()] = (id(frame), error)
            raised.report(frame, error, argument[2])
        elif (unwound is not None and unwound.wants(type(error))) or not self._only_errors:
            self._unwinding[get_ident()] = (id(frame), error)
        else:
            self._unwanted_errors.add(type(error))

    def _report_line(self, frame: FrameType) -> None:
        table = self._lines.get(frame.f_code.co_filename)
        if table is not None:
            report = table.get(frame.f_lineno)
            if report is not None and report(frame):
                return
        if not self._is_held_with_others(frame):
            self._report_step(self._line_frames, Happening.LINE, frame, None)

    def _report_leaving(self, frame: FrameType, value: Any) -> None:
        last_frame, error = self._unwinding.pop(get_ident(), (0, None))
        if last_frame != id(frame) or value is not None:
            error = None
        happening = _leaving.how_it_leaves(frame, error is not None)
        if (
            happening is Happening.UNWIND
            and error is not None
            and self._unwound is not None
            and self._unwound.wants(type(error))
        ):
            self._unwound.report(frame, error, error.__traceback__)
        report = self._exit_of(frame)
        hands_over = report is not None and _leaving.hands_over(frame, happening)
        if report is not None and hands_over and report(frame, happening, value, False)[0]:
            return  # a step that began meanwhile knows that the frame is left
        what = error if happening is Happening.UNWIND else value
        self._report_step(self._return_frames, happening, frame, what)


def _as_error(argument: Any) -> BaseException:
    """The exception of an "exception" event; before 3.12 it may not be an instance yet."""
    kind, value, _ = argument
    return value if isinstance(value, BaseException) else kind()
