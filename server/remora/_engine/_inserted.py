"""The engine for CPython 3.9 to 3.11: breakpoints are calls in the program's bytecode, without tracing.

Stepping, pausing and exceptions are done as by `SettraceEngine`, with a tracer on the threads that need one
and for as long as they do. Lines and starts of functions are reported by hooks; but for frames that began
before their code got the hook, which are traced until they end.

A hook runs in the program's frames, where tools see it and where a frame cannot jump. So it only decides:
to be held, a thread goes on to the 'line' event that follows the hook, with nothing of the line done.

It is this long because hooks and the tracer that stands in for them share one account of who is where.
"""

from __future__ import annotations

import sys
from inspect import CO_ASYNC_GENERATOR
from typing import TYPE_CHECKING, Any

from remora._engine import _bytecode
from remora._engine._base import Happening
from remora._engine._bytecode import original
from remora._engine._leaving import how_it_leaves
from remora._engine._live import (
    EVERYWHERE,
    functions_and_suspended_frames,
    functions_in,
    known_functions,
    running_frames,
)
from remora._engine._raising import raise_next, without_reports
from remora._engine._reach import Swapper
from remora._engine._settrace import SettraceEngine
from remora._interpreter import _frames
from remora._interpreter._originals import get_ident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import CodeType, FrameType
    from typing import TypeVar

    from remora._engine._base import ExitReport, Lines, Report
    from remora._stopping._conditions import Tested

    T = TypeVar("T")
    _Make = Callable[["_Hook"], "tuple[Callable[[], None], Callable[[], None]]"]

__all__ = ["InsertedEngine"]


_NO_TEST = (None, None, bool)


def _nobody(frame: FrameType) -> bool:
    """No breakpoint is here any more."""
    return False


class _Hook:
    """What is called before a line or at a start. It stays the same while breakpoints come and go."""

    def __init__(self, make: _Make) -> None:
        self._report: Report = _nobody
        self.call, self._forget_test = make(self)

    @property
    def report(self) -> Report:
        """What is called in the end."""
        return self._report

    @report.setter
    def report(self, report: Report) -> None:
        self._report = report
        self._forget_test()

    def tested(self) -> Tested | None:
        """The test that it nearly always comes to nothing by, if it has one."""
        return getattr(self._report, "tested", None)


def _maker(engine: InsertedEngine) -> tuple[_Make, Callable[[], bool]]:
    """What makes an engine's hooks, each with what has it ask for its test anew; and whether one is testing.

    What nearly always comes to nothing is a test. A hook asks it here and now, with no call or look-up that
    can be left out: what all hooks of an engine share is a variable around them, not an attribute of it.
    """
    inside, get_frame = engine.inside, sys._getframe
    is_testing = False  # keeps hooks out that a test may run into

    def make(which: _Hook) -> tuple[Callable[[], None], Callable[[], None]]:
        known: tuple[CodeType | None, object, Callable[[Any], object]] = _NO_TEST

        def hook() -> None:
            nonlocal is_testing
            frame = get_frame(1)
            code, namespace, test = known
            if frame.f_code is not code or frame.f_globals is not namespace or is_testing or inside:
                try:
                    report(frame)
                except RecursionError:
                    pass  # see `Engine`
                except BaseException as error:
                    engine.let_out_of_hook(frame, error, at_line=True)
                return
            failure = None
            try:
                is_testing = True
                if not test(frame.f_locals):
                    return
            except KeyboardInterrupt as error:
                engine.let_out_of_hook(frame, error, at_line=True)
                return
            except BaseException as error:
                # Its traceback holds this frame, which would hold it, and the program's frame with both.
                failure = error.with_traceback(None)
            finally:
                is_testing = False
            try:
                go_on(frame, failure)
            except BaseException as error:
                engine.let_out_of_hook(frame, error, at_line=True)

        def report(frame: FrameType) -> None:
            ident = get_ident()
            if (is_testing or ident in inside) and _is_in_hook(frame.f_back):
                return  # called by a condition, or by an evaluation while the thread is held
            try:
                inside.add(ident)
                remember_test(frame)
                which.report(frame)
            except RecursionError:
                pass  # see `Engine`
            except Exception as error:
                engine.fail(error)
            finally:
                inside.discard(ident)

        def go_on(frame: FrameType, failure: BaseException | None) -> None:
            ident = get_ident()
            tested = which.tested()
            try:
                inside.add(ident)
                if tested is None:
                    which.report(frame)  # the breakpoint has just gone, or become another
                else:
                    tested.passed(frame) if failure is None else tested.failed(frame, failure)
            except RecursionError:
                pass  # see `Engine`
            except Exception as error:
                engine.fail(error)
            finally:
                inside.discard(ident)

        def remember_test(frame: FrameType) -> None:
            nonlocal known
            tested = which.tested()
            if tested is not None:
                known = (frame.f_code, frame.f_globals, tested.test_for(frame))
                if which.tested() is not tested:
                    known = _NO_TEST  # the breakpoint has just changed

        def forget_test() -> None:
            nonlocal known
            known = _NO_TEST

        return hook, forget_test

    return make, lambda: is_testing


