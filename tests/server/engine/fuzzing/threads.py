"""The same program on several threads at once: each goes its own way, and that is the way of one alone.

Runs under the Python to be tested.
"""

from __future__ import annotations

import functools
import os
import queue
import sys
import threading
from typing import TYPE_CHECKING

import reference

from remora._stopping._breakpoints import SourceBreakpoint

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from controller import Controller
    from runner import Program

__all__ = ["Walk", "walks"]

_NAMES = ("walker 0", "walker 1", "walker 2")
_PATTERNS = (None, None, "walker 1", "walker [02]")
_KINDS = ("in", "in", "over", "over", "out", "until", "return")
_MOST_STEPS = 12
_LOG = "{__import__('threading').current_thread().name}: "


class Walk:
    """Runs the program on each of the threads, and keeps apart what each does."""

    def __init__(self, control: Controller, program: Program, chooser: random.Random) -> None:
        self.control = control
        self.program = program
        self.chooser = chooser
        self.went: dict[str, list[str]] = {name: [] for name in _NAMES}
        self.expected: dict[str, list[str]] = {name: [] for name in _NAMES}
        self.running = len(_NAMES)

    def points(self) -> list[SourceBreakpoint]:
        """What to set before the threads begin."""
        raise NotImplementedError

    def stops_all(self) -> bool:
        """Whether a stop of one thread is to hold the others."""
        raise NotImplementedError

    def what(self) -> object:
        """What was done, for who reads of a difference."""
        raise NotImplementedError

    def run(self) -> bool:
        """Whether each thread went where it should."""
        control, debugger = self.control, self.control.debugger
        threads = [threading.Thread(target=self._walk, name=name, daemon=True) for name in _NAMES]
        debugger.stops_all = self.stops_all()
        control.call("set_breakpoints", self.program.path, self.points())
        operator = control.operate(self._operate)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        operator.join()
        control.call("set_breakpoints", self.program.path, [])
        debugger.stops_all = True
        while not control.events.empty():
            control.events.get()
        return self.went == self.expected

    def _walk(self) -> None:
        try:
            self.program.main()
            end = "end"
        except Exception as error:
            end = f"raised {type(error).__name__}"
        self.control.events.put(("ended", {"name": threading.current_thread().name, "how": end}))

    def _operate(self) -> None:
        while self.running:
            try:
                event, body = self.control.events.get(timeout=10)
            except queue.Empty:
                self.went[_NAMES[0]].append("lost")
                self.control.call("detach")
                self.control.attach()
                return
            if event == "ended":
                self.running -= 1
                self.went[body["name"]].append(body["how"])
                self.expected[body["name"]].append(self.program.recording.end)
                self.ended(body["name"])
            elif event == "output":
                name, _, text = body["output"].strip().partition(": ")
                self.went.setdefault(name, []).append(text)
            elif event == "stopped":
                self.stopped(self._name(body["threadId"]), body["threadId"])
            self.go_on()

    def _name(self, number: int) -> str:
        return next(info.name for info in self.control.call("threads") if info.id == number)

    def stopped(self, name: str, number: int) -> None:
        """A thread is held."""
        raise NotImplementedError

    def ended(self, name: str) -> None:
        """A thread has gone through the program."""

    def go_on(self) -> None:
        """After each event."""

    def place(self, number: int) -> str:
        """Where a thread is held, as `reference.Position` tells it."""
        frame = self.control.call("frames", number)[0]
        stop = self.control.call("stop_info", number)
        mark = "=" if stop.returned is not None else "!" if stop.description.startswith("task") else ""
        is_own = frame.filename == self.program.path
        return f"{frame.line}{mark}" if is_own else f"{os.path.basename(frame.filename)}:{frame.line}"


