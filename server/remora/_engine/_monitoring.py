"""The engine for Python 3.12 and later: `sys.monitoring` with local events, so code with nothing to watch
runs untouched.

Two tool ids. BREAK reports watched lines and switches every other line off where it meets it (DISABLE
sticks to one place of one code object). RUN reports what is followed or interrupted, and is empty in
between. The interpreter tells the higher id first: a breakpoint comes before a step to the same line.

Callbacks run on the program's threads. They may not raise (it would come out in the program) nor return
DISABLE for exceptions (the interpreter throws ValueError). The other methods run under the debugger's lock.
`on_line` of BREAK takes no lock and has no point between its look at the table and DISABLE at which another
thread could add the line.

It is this long because the two tools share the state of their callbacks: what one switches off is only right
beside what the other has on.
"""

from __future__ import annotations

import sys
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from remora._engine import _lines
from remora._engine._base import Happening
from remora._engine._following import Following
from remora._engine._leaving import yields_itself
from remora._engine._live import functions_and_suspended_frames, known_functions, running_frames
from remora._engine._raising import cut
from remora._interpreter import _frames
from remora._interpreter._originals import get_ident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import CodeType, FrameType
    from typing import TypeVar

    from remora._engine._base import ErrorWatch, ExitReport, Lines, Listener, Report
    from remora._stopping._conditions import Tested

    T = TypeVar("T")

__all__ = ["MonitoringEngine"]

