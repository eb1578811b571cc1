"""Drives the debugger inside the process under test, without sockets, under any Python.

The program under test runs on the main thread. The calls to the debugger are made on a thread that stands
for the server's, and whoever tests waits for events on a third.
"""

from __future__ import annotations

import queue
import threading
import traceback
from typing import Any, Callable

from remora._control._debugger import Debugger
from remora._engine import Engine, run_unseen
from remora._interpreter._originals import get_ident, start_new_thread
from remora._interpreter._timers import after
from remora._source._sources import Sources

PATIENCE = 20.0


class Operator:
    """Runs a script of calls on a thread of its own, which is one of the debugger's from first to last.

    No `threading.Thread`: that runs on for a while after its function, when it is the debugger's no more. And
    it may not be so for longer than it runs, since the next thread of the program may get the same ident.
    """

    def __init__(self, script: Callable[[], None], own_threads: set[int]) -> None:
        self._script = script
        self._own_threads = own_threads
        self._began, self._ended = threading.Event(), threading.Event()
        start_new_thread(run_unseen, (self._run,))
        assert self._began.wait(PATIENCE)

    def _run(self) -> None:
        self._own_threads.add(get_ident())
        self._began.set()
        try:
            self._script()
        except BaseException:
            traceback.print_exc()
        finally:
            self._own_threads.discard(get_ident())
            self._ended.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the script has ended. Whether it has."""
        return self._ended.wait(timeout)


class Controller:
    """A debugger with somebody who operates it."""

    def __init__(self, engine: Engine | None = None) -> None:
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue()
        # Simple: a thread of the program's may put into it, and be held at every line of what is Python.
        self.events: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.debugger = Debugger(Sources(), self._jobs.put, self._later, engine)
        began = threading.Event()

        def serve() -> None:
            self.debugger.own_threads.add(get_ident())
            began.set()
            for job in iter(self._jobs.get, None):
                job()

        start_new_thread(run_unseen, (serve,))
        assert began.wait(PATIENCE)

    def _later(self, seconds: float, function: Callable[[], None]) -> Callable[[], None]:
        return after(seconds, lambda: self._jobs.put(function), self.debugger.own_threads)

    def attach(self) -> None:
        self.call("attach", lambda event, body: self.events.put((event, body)))

    def end(self) -> None:
        self.call("detach")
        self._jobs.put(None)

    def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the debugger where it is to be called."""
        return self.run(lambda: getattr(self.debugger, method)(*arguments, **options))

    def run(self, function: Callable[[], Any]) -> Any:
        answer: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue()

        def job() -> None:
            try:
                answer.put((function(), None))
            except BaseException as error:
                answer.put((None, error))

        self._jobs.put(job)
        result, error = answer.get(timeout=PATIENCE)
        if error is not None:
            raise error
        return result

    def operate(self, script: Callable[[], None]) -> Operator:
        """Run a script of calls on a thread that is none of the program's."""
        return Operator(script, self.debugger.own_threads)

    def wait(self, *names: str, timeout: float = PATIENCE) -> dict[str, Any]:
        """The body of the next event of one of these names."""
        while True:
            event, body = self.events.get(timeout=timeout)
            self.seen.append((event, body))
            if event in names:
                return body

    def wait_stopped(self, timeout: float = PATIENCE) -> dict[str, Any]:
        return self.wait("stopped", timeout=timeout)

    def evaluate(self, thread_id: int, function: Callable[[], Any], **options: Any) -> Any:
        """Run a function on a held thread, and wait for what it gives."""
        answer: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue()
        self.call("call_on", thread_id, function, lambda *both: answer.put(both), **options)
        result, error = answer.get(timeout=PATIENCE)
        if error is not None:
            raise error
        return result
