"""The tasks of the program's event loops, each with its chain of awaits. On the server's thread.

Nothing of the program is called: loops are found in the frames of running threads, and what a coroutine
waits for in the attributes that the interpreter keeps for it. So it works while the program runs, too; the
picture is then that of a moment.
"""

from __future__ import annotations

import functools
import gc
import itertools
import re
import sys
from dataclasses import dataclass
from types import AsyncGeneratorType, CoroutineType, FrameType, FunctionType, GeneratorType, MethodType
from typing import TYPE_CHECKING, Any
from weakref import ref

from remora._interpreter import _frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Set

    _Tasks = list[tuple[Any, str]]
    """Of one loop, each with what it waits for."""

__all__ = ["Task", "TaskNumbers", "current_task_name", "find_tasks"]

_LOOP_CALLS = frozenset({"run_forever", "_run_once"})
_RUN_LOOPS = frozenset({"run_forever", "run_until_complete"})
_TRIO_CALLS = frozenset({"run", "unrolled_run"})
#: A chain this long is a cycle, or recursion that nobody reads to its end.
_DEEPEST = 200
#: As many of the tasks that one waits for are named.
_NAMED = 3


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


class TaskNumbers:
    """The numbers that people know tasks by: those in asyncio's own names, and low ones for the others."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[Any], int]] = {}

    def give(self, tasks: Sequence[tuple[Any, str]]) -> list[int]:
        """Each one's number, for (task, name). One that has got a number keeps it for life."""
        self._known = {key: each for key, each in self._known.items() if each[0]() is not None}
        taken = {number for _, number in self._known.values()}
        for task, name in sorted(tasks, key=lambda each: _in_order(each[1])):
            if id(task) not in self._known:
                own = re.fullmatch(r"Task-(\d{1,9})", name)
                number = int(own[1]) if own else 0
                if number in taken or number < 1:
                    # The loop counts upwards: what it has passed by now, it does not give to anybody.
                    number = next(each for each in itertools.count(1) if each not in taken)
                taken.add(number)
                self._known[id(task)] = (ref(task), number)
        return [self._known[id(task)][1] for task, _ in tasks]


def find_tasks(own_threads: Set[int], numbers: TaskNumbers) -> list[Task]:
    """Every task that is not done, of every event loop that runs; by their numbers."""
    newest_frames = _frames.current_frames()
    stacks = {ident: frame for ident, frame in newest_frames.items() if ident not in own_threads}
    by_thread = {ident: list(_tasks_in(newest)) for ident, newest in stacks.items()}
    without = [ident for ident, loops in by_thread.items() if not loops and _runs_some_loop(stacks[ident])]
    if len(without) == 1:  # of several nobody knows which loop is whose
        by_thread[without[0]] = _tasks_of_the_only_other_loop(by_thread.values())
    found = [
        (task, ident, waits_for)
        for ident, loops in by_thread.items()
        for tasks in loops
        for task, waits_for in tasks
    ]
    given = numbers.give([(task, _name(task)) for task, _, _ in found])
    tasks = [_look_at(*each, number) for number, each in zip(given, found)]
    return sorted(tasks, key=lambda task: task.number)


def current_task_name() -> str:
    """The name of the task that runs on this very thread; empty when there is none."""
    for library, lookup in (("asyncio", "current_task"), ("trio.lowlevel", "current_task")):
        module = sys.modules.get(library)
        try:
            task = None if module is None else getattr(module, lookup)()
        except (RuntimeError, AttributeError):  # no loop runs here, or it is only half imported
            continue
        if task is not None:
            return _name(task)
    return ""


def _name(task: Any) -> str:
    return str(task.get_name() if hasattr(task, "get_name") else task.name)


def _in_order(name: str) -> list[tuple[int, str]]:
    """A key that has task-9 before task-10, and the numbers of asyncio's own names before all others."""
    is_named = not name.startswith("Task-")
    parts = re.split(r"([0-9]{1,9})", name, maxsplit=9)
    return [(is_named, ""), *((int(each), "") if each.isdecimal() else (-1, each) for each in parts)]


def _tasks_in(frame: FrameType | None) -> Iterator[_Tasks]:
    """The tasks, with what they wait for, of each event loop that this stack runs: one, as a rule."""
    found: set[int] = set()
    while frame is not None:
        code = frame.f_code
        if code.co_name in _TRIO_CALLS and frame.f_globals.get("__name__") == "trio._core._run":
            runner = frame.f_locals.get("runner")
            if runner is not None and id(runner) not in found:
                found.add(id(runner))
                yield [(task, "") for task in list(runner.tasks)]
        for loop in _loops_of_asyncio(frame):
            if loop is not None and id(loop) not in found:
                found.add(id(loop))
                yield _tasks_of_asyncio(loop)
        frame = frame.f_back


