"""What happens on the program's threads: the engine reports, breakpoints and steps decide, the world stops
or goes on.

Every method here runs on a program thread, inside the interpreter's callback. The debugger's lock is taken
for short changes of tables, and never while the program's code runs.

It is this long because it is all that an engine may report, each in a few lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._control._narrowed import but_not_on, once_per_statement
from remora._engine import ErrorWatch, Happening
from remora._inspection._disassembly import disassemble, row_at
from remora._interpreter import _frames
from remora._interpreter._originals import get_ident
from remora._interpreter._threading import thread_object
from remora._owner._spared import spared
from remora._stopping import _exceptions
from remora._stopping._stepping import Plan, ReturnValue, Verdict, unwrapped
from remora._stopping._stops import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType, FrameType, TracebackType

    from remora._control._telling import Telling
    from remora._control._world import World
    from remora._engine import Engine
    from remora._engine._base import ExitReport, Report
    from remora._source._columns import Spot
    from remora._source._filters import Filters
    from remora._stopping._binding import LineTable
    from remora._stopping._breakpoints import Outcome, Point
    from remora._stopping._functions import FunctionTable

__all__ = ["Reports"]


class Reports:
    """The engine's listener.

    Attributes:
        own_threads: idents of threads that are never stopped.
        plans: the step that each thread is in the middle of, by ident.
        errors: what each exception filter wants, by its name.
        on_removed: called where a signal's handler has raised in the engine; given as `removed`.
        world: set right after construction; the two need each other.
    """

    world: World

    def __init__(
        self,
        *,
        engine: Engine,
        filters: Filters,
        lines: LineTable,
        functions: FunctionTable,
        telling: Telling,
        own_threads: set[int],
        removed: Callable[[], None],
    ) -> None:
        self.own_threads = own_threads
        self.on_removed = removed
        self.plans: dict[int, Plan] = {}
        self.errors: dict[str, _exceptions.Matches] = {}
        self.hooks = _exceptions.UncaughtHooks(self._on_uncaught)
        self._engine = engine
        self._filters = filters
        self._lines = lines
        self._functions = functions
        self._telling = telling
        # By thread. The exceptions themselves: the id of one that is gone is soon that of another.
        self._told_errors: dict[int, BaseException | None] = {}

    # -- what to report: called under the lock, on any thread

    def watch_lines(self) -> None:
        """The table of line breakpoints has changed."""
        table: dict[str, dict[int, list[tuple[Point, Spot | None]]]] = {}
        for filename, line, point, spot in self._lines.points():
            table.setdefault(filename, {}).setdefault(line, []).append((point, spot))
        reports = {
            filename: {line: self._report_in(filename, line, points) for line, points in lines.items()}
            for filename, lines in table.items()
        }
        self._engine.watch_lines(reports)
        self._engine.watch_files(self._lines.wants_files())

    def watch_functions(self) -> None:
        """The table of function breakpoints has changed."""
        entries = self._functions.entries()
        self._engine.watch_entries([(code, self._entry_report(points)) for code, points in entries])
        exits = self._functions.exits()
        self._engine.watch_exits([(code, self._exit_report(points)) for code, points in exits])
        self._engine.watch_new_code(self._functions.wants_code())

    def forget(self) -> None:
        """Nobody is attached any more."""
        self.errors = {}
        self.plans.clear()
        self._told_errors.clear()

    def watch_errors(self) -> None:
        """The exception filters have changed."""
        self._told_errors.clear()
        if "uncaught" in self.errors:
            self.hooks.install()
        else:
            self.hooks.remove()
        raised, unwound = self.errors.get("raised"), self.errors.get("userUnhandled")
        self._engine.watch_exceptions(
            None if raised is None else ErrorWatch(self._on_raised, raised.matches_type, lambda frame: True),
            None
            if unwound is None
            else ErrorWatch(self._on_unwound, unwound.matches_type, self._may_leave_user_code),
        )

    def begin(self, ident: int, plan: Plan) -> None:
        """The thread is in the middle of this step from now on."""
        with self.world.lock:
            self.plans[ident] = plan
            self._engine.follow(ident, plan.watch)

    def end(self, ident: int, plan: Plan | None = None) -> None:
        """The thread's step is over; or only this one, if it has not begun another."""
        with self.world.lock:
            if plan is None or self.plans.get(ident) is plan:
                self.plans.pop(ident, None)
                self._engine.follow(ident, None)

    # -- the engine reports

    def change(self, change: Callable[[], None]) -> None:
        """The engine has something to do under the lock."""
        self.world.lock.run(change)

    def on_file(self, filename: str) -> None:
        """Code of a file runs for the first time: breakpoints that waited for it are bound now."""
        with self.world.lock:
            found = self._lines.meet(filename)
            if found:
                self.watch_lines()
        for each in found:
            self._telling.breakpoint(each, "changed")

    def on_code(self, code: CodeType, name: str, module: object) -> None:
        """A function is new, while a function breakpoint waits for one."""
        with self.world.lock:
            found = self._functions.meet(code, name, module)
            if found:
                self.watch_functions()
        for each in found:
            self._telling.breakpoint(each, "changed")

    def on_interrupted(self) -> None:
        """A signal's handler has raised in a report."""
        with self.world.lock:
            self._engine.let_out()

    def on_interrupt(self, frame: FrameType) -> bool:
        """An interrupted thread comes by."""
        if get_ident() in self.own_threads or self._filters.is_own(frame):
            return False
        return self.world.hold_with_others(frame)

    def on_step(self, owner: int, happening: Happening, frame: FrameType, value: Any) -> bool:
        """A followed frame did something."""
        plan = self.plans.get(owner)
        if plan is None or get_ident() in self.own_threads:
            return False
        verdict = plan.decide(happening, frame, value)
        if verdict is Verdict.STOP:
            if owner != get_ident():
                self.end(owner)  # its coroutine was resumed by this thread
            # A step that another thread's stop has cut short is over.
            return self.world.hold(self._stop_of_step(plan, happening, frame), lambda: False)
        if verdict is Verdict.CHANGED:
            with self.world.lock:
                if self.plans.get(owner) is plan:
                    self._engine.follow(owner, plan.watch)
        elif verdict is Verdict.OVER:
            self.end(owner)
        return False

    def _stop_of_step(self, plan: Plan, happening: Happening, frame: FrameType) -> Stop:
        is_returning = happening is Happening.RETURN
        passed = None
        if plan.passed is not None:
            rule = self._filters.passed_by(*plan.passed)
            passed = (plan.passed[0].co_filename, rule) if rule not in (None, "remora") else None
        return Stop(
            frame,
            plan.reason,
            description="returning" if is_returning and plan.reason == "step" else plan.description,
            text=plan.text,
            line=plan.at_line,
            breakpoint_ids=plan.breakpoint_ids,
            returned=plan.returned,
            called=_worth_showing(plan.called),
            instruction=self._instruction(frame) if plan.by_instruction else "",
            is_returning=is_returning,
            is_before_line=plan.is_before_line,
            passed=passed,
        )

    def _instruction(self, frame: FrameType) -> str:
        rows = disassemble(self._engine.original(frame.f_code))
        row = rows[row_at(rows, self._engine.place_of(frame))]
        return f"{row.offset} {row.text}"

    def on_failure(self, error: BaseException) -> None:
        """Something of ours went wrong."""
        self._telling.failed(error)

    # -- breakpoints

    def _report_in(self, filename: str, line: int, placed: list[tuple[Point, Spot | None]]) -> Report:
        if any(spot is not None and spot.code is not None for _, spot in placed):
            report = self._spot_report(placed)
        else:
            report = self._line_report([point for point, _ in placed])
        last = self._lines.last_line(filename, line)
        if last != line:
            report = once_per_statement(report, line, last)
        return but_not_on(self.own_threads, report) if spared.idents else report

    def _spot_report(self, placed: list[tuple[Point, Spot | None]]) -> Report:
        """On a line with several places: who is here depends on the code that has come by."""
        reports: dict[int, tuple[CodeType, Report | None]] = {}

        def report(frame: FrameType) -> object:
            code = frame.f_code
            known = reports.get(id(code))
            if known is None:
                original = self._engine.original(code)
                here = [
                    point
                    for point, spot in placed
                    if spot is None or spot.code is None or spot.runs(original)
                ]
                known = reports[id(code)] = (code, self._line_report(here) if here else None)
            return known[1] is not None and known[1](frame)

        return report

    def _line_report(self, points: list[Point]) -> Report:
        if len(points) == 1:
            return points[0].report(lambda frame, outcome: self._act(frame, points, [outcome]), _thread_name)

        def report(frame: FrameType) -> bool:
            return self._act(frame, points, [point.reach(frame, _thread_name) for point in points])

        return report

    def _act(self, frame: FrameType, points: list[Point], outcomes: Sequence[Outcome | None]) -> bool:
        hit = self._log_and_filter(frame, points, outcomes)
        if not hit:
            return False
        # The function may have a breakpoint as well, which was to stop at its first line: here.
        plan = self.plans.get(get_ident())
        entered = plan if plan is not None and plan.stops_where_entered(frame) else None
        text = _text_of(outcomes)
        ids = [point.id for point in hit]
        if entered is not None:
            text = " ".join(filter(None, [entered.text, text]))
            ids = [*entered.breakpoint_ids, *ids]
        stop = Stop(frame, "breakpoint", text=text, breakpoint_ids=ids)

        def is_still_wanted() -> bool:
            return any(point.spec.temporary or self._lines.has(point) for point in hit)

        return self._engine.hold(frame, lambda: self.world.hold(stop, is_still_wanted))

    def _entry_report(self, points: list[Point]) -> Report:
        """A function is entered: stop at its first line, where its arguments are bound and shown."""

        def report(frame: FrameType) -> bool:
            if get_ident() in self.own_threads:
                return False
            outcomes = [point.reach(frame, _thread_name) for point in points]
            hit = self._log_and_filter(frame, points, outcomes)
            if hit:
                plan = Plan("here", frame, self._filters.is_user)
                plan.reason, plan.breakpoint_ids = "function breakpoint", [point.id for point in hit]
                plan.text = _text_of(outcomes)
                self.begin(get_ident(), plan)
            return False

        return report

    def _exit_report(self, points: list[Point]) -> ExitReport:
        """A function returns or yields: stop there, still in it, with the value."""

        def report(frame: FrameType, happening: Happening, value: Any, can_replace: bool) -> tuple[bool, Any]:
            if get_ident() in self.own_threads:
                return False, value
            wanted = [point for point in points if getattr(point.spec, "at", "") == happening.value]
            shown = unwrapped(value)
            outcomes = [point.reach(frame, _thread_name, shown) for point in wanted]
            hit = self._log_and_filter(frame, wanted, outcomes)
            if not hit:
                return False, value
            returned = ReturnValue(_frames.qualified_name(frame), shown, can_replace)
            is_yield = happening is Happening.YIELD
            stop = Stop(
                frame,
                "function breakpoint",
                "yielding" if is_yield else "returning",
                text=_text_of(outcomes),
                breakpoint_ids=[point.id for point in hit],
                returned=returned,
                is_returning=not is_yield,
                is_yielding=is_yield,
            )

            def is_still_wanted() -> bool:
                return any(point.spec.temporary or self._functions.has(point) for point in hit)

            was_held = self.world.hold(stop, is_still_wanted)
            return was_held, value if returned.value is shown else returned.value

        return report

    def _log_and_filter(
        self, frame: FrameType, points: list[Point], outcomes: Sequence[Outcome | None]
    ) -> list[Point]:
        """Write what logpoints have to say, and return the breakpoints that stop."""
        if get_ident() in self.own_threads:
            return []
        hit = []
        for point, outcome in zip(points, outcomes):
            if outcome is not None and outcome.log is not None:
                self._telling.logged(frame, outcome.log)
            if outcome is not None and outcome.stop:
                hit.append(point)
                if point.spec.temporary:
                    self._remove(point)
        return hit

    def _remove(self, point: Point) -> None:
        """A temporary breakpoint has done its work."""
        with self.world.lock:
            removed = self._lines.remove(point) or self._functions.remove(point)
            self.watch_lines()
            self.watch_functions()
        if removed is not None:
            self._telling.breakpoint(removed, "removed")

    # -- exceptions

    def _errors_for_here(self, name: str) -> _exceptions.Matches | None:
        """What this filter wants; on threads that are left alone nothing, whose condition is not asked."""
        return None if get_ident() in self.own_threads else self.errors.get(name)

    def _on_raised(self, frame: FrameType, error: BaseException, found: TracebackType | None) -> None:
        matches = self._errors_for_here("raised")
        if matches is not None and matches(frame, error):
            self._hold(_exceptions.stop_where_raised(self._filters, frame, error, found))

    def _on_unwound(self, frame: FrameType, error: BaseException, found: TracebackType | None) -> None:
        matches = self._errors_for_here("userUnhandled")
        if self._may_leave_user_code(frame) and matches is not None and matches(frame, error):
            self._hold(_exceptions.stop_where_unwound(self._filters, frame, error))

    def _may_leave_user_code(self, frame: FrameType) -> bool:
        """Usually an exception goes on in the program's own code, which may handle it."""
        caller = frame.f_back
        return caller is None or not self._filters.is_user(caller)

    def _on_uncaught(self, error: BaseException, found: TracebackType | None) -> None:
        matches = self._errors_for_here("uncaught")
        if matches is not None:
            stop = _exceptions.stop_where_uncaught(error, found)
            if stop is not None and stop.frame is not None and matches(stop.frame, error):
                self._hold(stop)

    def _hold(self, stop: Stop | None) -> None:
        """Stop for an exception, once: what one filter has shown, another does not show again."""
        ident = get_ident()
        if stop is None or ident in self.own_threads:
            return
        told = self._told_errors.get(ident)
        self._told_errors[ident] = stop.error
        if told is not stop.error or stop.break_mode == "always":
            self.world.hold(stop, lambda: bool(self.errors))


def _text_of(outcomes: Sequence[Outcome | None]) -> str:
    return " ".join(outcome.text for outcome in outcomes if outcome is not None and outcome.text)


def _worth_showing(called: ReturnValue | None) -> ReturnValue | None:
    """What was called on the line; most functions that return None are not called for that."""
    return None if called is None or called.value is None else called


def _thread_name() -> str:
    known = thread_object(get_ident())
    return "" if known is None else str(known.name)
