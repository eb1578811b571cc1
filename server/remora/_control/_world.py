"""Holding and letting go: one thread stops, and all do, or it alone; they run on together, or one alone.

    running     nobody is held.
    pausing     somebody asked for a stop; the first thread to come by, or the one meant, makes it.
    stopped     a thread leads: its stop was told to the client. The others are held where they next come
                by; a thread inside C is not, and is held when it comes back.

Where each thread stops for itself (`stops_all` is False) nobody leads: every stop is told, and holds only the
thread that makes it.

`hold` and `hold_with_others` run on program threads and return when the thread may go on; everything else
runs on the server's thread. The lock is held for a few assignments only, never while anybody's code runs or
waits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from remora._interpreter._locks import ProcessLock
from remora._interpreter._originals import get_ident
from remora._stopping._stops import Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import TypeVar

    from remora._control._threads import ThreadRecord, Threads
    from remora._engine import Engine

    T = TypeVar("T")

__all__ = ["World"]


class _Telling:
    """A job for a held thread: have a stop told after what the thread is in the middle of was answered."""

    def __init__(
        self, announce: Callable[[ThreadRecord, Stop], None], record: ThreadRecord, stop: Stop
    ) -> None:
        self._announce, self._record, self._stop = announce, record, stop

    def run(self) -> None:
        """Tell it, unless all is over already."""
        if self._record.stop is self._stop:
            self._announce(self._record, self._stop)

    def drop(self) -> None:
        """There is nobody to tell it."""


class World:
    """Which threads are held, and which of them leads.

    Args:
        announce: told of each new stop, on the thread that makes it, outside the lock.
        lost: told when a held thread leaves by itself (Ctrl-C) and took the stop with it: of all, or its own.

    Attributes:
        leader: the thread for whose stop all stop.
        stops_all: whether the next stop is one of all threads; may be set at any time.
    """

    def __init__(
        self,
        engine: Engine,
        threads: Threads,
        announce: Callable[[ThreadRecord, Stop], None],
        lost: Callable[[bool], None],
    ) -> None:
        self.lock = ProcessLock(self._begin_in_child)
        self.leader: ThreadRecord | None = None
        self.stops_all = True
        self._engine = engine
        self._threads = threads
        self._announce = announce
        self._lost = lost
        self._is_open = False
        self._lets_one_run = False  # all are stopped but for one, so the client was told
        self._pauses: dict[int | None, Stop] = {}  # who is meant -> the stop it is to make

    # -- on the program's threads

    def hold(self, stop: Stop, is_still_wanted: Callable[[], bool]) -> bool:
        """Stop the world here.

        When another thread was first, wait with it, and then stop the world again if that is still wanted.
        """
        record = self._threads.of(get_ident())
        while True:
            try:
                with self.lock:
                    if not self._may_hold(record):
                        return False
                    leads = record.native_stop is None and (self.leader is None or record.is_free)
                    # First of all: a thread with a stop is not held again, whatever the next lines run into.
                    self._stand(record, stop)
                    if leads:
                        self._lead(record)
                self._wait(record, stop if leads else None)
            except BaseException:
                self._leave(record)
                raise
            if leads or record.was_stepped or not is_still_wanted():
                return True

    def run_nested(self, function: Callable[[], T]) -> T:
        """On a held thread: run a function in which the thread may stop anew; then it stands as before.

        The others stay held, until somebody lets all go.
        """
        record = self._threads.of(get_ident())
        with self.lock:
            stop, leads = record.stop, record.leads
            record.stop = None
            record.is_free = self.leader is not None
        try:
            return self._engine.reenter(function)
        finally:
            with self.lock:
                self._stand_again(record, stop, has_led=record.leads != leads)

    def _stand_again(self, record: ThreadRecord, stop: Stop | None, *, has_led: bool) -> None:
        if not self._is_open or stop is None:
            record.is_free = False
            record.let_go()  # everybody has been let go meanwhile
            return
        leads = self.leader is None or record.is_free
        record.stop = replace(stop, description="back from the call", breakpoint_ids=()) if has_led else stop
        if leads:
            self._lead(record)
        if leads and has_led:
            record.post(_Telling(self._announce, record, record.stop))

    def hold_with_others(self, frame: FrameType) -> bool:
        """Wait with the thread that stopped the world, if one has; or stop, if a pause was asked for."""
        record = self._threads.of(get_ident())
        try:
            with self.lock:
                if not self._may_hold(record) or record.is_helping:
                    return False
                stop, is_told = self._stop_of_interrupted(record, frame)
                if stop is None:
                    return False
                self._stand(record, stop)
                if not is_told:
                    self._lead(record)
            self._wait(record, None if is_told else stop)
        except BaseException:
            self._leave(record)
            raise
        return True

    def _stop_of_interrupted(self, record: ThreadRecord, frame: FrameType) -> tuple[Stop | None, bool]:
        """Why a thread that comes by is to be held, if it is, and whether that was told already."""
        if self.leader is not None and not record.is_free:
            return Stop(frame, "pause", "stopped with the others"), True
        if record.native_stop is not None:
            return Stop(frame, "pause", "paused"), True
        asked = self._pause_of(record)
        return None if asked is None else Stop(frame, asked.reason, asked.description), False

    def _begin_in_child(self) -> None:
        """The process was forked, and nobody is here who could let a thread go: none is held any more."""
        self._is_open = False

    def _may_hold(self, record: ThreadRecord) -> bool:
        # A thread that is held already is running an evaluation for the client.
        return self._is_open and record.stop is None and record.ident not in self._threads.own

    def _stand(self, record: ThreadRecord, stop: Stop) -> None:
        record.stop = stop
        record.was_stepped = False
        self._threads.keep(record)

    def _wait(self, record: ThreadRecord, to_announce: Stop | None) -> None:
        if to_announce is not None:
            self._announce(record, to_announce)
        record.wait()

    def _leave(self, record: ThreadRecord) -> None:
        """Ctrl-C, on the main thread: the program gets it, so this thread is held no more."""
        self.lock.give_back()
        with self.lock:
            was_alone = self.leader is None and record.stop is not None
            record.stop = None
            record.drop_jobs()  # first of all: one that is left over would end the next wait
            self._engine.let_out()
            took_the_stop = self.leader is record
            if took_the_stop:
                self._release(self._threads.held())
        if took_the_stop or was_alone:
            self._lost(was_alone)

    def _pause_of(self, record: ThreadRecord) -> Stop | None:
        return self._pauses.get(record.ident) or self._pauses.get(None)

    def _lead(self, record: ThreadRecord) -> None:
        """A stop of this thread is told, be it of all or its own."""
        record.leads += 1
        record.is_free = self._lets_one_run = False
        if self.stops_all or self.leader is not None:
            self.leader = record
            self._pauses.clear()
            self._engine.follow_nobody()
        else:
            self._pauses.pop(record.ident if record.ident in self._pauses else None, None)
            self._engine.follow(record.ident, None)
        self._interrupt_as_needed()

    def _interrupt_as_needed(self) -> None:
        """Look at every thread that comes by as long as one is to be held there, and no longer."""
        if self.leader is not None or self._pauses:
            self._engine.interrupt()
        else:
            self._engine.let_go()

    # -- on the server's thread

    def open(self) -> None:
        """Somebody is attached: threads may be held from now on."""
        self._is_open = True

    def close(self) -> None:
        """Nobody is: let everything go, and hold nothing."""
        with self.lock:
            self._is_open = False
            self._release(self._threads.held())

    def pause(self, ident: int | None, stop: Stop) -> bool:
        """Ask for a stop of this thread, or of whichever comes first. False: there is nothing that runs.

        While all are stopped but for one that was let go alone, that one is meant.
        """
        with self.lock:
            if self.leader is not None:
                ident = None
                if not any(each.is_free for each in self._threads.all()):
                    return False
            elif any(each.ident == ident for each in self._threads.held()):
                return False
            self._pauses[ident] = stop
            self._engine.interrupt()
            return True

    def pause_in_native_code(self, record: ThreadRecord, stop: Stop) -> bool:
        """Count a thread as stopped although it is inside C. False: it, or another, was held meanwhile."""
        with self.lock:
            others_hold_it = self.leader is not None and not record.is_free
            if record.stop is not None or others_hold_it or self._pause_of(record) is None:
                return False
            record.native_stop = stop
            self._lead(record)
            return True

    def give_up_pause(self, ident: int) -> None:
        """The thread that was meant has ended."""
        with self.lock:
            self._pauses.pop(ident, None)
            self._interrupt_as_needed()

    def take_abandoned(self) -> ThreadRecord | None:
        """A held thread, when the one that was let go alone has ended and nothing runs any more."""
        with self.lock:
            held = self._threads.held()
            if not self._lets_one_run or not held:
                return None
            self._lets_one_run = False
            self.leader = self.leader if self.leader in held else held[0]
            return self.leader

    def let_all_go(self) -> None:
        """Resume every thread."""
        with self.lock:
            self._release(self._threads.held())

    def let_go_alone(self, record: ThreadRecord) -> None:
        """Resume this thread; others that are held stay so."""
        with self.lock:
            record.is_free = self._lets_one_run = self.leader is not None
            record.native_stop = None
            if record.stop is not None:
                record.stop = None
                record.let_go()
            self._interrupt_as_needed()

    def let_help(self, record: ThreadRecord) -> list[ThreadRecord]:
        """Resume the others, but for the leader, so that this thread gets what it waits for. Which they are.

        One that comes to a breakpoint meanwhile waits there, and makes that stop when all go on. Where nobody
        leads there are none: each is held for a stop of its own.
        """
        with self.lock:
            if self.leader is None:
                return []
            helping = [each for each in self._threads.held() if each not in (record, self.leader)]
            for each in helping:
                each.is_helping = True
                each.stop = None
                each.let_go()
            return helping

    def stop_help(self) -> None:
        """Hold those that help again, where they next come by."""
        with self.lock:
            for record in self._threads.all():
                record.is_helping = False
            if self.leader is not None:
                self._engine.interrupt()

    def _release(self, held: list[ThreadRecord]) -> None:
        self.leader = None
        self._lets_one_run = False
        self._pauses.clear()
        self._engine.let_go()
        for record in self._threads.all():
            record.is_free = record.is_helping = False
            record.native_stop = None
        for record in held:
            record.stop = None
            record.let_go()
