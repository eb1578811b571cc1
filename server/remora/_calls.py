"""Functions that the server has a held thread run: evaluations, assignments, jumps. With a time limit, if
asked.

A call is made on the server's thread, runs on the held one, and is answered on the server's. It can be
given up: one that has not begun is dropped; one that runs has an exception raised inside it, which C code
sees only when it returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._engine import _native
from remora._originals import allocate_lock, get_ident, start_new_thread
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._threads import ThreadRecord

    Done = Callable[[Any, "BaseException | None"], None]
    Post = Callable[[Callable[[], None]], None]

__all__ = ["Call", "GivenUp", "after"]


class GivenUp(BaseException):
    """Raised inside an evaluation that took too long or was cancelled. Not an Exception:

    few programs catch it.
    """


class Call:
    """One function to be run by one held thread."""

    def __init__(self, record: ThreadRecord, function: Callable[[], Any], done: Done, post: Post) -> None:
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
                    result = self._function()
            finally:
                self._finish()
        except GivenUp:
            pass
        except BaseException as raised:
            error = raised
        if self._is_given_up:
            result, error = None, RequestFailed("cancelled", "The evaluation was given up.")
        self.answer(result, error)

    def _finish(self) -> None:
        """From here on no exception of `cancel` can come. One that is under way is let come, here.

        It could be taken back, but then CPython leaves the flag set that makes it look for one: every later
        loop of the program pays for that, and 3.11 hangs when it traces.
        """
        with self._lock:
            self._is_running = False
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
            if self._is_running:
                _raise_in_thread(self._record.ident, GivenUp)

    def drop(self) -> None:
        """It will not be run."""
        self.answer(None, RequestFailed("cancelled", "The evaluation was given up before it began."))


def after(seconds: float, function: Callable[[], None], own_threads: set[int]) -> Callable[[], None]:
    """Call `function` after this time on a thread of ours, unless the function returned is called before."""
    cancelled, started = allocate_lock(), allocate_lock()
    cancelled.acquire()
    started.acquire()

    def wait() -> None:
        own_threads.add(get_ident())
        try:
            started.release()
            if not cancelled.acquire(timeout=seconds):
                function()
        finally:
            own_threads.discard(get_ident())

    start_new_thread(wait, ())
    started.acquire()  # not before it is known to be ours: it would be held with the program's threads

    def cancel() -> None:
        try:
            cancelled.release()
        except RuntimeError:
            pass  # cancelled twice

    return cancel


def _raise_in_thread(ident: int, error: type[BaseException] | None) -> None:
    """Without ctypes, and on PyPy, the evaluation runs to its end."""
    if _native.raise_in_thread is not None:
        _native.raise_in_thread(ident, error)
