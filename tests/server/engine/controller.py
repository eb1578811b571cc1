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


class Controller:
    """A debugger with somebody who operates it."""

    def __init__(self, engine: Engine | None = None) -> None:
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self.events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
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

    def operate(self, script: Callable[[], None]) -> threading.Thread:
        """Run a script of calls on a thread that is none of the program's."""
        began = threading.Event()

        def own() -> None:
            self.debugger.own_threads.add(get_ident())
            began.set()
            try:
                run_unseen(script)
            except BaseException:
                traceback.print_exc()

        thread = threading.Thread(target=own, daemon=True)
        thread.start()
        assert began.wait(PATIENCE)
        return thread

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
