"""Functions that the server has a held thread run: evaluations, assignments, jumps; some with a time limit.

A call is made on the server's thread, runs on the held one, and is answered on the server's. It can be
given up: one that has not begun is dropped; one that runs has an exception raised inside it, which C code
sees only when it returns. Where the interpreter cannot raise in another thread (PyPy; CPython without
ctypes) calls run under a tracer that looks at each line whether they are given up.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

from remora._interpreter import _native
from remora._interpreter._originals import allocate_lock, get_ident
from remora._interpreter._timers import after
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from remora._control._threads import ThreadRecord

    Done = Callable[[Any, "BaseException | None"], None]
    Post = Callable[[Callable[[], None]], None]

__all__ = ["Call", "GivenUp", "leave_to"]

_INSISTENCE = 0.5


class GivenUp(BaseException):
    """Raised inside an evaluation that took too long or was cancelled.

    It is no `Exception`, because programs catch those.
    """


class Patient(Protocol):
    """Code that ends itself when it is told to, so that no exception has to be raised in the middle of it."""

    def give_up(self) -> None:
        """End soon. On any thread."""

    def is_deaf(self) -> bool:
        """Whether it does not get round to ending."""


class Call:
    """One function to be run by one held thread."""

    def __init__(
        self,
        record: ThreadRecord,
        function: Callable[[], Any],
        done: Done,
        post: Post,
        own_threads: set[int],
        *,
        is_nested: bool = False,
    ) -> None:
        self._own_threads = own_threads
        self._is_nested = is_nested
        self._patient: Patient | None = None
        self._around: Call | None = None  # the one that the thread has stopped in the middle of
        self._is_interrupted = False
        self._record = record
        self._function = function
        self._done = done
        self._post = post
        self._lock = allocate_lock()
        self._is_running = self._is_given_up = self._is_answered = False

    def run(self) -> None:
        """On the held thread.

        Never raises, except Ctrl-C's KeyboardInterrupt when the call is not to blame.
        """
        result, error = None, None
        try:
            try:
                with self._lock:
                    self._is_running = not self._is_given_up
                if self._is_running:
                    self._around = _running.get(self._record.ident)
                    _running[self._record.ident] = self
                    result = self._run_interruptibly()
            finally:
                self._finish()
        except GivenUp:
            pass
        except BaseException as raised:
            error = raised
        if self._is_given_up:
            result, error = None, RequestFailed("cancelled", "The evaluation was given up.")
        self._record.keep((result, error))
        self.answer(result, error)
        del error  # its traceback has this very frame: only a collector would find the two

    def _run_interruptibly(self) -> Any:
        if _native.raise_in_thread is not None or self._is_nested:  # nested, it is traced already
            return self._function()

        def trace(_frame: FrameType, _event: str, _argument: object) -> Any:
            if self._is_interrupted and self._is_running:
                raise GivenUp
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            return sys.call_tracing(self._function, ())
        finally:
            sys.settrace(before)

    def _finish(self) -> None:
        """From here on no exception of `cancel` can come. One that is under way is let come, here.

        It could be taken back, but then CPython leaves the flag set that makes it look for one: every later
        loop of the program pays for that, and 3.11 hangs when it traces.
        """
        with self._lock:
            self._is_running = False
            _running.pop(self._record.ident, None)
            if self._around is not None:
                _running[self._record.ident] = self._around
        if self._is_given_up:
            for _ in range(100):  # the first turn brings it, if it has not come before
                pass

    def answer(self, result: Any, error: BaseException | None) -> None:
        """Tell whoever asked, once, on the server's thread."""
        if not self._is_answered:
            self._is_answered = True
            self._post(lambda: self._done(result, error))

    def cancel(self) -> None:
        """Give the call up.

        It is answered with RequestFailed "cancelled" as soon as its thread lets go of it.
        """
        if self._record.take_back(self):
            self.drop()
            return
        with self._lock:
            self._is_given_up = True
            if self._is_running and self._patient is not None:
                self._patient.give_up()
                after(_INSISTENCE, self._insist, self._own_threads)
            elif self._is_running:
                self._interrupt()

    def _insist(self) -> None:
        with self._lock:
            if self._is_running and self._patient is not None and self._patient.is_deaf():
                self._interrupt()

    def _interrupt(self) -> None:
        self._is_interrupted = True
        if _native.raise_in_thread is not None:
            _native.raise_in_thread(self._record.ident, GivenUp)

    def leave_to(self, patient: Patient) -> None:
        """From now on this is told to end, instead of being interrupted."""
        with self._lock:
            self._patient = patient
            if self._is_given_up:
                patient.give_up()

    def drop(self) -> None:
        """It will not be run."""
        self.answer(None, RequestFailed("cancelled", "The evaluation was given up before it began."))


def leave_to(patient: Patient) -> None:
    """Have whatever call this thread runs be given up gently. On that thread."""
    call = _running.get(get_ident())
    if call is not None:
        call.leave_to(patient)


#: The call that each held thread is in the middle of.
_running: dict[int, Call] = {}
