"""Tells the owner's `on_stop` hook of stops, one after the other, on a thread that ends when all is told.

On the server's thread, but for the hook itself. Nobody waits for it: neither the stopped thread nor a client.
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any

from remora._log import log
from remora._owner._threads import run_apart
from remora._owner._told import Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._control._debugger import Debugger
    from remora._network._loop import Loop
    from remora._owner._hooks import StopHook

    Publish = Callable[[str, dict[str, Any]], None]

__all__ = ["StopTeller"]

#: So many stops wait for a hook that is busy; it is not told of more.
_MOST_WAITING = 100


class StopTeller:
    """One per server.

    Args:
        publish: tells clients that the hook failed; any thread.
    """

    def __init__(self, loop: Loop, debugger: Debugger, publish: Publish) -> None:
        self._loop = loop
        self._debugger = debugger
        self._publish = publish
        self._waiting: deque[tuple[StopHook, Stop]] = deque()
        self._is_running = False
        self._failed: StopHook | None = None

    def tell(self, hook: StopHook, body: dict[str, Any]) -> None:
        """Have the hook told of a stop, by the body of its `stopped` event."""
        if len(self._waiting) >= _MOST_WAITING:
            log.warning(f"the on_stop hook is busy, with {_MOST_WAITING} stops to be told of: it misses one")
            return
        self._waiting.append((hook, self._describe(body)))
        if not self._is_running:
            self._begin()

    def _describe(self, body: dict[str, Any]) -> Stop:
        number = body["threadId"]
        thread = next((each for each in self._debugger.threads() if each.id == number), None)
        shown = body.get("remora", {}).get("frame", {})
        return Stop(
            str(body["reason"]),
            str(body.get("description", "")),
            str(body.get("text", "")),
            thread="" if thread is None else thread.name,
            ident=0 if thread is None else thread.ident,
            all_threads=bool(body["allThreadsStopped"]),
            function=str(shown.get("name", "")),
            file=str(shown.get("path", "")),
            line=int(shown.get("line", 0)),
            time=time.time(),
        )

    def _begin(self) -> None:
        try:
            run_apart(self._run, self._debugger.own_threads)
            self._is_running = True
        except RuntimeError as error:
            self._waiting.clear()
            log.warning(f"the on_stop hook cannot be called: {error}")

    def _run(self) -> None:
        """On a thread of its own."""
        try:
            while self._waiting:
                hook, stop = self._waiting.popleft()
                try:
                    hook(stop)
                except BaseException as error:  # also SystemExit: it would only end this thread
                    self._tell_of_failure(hook, error)
        finally:
            self._loop.post(self._ended)

    def _ended(self) -> None:
        self._is_running = False
        if self._waiting:  # it came after the thread had looked
            self._begin()

    def _tell_of_failure(self, hook: StopHook, error: BaseException) -> None:
        if self._failed is hook:
            return
        self._failed = hook
        log.error(f"the on_stop hook failed, which is told once:\n{traceback.format_exc()}")
        text = f"The program's on_stop hook failed ({type(error).__name__}); REMORA_LOG has where.\n"
        self._publish("output", {"category": "important", "output": text})
