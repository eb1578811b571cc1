"""Gets a tracing function into threads and frames, and out again. The program's own tracer comes back."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from remora._engine._raising import Raiser, raise_next
from remora._engine._untraced import Sentinel, Untraced
from remora._interpreter import _frames, _native
from remora._interpreter._originals import get_ident
from remora_protocol import REACHES_MAIN_AND_NEW_THREADS, REACHES_NEW_THREADS

if TYPE_CHECKING:
    from collections.abc import Callable, Set
    from types import FrameType

    Tracer = Callable[[FrameType, str, Any], Any]

__all__ = ["Reach"]

_KEEPS_PLACES = sys.implementation.name == "pypy" or sys.version_info < (3, 11)


_EVENTS: dict[int, Any] = {0: "call", 1: "exception", 2: "line", 3: "return", 7: "opcode"}
"""By their numbers in C, PyTrace_CALL and so on."""
_NUMBERS = {name: number for number, name in _EVENTS.items()}


class _Door:
    """Our handler of a signal, which gets us into the main thread. It stays as long as the process lives."""

    enter: Callable[[], None] | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.enter is not None:
            self.enter()


class Reach:
    """Where one engine's tracing function is installed.

    `trace` is called under the debugger's lock; the methods named `…here` and `leave` on the thread in
    question.

    Attributes:
        foreign: the threads on which we stand in the place of a tracer written in C, as coverage has, each
            with that one's function. It is told of all events meanwhile, and is put back as it was.
        passing: the tracing function of frames whose events matter to such a tracer alone.
    """

    def __init__(self, tracer: Tracer, local: Tracer, *others: Tracer) -> None:
        """`tracer` is for threads; `local` and `others` are for frames."""
        self.own_threads: set[int] = set()
        self.limits: list[str] = []
        self._tracer = tracer
        self._local = local
        self.foreign: dict[int, int] = {}
        self.passing: Tracer = self._pass_on_only
        self._locals = (local, *others, self.passing)
        self._everywhere = False
        self._idents: Set[int] = frozenset()
        self._hook: Any = None
        self._program_tracers: dict[int, Any] = {}
        self._program_locals: dict[int, tuple[FrameType, Any]] = {}
        self._taken_at: dict[int, tuple[int, int]] = {}  # frame -> line, instruction
        self._untraced = Untraced(self._return)
        self._others = None if _native.OtherThreads is None else _native.OtherThreads(self._begin)
        self._signal: signal.Signals | None = None
        self._main = threading.main_thread().ident or 0
        if self._others is None:
            self._find_signal()

    def _find_signal(self) -> None:
        """Without ctypes only a signal handler gets into a thread, and only into the main one."""
        number = getattr(signal, "SIGURG", None)
        handler = None if number is None else signal.getsignal(number)
        is_main = threading.current_thread() is threading.main_thread()
        if number is not None and is_main and handler in (signal.SIG_DFL, signal.SIG_IGN):
            handler = _Door()
            signal.signal(number, handler)
        if isinstance(handler, _Door):
            handler.enter = self._boot_frames
            self._signal = number
        self.limits.append(REACHES_NEW_THREADS if self._signal is None else REACHES_MAIN_AND_NEW_THREADS)

    def trace(self, everywhere: bool, idents: Set[int]) -> None:
        """Have the tracer on every thread of the program, or on these, or nowhere."""
        if (everywhere, idents) != (self._everywhere, self._idents):
            self._change(everywhere, idents)
        if self.is_needed_here(get_ident()):
            # Even if nothing has changed: an ident may be that of a new thread. As the last thing, since what
            # follows is traced.
            self._boot()

    def return_to_main(self) -> None:
        """Where a signal is the only way in: the program may have put a tracer of its own in our place."""
        if self._everywhere and self._signal is not None and get_ident() != self._main:
            signal.pthread_kill(self._main, self._signal)

    def return_everywhere(self) -> None:
        """Where an exception has come out of the tracer: the interpreter has taken it out of that thread."""
        if self._everywhere or self._idents:
            self._start()

    def _change(self, everywhere: bool, idents: Set[int]) -> None:
        was_everywhere, was = self._everywhere, self._idents
        self._idents = frozenset(idents)
        self._set_hook(everywhere)
        if everywhere or idents:
            if not was_everywhere and (everywhere or idents - was):
                self._start()
        else:
            self._stop()

    def _set_hook(self, everywhere: bool) -> None:
        """Threads that start from now on."""
        if everywhere == self._everywhere:
            return
        self._everywhere = everywhere
        if everywhere:
            self._hook = threading._trace_hook  # type: ignore[attr-defined]
            threading.settrace(self._tracer)
        elif threading._trace_hook == self._tracer:  # type: ignore[attr-defined]
            threading.settrace(self._hook)

    def _start(self) -> None:
        if self._others is not None:
            self._others.start()
        elif self._signal is not None:
            signal.pthread_kill(self._main, self._signal)

    def _stop(self) -> None:
        """Threads that come by see for themselves that they are not needed; those that wait are told."""
        self._untraced.forget()
        here = get_ident()
        if here in self._program_tracers:
            self.leave()
        if self._others is not None:
            displaced = any(self._program_tracers.values())
            self._others.stop(None if displaced else self._tracer)
            if not displaced:
                self._program_tracers.clear()

    def _begin(self, frame: Any, what: int, argument: object) -> None:
        """The first event of a thread that ran already: install the tracer and give it this event."""
        self._boot()
        event = _EVENTS.get(what)
        if sys.gettrace() is not self._tracer or event is None:
            return
        tracer = self._tracer if event == "call" else frame.f_trace
        if event != "call" and tracer not in self._locals:
            return
        try:
            local = tracer(frame, event, argument)
        except BaseException as error:  # of a signal's handler; ctypes, which calls us, would only print it
            raise_next(frame.f_back if event == "return" else frame, error)
            return
        if local is not None:
            frame.f_trace = local

    def _boot(self) -> None:
        """Install the tracer on this thread."""
        current: Any = sys.gettrace()
        if isinstance(current, Raiser):
            sys.settrace(current)  # which has to come first, and goes then
            return
        if not self.is_needed_here(get_ident()):
            sys.settrace(current)  # in place of the start that called us
            return
        if current is not self._tracer:
            self._program_tracers[get_ident()] = current
            self._displace(current)
        # Even if it is there: a start may have put itself before it, and does not hear of all.
        sys.settrace(self._tracer)

    def _displace(self, tracer: Any) -> None:
        """Remember what the program's tracer on this thread was besides its object."""
        function = None if tracer is None or self._others is None else self._others.own_here()
        if function is None:
            return
        self.foreign[get_ident()] = function
        for frame in _frames.walk(sys._getframe(1)):
            if frame.f_trace is None and not frame.f_code.co_filename.startswith(_frames.OWN_FOLDER):
                frame.f_trace = self.passing

    @property
    def is_shared(self) -> bool:
        """Whether there is such a tracer on some thread, so that frames are not to be spared their lines."""
        return bool(self.foreign) or (self._others is not None and self._others.found_foreign)

    def pass_on(self, frame: FrameType, event: str, argument: Any) -> None:
        """Tell the tracer in C that would have heard of this event if we were not here; if there is one."""
        ident = get_ident()
        function = self.foreign.get(ident)
        if function is None or self._others is None or event == "opcode":
            return
        try:
            self._others.tell(function, self._program_tracers.get(ident), frame, _NUMBERS[event], argument)
        except Exception:
            del self.foreign[ident]  # the interpreter, too, takes out a tracer that fails

    def _pass_on_only(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.pass_on(frame, event, argument)
        if get_ident() in self.foreign and not self.is_needed_here(get_ident()):
            self.leave()
        return self.passing if self.foreign else None

    def _boot_frames(self) -> None:
        """On PyPy's main thread, in the signal handler: also what runs now is to be traced."""
        frame: FrameType | None = sys._getframe(1)
        self._boot()
        while frame is not None:
            self.take(frame, self._local)
            frame = frame.f_back

    def is_needed_here(self, ident: int) -> bool:
        """Whether this thread is to be traced now."""
        return (self._everywhere or ident in self._idents) and ident not in self.own_threads

    def leave_if_here(self) -> None:
        """The same as `leave`, unless this thread is not traced."""
        if sys.gettrace() == self._tracer:
            self.leave()

    def leave(self) -> None:
        """Give this thread back the tracer that the program had there."""
        tracer = self._program_tracers.pop(get_ident(), None)
        function = self.foreign.pop(get_ident(), None)
        if function is None or self._others is None:
            sys.settrace(tracer)
        else:
            self._others.restore_here(function, tracer)
        if self.is_needed_here(get_ident()):
            self._boot()  # since just now, so the start that was meant for this thread has been overwritten

    def counts_references_here(self) -> bool:
        """Whether this thread can be left until a frame ends: no tracer of the program's waits, either."""
        return sys.implementation.name == "cpython" and self._program_tracers.get(get_ident()) is None

    def leave_until_end(self, frame: FrameType) -> bool:
        """Stop tracing this thread until the frame has ended. False: not possible.

        Only where references are counted, so that a frame goes as soon as it ends.
        """
        if not self.counts_references_here():
            return False
        try:
            self._untraced.begin(frame, self.own_threads)
        except RuntimeError:
            return False
        sys.settrace(None)
        if self._everywhere:  # since just now, as above
            self._return(get_ident())
            return False
        return True

    def _return(self, ident: int) -> None:
        """This thread is to be traced again; on that thread, if all goes well, and under no lock."""
        if not self.is_needed_here(ident):
            return
        if ident == get_ident():
            sys.settrace(self._tracer)
        elif self._others is not None:
            self._others.start()

    def take(self, frame: FrameType, local: Tracer) -> None:
        """Have `local` called for what happens in this frame."""
        if frame.f_lasti < 0:
            # It is about to begin, and is given its function by the "call" event. If it were before, PyPy
            # would take the first line for one that it has reported.
            return
        current = frame.f_trace
        if isinstance(current, Raiser):
            return  # as in `_boot`
        if current != local:
            if isinstance(current, Sentinel):
                frame.f_trace_lines = True
            elif current is not None and current not in self._locals:
                self._program_locals[id(frame)] = (frame, current)
            frame.f_trace = local
            if _KEEPS_PLACES:
                self._taken_at[id(frame)] = frame.f_lineno, frame.f_lasti

    def expect_line(self, frame: FrameType) -> None:
        """The line event of the line that the frame is in is wanted."""
        self._taken_at.pop(id(frame), None)

    def is_stale_line(self, frame: FrameType) -> bool:
        """Whether this line event is of the line that the frame was in when it was taken.

        PyPy, and CPython before 3.11, keep the place of a frame's last event while nobody traces it. Taken up
        again in an earlier line, they think that it has jumped back and report that line, however far it is
        through it.
        """
        line, instruction = self._taken_at.pop(id(frame), (0, 0)) if self._taken_at else (0, 0)
        return line == frame.f_lineno and frame.f_lasti > instruction

    def give_back(self, frame: FrameType) -> None:
        """The frame's own tracing function again, if it had one."""
        self._taken_at.pop(id(frame), None)
        own = self._program_locals.pop(id(frame), (frame, None))[1]
        frame.f_trace = self.passing if own is None and self.foreign else own
        frame.f_trace_opcodes = False
        frame.f_trace_lines = True

    def after_fork_in_child(self) -> None:
        """Only the forking thread lives on."""
        self._untraced.forget()
        here = get_ident()
        self._program_tracers = {ident: own for ident, own in self._program_tracers.items() if ident == here}
        self.foreign = {ident: own for ident, own in self.foreign.items() if ident == here}
