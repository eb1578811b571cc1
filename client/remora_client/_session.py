"""A debugging session: DAP's requests as typed coroutines, over `_rpc` and `_state`.

Everything runs on the event loop's thread. Run control returns as soon as the server has answered;
`wait_for_stop` waits for what comes of it. Text in the results is as the debuggee sent it: show it
through `_text.visible`.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from remora_client import _attach
from remora_client._errors import ClientError, Gone, NotStopped
from remora_client._localsource import LocalSources
from remora_client._model import (
    Breakpoint,
    ExceptionFilter,
    ExceptionInfo,
    Frame,
    Scope,
    Source,
    SourceText,
    Stop,
    Thread,
    Value,
    Variable,
)
from remora_client._rpc import NoAnswer
from remora_client._state import State, bind, reduce, resumed
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from remora_client._connect import Link
    from remora_protocol import ProcessInfo

__all__ = ["Session"]

_DETACH_SECONDS = 2.0


class Session:
    """One process being debugged. Get one from `Session.attach`."""

    def __init__(self, link: Link, sources: LocalSources) -> None:
        self.link = link
        self.sources = sources
        self.state = State()
        self.process: ProcessInfo | None = None
        self._rpc = link.rpc
        self._changed = asyncio.Event()
        self._listeners: list[Callable[[str, dict[str, Any]], None]] = []
        self._selected: Frame | None = None
        self._stack: dict[int, list[Frame]] = {}  # by thread, for the current stop
        self._texts: dict[tuple[str, str | None], str] = {}  # (path, hash) -> the server's text
        self._told_differs: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_number = 0
        self._rpc.on_event = self._take_event
        self._rpc.on_end = lambda: self._take_event("remora/gone", {})

    # -- beginning and end ------------------------------------------------------------------------

    @classmethod
    async def attach(
        cls,
        link: Link,
        pid: int | None = None,
        *,
        name: str | None = None,
        force: bool = False,
        source: Sequence[str] = (),
        choose: Callable[[Sequence[ProcessInfo]], int] | None = None,
        just_my_code: bool = True,
        redirect_output: bool = True,
        breakpoints: Iterable[Breakpoint] = (),
    ) -> Session:
        """Attach to the process behind a link.

        Args:
            pid: which process; None: the only one there is.
            name: a glob for the process's name, instead of `pid`.
            force: take over from whoever is attached now.
            source: folders on this machine that hold the program's files.
            choose: asked for a pid when several match; None: raise `AmbiguousProcess`.
            breakpoints: to be set before the program is let go, for instance those of an earlier session.
        """
        session = cls(link, LocalSources(source))
        session.state = replace(session.state, breakpoints=tuple(breakpoints))
        session._last_number = max((each.number for each in session.state.breakpoints), default=0)
        if link.is_remora:
            session.process = await _attach.open_process(link, pid, name, choose)
        arguments = {"justMyCode": just_my_code, "redirectOutput": redirect_output, "force": force}
        await _attach.start(session, arguments)
        return session

    async def detach(self) -> None:
        """Leave the program running and close the connection. Never raises; safe to call twice."""
        if not self.state.over:
            with contextlib.suppress(ClientError, RequestFailed):
                await self.request(
                    "disconnect", {"restart": False, "terminateDebuggee": False}, _DETACH_SECONDS
                )
        await self.close()

    async def terminate(self, *, force: bool = False) -> None:
        """End the program: softly, or with `force` at once."""
        if force:
            await self.request("disconnect", {"restart": False, "terminateDebuggee": True}, _DETACH_SECONDS)
        else:
            await self.request("terminate", {})

    async def close(self) -> None:
        """Close the connection without a word; a server then lets the program run, too."""
        for task in list(self._tasks):
            task.cancel()
        await self.link.close()

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.detach()

    # -- requests and events ----------------------------------------------------------------------

    async def request(
        self, command: str, arguments: dict[str, Any] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Any DAP request, as it is. Raises `RequestFailed`, `Gone` or `NoAnswer`."""
        return await self._rpc.request(command, arguments, timeout)

    def listen(self, listener: Callable[[str, dict[str, Any]], None]) -> Callable[[], None]:
        """Call `listener(event, body)` for every DAP event, after the state has changed.

        Beside DAP's there are "remora/gone" (the connection ended) and "remora/note" (`{"text"}`,
        something worth saying once, from the client itself). Returns what removes the listener.
        """
        self._listeners.append(listener)

        def remove() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return remove

    def note(self, text: str) -> None:
        """Tell the listeners something worth saying once."""
        self._tell("remora/note", {"text": text})

    def supports(self, capability: str) -> bool:
        """Whether the server announced a DAP capability, for example "supportsGotoTargetsRequest"."""
        return bool(self.state.capabilities.get(capability))

    @property
    def limits(self) -> list[str]:
        """What this server cannot do, as sentences (from Remora's own part of the capabilities)."""
        remora = self.state.capabilities.get("remora")
        limits = remora.get("limits") if isinstance(remora, dict) else None
        return [each for each in limits if isinstance(each, str)] if isinstance(limits, list) else []

    def _take_event(self, event: str, body: dict[str, Any]) -> None:
        before = self.state
        self.state = reduce(before, event, body)
        if self.state.stop is not before.stop:
            self._selected = None
            self._stack.clear()
        if event == "stopped":
            self._drop_temporary()
        self._changed.set()
        self._tell(event, body)

    def _tell(self, event: str, body: dict[str, Any]) -> None:
        for listener in list(self._listeners):
            listener(event, body)

    def _later(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- running and stopping ---------------------------------------------------------------------

    @property
    def stop(self) -> Stop | None:
        """Why the program stands still; None while it runs."""
        return self.state.stop

    async def wait_for_stop(self, timeout: float | None = None) -> Stop | None:
        """Wait until the program stands still. At once if it does. None: the program ended.

        Raises:
            TimeoutError: it still runs after `timeout` seconds.
            Gone: the connection ended and nobody said that the program did.
        """
        async with asyncio.timeout(timeout):
            while self.state.phase == "running":
                self._changed.clear()
                await self._changed.wait()
        if self.state.phase == "gone":
            raise self._rpc.end or Gone("The connection ended.")
        stop = self.state.stop
        if stop is None:
            return None
        with contextlib.suppress(RequestFailed):
            frames = await self.stack(stop.thread_id, count=1)
            if frames:
                stop = replace(stop, frame=frames[0])
        return stop

    async def resume(self, thread: int | None = None) -> None:
        """Let all threads run, or one (`thread`) where the server can."""
        await self._run("continue", thread, single=thread is not None)

    async def step_over(self, thread: int | None = None, *, single: bool = False) -> None:
        """To the next line of this frame."""
        await self._run("next", thread, single=single)

    async def step_in(
        self, thread: int | None = None, *, target: int | None = None, single: bool = False
    ) -> None:
        """To the next line, wherever it is; `target` is an id from `step_in_targets`."""
        await self._run("stepIn", thread, single=single, extra={} if target is None else {"targetId": target})

    async def step_out(self, thread: int | None = None, *, single: bool = False) -> None:
        """To the caller, straight after the call returned."""
        await self._run("stepOut", thread, single=single)

    async def step_return(self, thread: int | None = None) -> None:
        """To the return of this frame, still in it, with the return value. Elsewhere: step out."""
        remora = self._has("remora/return")
        await self._run("remora/return" if remora else "stepOut", thread)

    async def until(self, line: int | None = None, thread: int | None = None) -> None:
        """To a greater line of this frame, or to `line` or beyond, or to its end, whatever is first."""
        if not self._has("remora/until"):
            raise ClientError("This server has no 'until'.", "Set a temporary breakpoint instead.")
        await self._run("remora/until", thread, extra={} if line is None else {"line": line})

    async def pause(self, thread: int | None = None) -> None:
        """Ask the program to stop at its next line; `wait_for_stop` tells when it has."""
        if thread is None:
            threads = self.state.threads or {each.id: each for each in await self.threads()}
            thread = min(threads, default=0)
        await self.request("pause", {"threadId": thread})

    async def step_in_targets(self, frame: Frame | None = None) -> list[tuple[int, str]]:
        """The calls on the current line that `step_in` may enter: (id, name)."""
        body = await self.request("stepInTargets", {"frameId": (await self._frame(frame)).id})
        targets = body.get("targets") or []
        return [(int(each["id"]), str(each.get("label", ""))) for each in targets if isinstance(each, dict)]

    async def goto(self, line: int, frame: Frame | None = None) -> None:
        """Jump: the next line that runs is `line` of the current frame's file. A stop follows."""
        place = await self._frame(frame)
        body = await self.request("gotoTargets", {"source": place.source.to_dap(), "line": line})
        targets = [each for each in body.get("targets") or [] if isinstance(each, dict) and "id" in each]
        if not targets:
            raise ClientError(f"Line {line} cannot be jumped to from here.")
        best = next((each for each in targets if each.get("line") == line), targets[0])
        await self._run("goto", None, extra={"targetId": best["id"]})

    async def restart_frame(self, frame: Frame | None = None) -> None:
        """Run a call again from its start, where the server can."""
        place = await self._frame(frame)
        before, self.state = self.state, resumed(self.state)
        try:
            await self.request("restartFrame", {"frameId": place.id})
        except RequestFailed:
            self._undo_resume(before)
            raise

    async def _run(
        self, command: str, thread: int | None, *, single: bool = False, extra: dict[str, Any] | None = None
    ) -> None:
        before = self.state
        if before.stop is None:
            raise NotStopped("The program is running.", "Stop it first: pause.")
        arguments: dict[str, Any] = {
            "threadId": before.stop.thread_id if thread is None else thread,
            **(extra or {}),
        }
        if single and self.supports("supportsSingleThreadExecutionRequests"):
            arguments["singleThread"] = True
        # Before the request: the next stop may come right behind the answer, or even before it.
        self.state = resumed(before)
        self._selected = None
        self._stack.clear()
        try:
            await self.request(command, arguments)
        except RequestFailed:
            self._undo_resume(before)
            raise

    def _undo_resume(self, before: State) -> None:
        if self.state.phase == "running" and self.state.stops == before.stops:
            self.state = replace(self.state, phase="stopped", stop=before.stop)

    def _has(self, request: str) -> bool:
        remora = self.state.capabilities.get("remora")
        requests = remora.get("requests") if isinstance(remora, dict) else None
        return isinstance(requests, list) and request in requests

    # -- threads, stacks, frames ------------------------------------------------------------------

    async def threads(self) -> list[Thread]:
        """All threads, running or not."""
        body = await self.request("threads")
        found = [Thread.from_dap(each) for each in body.get("threads") or [] if isinstance(each, dict)]
        self.state = replace(self.state, threads={each.id: each for each in found})
        return found

    async def stack(self, thread: int | None = None, start: int = 0, count: int | None = None) -> list[Frame]:
        """Frames of a thread, newest first; of a running one, a snapshot where the server can."""
        if thread is None:
            thread = self._thread_id()
        known = self._stack.get(thread, [])
        if count is not None and start + count <= len(known):
            return known[start : start + count]
        body = await self.request(
            "stackTrace", {"threadId": thread, "startFrame": start, "levels": count or 0}
        )
        bodies = [each for each in body.get("stackFrames") or [] if isinstance(each, dict)]
        frames = [Frame.from_dap(each, start + index) for index, each in enumerate(bodies)]
        if start == 0 and self.state.stop is not None and len(frames) > len(known):
            self._stack[thread] = frames
        return frames

    async def current_frame(self) -> Frame:
        """The selected frame, by default the newest of the stopped thread. Raises `NotStopped`."""
        if self._selected is None:
            frames = await self.stack(self._thread_id(), count=1)
            if not frames:
                raise NotStopped("The stopped thread has no Python frame.")
            self._selected = frames[0]
        return self._selected

    def select_frame(self, frame: Frame | None) -> None:
        """Make a frame the one that evaluate and the like use; None: the newest. Until the next stop."""
        self._selected = frame

    async def select_thread(self, thread: int) -> Frame:
        """Make a thread's newest frame the selected one."""
        stop = self.state.stop
        if stop is None:
            raise NotStopped("The program is running.", "Stop it first: pause.")
        frames = await self.stack(thread, count=1)
        if not frames:
            raise ClientError(f"Thread {thread} has no Python frame now.")
        self.state = replace(self.state, stop=replace(stop, thread_id=thread, frame=None))
        self._selected = frames[0]
        return frames[0]

    def _thread_id(self) -> int:
        if self.state.stop is None:
            raise NotStopped("The program is running.", "Stop it first: pause.")
        return self.state.stop.thread_id

    async def _frame(self, frame: Frame | None) -> Frame:
        return frame if frame is not None else await self.current_frame()

    # -- values -----------------------------------------------------------------------------------

    async def evaluate(
        self,
        expression: str,
        frame: Frame | None = None,
        context: Literal["repl", "watch", "hover", "clipboard", "variables"] = "watch",
        timeout: float | None = None,
    ) -> Value:
        """Evaluate in a frame. Context "repl" also runs statements; "clipboard" cuts nothing.

        When the waiting is cancelled or times out, the server is asked to give the evaluation up.
        """
        arguments: dict[str, Any] = {"expression": expression, "context": context}
        if frame is not None or self.state.stop is not None:
            arguments["frameId"] = (await self._frame(frame)).id
        seq, future = self._rpc.send("evaluate", arguments)
        try:
            return Value.from_dap(await self._rpc.answer("evaluate", future, timeout))
        except (asyncio.CancelledError, NoAnswer):
            with contextlib.suppress(Gone):
                self._rpc.send("cancel", {"requestId": seq})
            raise

    async def scopes(self, frame: Frame | None = None) -> list[Scope]:
        """The groups of variables of a frame."""
        body = await self.request("scopes", {"frameId": (await self._frame(frame)).id})
        return [Scope.from_dap(each) for each in body.get("scopes") or [] if isinstance(each, dict)]

    async def variables(
        self,
        reference: int,
        start: int = 0,
        count: int | None = None,
        filter: Literal["indexed", "named"] | None = None,
    ) -> list[Variable]:
        """Children of a scope or value; `start` and `count` page through big ones."""
        arguments: dict[str, Any] = {"variablesReference": reference}
        if filter is not None:
            arguments["filter"] = filter
        if start or count is not None:
            arguments["start"] = start
            arguments["count"] = count or 0
        body = await self.request("variables", arguments)
        return [Variable.from_dap(each) for each in body.get("variables") or [] if isinstance(each, dict)]

    async def locals(self, frame: Frame | None = None) -> list[Variable]:
        """Arguments and local variables of a frame."""
        found: list[Variable] = []
        for scope in await self.scopes(frame):
            if scope.hint in ("locals", "arguments") or (not scope.hint and scope.name == "Locals"):
                found += await self.variables(scope.reference)
        return found

    async def return_value(self) -> Variable | None:
        """What the function that was just stepped out of, or over, returned."""
        for scope in await self.scopes():
            if scope.hint == "returnValue":
                return next(iter(await self.variables(scope.reference)), None)
        return None

    async def set_variable(self, reference: int, name: str, value: str) -> Value:
        """Change a child of a scope or value; `value` is an expression."""
        arguments = {"variablesReference": reference, "name": name, "value": value}
        return Value.from_dap(await self.request("setVariable", arguments), "value")

    async def assign(self, target: str, value: str, frame: Frame | None = None) -> Value:
        """`target = value`, where target may be a name, an attribute or an item."""
        place = await self._frame(frame)
        if self.supports("supportsSetExpression"):
            arguments = {"expression": target, "value": value, "frameId": place.id}
            return Value.from_dap(await self.request("setExpression", arguments), "value")
        await self.evaluate(f"{target} = ({value})", place, "repl")
        return await self.evaluate(target, place)

    async def completions(
        self, text: str, column: int | None = None, frame: Frame | None = None
    ) -> list[dict[str, Any]]:
        """DAP completion items for `text` with the cursor at `column` (from 0; None: at the end)."""
        arguments: dict[str, Any] = {"text": text, "column": (len(text) if column is None else column) + 1}
        if frame is not None or self.state.stop is not None:
            arguments["frameId"] = (await self._frame(frame)).id
        body = await self.request("completions", arguments)
        return [each for each in body.get("targets") or [] if isinstance(each, dict)]

    async def exception_info(self, thread: int | None = None) -> ExceptionInfo:
        """The exception that the thread is stopped at."""
        thread_id = self._thread_id() if thread is None else thread
        return ExceptionInfo.from_dap(await self.request("exceptionInfo", {"threadId": thread_id}))

    # -- breakpoints ------------------------------------------------------------------------------

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """All of them, in the order they were set."""
        return self.state.breakpoints

    async def add_breakpoint(
        self,
        path: str = "",
        line: int = 0,
        *,
        function: str = "",
        column: int | None = None,
        condition: str | None = None,
        hit_condition: str | None = None,
        log_message: str | None = None,
        temporary: bool = False,
        enabled: bool = True,
    ) -> Breakpoint:
        """Stop at a line of a file, or at a function. The result says what the server made of it.

        `path` may be any part of a path's end: where a file of that name is under the local source
        folders its full path and hash go along, else the text as it is.
        """
        local = self.sources.find(path) if path else None
        self._last_number += 1
        new = Breakpoint(
            self._last_number,
            "function" if function else "line",
            local.path if local else path,
            line,
            function,
            column,
            condition,
            hit_condition,
            log_message,
            enabled,
            temporary,
            local.sha256 if local else None,
        )
        before = self.state.breakpoints
        self.state = replace(self.state, breakpoints=(*before, new))
        try:
            await self._send_like(new)
        except BaseException:
            self._forget((new.number,))
            raise
        return self.breakpoint(new.number)

    def breakpoint(self, number: int) -> Breakpoint:
        """The breakpoint of that number. Raises `ClientError`."""
        for each in self.state.breakpoints:
            if each.number == number:
                return each
        raise ClientError(f"There is no breakpoint {number}.")

    async def change_breakpoint(self, number: int, **changes: Any) -> Breakpoint:
        """Change `enabled`, `condition`, `hit_condition`, `log_message`, `temporary` or `line`."""
        old = self.breakpoint(number)
        new = replace(old, **changes)
        self._put(new)
        try:
            await self._send_like(new)
        except RequestFailed:
            self._put(old)
            raise
        return self.breakpoint(number)

    async def remove_breakpoints(self, numbers: Iterable[int] | None = None) -> list[Breakpoint]:
        """Remove some, or all; gives those that are gone now."""
        wanted = [each.number for each in self.breakpoints] if numbers is None else list(numbers)
        gone = [self.breakpoint(number) for number in wanted]
        self._forget(wanted)
        for path in dict.fromkeys(each.path for each in gone if each.kind == "line"):
            await self._send_file(path)
        if any(each.kind == "function" for each in gone):
            await self._send_functions()
        return gone

    async def send_breakpoints(self) -> None:
        """Send all of them again (after an attach)."""
        for path in dict.fromkeys(each.path for each in self.breakpoints if each.kind == "line"):
            await self._send_file(path)
        if any(each.kind == "function" for each in self.breakpoints):
            await self._send_functions()

    async def set_exception_filters(self, filters: Sequence[ExceptionFilter]) -> None:
        """Stop at exceptions, by the server's modes ("raised", "uncaught" …); () for never."""
        plain = [each.filter for each in filters if not each.condition]
        arguments: dict[str, Any] = {"filters": plain}
        if self.supports("supportsExceptionFilterOptions"):
            arguments["filterOptions"] = [
                {"filterId": each.filter, "condition": each.condition} for each in filters if each.condition
            ]
        elif len(plain) < len(filters):
            raise ClientError("This server cannot narrow exception breakpoints.")
        body = await self.request("setExceptionBreakpoints", arguments)
        for answer in body.get("breakpoints") or []:
            if isinstance(answer, dict) and answer.get("verified") is False:
                raise ClientError(str(answer.get("message") or "The server refused an exception filter."))

    @property
    def exception_modes(self) -> list[dict[str, Any]]:
        """The modes the server offers: DAP's ExceptionBreakpointsFilter (`filter`, `label`, `default` …)."""
        modes = self.state.capabilities.get("exceptionBreakpointFilters")
        return [each for each in modes if isinstance(each, dict)] if isinstance(modes, list) else []

    async def _send_like(self, breakpoint_: Breakpoint) -> None:
        if breakpoint_.kind == "function":
            await self._send_functions()
        else:
            await self._send_file(breakpoint_.path)

    async def _send_file(self, path: str) -> None:
        """DAP replaces a whole file's breakpoints at a time."""
        ours = [each for each in self.breakpoints if each.kind == "line" and each.path == path]
        active = [each for each in ours if each.enabled]
        remote = await _attach.remote_path(self, path)
        source: dict[str, Any] = {"name": path.replace("\\", "/").rpartition("/")[2], "path": remote}
        sha256 = next((each.sha256 for each in ours if each.sha256), None)
        if sha256:
            source["checksums"] = [{"algorithm": "SHA256", "checksum": sha256}]
        arguments = {"source": source, "breakpoints": [each.to_dap() for each in active]}
        self._bind(active, await self.request("setBreakpoints", arguments))

    async def _send_functions(self) -> None:
        active = [each for each in self.breakpoints if each.kind == "function" and each.enabled]
        if active and not self.supports("supportsFunctionBreakpoints"):
            raise ClientError("This server has no function breakpoints.", "Break at a line of the function.")
        arguments = {"breakpoints": [each.to_dap() for each in active]}
        self._bind(active, await self.request("setFunctionBreakpoints", arguments))

    def _bind(self, sent: Sequence[Breakpoint], body: dict[str, Any]) -> None:
        answers = body.get("breakpoints")
        if not isinstance(answers, list) or len(answers) != len(sent):
            raise ClientError("The server answered for another number of breakpoints than were sent.")
        for breakpoint_, answer in zip(sent, answers, strict=True):
            if isinstance(answer, dict):
                with contextlib.suppress(ClientError):  # removed while the answer was under way
                    self._put(bind(self.breakpoint(breakpoint_.number), answer))

    def _put(self, breakpoint_: Breakpoint) -> None:
        number = breakpoint_.number
        changed = tuple(breakpoint_ if each.number == number else each for each in self.breakpoints)
        self.state = replace(self.state, breakpoints=changed)

    def _forget(self, numbers: Iterable[int]) -> None:
        gone = set(numbers)
        kept = tuple(each for each in self.breakpoints if each.number not in gone)
        self.state = replace(self.state, breakpoints=kept)

    def _drop_temporary(self) -> None:
        stop = self.state.stop
        hit = set(stop.hit_breakpoints) if stop else set()
        numbers = [each.number for each in self.breakpoints if each.temporary and each.server_id in hit]
        if numbers:
            self._later(self._remove_quietly(numbers))

    async def _remove_quietly(self, numbers: list[int]) -> None:
        with contextlib.suppress(ClientError, RequestFailed):
            await self.remove_breakpoints(numbers)

    # -- source -----------------------------------------------------------------------------------

    async def source_text(self, source: Source) -> SourceText:
        """The text of what runs: the local copy when it is the same, else the server's.

        When a local copy differs, the listeners get one "remora/note" per file.
        """
        local = self.sources.match(source.path, source.sha256)
        if local is not None and local.same:
            return SourceText(source, local.text, local.path)
        text = await self._server_text(source)
        if text is None:
            if local is None:
                raise ClientError(f"There is no source text for {source.path or source.name}.")
            return SourceText(source, local.text, local.path, differs=True)
        if local is not None and local.text == text:
            return SourceText(source, text, local.path)
        if local is not None and local.path not in self._told_differs:
            self._told_differs.add(local.path)
            self.note(f"{local.path} is not what the program runs; showing the server's text.")
        return SourceText(source, text, None, differs=local is not None)

    async def _server_text(self, source: Source) -> str | None:
        key = (source.path or str(source.reference), source.sha256)
        if key not in self._texts:
            arguments = {"source": source.to_dap(), "sourceReference": source.reference}
            try:
                body = await self.request("source", arguments)
            except RequestFailed:
                return None
            content = body.get("content")
            if not isinstance(content, str):
                return None
            self._texts[key] = content
        return self._texts[key]

    async def loaded_sources(self) -> list[Source]:
        """Every file the program has loaded, where the server can tell."""
        body = await self.request("loadedSources")
        return [Source.from_dap(each) for each in body.get("sources") or [] if isinstance(each, dict)]

    async def modules(self, start: int = 0, count: int = 0) -> list[dict[str, Any]]:
        """DAP modules."""
        body = await self.request("modules", {"startModule": start, "moduleCount": count})
        return [each for each in body.get("modules") or [] if isinstance(each, dict)]