def _is_in_hook(frame: FrameType | None) -> bool:
    """Whether this frame is a hook or was called by one."""
    here = _is_in_hook.__code__.co_filename
    return any(caller.f_code.co_filename == here for caller in _frames.walk(frame))


class _ExitHook:
    """What is called with what a function returns or yields, and gives what is to be handed over."""

    def __init__(self, engine: InsertedEngine) -> None:
        self.report: ExitReport = _hand_on
        inside, get_frame = engine.inside, sys._getframe

        def hook(value: Any) -> Any:
            ident = get_ident()
            frame = get_frame(1)
            if (ident in inside or engine.is_testing()) and _is_in_hook(frame.f_back):
                return value  # called by a condition, or by an evaluation while the thread is held
            try:
                inside.add(ident)
                happening = _how_it_is_left(frame)
                # What ends an async generator is None, and no value of its own.
                can_replace = happening is Happening.YIELD or not frame.f_code.co_flags & CO_ASYNC_GENERATOR
                given = self.report(frame, happening, value, can_replace)[1]
                return given if can_replace else value
            except RecursionError:
                return value  # see `Engine`
            except Exception as error:
                engine.fail(error)
                return value
            except BaseException as error:
                engine.let_out_of_hook(frame, error, at_line=False)
                return value
            finally:
                inside.discard(ident)

        self.call = hook


def _hand_on(frame: FrameType, happening: Happening, value: Any, can_replace: bool) -> tuple[bool, Any]:
    """No breakpoint is here any more."""
    return False, value


def _how_it_is_left(frame: FrameType) -> Happening:
    """What a frame that calls an exit hook is about to do."""
    insertion = _bytecode.insertion_of(frame.f_code)
    assert insertion is not None
    opcode = insertion.original.co_code[insertion.origin(frame.f_lasti)]
    return Happening.RETURN if opcode in _bytecode.RETURNS else Happening.YIELD


