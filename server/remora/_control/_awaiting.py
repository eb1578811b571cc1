"""Runs what a person awaits at the prompt, to its end, on the stopped thread.

Where the thread runs an event loop of asyncio, that loop turns on inside the stop: the other tasks run, and
only the one that is stopped stands still. Where it runs none, or one that cannot be entered twice, there is
a loop of its own for this evaluation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._control import _calls
from remora._interpreter._originals import monotonic
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CoroutineType

__all__ = ["run"]

#: Nobody waits for ever for what may never come while a task stands still.
_LONGEST = 30.0
_LOOK = 0.05
_LAST_WORDS = 1.0


def run(coroutine: CoroutineType[Any, Any, Any], say: Callable[[str], None]) -> Any:
    """What the coroutine returns.

    Args:
        say: told, in a sentence, when this is not the program's own loop.

    Raises:
        GivenUp: it was cancelled.
        RequestFailed: it took too long.
    """
    import asyncio

    loop: Any = asyncio._get_running_loop()
    if loop is not None and hasattr(loop, "_run_once") and hasattr(loop, "_ready"):
        return _Awaited(asyncio, loop, coroutine).run_inside()
    why = "the one of this thread cannot run inside a stop" if loop is not None else "this thread runs none"
    say(f"Awaited in an event loop of its own: {why}. What belongs to another loop may not work in it.")
    own: Any = asyncio.SelectorEventLoop()
    try:
        return _Awaited(asyncio, own, coroutine).run_outside(loop)
    finally:
        own.close()


class _Awaited:
    """One coroutine, in one loop."""

    def __init__(self, asyncio: Any, loop: Any, coroutine: CoroutineType[Any, Any, Any]) -> None:
        self._asyncio = asyncio
        self._loop = loop
        self._coroutine = coroutine
        self._task: Any = None
        self._is_given_up = False
        self._cancelled_at: float | None = None
        self._until = monotonic() + _LONGEST

    def run_inside(self) -> Any:
        """In the loop that this thread is in the middle of."""
        loop, asyncio = self._loop, self._asyncio
        expected = len(loop._ready)  # the turn that we are inside of is going to take so many more
        current = _swap_current(asyncio, loop, None)
        try:
            self._begin()
            while not self._is_over():
                try:
                    loop._run_once()
                except (SystemExit, KeyboardInterrupt) as error:
                    # It comes from another task and is for the program, once that goes on.
                    loop.call_soon(_raise, error)
                    expected += 1
        finally:
            _swap_current(asyncio, loop, current)
            for _ in range(expected - len(loop._ready)):
                nothing = asyncio.Handle(_do_nothing, (), loop)
                nothing.cancel()
                loop._ready.append(nothing)
        return self._outcome()

    def run_outside(self, around: Any) -> Any:
        """In a loop of its own; `around` is the one that this thread is in the middle of, if any."""
        loop, asyncio = self._loop, self._asyncio
        current = None if around is None else _swap_current(asyncio, around, None)
        asyncio._set_running_loop(None)
        try:
            self._begin()
            loop.run_until_complete(self._ended())
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            asyncio._set_running_loop(around)
            if around is not None:
                _swap_current(asyncio, around, current)
        return self._outcome()

    async def _ended(self) -> None:
        while not self._is_over():
            await self._asyncio.wait([self._task], timeout=_LOOK)

    def _begin(self) -> None:
        # Not by the loop's own factory: that is the program's, and may start it at once. The context is a
        # copy of the one that the stopped task runs in.
        self._task = self._asyncio.Task(self._coroutine, loop=self._loop, name="remora await")
        _calls.leave_to(self)
        self._look()

    def _look(self) -> None:
        """Again and again: a loop with nothing to do would not see that it is to give up."""
        if not self._task.done():
            self._loop.call_later(_LOOK, self._look)

    def _is_over(self) -> bool:
        now = monotonic()
        if self._task.done():
            return True
        if self._cancelled_at is None and (self._is_given_up or now > self._until):
            self._cancelled_at = now
            self._task.cancel()
        return self._cancelled_at is not None and now > self._cancelled_at + _LAST_WORDS

    def _outcome(self) -> Any:
        if self._cancelled_at is None:
            return self._task.result()
        self._task.add_done_callback(_read)
        if self._is_given_up:
            raise _calls.GivenUp
        text = (
            f"It was given up after {_LONGEST:g} seconds: what it awaits may need something that is stopped."
        )
        raise RequestFailed("evaluation-failed", text)

    # -- on the server's thread

    def give_up(self) -> None:
        """Have it cancelled. An exception out of nowhere could hit another task of the loop."""
        self._is_given_up = True

    def is_deaf(self) -> bool:
        """Whether the coroutine itself keeps the loop from turning, so that it is not cancelled."""
        return bool(self._coroutine.cr_running)


def _swap_current(asyncio: Any, loop: Any, task: Any) -> Any:
    """Have `task` count as the one that runs in the loop; returns the one that did."""
    tasks = asyncio.tasks
    if hasattr(tasks, "_swap_current_task"):  # 3.12
        return tasks._swap_current_task(loop, task)
    previous = asyncio.current_task(loop)
    if previous is not None:
        tasks._leave_task(loop, previous)
    if task is not None:
        tasks._enter_task(loop, task)
    return previous


def _raise(error: BaseException) -> None:
    raise error


def _do_nothing() -> None:
    pass


def _read(task: Any) -> None:
    """Whatever it ends with: it is no exception that nobody has fetched."""
    if not task.cancelled():
        task.exception()