class ThreadSteps(Walk):
    """Steps: of each thread, while the others make their own; or of one, while the others run beside it."""

    def __init__(self, control: Controller, program: Program, chooser: random.Random, *, alone: bool) -> None:
        super().__init__(control, program, chooser)
        self.alone = alone
        self.single = not alone or chooser.random() < 0.3
        self.kinds: dict[str, list[str]] = {name: [] for name in _NAMES}
        self.positions: dict[str, reference.Position | None] = {
            name: program.recording.start(program.start) for name in (_NAMES[:1] if alone else _NAMES)
        }
        self._ways_on: list[Callable[[], None]] = []

    def points(self) -> list[SourceBreakpoint]:
        return [SourceBreakpoint(self.program.start, thread=_NAMES[0] if self.alone else None)]

    def stops_all(self) -> bool:
        return self.alone

    def what(self) -> object:
        return {"alone": self.alone, "single": self.single, "steps": self.kinds}

    def stopped(self, name: str, number: int) -> None:
        debugger = self.control.debugger
        position = self.positions.get(name)
        went, expected, kinds = self.went[name], self.expected[name], self.kinds[name]
        went.append(self.place(number))
        expected.append(str(position))
        if position is not None and went == expected and len(kinds) < _MOST_STEPS:
            kinds.append(self.chooser.choice(_KINDS))
            self.positions[name] = self.program.recording.step(kinds[-1], position)
            way_on = functools.partial(debugger.step, number, kinds[-1], single_thread=self.single)
        else:
            self.positions[name] = None
            way_on = functools.partial(debugger.resume, None if self.alone else number)
        self._ways_on.append(way_on)

    def go_on(self) -> None:
        if self.alone or len(self._ways_on) == self.running:  # so that their steps overlap
            ways_on, self._ways_on = self._ways_on, []
            self.control.run(lambda: [go() for go in ways_on])

    def ended(self, name: str) -> None:
        if self.single and name == _NAMES[0] and self.control.debugger.all_are_stopped():
            self.control.call("resume", None)  # the others are held still


class ThreadBreakpoints(Walk):
    """Breakpoints and logpoints: each thread comes to them as if it were alone."""

    def __init__(self, control: Controller, program: Program, chooser: random.Random) -> None:
        super().__init__(control, program, chooser)
        self._stops_all = chooser.random() < 0.5
        lines = sorted({event.line for event in program.recording.events if event.kind == "line"})
        chosen = chooser.sample(lines, min(len(lines), chooser.randint(1, 3)))
        self._points = [self._point(line) for line in chosen]
        order = {id(event): index for index, event in enumerate(program.recording.events)}
        visits = {
            order[id(event)]: point
            for point in self._points
            for event in program.recording.visits(point.line, program.statements.get(point.line, point.line))
        }
        self.expected = {
            name: [str(visits[at].line) for at in sorted(visits) if visits[at].thread in self._fitting(name)]
            for name in _NAMES
        }

    def _point(self, line: int) -> SourceBreakpoint:
        message = f"{_LOG}{line}" if self.chooser.random() < 0.4 else None
        return SourceBreakpoint(line, log_message=message, thread=self.chooser.choice(_PATTERNS))

    def _fitting(self, name: str) -> tuple[str | None, ...]:
        return (None, "walker 1") if name == "walker 1" else (None, "walker [02]")

    def points(self) -> list[SourceBreakpoint]:
        return self._points

    def stops_all(self) -> bool:
        return self._stops_all

    def what(self) -> object:
        return {"stops_all": self._stops_all, "breakpoints": list(map(str, self._points))}

    def stopped(self, name: str, number: int) -> None:
        self.went[name].append(self.place(number))
        self.control.call("resume", None if self._stops_all else number)


def walks(control: Controller, program: Program, chooser: random.Random) -> list[Walk]:
    """What to do with this program on several threads, one after the other.

    Nothing on PyPy: its just-in-time compiler crashes within minutes where several threads are traced.
    """
    if sys.implementation.name == "pypy":
        return []
    return [
        ThreadSteps(control, program, chooser, alone=False),
        ThreadSteps(control, program, chooser, alone=True),
        ThreadBreakpoints(control, program, chooser),
    ]
