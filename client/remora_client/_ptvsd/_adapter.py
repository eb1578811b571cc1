"""DAP in front of an old ptvsd: what the client's core, or an editor, would say to a server of today.

`answer` carries out a request; `emit` is called with events. Runs on the event loop, in the keeper's
process (`_keeper`). What the protocol cannot do is refused, and not announced to begin with. The file is
long because the table of requests is: each is a few lines that hand over to the module that knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from remora_client._ptvsd import _handshake
from remora_client._ptvsd import _records as r
from remora_client._ptvsd._abilities import REFUSED, attach_refusal, capabilities
from remora_client._ptvsd._breakpoints import Breakpoints
from remora_client._ptvsd._debuggee import Debuggee
from remora_client._ptvsd._exceptions import describe, modes_for
from remora_client._ptvsd._output import OutputFilter
from remora_client._ptvsd._sources import Sources
from remora_client._ptvsd._stops import Stops
from remora_client._ptvsd._values import Values
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora_client._ptvsd._wire import Wire

__all__ = ["Adapter"]

Body: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[["Adapter", Body], Awaitable["Body | Answer"]]

_HANDLER_SECONDS = 2.0
# A client that was killed has a keeper, which may be about to detach.
_AGAIN = (0.3, 0.6, 0.0)
_HANDLERS: dict[str, Handler] = {}


@dataclass(frozen=True)
class Answer:
    """A response, and what is to be done once it has gone out."""

    body: Body
    then: Callable[[], Awaitable[None]]


def handles(command: str) -> Callable[[Handler], Handler]:
    """Enter a method into the table of requests."""

    def enter(method: Handler) -> Handler:
        _HANDLERS[command] = method
        return method

    return enter


class Adapter:
    """One session. `connect` gives a connection on which the secret was accepted; called at the attach."""

    def __init__(
        self,
        number: int,
        connect: Callable[[], Awaitable[Wire]],
        emit: Callable[[str, Body], None],
        *,
        place: str = "",
        rescue: Callable[[], Awaitable[None]] | None = None,
        timeout: float = 10.0,
    ) -> None:
        self._number, self._connect, self._emit = number, connect, emit
        self._place, self._rescue, self._timeout = place, rescue, timeout
        self.over = asyncio.Event()
        self._debuggee: Debuggee | None = None
        self._sources = Sources()
        self._breakpoints: Breakpoints | None = None
        self._values: Values | None = None
        self._output = OutputFilter()
        self._tell_output = True
        self._modes = r.ExceptionModes()
        self._stops: Stops | None = None
        self._numbers: dict[int, int] = {}  # the threads' own idents are addresses; these are for people
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(self, command: str, arguments: Body) -> Answer:
        """Carry out a request. Raises `RequestFailed`."""
        handler = _HANDLERS.get(command)
        if handler is None:
            if command in REFUSED:
                raise RequestFailed("not-supported", REFUSED[command])
            raise RequestFailed("not-supported", f"{command} cannot be done with an old ptvsd.")
        body = await handler(self, arguments)
        return body if isinstance(body, Answer) else Answer(body, _nothing)

    # -- what others need

    @property
    def debuggee(self) -> Debuggee:
        """The server. Raises `RequestFailed` before the attach and after the end."""
        if self._debuggee is None or self._debuggee.end is not None:
            raise RequestFailed("not-stopped", "No program is attached to.")
        return self._debuggee

    @property
    def values(self) -> Values:
        """What can be looked at. Raises `RequestFailed` before the attach."""
        assert self.debuggee is not None
        assert self._values is not None
        return self._values

    @property
    def stops(self) -> Stops:
        """Why the program stands still. Raises `RequestFailed` before the attach."""
        assert self.debuggee is not None
        assert self._stops is not None
        return self._stops

    def _later(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._through)

    def _through(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._note(f"ptvsd: {error}")

    def _note(self, text: str) -> None:
        self._emit("output", {"category": "important", "output": f"{text}\n"})

    def _number_of(self, thread: int) -> int:
        return self._numbers.setdefault(thread, len(self._numbers) + 1)

    def _thread(self, number: Any) -> int:
        found = next((ident for ident, each in self._numbers.items() if each == number), None)
        if found is None or found not in self.debuggee.threads:
            raise RequestFailed("not-found", f"There is no thread {number}.")
        return found

    # -- beginning and end

    @handles("initialize")
    async def _initialize(self, arguments: Body) -> Body:
        return capabilities(self._number)

    @handles("attach")
    async def _attach(self, arguments: Body) -> Answer:
        if self._debuggee is not None:
            raise RequestFailed("already-attached", "This session is attached already.")
        self._tell_output = arguments.get("redirectOutput") is not False
        roots = arguments.get("sourceRoots")
        self._sources = Sources([str(each) for each in roots] if isinstance(roots, list) else [])
        wire = await self._open()
        debuggee = self._debuggee = self._sources.debuggee = Debuggee(wire, self._hear)
        debuggee.on_end = self._ended
        debuggee.on_detach = self._let_go
        self._breakpoints = Breakpoints(debuggee, self._sources)
        self._values = Values(debuggee)
        stops = self._stops = Stops(
            debuggee,
            self._breakpoints,
            self._values,
            emit=self._emit,
            later=self._later,
            number_of=self._number_of,
        )
        debuggee.must_stand = lambda: stops.now is not None
        await debuggee.after_burst()
        # The server's own default is to ask, at each exception, whether it is caught: only when wanted.
        await debuggee.set_exceptions(self._modes)
        self._output.copies = self._sources.attaches

        async def ready() -> None:
            self._emit("initialized", {})

        return Answer({}, ready)

    async def _open(self) -> Wire:
        for wait in _AGAIN:
            wire = await self._connect()
            if await _handshake.attach(wire, self._place, self._timeout) is not None:
                return wire
            await asyncio.sleep(wait)
        if self._rescue is None:
            raise RequestFailed("already-attached", attach_refusal(self._place, self._number))
        await self._rescue()
        wire = await self._connect()
        if await _handshake.attach(wire, self._place, self._timeout) is None:
            raise RequestFailed(
                "already-attached", f"{self._place} refuses a debugger still, even after the rescue."
            )
        self._note("The program was freed from its last debugger. Its sys.modules['__main__'] is empty now.")
        return wire

    @handles("configurationDone")
    async def _configuration_done(self, arguments: Body) -> Answer:
        return Answer({}, self.stops.configured)

    @handles("disconnect")
    async def _disconnect(self, arguments: Body) -> Body:
        if arguments.get("suspendDebuggee"):
            raise RequestFailed("not-supported", "ptvsd lets the program run when its debugger leaves.")
        if arguments.get("terminateDebuggee"):
            await self._kill()
        await self.leave()
        return {}

    async def _kill(self) -> None:
        """At once: the only end that there is. Nothing in the program cleans up."""
        debuggee = self.debuggee
        text = "__import__('os')._exit(1)"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                if not debuggee.can_ask:
                    raise RequestFailed(
                        "not-stopped", "The program runs; an old ptvsd can end it at a stop only."
                    )
                try:
                    await debuggee.ask(text)
                except RequestFailed as failed:
                    if failed.code != "failed":  # that the connection ended is what was wanted
                        raise

    async def leave(self) -> None:
        """Detach, whatever the state. Safe to call twice."""
        debuggee, self._debuggee = self._debuggee, None
        if debuggee is not None:
            debuggee.on_end = debuggee.on_detach = lambda: None
            await debuggee.detach()
        for task in list(self._tasks):
            task.cancel()
        self.over.set()

    def _ended(self) -> None:
        """The connection is over, and not by our wish."""
        debuggee = self._debuggee
        if debuggee is not None and debuggee.end:
            if not debuggee.detached or "let go" in debuggee.end:
                self._note(f"The connection to the program ended: {debuggee.end}.")
            self._later(self.leave())

    def _let_go(self) -> None:
        """The server detaches by itself: the process ends."""
        self._emit("terminated", {})
        self._later(self.leave())

    # -- what the server says

    def _hear(self, said: r.Said) -> None:
        match said:
            case r.ThreadSeen(thread):
                self._emit("thread", {"reason": "started", "threadId": self._number_of(thread)})
            case r.ThreadGone(thread):
                self._emit("thread", {"reason": "exited", "threadId": self._number_of(thread)})
            case r.ModuleLoaded(file):
                self._module(file)
            case r.Output():
                self._printed(said)
            case r.HandlersAsked(file):
                self._later(self._tell_handlers(file))
            case r.CommandFailed(command, text):
                self._note(
                    f"ptvsd failed at {command}: {text.splitlines()[-1] if text else 'it did not say why'}"
                )
            case r.ProcessLoaded() | r.BreakpointHit() | r.StepDone() | r.Paused() | r.ExceptionRaised():
                self.stops.take(said)

    def _module(self, file: str) -> None:
        path = self._sources.loaded(file)
        if path is None or self._breakpoints is None:
            return
        self._later(self._bind(self._breakpoints, path))

    async def _bind(self, breakpoints: Breakpoints, path: str) -> None:
        for body in await breakpoints.bind(path):
            self._emit("breakpoint", {"reason": "changed", "breakpoint": body})

    def _printed(self, said: r.Output) -> None:
        if self._tell_output and self._output.passes(said):
            category = said.channel if said.channel in ("stdout", "stderr") else "stdout"
            self._emit("output", {"category": category, "output": said.text})

    async def _tell_handlers(self, file: str) -> None:
        debuggee = self._debuggee
        if debuggee is None:
            return
        try:
            async with asyncio.timeout(_HANDLER_SECONDS):
                ranges = await self._sources.handlers(file)
        except (TimeoutError, RequestFailed):
            ranges = (r.TryRange(0, 1 << 30, ("*",)),)
        debuggee.tell_handlers(file, ranges)

    # -- run control

    def _leave_stop(self, act: Callable[[], Awaitable[None]]) -> Answer:
        """Answer first, then act: the next stop must not come before the answer."""
        stops = self.stops
        if stops.now is None:
            raise RequestFailed("not-stopped", "The program is running.")
        self.values.forget()
        return Answer({"allThreadsContinued": True}, lambda: stops.leave(act))

    @handles("continue")
    async def _continue(self, arguments: Body) -> Answer:
        return self._leave_stop(self.debuggee.resume)

    def _step(self, kind: r.StepKind, arguments: Body) -> Answer:
        debuggee, thread = self.debuggee, self._thread(arguments.get("threadId"))
        if not debuggee.threads[thread].halted:
            raise RequestFailed(
                "not-stopped", "That thread waits outside of Python code: it cannot be stepped."
            )
        return self._leave_stop(lambda: debuggee.step(kind, thread))

    @handles("next")
    async def _next(self, arguments: Body) -> Answer:
        return self._step("over", arguments)

    @handles("stepIn")
    async def _step_in(self, arguments: Body) -> Answer:
        return self._step("in", arguments)

    @handles("stepOut")
    async def _step_out(self, arguments: Body) -> Answer:
        return self._step("out", arguments)

    @handles("pause")
    async def _pause(self, arguments: Body) -> Body:
        if self.stops.now is None:
            self.stops.pausing = True
            await self.debuggee.pause()
        return {}

    @handles("gotoTargets")
    async def _goto_targets(self, arguments: Body) -> Body:
        self._check_jump()
        line = arguments.get("line")
        if self.stops.now is None or not isinstance(line, int):
            raise RequestFailed("not-stopped", "The program is running.")
        frame = self.debuggee.threads[self.stops.thread].frames[0]
        if not frame.first_line <= line <= max(frame.last_line, frame.first_line):
            return {"targets": []}
        return {"targets": [{"id": line, "label": f"line {line}", "line": line}]}

    def _check_jump(self) -> None:
        if self._number < 8:
            raise RequestFailed(
                "not-supported", "This ptvsd deadlocks with the program when a jump is not allowed."
            )

    @handles("goto")
    async def _goto(self, arguments: Body) -> Answer:
        self._check_jump()
        debuggee, stops = self.debuggee, self.stops
        if stops.now is None:
            raise RequestFailed("not-stopped", "The program is running.")
        thread = stops.thread
        line = await debuggee.set_line(thread, int(arguments.get("targetId", 0)))
        record = debuggee.threads[thread]
        top = record.frames[0]
        moved = r.RemoteFrame(
            top.first_line, top.last_line, line, top.name, top.file, top.argument_count, top.variables
        )
        record.frames = [moved, *record.frames[1:]]
        self.values.forget()

        async def tell() -> None:
            self._emit("stopped", stops.body(r.StepDone(thread)) | {"reason": "goto"})

        return Answer({}, tell)

    # -- breakpoints

    @handles("setBreakpoints")
    async def _set_breakpoints(self, arguments: Body) -> Body:
        assert self.debuggee is not None
        assert self._breakpoints is not None
        source = arguments.get("source") or {}
        path = source.get("path") or source.get("name") or ""
        wanted = [each for each in arguments.get("breakpoints") or () if isinstance(each, dict)]
        return {"breakpoints": await self._breakpoints.replace(str(path), wanted)}

    @handles("setExceptionBreakpoints")
    async def _set_exception_breakpoints(self, arguments: Body) -> Body:
        self._modes = modes_for(arguments)
        await self.debuggee.set_exceptions(self._modes)
        return {}

    @handles("exceptionInfo")
    async def _exception_info(self, arguments: Body) -> Body:
        raised = self.stops.raised.get(self._thread(arguments.get("threadId")))
        if raised is None:
            raise RequestFailed("not-found", "That thread does not stand at an exception.")
        return describe(raised)

    # -- looking

    @handles("threads")
    async def _threads(self, arguments: Body) -> Body:
        debuggee = self.debuggee
        await self._name_threads(debuggee)
        rows = []
        for ident, each in debuggee.threads.items():
            state = "stopped" if each.halted else "running" if self.stops.now is None else "native"
            number = self._number_of(ident)
            rows.append({"id": number, "name": each.name or f"thread {number}", "state": state})
        return {"threads": sorted(rows, key=lambda row: row["id"])}

    async def _name_threads(self, debuggee: Debuggee) -> None:
        """The server names a thread when it first stops; the program itself knows all names."""
        if all(each.name for each in debuggee.threads.values()) or not debuggee.can_ask:
            return
        ask = "'\\n'.join(map(lambda t: '%s %r' % (t.ident, t.name), __import__('threading').enumerate()))"
        with contextlib.suppress(RequestFailed):
            for line in (await debuggee.ask(ask)).split("\n"):
                ident, _, name = line.partition(" ")
                record = debuggee.threads.get(int(ident)) if ident.isdecimal() else None
                if record is not None and not record.name:
                    record.name = name.lstrip("u").strip("'\"")

    @handles("stackTrace")
    async def _stack_trace(self, arguments: Body) -> Body:
        thread = self._thread(arguments.get("threadId"))
        frames = self.values.frames(thread, await self.debuggee.frames(thread))
        start, levels = arguments.get("startFrame") or 0, arguments.get("levels") or 0
        page = frames[start : start + levels] if levels else frames[start:]
        return {"stackFrames": page, "totalFrames": len(frames)}

    @handles("scopes")
    async def _scopes(self, arguments: Body) -> Body:
        return {"scopes": await self.values.scopes(arguments.get("frameId"))}

    @handles("variables")
    async def _variables(self, arguments: Body) -> Body:
        return {"variables": await self.values.variables(arguments)}

    @handles("evaluate")
    async def _evaluate(self, arguments: Body) -> Body:
        return await self.values.evaluate(arguments)

    @handles("setVariable")
    async def _set_variable(self, arguments: Body) -> Body:
        return await self.values.set_variable(arguments)

    @handles("setExpression")
    async def _set_expression(self, arguments: Body) -> Body:
        return await self.values.set_expression(arguments)

    @handles("completions")
    async def _completions(self, arguments: Body) -> Body:
        return {"targets": await self.values.completions(arguments)}

    @handles("cancel")
    async def _cancel(self, arguments: Body) -> Body:
        return {}  # an evaluation cannot be interrupted; whoever waited for it has stopped waiting

    # -- files

    @handles("modules")
    async def _modules(self, arguments: Body) -> Body:
        assert self.debuggee is not None
        rows = [{"id": path, "name": _module_name(path), "path": path} for path in self._sources.modules()]
        start, count = arguments.get("startModule") or 0, arguments.get("moduleCount") or len(rows)
        return {"modules": rows[start : start + count], "totalModules": len(rows)}

    @handles("loadedSources")
    async def _loaded_sources(self, arguments: Body) -> Body:
        assert self.debuggee is not None
        return {
            "sources": [
                {"name": re.split(r"[/\\]", path)[-1], "path": path} for path in self._sources.files()
            ]
        }

    @handles("source")
    async def _source(self, arguments: Body) -> Body:
        assert self.debuggee is not None
        path = (arguments.get("source") or {}).get("path") or ""
        text = await self._sources.text(path)
        if text is None:
            raise RequestFailed("not-found", f"The program cannot be asked for the text of {path} now.")
        return {"content": text, "mimeType": "text/x-python"}


async def _nothing() -> None:
    """Nothing to do after the response."""


def _module_name(path: str) -> str:
    parts = re.split(r"[/\\]", path)
    stem = parts[-1].partition(".")[0]
    return parts[-2] if stem == "__init__" and len(parts) > 1 else stem
