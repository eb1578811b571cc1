"""Why the program stands still, and whether that is the person's business. Runs on the event loop.

Some stops are not: the one that every attach makes, a breakpoint of an earlier session that came back to
life, one in a file of the same name elsewhere, a logpoint. After these the program is let go again, unless
it stands still for a reason that has been told. Reasons that come while it does are kept, and told in turn.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from remora_client._ptvsd import _records as r

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from remora_client._ptvsd._breakpoints import Breakpoints, Placed
    from remora_client._ptvsd._debuggee import Debuggee
    from remora_client._ptvsd._values import Values

    Emit = Callable[[str, dict[str, Any]], None]

__all__ = ["Stops"]

_BRACED = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


class Stops:
    """The stops of one session. `later` runs a coroutine by itself; `number_of` numbers threads."""

    def __init__(
        self,
        debuggee: Debuggee,
        breakpoints: Breakpoints,
        values: Values,
        *,
        emit: Emit,
        later: Callable[[Coroutine[Any, Any, None]], None],
        number_of: Callable[[int], int],
    ) -> None:
        self._debuggee, self._breakpoints, self._values = debuggee, breakpoints, values
        self._emit, self._later, self._number_of = emit, later, number_of
        self.now: r.Said | None = None  # the reason that was told
        self.pausing = False
        self.raised: dict[int, r.ExceptionRaised] = {}
        self._queue: list[r.Said] = []
        self._configured = False
        self._held = False  # the stop that the attach makes waits for the end of the configuration

    @property
    def thread(self) -> int:
        """The thread that the stop is about."""
        thread: int = getattr(self.now, "thread", 0)
        return thread

    async def configured(self) -> None:
        """Let the program go that the attach has stopped."""
        self._configured = True
        if self._held and self.now is None:
            self._held = False
            await self._debuggee.resume()

    def take(self, said: r.Said) -> None:
        """A thread has told why it stopped."""
        match said:
            case r.ProcessLoaded():
                if not self._configured:
                    self._held = True
                elif self.pausing:
                    self._report(said)
                else:
                    self._later(self._go_on())
            case r.BreakpointHit(ident, thread):
                self._hit(said, ident, thread)
            case _:
                self._report(said)

    def _hit(self, said: r.BreakpointHit, ident: int, thread: int) -> None:
        placed = self._breakpoints.find(ident)
        frames = self._debuggee.threads[thread].frames
        if placed is None:
            # Of an earlier session, come back to life. Its line is known, and its file does not matter.
            line = frames[0].line if frames else 0
            self._later(self._forget(r.BreakpointSpec(ident, line, "")))
        elif frames and not self._breakpoints.is_meant(placed, frames[0].file):
            self._later(self._go_on())
        elif placed.log is not None:
            self._later(self._log(placed, thread))
        else:
            self._report(said)

    async def _forget(self, spec: r.BreakpointSpec) -> None:
        await self._debuggee.remove_breakpoints([spec])
        await self._go_on()

    async def _go_on(self) -> None:
        """Resume after a stop that is not the person's business, unless there is one that is."""
        if self.now is None and self._debuggee.end is None:
            await self._debuggee.resume()

    async def _log(self, placed: Placed, thread: int) -> None:
        text, parts, end = placed.log or "", [], 0
        for match in _BRACED.finditer(text):
            parts.append(text[end : match.start()])
            end = match.end()
            if match[1] is None:
                parts.append(match[0][0])
            elif match[1].strip():
                parts.append(await self._values.format(thread, match[1].strip()))
        parts.append(text[end:])
        source = placed.to_dap()["source"]
        body = {"category": "console", "output": "".join(parts) + "\n"}
        self._emit("output", {**body, "source": source, "line": placed.spec.line})
        await self._go_on()

    def _report(self, said: r.Said) -> None:
        if self.now is not None:
            self._queue.append(said)
            return
        self.now, self._held = said, False
        self._emit("stopped", self.body(said))
        self.pausing = False

    def body(self, said: Any) -> dict[str, Any]:
        """DAP's stopped event, with the place where Remora's own servers tell it."""
        thread: int = said.thread
        body: dict[str, Any] = {
            "reason": "pause",
            "threadId": self._number_of(thread),
            "allThreadsStopped": not isinstance(said, r.ExceptionRaised),
        }
        match said:
            case r.BreakpointHit(ident):
                body |= {"reason": "breakpoint", "hitBreakpointIds": [ident]}
            case r.StepDone():
                body["reason"] = "step"
            case r.ExceptionRaised(_, kind, text):
                self.raised[thread] = said
                body |= {
                    "reason": "exception",
                    "description": kind,
                    "text": f"{kind}: {text}" if text else kind,
                }
            case r.Paused() if not self.pausing:
                body |= {"reason": "breakpoint", "description": "break_into_debugger"}
        frames = self._debuggee.threads[thread].frames
        if frames:
            top = frames[0]
            body["remora"] = {"frame": {"name": top.name, "path": top.file, "line": top.line}}
        return body

    async def leave(self, act: Callable[[], Awaitable[None]]) -> None:
        """The stop is over: let the program run, or tell the next reason that has been waiting."""
        self.now = None
        self.raised.clear()
        waiting, self._queue = self._queue, []
        for said in waiting:
            self._report(said)
        if self.now is None:
            await act()
