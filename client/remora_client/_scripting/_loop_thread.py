"""An event loop in a thread of its own, for callers that have none."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

from remora_client._errors import Gone

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["LoopThread", "in_caller"]

T = TypeVar("T")
P = ParamSpec("P")
_Jobs: TypeAlias = "queue.SimpleQueue[Callable[[], None] | None]"

# What the thread that waits in `LoopThread.run` is to do meanwhile; inherited by the tasks that it started.
_caller: contextvars.ContextVar[_Jobs] = contextvars.ContextVar("_caller")


async def in_caller(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in the thread that waits for the coroutine that asks; it may use the session."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(set_: Callable[[Any], None], value: Any) -> None:
        if not outcome.done():  # else the waiting was given up
            set_(value)

    def job() -> None:
        try:
            found = function(*args, **kwargs)
        except Exception as error:
            loop.call_soon_threadsafe(settle, outcome.set_exception, error)
        else:
            loop.call_soon_threadsafe(settle, outcome.set_result, found)

    _caller.get().put(job)
    return await outcome


class LoopThread:
    """Runs until its last user leaves. A daemon: a script that forgets to detach can still end."""

    _thread: threading.Thread | None

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self._users: set[int] = set()
        self._is_revoked = False
        self._thread = threading.Thread(target=self._loop.run_forever, name="remora-session", daemon=True)
        self._thread.start()

    @classmethod
    def beside(cls, loop: asyncio.AbstractEventLoop) -> LoopThread:
        """A loop that somebody else runs, for callers in another thread; `stop` leaves it alone."""
        made = cls.__new__(cls)
        made._loop = loop
        made._thread = None
        made._users = set()
        made._is_revoked = False
        return made

    @property
    def running(self) -> bool:
        """Whether it may be used: neither stopped nor revoked."""
        return not self._loop.is_closed() and not self._is_revoked

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and wait for it; Ctrl-C in the waiting thread cancels it."""
        if not self.running:
            coroutine.close()
            raise Gone("This session is over: it was left.", "Attach again.")
        jobs: _Jobs = queue.SimpleQueue()
        token = _caller.set(jobs)
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        finally:
            _caller.reset(token)
        future.add_done_callback(lambda _: jobs.put(None))
        try:
            while (job := jobs.get()) is not None:
                job()
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function there and wait for it."""

        async def call() -> T:
            return function(*args, **kwargs)

        return self.run(call())

    def enter(self, user: object) -> None:
        """Run at least until this user leaves."""
        self._users.add(id(user))

    def leave(self, user: object) -> None:
        """A user is through; with the last one the loop ends."""
        self._users.discard(id(user))
        if not self._users:
            self.stop()

    def revoke(self) -> None:
        """Who uses it from now on is told that it is over; one that runs on elsewhere is not harmed."""
        self._is_revoked = True

    def stop(self) -> None:
        """End the loop and its thread. Safe to call twice."""
        if not self.running or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(_wind_up(self._loop))
        self._loop.close()


async def _wind_up(loop: asyncio.AbstractEventLoop) -> None:
    """Let what was interrupted hang up."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await loop.shutdown_default_executor()