if sys.version_info >= (3, 12):
    monitoring = sys.monitoring
    E = monitoring.events
    DISABLE = monitoring.DISABLE

    # 0 is for debuggers that stop the program in its own terminal: pdb fails when it is taken.
    _TOOLS = (4, 3, 5, 2, 1)
    _STARTS = E.PY_START | E.PY_RESUME
    _EVERYWHERE = E.LINE | E.JUMP | _STARTS

    _LINE = E.LINE | E.JUMP | E.PY_START  # why PY_START: see _keep_start
    _RETURN = E.PY_RETURN | E.PY_YIELD
    _MOST_MISSES = 1000
    _NONE: dict[Any, Any] = {}

    class MonitoringEngine(Following):
        """Reports by `sys.monitoring`."""

        name = "monitoring"
        replaces_values = False

        def __init__(self) -> None:
            super().__init__()
            self.limits: list[str] = []
            self._break = self._run = -1
            # BREAK's tables. `_by_line` is read without a lock: whole inner dicts are replaced, never
            # changed.
            self._by_line: dict[int, dict[str, Report]] = {}
            self._tests: dict[int, tuple[CodeType, object, Callable[[Any], object], Tested]] = {}
            self._files: dict[str, frozenset[int]] = {}
            self._codes: dict[str, dict[int, ref[CodeType]]] = {}
            self._armed: dict[int, ref[CodeType]] = {}
            self._turns: dict[tuple[int, int], tuple[CodeType, int | None]] = {}
            self._entries: dict[int, tuple[CodeType, Report]] = {}
            self._exits: dict[int, tuple[CodeType, ExitReport]] = {}
            self._wants_new_code = self._wants_files = False
            # RUN's.
            self._called: dict[int, CodeType] = {}
            self._misses = 0  # events of calls that were others'
            self._followed: dict[int, tuple[CodeType, int]] = {}
            self._first_lines: dict[int, CodeType] = {}
            self._unwinds = False
            self._raised: ErrorWatch | None = None
            self._unwound: ErrorWatch | None = None
            self._just_held: dict[int, tuple[int, int]] = {}
            self._let_out: set[int] = set()  # threads on which an exception is just leaving a callback

        @staticmethod
        def available() -> bool:
            """Whether two tool ids are free."""
            return len(_free_tools()) >= 2

        # -- taking and giving back

        def attach(self, listener: Listener) -> None:
            self._run, self._break = sorted(_free_tools()[:2])
            self._listener = listener
            for tool, callbacks in (
                (self._break, self._break_callbacks()),
                (self._run, self._run_callbacks()),
            ):
                monitoring.use_tool_id(tool, "remora")
                for event, callback in callbacks.items():
                    monitoring.register_callback(tool, event, callback)
            monitoring.restart_events()  # places that an earlier attachment has switched off

        def detach(self) -> None:
            if self._listener is None:
                return
            self._interrupting = False
            self._raised = self._unwound = None
            self._let_out.clear()
            self.follow_nobody()
            self.watch_entries([])
            self.watch_exits([])
            self.watch_lines({})
            for tool in (self._break, self._run):
                # Up to 3.13 free_tool_id leaves events and callbacks in place, also for the next owner of
                # the id.
                monitoring.set_events(tool, 0)
                for event in (*self._break_callbacks(), *self._run_callbacks()):
                    monitoring.register_callback(tool, event, None)
                monitoring.free_tool_id(tool)
            self._listener = None
            self._codes.clear()
            self._wants_new_code = self._wants_files = False

        def after_fork_in_child(self) -> None:
            """The child has the parent's tool ids, events and callbacks: it gives them back."""
            self.detach()

        # -- what to watch

        def watch_lines(self, lines: Lines) -> None:
            was, self._files = self._files, {name: frozenset(table) for name, table in lines.items() if table}
            by_line: dict[int, dict[str, Report]] = {}
            for filename, table in lines.items():
                for line, report in table.items():
                    by_line.setdefault(line, {})[filename] = report
            # The table first, then the events: an event that finds no line switches itself off.
            self._by_line.update(by_line)
            for line in self._by_line.keys() - by_line.keys():
                del self._by_line[line]
            self._tests.clear()
            self._turns.clear()
            self._know_running_code()
            for filename in {*was, *self._files}:
                if was.get(filename) != self._files.get(filename):
                    for known in list(self._codes.get(filename, {}).values()):
                        code = known()
                        if code is not None:
                            self._arm(code)
            self._set_break_events()

        def watch_entries(self, entries: Sequence[tuple[CodeType, Report]]) -> None:
            was, self._entries = self._entries, {id(entry[0]): entry for entry in entries}
            for code, _ in was.values():
                if id(code) not in self._entries:
                    self._arm(code)
            for code, _ in self._entries.values():
                self._arm(code)
            if self._entries:
                monitoring.restart_events()  # their start may have been switched off when it was first seen
            self._set_break_events()

        def watch_exits(self, exits: Sequence[tuple[CodeType, ExitReport]]) -> None:
            was, self._exits = self._exits, {id(each[0]): each for each in exits}
            for code, _ in {**was, **self._exits}.values():
                self._arm(code)

        def watch_new_code(self, wanted: bool) -> None:
            if wanted and not self._wants_new_code:
                monitoring.restart_events()
            self._wants_new_code = wanted
            self._set_break_events()

        def original(self, code: CodeType) -> CodeType:
            return code

        def place_of(self, frame: FrameType) -> int:
            return frame.f_lasti

        def known_functions(self) -> Iterable[tuple[CodeType, str, object]]:
            return known_functions()

        def watch_files(self, wanted: bool) -> None:
            self._wants_files = wanted
            self._set_break_events()

        def watch_exceptions(self, raised: ErrorWatch | None, unwound: ErrorWatch | None) -> None:
            self._raised, self._unwound = raised, unwound
            self._hear_of_raising()
            self._hear_of_unwinding()
            self._set_run_events()

        def _hear_of_raising(self) -> None:
            callback = self._cutting_callback() if self._let_out else self._error_callback(self._raised)
            monitoring.register_callback(self._run, E.RAISE, callback)

        def _hear_of_unwinding(self) -> None:
            hear = self._unwind_callback if self._unwinds else self._error_callback
            monitoring.register_callback(self._run, E.PY_UNWIND, hear(self._unwound))

        def _set_break_events(self) -> None:
            wanted = bool(self._files) or self._wants_new_code or self._wants_files
            monitoring.set_events(self._break, _STARTS | E.PY_THROW if wanted else 0)

        def _know_running_code(self) -> None:
            """Code that runs now may never start again: a server's main loop."""
            codes = {frame.f_code for frame in running_frames()}
            if "greenlet" in sys.modules:  # a stack that is switched away from is no thread's
                functions, frames = functions_and_suspended_frames(self._files)
                codes.update(function.__code__ for function in functions)
                codes.update(frame.f_code for frame in frames)
            for code in codes:
                if code.co_filename in self._files:
                    self._know(code)

        def _know(self, code: CodeType) -> None:
            codes = self._codes.setdefault(code.co_filename, {})
            key = id(code)
            if key not in codes:
                codes[key] = ref(code, lambda _: codes.pop(key, None))

        def _arm(self, code: CodeType) -> None:
            """Report the watched lines of this code object, from now on and in running frames."""
            lines = self._files.get(code.co_filename)
            events = 0
            if lines is not None and not lines.isdisjoint(_lines.lines_of(code)):
                events = E.LINE | E.JUMP
            self._keep_start(code, bool(events) and _lines.first_line(code) in (lines or ()))
            if id(code) in self._entries:
                events |= _STARTS
            if id(code) in self._exits:
                events |= _RETURN
            if not events and id(code) not in self._armed:
                return
            # Off and on again is what brings back lines that were switched off. Both calls come from C,
            # with no switch between them: a thread that ran in between would miss the other breakpoints of
            # this code.
            deque(map(monitoring.set_local_events, (self._break,) * 2, (code,) * 2, (0, events)), maxlen=0)
            key = id(code)
            if events:
                self._armed[key] = ref(code, lambda _: self._armed.pop(key, None))
            else:
                self._armed.pop(key, None)

        def _keep_start(self, code: CodeType, wanted: bool) -> None:
            """Since 3.13 a body on the line of its `def` or `lambda` has no LINE unless PY_START is set
            there.

            RUN sets it, since BREAK switches its own off.
            """
            if wanted != (id(code) in self._first_lines):
                if wanted:
                    self._first_lines[id(code)] = code
                else:
                    del self._first_lines[id(code)]
                self._set_run_local(code)

        def leave_thread(self) -> None:
            """Events are not those of a thread, so there is nothing on it."""

        def let_out(self) -> None:
            if self._listener is None:  # the client has just gone, and with it the tools
                return
            self._let_out.add(get_ident())
            self._hear_of_raising()
            self._set_run_events()
            self._listener.on_removed()

        def return_to_threads(self) -> None:
            self._let_out.clear()
            self._hear_of_raising()
            self._set_run_events()

        # -- what is followed or interrupted

        def _apply_interrupt(self) -> None:
            self._set_run_events()

        def _apply_watches(self) -> None:
            called: dict[int, CodeType] = {}
            wanted: dict[int, tuple[CodeType, int]] = {}

            def want(frame: FrameType, events: int) -> None:
                want_code(frame.f_code, events)

            def want_code(code: CodeType, events: int) -> None:
                wanted[id(code)] = (code, wanted.get(id(code), (code, 0))[1] | events)

            for watch in self._watches.values():
                for frame in watch.lines.values():
                    want(frame, _LINE)
                for frame in watch.returns.values():
                    want(frame, _RETURN)
                if watch.landing is not None:
                    want(watch.landing, E.INSTRUCTION)
                if watch.calling is not None:
                    want(watch.calling, E.CALL)
                for code in watch.called.values():
                    called[id(code)] = code
                    want_code(code, E.PY_RETURN)
            if not self._calling:
                self._misses = 0
            self._called = called
            # Only those of coroutines: the interpreter tells of all in all code, or of none.
            unwinds = any(
                _frames.is_coroutine(frame)
                for watch in self._watches.values()
                for frame in watch.returns.values()
            )
            if unwinds != self._unwinds:
                self._unwinds = unwinds
                self._hear_of_unwinding()
            was, self._followed = self._followed, wanted
            for code, _ in {**was, **wanted}.values():
                if was.get(id(code)) != wanted.get(id(code)):
                    self._set_run_local(code)
            self._set_run_events()

        def _set_run_local(self, code: CodeType) -> None:
            events = self._followed.get(id(code), (code, 0))[1]
            if id(code) in self._first_lines:
                events |= E.PY_START
            monitoring.set_local_events(self._run, code, events)

        def _set_run_events(self) -> None:
            events = 0
            if self._interrupting:
                events |= _EVERYWHERE
            if self._callers:
                events |= _STARTS | E.PY_THROW
            if self._raised is not None or self._let_out:
                events |= E.RAISE
            if self._unwound is not None or self._unwinds:
                events |= E.PY_UNWIND
            if monitoring.get_events(self._run) != events:
                monitoring.set_events(self._run, events)

        # -- callbacks of BREAK, on the program's threads

        def _break_callbacks(self) -> dict[int, Callable[..., Any] | None]:
            by_line, tests = self._by_line, self._tests
            turns = self._turns
            get_frame = sys._getframe

            def on_line(code: CodeType, line: int) -> object:
                try:
                    # What nearly always comes to nothing is a test. It is asked with no call or look-up that
                    # can be left out.
                    if line in tests:
                        known: CodeType | None
                        try:
                            known, namespace, test, tested = tests[line]
                        except KeyError:  # it went just now, as can be where threads run at once
                            known = None
                        frame = get_frame(1)
                        if known is code and frame.f_globals is namespace:
                            try:
                                if not test(frame.f_locals):
                                    return None
                            except KeyboardInterrupt:
                                raise
                            except BaseException as error:
                                # Its traceback holds this frame, which would hold it.
                                failure = error.with_traceback(None)
                                return self._reach(code, frame, _failing(tested, failure))
                            return self._reach(code, frame, tested.passed)
                    report = by_line.get(line, _NONE).get(code.co_filename)
                    if report is not None:
                        frame = get_frame(1)
                        self._remember_test(code, line, frame, report)
                        return self._reach(code, frame, report)
                except RecursionError:
                    return None  # see `Engine`
                except Exception as error:
                    self.fail(error)
                    return None
                except BaseException:
                    self._tell_interrupted()
                    raise
                return DISABLE

            def on_jump(code: CodeType, source: int, target: int) -> object:
                if target > source:
                    return DISABLE
                known = turns.get((id(code), source))
                if known is None:
                    line = (
                        _lines.line_at(code, target) if _lines.is_line_again(code, source, target) else None
                    )
                    turns[id(code), source] = known = (code, line)
                report = by_line.get(known[1] or 0, _NONE).get(code.co_filename)
                if report is None:
                    return DISABLE
                try:
                    return self._reach(code, get_frame(1), report)
                except RecursionError:
                    pass  # see `Engine`
                except Exception as error:
                    self.fail(error)
                except BaseException:
                    self._tell_interrupted()
                    raise
                return None

            return {
                E.LINE: on_line,
                E.JUMP: on_jump,
                E.PY_START: self._on_first_start,
                E.PY_RESUME: self._on_first_start,
                E.PY_THROW: self._on_throw,
                E.PY_RETURN: self._on_watched_return,
                E.PY_YIELD: self._on_watched_yield,
            }

        def _remember_test(self, code: CodeType, line: int, frame: FrameType, report: Report) -> None:
            tested: Tested | None = getattr(report, "tested", None)
            if tested is not None:
                self._tests[line] = (code, frame.f_globals, tested.test_for(frame), tested)
                if self._by_line.get(line, {}).get(code.co_filename) is not report:
                    self._tests.pop(line, None)  # the breakpoint has just gone

        def _reach(self, code: CodeType, frame: FrameType, report: Report) -> object:
            if _lines.is_only_cleanup(code, frame.f_lasti):
                return DISABLE
            # Whether RUN, too, will be told of this very line.
            also_run = self._interrupting or id(code) in self._followed
            if report(frame) and also_run:
                self._just_held[get_ident()] = (id(frame), frame.f_lasti)
            return None

        def _on_watched_return(self, code: CodeType, offset: int, value: Any) -> None:
            self._report_exit(code, Happening.RETURN, sys._getframe(1), value)

        def _on_watched_yield(self, code: CodeType, offset: int, value: Any) -> None:
            if yields_itself(code, offset):
                self._report_exit(code, Happening.YIELD, sys._getframe(1), value)

        def _report_exit(self, code: CodeType, happening: Happening, frame: FrameType, value: Any) -> None:
            watched = self._exits.get(id(code))
            if watched is None:
                return
            also_run = self._followed.get(id(code), (code, 0))[1] & _RETURN
            try:
                # The interpreter has taken the value already: nothing could be given in its place.
                was_held, _ = watched[1](frame, happening, value, False)
                if was_held and also_run:
                    self._just_held[get_ident()] = (id(frame), frame.f_lasti)
            except RecursionError:
                pass  # see `Engine`
            except Exception as error:
                self.fail(error)

        def _on_throw(self, code: CodeType, offset: int, error: BaseException) -> None:
            self._on_first_start(code, offset, 1)

        def _on_first_start(self, code: CodeType, offset: int, depth: int = 0) -> object:
            try:
                listener = self._listener
                if listener is None:
                    return None
                if id(code) not in self._codes.get(code.co_filename, _NONE):
                    module = sys._getframe(depth + 1).f_globals.get("__name__")
                    listener.change(partial(self._meet, listener, code, module))
                if id(code) in self._entries:
                    self._entries[id(code)][1](sys._getframe(depth + 1))
                    return None
            except RecursionError:
                return None  # see `Engine`
            except Exception as error:
                self.fail(error)
            return DISABLE

        def _meet(self, listener: Listener, code: CodeType, module: object) -> None:
            """Code starts for the first time. Another thread that starts it, too, waits until it is armed."""
            filename = code.co_filename
            if filename not in self._codes:
                listener.on_file(filename)
            if self._wants_new_code:
                listener.on_code(code, code.co_qualname, module)
            if filename in self._files:
                self._arm(code)
            self._know(code)

        # -- callbacks of RUN, on the program's threads

        def _run_callbacks(self) -> dict[int, Callable[..., Any] | None]:
            return {
                E.LINE: self._on_line,
                E.JUMP: self._on_jump,
                E.PY_START: self._on_start,
                E.PY_RESUME: self._on_start,
                E.PY_THROW: self._on_thrown,
                E.PY_RETURN: self._on_return,
                E.PY_YIELD: self._on_yield,
                E.INSTRUCTION: self._on_instruction,
                E.CALL: self._on_call,
                E.RAISE: None,
                E.PY_UNWIND: None,
            }

        def _on_line(self, code: CodeType, line: int) -> None:
            frame = sys._getframe(1)
            if self._just_held and self._was_held_here(frame):
                return
            if _lines.is_only_cleanup(code, frame.f_lasti):
                return
            if not self._is_held_with_others(frame):
                self._report_line(frame)

        def _on_jump(self, code: CodeType, source: int, target: int) -> object:
            if target > source:
                return DISABLE
            frame = sys._getframe(1)
            if self._just_held and self._was_held_here(frame):
                return None
            # A pause takes any turn of any loop: `while True: pass` has nothing else.
            interrupting = self._interrupting
            if interrupting and self._is_held_with_others(frame):
                return None
            if (not interrupting or id(frame) in self._line_frames) and _lines.is_line_again(
                code, source, target
            ):
                self._report_line(frame)
                return None
            return None if interrupting else DISABLE

        def _report_line(self, frame: FrameType) -> None:
            self._report_step(self._line_frames, Happening.LINE, frame, None)

        def _was_held_here(self, frame: FrameType) -> bool:
            """Whether BREAK has just held this thread at this very place."""
            return self._just_held.pop(get_ident(), None) == (id(frame), frame.f_lasti)

        def _on_start(self, code: CodeType, offset: int) -> None:
            if not (self._interrupting or self._callers):
                return
            frame = sys._getframe(1)
            if not self._is_held_with_others(frame):
                self._report_call(frame)

        def _on_thrown(self, code: CodeType, offset: int, error: BaseException) -> None:
            """A suspended frame goes on with an exception: for steps, as good as any start."""
            if self._callers:
                self._report_call(sys._getframe(1))

        def _on_return(self, code: CodeType, offset: int, value: Any) -> object:
            frame = sys._getframe(1)
            if id(code) in self._called:
                if id(frame.f_back) in self._calling:
                    owner = self._calling[id(frame.f_back)]
                    self._report_step({id(frame): owner}, Happening.CALLED, frame, value)
                elif self._is_missed_too_often() and id(frame) not in self._return_frames:
                    return DISABLE
            self._report_leaving(Happening.RETURN, frame, value)
            return None

        def _on_call(self, code: CodeType, offset: int, function: object, argument: object) -> object:
            frame = sys._getframe(1)
            if id(frame) not in self._calling:
                return DISABLE if self._is_missed_too_often() else None
            self._report_step(self._calling, Happening.CALLING, frame, function)
            return DISABLE

        def _is_missed_too_often(self) -> bool:
            """What a function returns that calls itself, or is called everywhere, is not worth the time."""
            self._misses += 1
            return self._misses > _MOST_MISSES

        def _on_yield(self, code: CodeType, offset: int, value: Any) -> None:
            self._report_leaving(Happening.YIELD, sys._getframe(1), value)

        def _report_leaving(self, happening: Happening, frame: FrameType, value: Any) -> None:
            if not (self._just_held and self._was_held_here(frame)):
                self._report_step(self._return_frames, happening, frame, value)

        def _on_instruction(self, code: CodeType, offset: int) -> None:
            self._report_step(self._landings, Happening.INSTRUCTION, sys._getframe(1), None)

        def _error_callback(self, watch: ErrorWatch | None, depth: int = 1) -> Callable[..., None] | None:
            """What to register for RAISE or PY_UNWIND. It may not return DISABLE, so it has to be quick."""
            if watch is None:
                return None
            report, wants, _ = watch
            verdicts: dict[type, bool] = {}
            get_frame = sys._getframe

            def on_error(code: CodeType, offset: int, error: BaseException) -> None:
                kind = type(error)
                try:
                    if kind not in verdicts:
                        verdicts[kind] = wants(kind)
                    if verdicts[kind]:
                        report(get_frame(depth), error, error.__traceback__)
                except RecursionError:
                    pass  # see `Engine`
                except Exception as failure:
                    self.fail(failure)

            return on_error

        def _cutting_callback(self) -> Callable[..., None]:
            """What to register for RAISE while an exception leaves a callback: it is in the program now."""
            callback = self._error_callback(self._raised, depth=2)

            def on_raise(code: CodeType, offset: int, error: BaseException) -> None:
                ident = get_ident()
                if ident in self._let_out:
                    self._let_out.discard(ident)
                    cut(error)
                if callback is not None:
                    callback(code, offset, error)

            return on_raise

        def _tell_interrupted(self) -> None:
            listener = self._listener
            if listener is not None and get_ident() not in self._let_out:  # not if it was held
                listener.on_interrupted()

        def _unwind_callback(self, watch: ErrorWatch | None) -> Callable[..., None]:
            """What to register for PY_UNWIND while the leaving of coroutines is followed."""

            def on_unwind(code: CodeType, offset: int, error: BaseException) -> None:
                frame = sys._getframe(1)
                try:
                    if watch is not None and watch.wants(type(error)):
                        watch.report(frame, error, error.__traceback__)
                    self._report_step(self._return_frames, Happening.UNWIND, frame, error)
                except RecursionError:
                    pass  # see `Engine`
                except Exception as failure:
                    self.fail(failure)

            return on_unwind

    def _failing(tested: Tested, error: BaseException) -> Report:
        """A report of what a test has raised. Apart: who makes a closure is slower at every call."""
        return lambda frame: tested.failed(frame, error)

    def _free_tools() -> list[int]:
        return [tool for tool in _TOOLS if monitoring.get_tool(tool) is None]
