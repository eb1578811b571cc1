"""The event loop that is the server's one thread: sockets, timers, and calls posted by the program's threads.

`post` may be called from any thread, also from a signal handler; everything else on the loop's own thread.
Nothing in here waits for anything but the selector.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
from collections import deque

from remora._interpreter._originals import (
    allocate_lock,
    get_ident,
    make_selector,
    monotonic,
    sleep,
    socketpair,
    start_new_thread,
)
from remora._interpreter._switching import SwitchInterval
from remora._log import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Loop", "Timer"]

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_BREATH = 0.01
_CHECK_SECONDS = 1.0


class Timer:
    """A call that is to happen later, unless it is cancelled."""

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when = when
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Let it not happen. Harmless when it has."""
        self.call = None


class Loop:
    """Runs callbacks one after the other, on a thread that no tool of the program sees.

    A program may close all descriptors, as daemons do, and open others with the same numbers. So each is
    looked at before it is used; those that are not ours any more are let go, their callbacks are told by
    events of 0, and `recover` is called to open others.
    """

    def __init__(self) -> None:
        self.recover: Callable[[], None] = lambda: None
        self.ident: int | None = None
        self._selector = make_selector()
        self._posted: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._running = True
        self._switch_interval = SwitchInterval()
        self._ended = allocate_lock()
        self._next_check = monotonic() + _CHECK_SECONDS
        self._open_wake()

    def _open_wake(self) -> None:
        self._woken, self._wake = socketpair()
        self._selector.register(self._woken, READ, self._on_wake)

    # -- from any thread --------------------------------------------------------------------------

    def start(self, run: Callable[[Callable[[], None]], None]) -> None:
        """Start the thread; `run` calls what it is given where no tool of the program sees it."""
        self._ended.acquire()

        def thread() -> None:
            try:
                self.ident = get_ident()
                run(self._run)
            finally:
                self._ended.release()

        start_new_thread(thread, ())

    def post(self, call: Callable[[], None]) -> None:
        """Have `call` run on the loop's thread, soon. Never blocks."""
        self._posted.append(call)
        wake = self._wake
        try:
            if wake.is_ours():
                wake.send(b"\0")
        except OSError:
            pass  # it is full, so the loop is awake already; or closed, and nobody is left to do it

    def join(self, timeout: float) -> bool:
        """Wait for the thread's end; False when it has not come in time."""
        if self.ident == get_ident() or not self._ended.acquire(timeout=timeout):
            return False
        self._ended.release()
        return True

    def abandon(self) -> None:
        """In a forked child: close what was inherited, quietly. The parent goes on with its own."""
        self._running = False
        self._switch_interval.restore()
        self._close_watched()
        self._close()
        self._posted.clear()
        self._timers.clear()

    # -- on the loop's thread ---------------------------------------------------------------------

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Have `call` run after so many seconds."""
        timer = Timer(monotonic() + seconds, call)
        heapq.heappush(self._timers, (timer.when, next(self._order), timer))
        return timer

    def watch(self, sock: Any, events: int, call: Callable[[int], None]) -> None:
        """Call `call(ready)` whenever the socket is ready for one of `events`; 0 stops watching."""
        if sock.fileno() < 0:
            return  # it was lost, and is not watched any more
        key = self._selector.get_map().get(sock.fileno())
        if key is not None and key.fileobj is not sock:  # that one's descriptor was closed
            self._lose(key)
            key = None
        watched = key is not None
        if not events:
            if watched:
                self._selector.unregister(sock)
        elif watched:
            self._selector.modify(sock, events, call)
        else:
            self._selector.register(sock, events, call)

    @property
    def is_watching(self) -> bool:
        """Whether any socket but our own is watched."""
        return len(self._selector.get_map()) > 1

    def stop(self) -> None:
        """End the loop after the callback that runs now."""
        self._running = False

    def _run(self) -> None:
        while self._running:
            try:
                self._turn()
            except Exception as error:  # the program has replaced what this takes, `list` say: for a while
                log.failure(error)
                sleep(_CHECK_SECONDS)
        self._close_watched()  # who has not hung up by now never will
        self._close()

    def _turn(self) -> None:
        try:
            ready = self._selector.select(self._patience())
        except (OSError, ValueError):  # a descriptor in it is closed, or more than are allowed by now
            ready, self._next_check = [], 0.0
            sleep(_BREATH)
        self._switch_interval.shorten()
        try:
            self._work(ready)
        finally:
            self._switch_interval.restore()

    def _work(self, ready: list[tuple[Any, int]]) -> None:
        for key, events in ready:
            if key.fileobj.is_ours():
                self._guard(key.data, events)
            else:
                self._next_check = 0.0
        if monotonic() >= self._next_check:
            self._check_descriptors()
        for _ in range(len(self._posted)):
            self._guard(self._posted.popleft())
        self._run_timers()

    def _patience(self) -> float:
        if self._posted:
            return 0
        while self._timers and self._timers[0][2].call is None:  # cancelled: nothing to wake up for
            heapq.heappop(self._timers)
        until = min(self._timers[0][0], self._next_check) if self._timers else self._next_check
        left: float = until - monotonic()
        return max(0.0, left)

    def _check_descriptors(self) -> None:
        """Let go of what the program has closed. A wait does not end when a descriptor in it is closed."""
        self._next_check = monotonic() + _CHECK_SECONDS
        lost = [key for key in list(self._selector.get_map().values()) if not key.fileobj.is_ours()]
        for key in lost:
            self._lose(key)
        if self._woken.fileno() < 0 or not self._wake.is_ours():
            if self._woken.fileno() >= 0:
                self._selector.unregister(self._woken)
            self._woken.close()
            self._wake.close()
            self._open_wake()
        if lost:
            log.warning("the program has closed descriptors of ours")
            self._guard(self.recover)

    def _lose(self, key: selectors.SelectorKey) -> None:
        self._selector.unregister(key.fileobj)
        lost: Any = key.fileobj
        lost.detach()
        self._posted.append(lambda: key.data(0))

    def _run_timers(self) -> None:
        now = monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.call is not None:
                call, timer.call = timer.call, None
                self._guard(call)

    def _guard(self, call: Callable[..., None], *arguments: Any) -> None:
        """A mistake in one callback is logged; it ends neither the loop nor the program."""
        try:
            call(*arguments)
        except Exception as error:
            log.failure(error)

    def _on_wake(self, _events: int) -> None:
        try:
            while len(self._woken.recv(4096)) == 4096:
                pass
        except OSError:
            pass

    def _close_watched(self) -> None:
        for key in list((self._selector.get_map() or {}).values()):
            key.fileobj.close()

    def _close(self) -> None:
        self._selector.close()
        self._woken.close()
        self._wake.close()
