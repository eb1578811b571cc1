"""An event loop in a thread of its own, for callers that have none."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["LoopThread"]

T = TypeVar("T")
P = ParamSpec("P")


class LoopThread:
    """Runs until `stop`. A daemon: a script that forgets to detach can still end."""

    _thread: threading.Thread | None

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="remora-session", daemon=True)
        self._thread.start()

    @classmethod
    def beside(cls, loop: asyncio.AbstractEventLoop) -> LoopThread:
        """A loop that somebody else runs, for callers in another thread; `stop` leaves it alone."""
        made = cls.__new__(cls)
        made._loop = loop
        made._thread = None
        return made

    @property
    def running(self) -> bool:
        """Whether `stop` has not been called."""
        return not self._loop.is_closed()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and wait for it; Ctrl-C in the waiting thread cancels it."""
        if not self.running:
            coroutine.close()
            raise RuntimeError("This session is over.")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function there and wait for it."""

        async def call() -> T:
            return function(*args, **kwargs)

        return self.run(call())

    def stop(self) -> None:
        """End the loop and its thread. Safe to call twice."""
        if not self.running or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
