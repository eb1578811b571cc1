"""Holding and letting go: one thread stops, all stop; they run on together, or one alone.

    running     nobody is held.
    pausing     somebody asked for a stop; the first thread to come by, or the one meant, makes it.
    stopped     a thread leads: its stop was told to the client. The others are held where they next come
                by; a thread inside C is not, and is held when it comes back.

`hold` and `hold_with_others` run on program threads and return when the thread may go on; everything else
runs on the server's thread. The lock is held for a few assignments only, never while anybody's code runs or
waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._originals import allocate_rlock, get_ident
from remora._stops import Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from remora._engine import Engine
    from remora._threads import ThreadRecord, Threads

__all__ = ["World"]


class World:
    """Which threads are held, and which of them leads.

    Args:
        announce: told of each new stop, on the thread that makes it, outside the lock.
        lost: told when a held thread leaves by itself (Ctrl-C) and took the stop with it.
    """

    def __init__(
        self,
        engine: Engine,
        threads: Threads,
        announce: Callable[[ThreadRecord, Stop], None],
        lost: Callable[[], None],
    ) -> None:
        self.lock: Any = allocate_rlock()
        self.leader: ThreadRecord | None = None
        self._engine = engine
        self._threads = threads
        self._announce = announce
        self._lost = lost
        self._is_open = False
        self._pausing: Stop | None = None
        self._pausing_thread: int | None = None

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
                    leads = self.leader is None or record.is_free
                    # First of all: a thread with a stop is not held again, whatever the next lines run into.
                    record.stop = stop
                    record.was_stepped = False
                    if leads:
                        self._lead(record)
                self._wait(record, stop if leads else None)
            except BaseException:
                self._leave(record)
                raise
            if leads or record.was_stepped or not is_still_wanted():
                return True

    def hold_with_others(self, frame: FrameType) -> bool:
        """Wait with the thread that stopped the world, if one has; or stop it, if a pause was asked for."""
        record = self._threads.of(get_ident())
        try:
            with self.lock:
                if not self._may_hold(record) or record.is_free or record.is_helping:
                    return False
                leads = self.leader is None
                if leads and not self._is_pause_for(record):
                    return False
                asked = self._pausing if leads else None
                stop = Stop(frame, "pause", "stopped with the others")
                if asked is not None:
                    stop = Stop(frame, asked.reason, asked.description)
                record.stop = stop
                record.was_stepped = False
                if asked is not None:
                    self._lead(record)
            self._wait(record, stop if leads else None)
        except BaseException:
            self._leave(record)
            raise
        return True

    def _may_hold(self, record: ThreadRecord) -> bool:
        # A thread that is held already is running an evaluation for the client.
        return self._is_open and record.stop is None and record.ident not in self._threads.own

    def _wait(self, record: ThreadRecord, to_announce: Stop | None) -> None:
        if to_announce is not None:
            self._announce(record, to_announce)
        record.wait()

    def _leave(self, record: ThreadRecord) -> None:
        """Ctrl-C, on the main thread: the program gets it, so this thread is held no more."""
        with self.lock:
            record.stop = None
            took_the_stop = self.leader is record
            if took_the_stop:
                self._release(self._threads.held())
        record.drop_jobs()
        if took_the_stop:
            self._lost()

    def _is_pause_for(self, record: ThreadRecord) -> bool:
        return self._pausing is not None and self._pausing_thread in (None, record.ident)

    def _lead(self, record: ThreadRecord) -> None:
        self.leader = record
        self._pausing = None
        record.is_free = False
        self._engine.follow_nobody()
        self._engine.interrupt()

    # -- on the server's thread

    def open(self) -> None:
        """Somebody is attached: threads may be held from now on."""
        self._is_open = True

    def close(self) -> None:
        """Nobody is: let everything go, and hold nothing."""
        with self.lock:
            self._is_open = False
            self._release(self._threads.held())

    def pause(self, ident: int | None, stop: Stop) -> None:
        """Ask for a stop of this thread, or of whichever comes first."""
        with self.lock:
            if self.leader is None:
                self._pausing, self._pausing_thread = stop, ident
                self._engine.interrupt()

    def pause_in_native_code(self, record: ThreadRecord) -> bool:
        """Count the world as stopped although the thread meant is inside C. False: it was held meanwhile."""
        with self.lock:
            if self._pausing is None or self.leader is not None:
                return False
            self._lead(record)
            return True

    def let_all_go(self) -> None:
        """Resume every thread."""
        with self.lock:
            self._release(self._threads.held())

    def let_go_alone(self, record: ThreadRecord) -> None:
        """Resume this thread; the others stay held."""
        with self.lock:
            record.is_free = True
            record.stop = None
            record.let_go()

    def let_help(self, record: ThreadRecord) -> list[ThreadRecord]:
        """Resume the others, but for the leader, so that this thread gets what it waits for. Which they are.

        One that comes to a breakpoint meanwhile waits there, and makes that stop when all go on.
        """
        with self.lock:
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
        self.leader = self._pausing = None
        self._engine.let_go()
        for record in self._threads.all():
            record.is_free = record.is_helping = False
        for record in held:
            record.stop = None
            record.let_go()

    def after_fork_in_child(self) -> None:
        """The lock may have been held by a thread that is not in this process."""
        self.lock = allocate_rlock()
        self.leader = self._pausing = None
        self._is_open = False
