"""Looking at a program: threads, stacks, values, source. DAP's requests as typed coroutines.

Everything runs on the event loop's thread. Text in the results is as the debuggee sent it.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from remora_client._errors import ClientError, Gone, NotStopped
from remora_client._literal import read_literal
from remora_client._model import (
    ExceptionInfo,
    Frame,
    Scope,
    Source,
    SourceText,
    Task,
    Thread,
    Value,
    Variable,
    records,
)
from remora_client._sessions._conversation import Conversation
from remora_client._sessions._debugpy import is_debugpy, may_ask_for_exception, page_of
from remora_client._source._definitions import function_range
from remora_client._text import visible
from remora_client._transport._rpc import NoAnswer
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora_client._connecting._connect import Link
    from remora_client._model import EvaluateContext
    from remora_client._source._localsource import LocalSources

__all__ = ["Looking"]

_MOST_LINES = 400  # of a function whose lines are asked for one by one


class Looking(Conversation):
    """The part of a session that changes nothing but values."""

    def __init__(self, link: Link, sources: LocalSources) -> None:
        super().__init__(link, sources)
        self._texts: dict[tuple[str, str | None], str] = {}  # (path, hash) -> the server's text
        self._told_differs: set[str] = set()
        self._told_origin: set[str] = set()

    # -- threads, stacks, frames ------------------------------------------------------------------

    async def threads(self) -> list[Thread]:
        """All threads, running or not."""
        body = await self.request("threads")
        found = [Thread.from_dap(each) for each in records(body, "threads")]
        self.state = replace(self.state, threads={each.id: each for each in found})
        return found

    async def tasks(self) -> list[Task]:
        """The tasks of the program's event loops that are not done, running or not."""
        body = await self.request("remora/tasks")
        return [Task.from_dap(each) for each in records(body, "tasks")]

    async def stack(self, thread: int | None = None, start: int = 0, count: int | None = None) -> list[Frame]:
        """Frames of a thread, newest first; of a running one, a snapshot where the server can."""
        if thread is None and self._task is not None:
            return list(self._task.frames[start:][:count])
        if thread is None:
            thread = self._thread_id()
        known = self._stack.get(thread, [])
        if count is not None and start + count <= len(known):
            return known[start : start + count]
        asked_at = self.state.stop
        body = await self.request(
            "stackTrace", {"threadId": thread, "startFrame": start, "levels": count or 0}
        )
        bodies = list(records(body, "stackFrames"))
        frames = [Frame.from_dap(each, start + index) for index, each in enumerate(bodies)]
        # Only what was asked for at this very stop: a running thread's snapshot may come after the next one.
        same_stop = asked_at is not None and self.state.stop is asked_at
        if start == 0 and same_stop and len(frames) > len(known):
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

    @property
    def selected(self) -> Frame | None:
        """The frame that was selected since the stop, if any. Asks nobody."""
        return self._selected

    def select_frame(self, frame: Frame | None) -> None:
        """Make a frame the one that evaluate and the like use; None: the newest. Until the next stop."""
        self._selected = frame

    async def select_thread(self, thread: int) -> Frame:
        """Make a thread's newest frame the selected one."""
        self._task = None
        stop = self.state.stop
        if stop is None:
            raise self._not_stopped()
        frames = await self.stack(thread, count=1)
        if not frames:
            raise ClientError(f"Thread {thread} has no Python frame now.")
        waiting = [each for each in self.state.waiting if each.thread_id != thread]
        found = next((each for each in self.state.waiting if each.thread_id == thread), None)
        if found is not None:
            self.state = replace(self.state, stop=found, waiting=(stop, *waiting))
        elif self.state.is_for_itself(stop) and thread != stop.thread_id:
            raise NotStopped(f"Thread {thread} is running.", f"pause {thread} stops it.")
        else:
            self.state = replace(self.state, stop=replace(stop, thread_id=thread, frame=None))
        self._selected = frames[0]
        return frames[0]

    def _not_stopped(self) -> ClientError:
        """Why nothing can be looked at, and what helps."""
        if self.state.over:
            lost = self._rpc.end if self.state.phase == "gone" else None
            return lost or Gone("the program has ended.")
        helps = "Stop it first: pause."
        if self.link.options.observe:
            helps = "It can be looked at when whoever debugs it stops it."
        return NotStopped("The program is running.", helps)

    def _thread_id(self) -> int:
        if self.state.stop is None:
            raise self._not_stopped()
        return self.state.stop.thread_id

    def select_task(self, task: Task) -> Frame:
        """Look at a task in place of a thread: at the newest frame of its chain that is the program's own.

        Until the next stop, or until a thread is selected. Raises `NotStopped` where the thread of its loop
        is not held: what can be moving cannot be looked into.
        """
        if not task.frames or not task.frames[0].id:
            raise NotStopped(
                f"The thread that runs task {task.name} is not stopped.",
                "It waits in its event loop: a breakpoint in one of its tasks stops it.",
            )
        self._task = task
        self._selected = next((each for each in task.frames if not each.subtle), task.frames[0])
        return self._selected

    @property
    def task(self) -> Task | None:
        """The task that is looked at in place of a thread."""
        return self._task

    def look_back(self, task: Task | None, frame: Frame) -> None:
        """Look again at what `task` and `current_frame` were."""
        self._task, self._selected = task, frame

    async def _frame(self, frame: Frame | None) -> Frame:
        return frame if frame is not None else await self.current_frame()

    # -- values -----------------------------------------------------------------------------------

    async def evaluate(
        self,
        expression: str,
        frame: Frame | None = None,
        context: EvaluateContext = "watch",
        timeout: float | None = None,
        *,
        keep: bool = False,
    ) -> Value:
        """Evaluate in a frame. Context "repl" also runs statements; "clipboard" cuts nothing.

        With `keep` the server remembers the value by a number: `$1` names it, and `$_` the last one.
        When the waiting is cancelled or times out, the server is asked to give the evaluation up.
        """
        arguments: dict[str, Any] = {"expression": expression, "context": context}
        if keep and self.link.is_remora:
            arguments["remora"] = {"keep": True}
        if frame is not None or self.state.stop is not None:
            arguments["frameId"] = (await self._frame(frame)).id
        seq, future = self._rpc.send("evaluate", arguments)
        try:
            return Value.from_dap(await self._answer("evaluate", future, timeout))
        except RequestFailed as error:
            if error.code == "not-stopped" and self.state.stop is None:
                raise self._not_stopped() from None
            raise
        except (asyncio.CancelledError, NoAnswer):
            with contextlib.suppress(Gone):
                self._rpc.send("cancel", {"requestId": seq})
            raise

    async def scopes(self, frame: Frame | None = None) -> list[Scope]:
        """The groups of variables of a frame."""
        body = await self.request("scopes", {"frameId": (await self._frame(frame)).id})
        return [Scope.from_dap(each) for each in records(body, "scopes")]

    async def variables(
        self,
        reference: int,
        start: int = 0,
        count: int | None = None,
        filter: Literal["indexed", "named"] | None = None,
    ) -> list[Variable]:
        """Children of a scope or value; `start` and `count` page through big ones."""
        if (start or count is not None) and is_debugpy(self.link):
            return await page_of(self.request, reference, start, count)
        arguments: dict[str, Any] = {"variablesReference": reference}
        if filter is not None:
            arguments["filter"] = filter
        if start or count is not None:
            arguments["start"] = start
            arguments["count"] = count or 0
        body = await self.request("variables", arguments)
        return [Variable.from_dap(each) for each in records(body, "variables")]

    async def locals(self, frame: Frame | None = None) -> list[Variable]:
        """Arguments and local variables of a frame."""
        found: dict[str, Variable] = {}  # some servers show arguments among the locals, too
        for scope in await self.scopes(frame):
            if scope.hint in ("locals", "arguments") or (not scope.hint and scope.name == "Locals"):
                for each in await self.variables(scope.reference):
                    found.setdefault(each.name, each)
        return list(found.values())

    async def arguments(self, frame: Frame | None = None) -> list[Variable]:
        """What the function of a frame was called with, as it is now."""
        found = {each.name: each for each in await self.locals(frame)}
        return [found[name] for name in await self._argument_names(frame) if name in found]

    async def _argument_names(self, frame: Frame | None) -> list[str]:
        for scope in await self.scopes(frame):
            if scope.hint == "arguments":
                return [each.name for each in await self.variables(scope.reference)]
        if self.link.is_snapshot:  # what is not recorded cannot be asked for
            return []
        code = "__import__('sys')._getframe().f_code"  # evaluated inside the frame: its own code object
        asked = f"[n for n in {code}.co_varnames[:{code}.co_argcount + {code}.co_kwonlyargcount]]"
        try:
            names = read_literal((await self.evaluate(asked, frame, "clipboard")).value)
        except ValueError:
            return []
        return [str(name) for name in names] if isinstance(names, list) else []

    async def globals(self, frame: Frame | None = None) -> list[Variable]:
        """The global variables of a frame's module; of a module's own frame, its locals."""
        scopes = await self.scopes(frame)
        for scope in scopes:
            if scope.hint == "globals" or scope.name == "Globals":
                return await self.variables(scope.reference)
        return await self.locals(frame) if scopes else []

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

    async def completions(self, text: str) -> list[dict[str, Any]]:
        """DAP completion items for the end of `text`, in the selected frame while the program is stopped."""
        arguments: dict[str, Any] = {"text": text, "column": len(text) + 1}
        if self.state.stop is not None:
            arguments["frameId"] = (await self.current_frame()).id
        body = await self.request("completions", arguments)
        return list(records(body, "targets"))

    async def exception_info(self, thread: int | None = None) -> ExceptionInfo:
        """The exception that the thread is stopped at."""
        return ExceptionInfo.from_dap(await self.exception_body(thread))

    async def exception_body(self, thread: int | None = None, timeout: float | None = None) -> dict[str, Any]:
        """DAP's answer to `exceptionInfo`, as it is."""
        thread_id = self._thread_id() if thread is None else thread
        if not may_ask_for_exception(self.link, self.state.stop):
            raise RequestFailed("failed", "there is none.")
        return await self.request("exceptionInfo", {"threadId": thread_id}, timeout)

    async def select_exception(self, number: int, thread: int | None = None) -> bool:
        """Look at another exception of those in `exception_info`, by its number: its frames, and `$exc`.

        False: it was never raised, so the frames stay as they are.
        """
        if self.link.is_snapshot:
            raise ClientError(
                "A snapshot has the frames of the exception that the program stood at, and of no other.",
                "exceptions -full shows where the others came from.",
            )
        if not self.has("remora/exception"):
            raise ClientError("This server shows only the exception that it stopped for.")
        thread_id = self._thread_id() if thread is None else thread
        body = await self.request("remora/exception", {"threadId": thread_id, "number": number})
        self._selected = None
        self._stack.clear()
        return body.get("wasRaised") is True

    # -- source -----------------------------------------------------------------------------------

    async def source_text(self, source: Source) -> SourceText:
        """The text of what runs: the local copy when it is the same, else the server's.

        When a local copy differs, or the server has something to say of the file, the listeners get one
        "remora/note" per file.
        """
        if source.origin and source.path not in self._told_origin:
            self._told_origin.add(source.path)
            self.note(f"{visible(source.path)}: {visible(source.origin)}.")
        local = self.sources.match(source.path, source.sha256)
        if local is not None and local.same:
            return SourceText(source, local.text, local.path)
        text = await self._server_text(source)
        if text is None:
            if local is None:
                raise ClientError(
                    f"There is no source text for {source.path or source.name}.",
                    "sources lists the files that are loaded.",
                )
            if self.link.is_remora and local.path not in self._told_differs:
                self._told_differs.add(local.path)
                self.note(f"{local.path} may not be what the program runs: the program's text cannot be had.")
            return SourceText(source, local.text, local.path, differs=True)
        if local is not None and local.text == text:
            return SourceText(source, text, local.path)
        if local is not None and local.path not in self._told_differs:
            self._told_differs.add(local.path)
            self.note(f"{local.path} is not what the program runs; showing the server's text.")
        return SourceText(source, text, None, differs=local is not None)

    async def text_at(self, path: str) -> str | None:
        """The text that the program runs under a path; None when the server has none."""
        return await self._server_text(Source(path.replace("\\", "/").rpartition("/")[2], path))

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

    async def goto_targets(self, line: int, frame: Frame | None = None) -> list[int]:
        """The lines that a jump to `line` may go to: one, or none."""
        place = await self._frame(frame)
        body = await self.request("gotoTargets", {"source": place.source.to_dap(), "line": line})
        return [each["line"] for each in records(body, "targets") if isinstance(each.get("line"), int)]

    async def goto_lines(self, frame: Frame | None = None) -> list[int]:
        """The lines of a frame's function that can be jumped to."""
        place = await self._frame(frame)
        first, last = function_range((await self.source_text(place.source)).text, place.line)
        asked = range(first, min(last, first + _MOST_LINES) + 1)
        found = await asyncio.gather(*(self.goto_targets(line, place) for line in asked))
        return sorted({line for each in found for line in each})

    async def loaded_sources(self) -> list[Source]:
        """Every file the program has loaded, where the server can tell."""
        body = await self.request("loadedSources")
        return [Source.from_dap(each) for each in records(body, "sources")]

    async def modules(self) -> list[dict[str, Any]]:
        """DAP's records of all modules that the program has loaded."""
        body = await self.request("modules", {"startModule": 0, "moduleCount": 0})
        return list(records(body, "modules"))
