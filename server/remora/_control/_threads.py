"""The program's threads as the debugger sees them: their DAP ids, names and states, and how a held one waits.

A held thread waits on a raw lock of its own and runs the jobs that the server's thread posts to it. Nothing
here takes another lock. `Threads` is used by the server's thread and, to find their own record, by the
program's threads.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from remora._interpreter import _frames
from remora._interpreter._originals import allocate_lock
from remora._interpreter._threading import thread_object

if TYPE_CHECKING:
    from collections.abc import Set
    from types import FrameType

    from remora._stopping._stops import Stop

    State = Literal["running", "stopped", "native", "untraced"]

__all__ = ["ThreadInfo", "ThreadRecord", "Threads"]


class Job(Protocol):
    """What the server's thread has a held thread do."""

    def run(self) -> None:
        """On the held thread. Does not raise."""

    def drop(self) -> None:
        """The thread has gone; it will not be run."""


@dataclass(frozen=True)
class ThreadInfo:
    """One line of the thread list.

    "native": it is inside C code, and is held when it comes back. "untraced": the program wants it let be.
    """

    id: int
    ident: int
    name: str
    state: State
    native_id: int | None = None
    daemon: bool | None = None


@dataclass
class ThreadRecord:
    """What the debugger knows of one thread, from when it was first of interest.

    Attributes:
        stop: where and why it is held; None while it runs.
        native_stop: the stop that was told although it is inside C code; it is held when it comes back.
        is_free: it runs although the others are held (a step of this thread alone).
        is_helping: it runs although the others are held, for the sake of one that waits for it.
        leads: how often it has stopped the world.
        was_stepped: it was let go by a step of its own, so its stop is done with even if it did not lead.
    """

    id: int
    ident: int
    stop: Stop | None = None
    native_stop: Stop | None = None
    is_free: bool = False
    is_helping: bool = False
    was_stepped: bool = False
    leads: int = 0
    _wake: Any = field(default_factory=allocate_lock, repr=False)
    _jobs: deque[Job | None] = field(default_factory=deque, repr=False)
    _results: list[object] = field(default_factory=list, repr=False)
    _is_rung: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        self._wake.acquire()

    def wait(self) -> None:
        """Wait until `let_go`, and run what is posted meanwhile. On the thread itself.

        Ctrl-C passes through.
        """
        try:
            while True:
                # Not for ever: a signal that comes just before the wait would be seen only after it.
                self._wake.acquire(timeout=1)
                self._is_rung = False  # before it looks: who comes from now on rings anew
                while self._jobs:
                    job = self._jobs.popleft()
                    if job is None:
                        return
                    job.run()
        finally:
            self._results.clear()

    def keep(self, result: object) -> None:
        """Hold on to what a job came to until the wait is over. On the thread itself.

        So it dies here and not on the server's thread, where a finalizer of the program's might wait for
        what a held thread has.
        """
        self._results.append(result)

    def post(self, job: Job) -> None:
        """Have the held thread run `job`."""
        self._jobs.append(job)
        self._ring()

    def let_go(self) -> None:
        """End the thread's `wait`, after what was posted before."""
        self._jobs.append(None)
        self._ring()

    def take_back(self, job: Job) -> bool:
        """Remove a job that has not begun. False: it has."""
        try:
            self._jobs.remove(job)
        except ValueError:
            return False
        return True

    def drop_jobs(self) -> None:
        """Drop what was posted and will not be run, because the thread has left by itself."""
        while self._jobs:
            job = self._jobs.popleft()
            if job is not None:
                job.drop()

    def _ring(self) -> None:
        """Once until the thread is awake.

        From 3.13 on a lock may be the waiter's already while it still sleeps, and to release it again would
        end the program in a debug build.
        """
        if self._is_rung:
            return
        self._is_rung = True
        try:
            self._wake.release()
        except RuntimeError:
            pass  # it was rung already, and will find this job as well


class Threads:
    """Gives threads their small numbers. The main thread is 1; a number is not used again."""

    def __init__(self, own: set[int], spared: Set[int] = frozenset()) -> None:
        """`own` are never held, and not listed either but for those that are `spared`."""
        self.own = own
        self._spared = spared
        self._records: dict[int, ThreadRecord] = {}
        self._numbers = itertools.count(2)

    def of(self, ident: int) -> ThreadRecord:
        """The record of a thread, made when first asked for."""
        record = self._records.get(ident)
        if record is None:
            number = 1 if ident == threading.main_thread().ident else next(self._numbers)
            record = self._records.setdefault(ident, ThreadRecord(number, ident))
        return record

    def keep(self, record: ThreadRecord) -> None:
        """It is held now. Until then it may have been taken for that of a thread which has ended."""
        self._records[record.ident] = record

    def numbered(self, number: int) -> ThreadRecord | None:
        """The record with this DAP id, if there is or was such a thread."""
        return next((record for record in self.all() if record.id == number), None)

    def all(self) -> list[ThreadRecord]:
        """Every thread that was of interest and may live."""
        return list(self._records.values())

    def held(self) -> list[ThreadRecord]:
        """Every thread that is held."""
        return [record for record in self.all() if record.stop is not None]

    def list(self, world_stopped: bool) -> list[ThreadInfo]:
        """Every thread of the program that runs Python code somewhere on its stack, main first."""
        frames = _frames.current_frames()
        for ident in [ident for ident in list(self._records) if ident not in frames]:
            record = self._records.pop(ident)
            if record.stop is not None:  # of one that has begun since, with the ident of an ended one
                self.keep(record)
        threads = [
            self._describe(self.of(ident), frame, world_stopped)
            for ident, frame in frames.items()
            if ident not in self.own or ident in self._spared
        ]
        return sorted(threads, key=lambda info: info.id)

    def _describe(self, record: ThreadRecord, frame: FrameType, world_stopped: bool) -> ThreadInfo:
        known = thread_object(record.ident) or _starting_thread(frame)
        state: State = "running"
        if record.stop is not None:
            state = "stopped"
        elif record.ident in self._spared:
            state = "untraced"
        elif record.native_stop is not None or (
            world_stopped and not record.is_free and _frames.is_in_call(frame)
        ):
            state = "native"
        if known is None:
            return ThreadInfo(record.id, record.ident, f"Thread-{record.ident}", state)
        return ThreadInfo(record.id, record.ident, known.name, state, known.native_id, known.daemon)


def _starting_thread(newest: FrameType) -> threading.Thread | None:
    """The `Thread` of a thread that has begun, and not come yet to where it tells `threading`."""
    *_, oldest = _frames.walk(newest)
    if oldest.f_code.co_name != "_bootstrap" or oldest.f_globals is not vars(threading):
        return None
    found = oldest.f_locals.get("self")
    return found if isinstance(found, threading.Thread) else None
