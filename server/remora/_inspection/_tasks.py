"""The tasks of the program's event loops, each with its chain of awaits. On the server's thread.

Nothing of the program is called: loops are found in the frames of running threads, and what a coroutine
waits for in the attributes that the interpreter keeps for it. So it works while the program runs, too; the
picture is then that of a moment.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

__all__ = ["Task", "current_task_name", "find_tasks"]

_LOOP_CALLS = frozenset({"run_forever", "_run_once"})
#: A chain this long is a cycle, or recursion that nobody reads to its end.
_DEEPEST = 200


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        number: stable as long as the task lives.
        ident: the thread that its loop runs in.
        state: running, or waiting.
        waits_for: what the innermost frame awaits, in a few words.
        frames: (frame, line), newest first: the innermost await on top.
    """

    number: int
    name: str
    ident: int
    state: str
    waits_for: str
    frames: list[tuple[FrameType, int]]


def find_tasks(own_threads: Set[int]) -> list[Task]:
    """Every task that is not done, of every event loop that runs; in the order of their making."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return []
    return [
        task
        for ident, newest in list(sys._current_frames().items())
        if ident not in own_threads
        for loop in _loops_in(newest)
        for task in _tasks_of(asyncio, loop, ident)
    ]


def current_task_name() -> str:
    """The name of the task that runs on this very thread; empty when there is none."""
    asyncio = sys.modules.get("asyncio")
    try:
        task = None if asyncio is None else asyncio.current_task()
    except (RuntimeError, AttributeError):  # no loop runs here, or asyncio is only half imported
        return ""
    return "" if task is None else str(task.get_name())


def _loops_in(frame: FrameType | None) -> Iterator[Any]:
    """The event loops that this stack runs: one, but for programs that nest them."""
    found: set[int] = set()
    while frame is not None:
        code = frame.f_code
        if code.co_name in _LOOP_CALLS and code.co_varnames[:1] == ("self",):
            loop = frame.f_locals.get("self")
            if loop is not None and id(loop) not in found:
                found.add(id(loop))
                yield loop
        frame = frame.f_back


def _tasks_of(asyncio: Any, loop: Any, ident: int) -> list[Task]:
    current = asyncio.current_task(loop)
    tasks = []
    for task in asyncio.all_tasks(loop):
        coroutine = task.get_coro()
        frames, awaited = _chain(coroutine)
        state, waits_for = "waiting", "" if awaited is None else _describe(awaited)
        if task is current:
            state, waits_for, frames = "running", "", _live(frames, ident)
        tasks.append(Task(_number(task), task.get_name(), ident, state, waits_for, frames))
    return sorted(tasks, key=lambda task: task.number)


def _number(task: Any) -> int:
    """The name's own number where asyncio gave it, so that people see one number only."""
    prefix, _, digits = task.get_name().rpartition("-")
    if prefix == "Task" and digits.isdigit() and len(digits) < 9:
        return int(digits)
    return 1_000_000_000 + id(task) % 1_000_000_000


def _chain(coroutine: Any) -> tuple[list[tuple[FrameType, int]], Any]:
    """The frames from the innermost await outwards, and what that one waits for."""
    frames: list[tuple[FrameType, int]] = []
    awaited = coroutine
    for _ in range(_DEEPEST):
        if type(awaited) is CoroutineType:
            frame, following = awaited.cr_frame, awaited.cr_await
        elif type(awaited) is GeneratorType:
            frame, following = awaited.gi_frame, awaited.gi_yieldfrom
        elif type(awaited) is AsyncGeneratorType:
            frame, following = awaited.ag_frame, awaited.ag_await
        else:
            inner = _inside(awaited)
            if inner is None:
                break
            awaited = inner
            continue
        if frame is not None:
            frames.append((frame, frame.f_lineno or frame.f_code.co_firstlineno))
        if following is None:
            awaited = None
            break
        awaited = following
    return frames[::-1], awaited


def _inside(awaited: Any) -> Any:
    """The async generator in what `async for` awaits: only the garbage collector knows it."""
    if type(awaited).__name__ not in ("async_generator_asend", "async_generator_athrow", "coroutine_wrapper"):
        return None
    import gc

    kinds = (AsyncGeneratorType, CoroutineType)
    return next((each for each in gc.get_referents(awaited) if type(each) in kinds), None)


def _live(frames: list[tuple[FrameType, int]], ident: int) -> list[tuple[FrameType, int]]:
    """The whole stack of the task that runs: from its newest frame out to its coroutine's own."""
    outermost = frames[-1][0] if frames else None
    frame = sys._current_frames().get(ident)
    stack: list[tuple[FrameType, int]] = []
    while frame is not None:
        stack.append((frame, frame.f_lineno or frame.f_code.co_firstlineno))
        if frame is outermost:
            return stack
        frame = frame.f_back
    return frames


def _describe(awaited: Any) -> str:
    kind = type(awaited)
    if kind.__name__ == "Task" and hasattr(awaited, "get_name"):
        return f"task {awaited.get_name()}"
    if kind.__name__ == "FutureIter":
        return "a future"
    return f"{kind.__module__}.{kind.__qualname__}"