class InsertedEngine(SettraceEngine):
    """Reports lines by inserted hooks, and everything else by `sys.settrace`."""

    name = "inserted"
    replaces_values = True

    def __init__(self) -> None:
        super().__init__()
        self.limits = [
            "Breakpoints on raised exceptions slow calls down on this Python; those on lines do not.",
            "A step over a long call may end late on this Python, in a caller even, when the program keeps "
            "an exception that was caught in the call.",
            *self._reach.limits,
        ]
        # The threads that run a hook, and one that an interrupt has brought out of it: see `_is_in_hook`.
        self.inside: set[int] = set()
        self._make_hook, self.is_testing = _maker(self)
        self._hooks: dict[tuple[str, int], _Hook] = {}
        self._entry_hooks: dict[int, tuple[CodeType, _Hook]] = {}
        self._exit_hooks: dict[int, tuple[CodeType, _ExitHook]] = {}
        self._lacking: dict[int, FrameType] = {}
        self._pending: dict[int, tuple[int, FrameType, Callable[[], bool]]] = {}
        self._known_files: set[str] = set()
        self._swapper = Swapper(self._on_new_code, self.fail)

    @staticmethod
    def available() -> bool:
        """Whether bytecode can be rewritten and running threads be reached."""
        from remora._interpreter import _native

        return _bytecode.SUPPORTED and _native.OtherThreads is not None and _native.set_constant is not None

    def detach(self) -> None:
        self._swapper.clear()
        for hook in self._all_hooks():
            # A condition knows the code that it was last asked in, whose constants hold the hook. The garbage
            # collector does not look into code, so such a ring would never go.
            hook.report = _nobody
        for _, exit_hook in self._exit_hooks.values():
            exit_hook.report = _hand_on
        self._hooks.clear()
        self._entry_hooks.clear()
        self._exit_hooks.clear()
        self._lacking.clear()
        self._pending.clear()
        self._known_files.clear()
        super().detach()

    # -- what to watch

    def watch_lines(self, lines: Lines) -> None:
        self._lines = {filename: table for filename, table in lines.items() if table}
        self._insert()

    def watch_entries(self, entries: Sequence[tuple[CodeType, Report]]) -> None:
        self._entries = {id(code): (code, report) for code, report in entries}
        self._insert()

    def watch_exits(self, exits: Sequence[tuple[CodeType, ExitReport]]) -> None:
        self._exits = {id(code): (code, report) for code, report in exits}
        self._insert()

    def _insert(self) -> None:
        """Have the hooks that are wanted now in the program's code, and no others."""
        hooks: dict[str, dict[int, Callable[[], None]]] = {}
        entries: dict[str, dict[int, Callable[[], None]]] = {}
        exits: dict[str, dict[int, Callable[[Any], Any]]] = {}
        # Each hook goes straight from what it reported to what it is to report: the program's threads run.
        for filename, table in self._lines.items():
            for line, report in table.items():
                hook = self._hooks.setdefault((filename, line), _Hook(self._make_hook))
                hook.report = report
                hooks.setdefault(filename, {})[line] = hook.call
        for key, (code, report) in self._entries.items():
            _, hook = self._entry_hooks.setdefault(key, (code, _Hook(self._make_hook)))
            hook.report = self._entry_report(report)
            entries.setdefault(code.co_filename, {})[key] = hook.call
        for key, (code, leaving) in self._exits.items():
            _, exit_hook = self._exit_hooks.setdefault(key, (code, _ExitHook(self)))
            exit_hook.report = leaving
            exits.setdefault(code.co_filename, {})[key] = exit_hook.call
        self._silence_unwanted()
        self._lacking = {id(frame): frame for frame in self._swapper.apply(hooks, entries, exits)}
        self._update()

    def _silence_unwanted(self) -> None:
        """Frames that began with a hook go on calling it when nobody wants it any more."""
        for (filename, line), hook in self._hooks.items():
            if line not in self._lines.get(filename, {}):
                hook.report = _nobody
        for key, (_, hook) in self._entry_hooks.items():
            if key not in self._entries:
                hook.report = _nobody
        for key, (_, exit_hook) in self._exit_hooks.items():
            if key not in self._exits:
                exit_hook.report = _hand_on

    def _entry_report(self, report: Report) -> Report:
        def report_entry(frame: FrameType) -> None:
            report(frame)
            self._reach.expect_line(frame)  # whoever follows the frame now has not seen its line yet

        return report_entry

    def _all_hooks(self) -> list[_Hook]:
        return [*self._hooks.values(), *(hook for _, hook in self._entry_hooks.values())]

    def original(self, code: CodeType) -> CodeType:
        return _bytecode.original(code)

    def place_of(self, frame: FrameType) -> int:
        insertion = _bytecode.insertion_of(frame.f_code)
        return frame.f_lasti if insertion is None else insertion.origin(frame.f_lasti)

    def known_functions(self) -> Iterable[tuple[CodeType, str, object]]:
        return ((original(code), name, module) for code, name, module in known_functions())

    def watch_new_code(self, wanted: bool) -> None:
        self._wants_new_code = wanted
        self._swapper.watch_new_code(self._wants_files or wanted)

    def watch_files(self, wanted: bool) -> None:
        began = wanted and not self._wants_files
        self._wants_files = wanted
        self._swapper.watch_new_code(self._wants_new_code or wanted)
        if began:
            functions, _ = functions_and_suspended_frames(EVERYWHERE)
            names = {function.__code__.co_filename for function in functions}
            names |= {frame.f_code.co_filename for frame in running_frames()}
            for name in names - self._known_files:
                self._meet(name)

    def _on_new_code(self, code: CodeType, module: object) -> None:
        """A module, or what is given to `exec`, is about to run: on the program's thread."""
        if self._wants_files and code.co_filename not in self._known_files:
            self._meet(code.co_filename)
        for function, name, _ in functions_in(code, "", module):
            if self._wants_new_code and self._listener is not None:
                self._listener.on_code(original(function), name, module)

    def _meet(self, filename: str) -> None:
        if self._listener is not None:
            self._listener.on_file(filename)
        self._known_files.add(filename)  # not before: another thread is not to run on meanwhile

    # -- which threads and frames to trace

    def _needs_calls(self) -> bool:
        return bool(self._lacking)

    def _needed_threads(self) -> set[int]:
        return {*self._watches, *(ident for ident, _, _ in self._pending.values())}

    def _report_entry(self, frame: FrameType) -> object:
        if id(frame) not in self._lacking:
            return False
        insertion = _bytecode.insertion_of(frame.f_code)
        if insertion is not None and insertion.entry is not None:
            return False
        entry = self._entries.get(id(original(frame.f_code)))
        return entry is not None and entry[1](frame)

    def _exit_of(self, frame: FrameType) -> ExitReport | None:
        if id(frame) not in self._lacking:
            return None
        insertion = _bytecode.insertion_of(frame.f_code)
        if insertion is not None and insertion.exit is not None:
            return None
        watched = self._exits.get(id(original(frame.f_code)))
        return None if watched is None else watched[1]

    def _has_watched_lines(self, frame: FrameType) -> bool:
        return id(frame) in self._lacking or id(frame) in self._pending

    def hold(self, frame: FrameType, hold: Callable[[], bool]) -> bool:
        ident = get_ident()
        if ident not in self.inside:
            return hold()  # a traced frame reports its lines in the right place anyway
        self._pending[id(frame)] = (ident, frame, hold)
        self._take(frame)
        self._reach.expect_line(frame)
        self._update()
        return True

    def reenter(self, function: Callable[[], T]) -> T:
        ident = get_ident()
        was_inside = ident in self.inside
        self.inside.discard(ident)
        try:
            return super().reenter(function)
        finally:
            if was_inside:
                self.inside.add(ident)

    # -- on the program's threads

    def let_out_of_hook(self, frame: FrameType, error: BaseException, *, at_line: bool) -> None:
        """Have it raised in the frame as soon as the hook has been left; here, if a tracer is in the way."""
        tracer = sys.gettrace()
        if tracer is not None and tracer != self._on_call:
            raise without_reports(error)
        self._tell_removed()
        raise_next(frame, error, at_line=at_line)

    def _is_ours(self, frame: FrameType) -> bool:
        return (self.is_testing() or get_ident() in self.inside) and _is_in_hook(frame)

    def _report_line(self, frame: FrameType) -> None:
        insertion = _bytecode.insertion_of(frame.f_code)
        if insertion is not None:
            position = frame.f_lasti
            if position in insertion.results or position in insertion.starts:
                return  # the hook is about to be called, or has been: the line comes after that
        pending = self._pending.pop(id(frame), None)
        if pending is not None:
            pending[2]()
            self._update()
            return
        lacks = id(frame) in self._lacking and (insertion is None or frame.f_lineno not in insertion.hooks)
        table = self._lines.get(frame.f_code.co_filename) if lacks else None
        report = None if table is None else table.get(frame.f_lineno)
        if report is not None and report(frame):
            return
        if self._is_held_with_others(frame):
            return
        self._report_step(self._line_frames, Happening.LINE, frame, None)

    def _report_leaving(self, frame: FrameType, value: Any) -> None:
        super()._report_leaving(frame, value)
        self._pending.pop(id(frame), None)
        if id(frame) in self._lacking and how_it_leaves(frame, thrown=False) is not Happening.YIELD:
            del self._lacking[id(frame)]
            if not self._lacking:
                self._update()