def _loops_of_asyncio(frame: FrameType) -> Iterator[Any]:
    """What runs in this frame or, for those written in C that have no frames (uvloop), is run by it."""
    code = frame.f_code
    if code.co_name in _LOOP_CALLS and code.co_varnames[:1] == ("self",):
        yield frame.f_locals.get("self")
    elif not _RUN_LOOPS.isdisjoint(code.co_names):
        asyncio, own = sys.modules.get("asyncio"), sys.modules.get("asyncio.base_events")
        if asyncio is None or own is None:
            return
        for value in list(frame.f_locals.values()):
            loop = vars(value).get("_loop") if type(value) is getattr(asyncio, "Runner", None) else value
            kind = type(loop)
            if issubclass(kind, asyncio.AbstractEventLoop) and not issubclass(kind, own.BaseEventLoop):
                yield loop


def _runs_some_loop(newest: FrameType) -> bool:
    return any(not _RUN_LOOPS.isdisjoint(frame.f_code.co_names) for frame in _frames.walk(newest))


def _tasks_of_the_only_other_loop(known: Iterable[list[_Tasks]]) -> list[_Tasks]:
    """Those of a loop written in C that no variable in a stack holds: among all objects that there are."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or not hasattr(asyncio, "AbstractEventLoop"):
        return []
    seen = {id(task) for loops in known for tasks in loops for task, _ in tasks}
    other = [tasks for tasks in map(_tasks_of_asyncio, _loops_in_memory(asyncio.AbstractEventLoop)) if tasks]
    other = [tasks for tasks in other if id(tasks[0][0]) not in seen]
    return other if len(other) == 1 else []


def _loops_in_memory(kind: type) -> Iterator[Any]:
    each: type
    for each in type.__subclasses__(kind):
        # Whoever asks what refers to a class is given its instances.
        yield from (loop for loop in gc.get_referrers(each) if type(loop) is each)
        yield from _loops_in_memory(each)


def _tasks_of_asyncio(loop: Any) -> _Tasks:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or not hasattr(asyncio, "all_tasks"):
        return []
    tasks = list(asyncio.all_tasks(loop))
    awaited = _awaited(tasks)
    return [(task, _waits_for(task, awaited)) for task in tasks]


def _waits_for(task: Any, awaited: dict[int, list[str]]) -> str:
    """The tasks that one waits for, or its turn; empty when it is something else, or unknown."""
    future = getattr(task, "_fut_waiter", None)
    if future is None:
        return "its turn" if hasattr(task, "_fut_waiter") else ""
    is_task = issubclass(type(future), type(task))
    names = [_name(future)] if is_task else awaited.get(id(future), [])
    if not names:
        return ""
    word = "task" if len(names) == 1 else "tasks"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{word} {', '.join(sorted(names, key=_in_order)[:_NAMED])}{more}"


def _awaited(tasks: Sequence[Any]) -> dict[int, list[str]]:
    """The names of the tasks that each future waits for, by its id: as gather, wait and TaskGroup make them.

    When a task is done it calls back, and what it calls knows whom to tell.
    """
    found: dict[int, list[str]] = {}
    for task in tasks:
        for each in getattr(task, "_callbacks", None) or ():
            for future in _told_by(each[0] if type(each) is tuple else each):
                found.setdefault(id(future), []).append(_name(task))
    return found


def _told_by(callback: Any) -> Iterator[Any]:
    """What a callback of asyncio's knows: the variables it is a closure of, or the future of its group."""
    if type(callback) is FunctionType:
        for cell in callback.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # nothing is in it yet
                continue
    elif type(callback) is MethodType:
        group = callback.__self__
        if type(group).__module__ == "asyncio.taskgroups":
            yield getattr(group, "_on_completed_fut", None)
    elif type(callback) is functools.partial:
        yield from callback.args


def _look_at(task: Any, ident: int, waits_for: str, number: int) -> Task:
    coroutine = task.get_coro() if hasattr(task, "get_coro") else task.coro
    frames, awaited = _chain(coroutine)
    state = "waiting"
    if not waits_for and awaited is not None:
        waits_for = _describe(awaited)
    if getattr(coroutine, "cr_running", False) or getattr(coroutine, "gi_running", False):
        state, waits_for, frames = "running", "", _live(frames, ident)
    return Task(number, _name(task), ident, state, waits_for, frames)


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
            frames.append((frame, _frames.line_of(frame)))
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
    frame = _frames.current_frames().get(ident)
    stack: list[tuple[FrameType, int]] = []
    while frame is not None:
        stack.append((frame, _frames.line_of(frame)))
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
