"""A debugging session: attaching, running, stopping, and leaving again.

Everything runs on the event loop's thread. Run control returns as soon as the server has answered;
`wait_for_stop` waits for what comes of it. Text in the results is as the debuggee sent it: show it
through `_text.visible`.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError, Gone
from remora_client._model import records
from remora_client._options import AttachOptions
from remora_client._sessions import _attach
from remora_client._sessions._debugpy import let_child_go
from remora_client._sessions._resuming import Repetition, Resuming
from remora_client._sessions._state import resumed
from remora_client._source._localsource import LocalSources
from remora_client._text import visible
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from remora_client._connecting._connect import Link
    from remora_client._model import Breakpoint, Frame, Source, Stop, StopMode
    from remora_protocol import ProcessInfo

__all__ = ["Session"]

_DETACH_SECONDS = 2.0
_ENTRY_SECONDS = 5.0
_NO_ENTRY = "Only Remora's own servers can begin with a stop; attach to this one without, and pause it."
_NO_STOP_MODE = "This server cannot stop one thread alone."
_DEFAULT = AttachOptions()


class Session(Resuming):
    """One process being debugged. Get one from `Session.attach`."""

    def __init__(self, link: Link, sources: LocalSources) -> None:
        super().__init__(link, sources)
        self.process: ProcessInfo | None = None
        self.told = 0  # how many of the stops somebody has waited for
        self.has_given_input = False
        self.left_stopped = False  # we have left it so, for the next client

    # -- beginning and end ------------------------------------------------------------------------

    @classmethod
    async def attach(
        cls,
        link: Link,
        pid: int | None = None,
        how: AttachOptions = _DEFAULT,
        *,
        name: str | None = None,
        choose: Callable[[Sequence[ProcessInfo]], int] | None = None,
        breakpoints: Iterable[Breakpoint] = (),
    ) -> Session:
        """Attach to the process behind a link.

        Args:
            pid: which process; None: the only one there is.
            name: a glob for the process's name, instead of `pid`.
            choose: asked for a pid when several match; None: raise `AmbiguousProcess`.
            breakpoints: to be set before the program is let go, for instance those of an earlier session.
        """
        session = cls(link, LocalSources(how.source))
        session.state = replace(session.state, breakpoints=tuple(breakpoints))
        session._last_number = max((each.number for each in session.state.breakpoints), default=0)
        if link.is_remora:
            session.process = await _attach.open_process(link, pid, name, choose)
            session._pid = session.process["pid"]
        arguments: dict[str, Any] = {
            "justMyCode": how.just_my_code,
            "redirectOutput": how.redirect_output,
            "force": how.force,
        }
        if session.observes:
            arguments["observe"] = True  # also where no secret says it
        if link.ptvsd is not None:  # its adapter reads the program's files here, so it stays on this machine
            arguments["sourceRoots"] = session.sources.roots
        if how.stop_mode != "all":
            arguments["stopMode"] = how.stop_mode
        if how.stop_on_entry:
            if not link.is_remora:
                raise ClientError(_NO_ENTRY)
            arguments["stopOnEntry"] = True
        await session._start(arguments)
        if how.stop_mode != "all" and not session.has("remora/stopMode"):
            raise ClientError(_NO_STOP_MODE)
        session.stop_mode = how.stop_mode
        if (
            session.process is not None
            and session.process["state"] == "stopped"
            and session.has("remora/ping")
        ):
            # Where it stands comes behind the answer to configurationDone, and so before this one's.
            await session.request("remora/ping", {})
            await link.rpc.caught_up()
        if how.stop_on_entry:
            del session._arguments["stopOnEntry"]  # who comes back has been there
            with contextlib.suppress(TimeoutError):
                await session.wait_for_stop(_ENTRY_SECONDS)
        return session

    async def detach(self, *, keep_stopped: bool = False) -> None:
        """Leave the program running and close the connection. Never raises; safe to call twice.

        With `keep_stopped` what stands still goes on standing, for the next client.
        """
        self._is_leaving = True
        try:
            if not self.state.over:
                arguments: dict[str, Any] = {"restart": False, "terminateDebuggee": False}
                if keep_stopped:
                    arguments["suspendDebuggee"] = True
                with contextlib.suppress(ClientError, RequestFailed):
                    await self.request("disconnect", arguments, _DETACH_SECONDS)
                    self.left_stopped = keep_stopped
        finally:
            await self.close()

    async def terminate(self, *, force: bool = False) -> None:
        """End the program: softly, or with `force` at once."""
        if force:
            await self.request("disconnect", {"restart": False, "terminateDebuggee": True}, _DETACH_SECONDS)
        else:
            await self.request("terminate", {})

    async def close(self) -> None:
        """Close the connection without a word; a server then lets the program run, too."""
        self._is_leaving = True
        self._listeners.clear()  # that the connection ends now is no news
        for task in list(self._tasks):
            task.cancel()
        await self.link.close()

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.detach()

    def _react(self, event: str, body: dict[str, Any]) -> None:
        super()._react(event, body)
        if event == "debugpyAttach":
            self._later(self._let_child_go(body))
        elif event == "continued" and self.state.stop is None:
            self._look_at_next()

    async def _let_child_go(self, body: dict[str, Any]) -> None:
        """A child of debugpy's waits for a client, and this session has its hands full."""
        name = visible(str(body.get("name") or "A child process"))
        if await let_child_go(self.link, body):
            self.note(f"{name} was started, and runs on without a debugger.")
        else:
            self.note(f"{name} was started, and waits for a debugger.")

    @property
    def observes(self) -> bool:
        """Whether we may only look."""
        return self.link.options.observe

    @property
    def left(self) -> bool:
        """Whether we have detached, or are about to."""
        return self._is_leaving

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
            if self.state.last_words:
                raise Gone(visible(self.state.last_words))
            raise self._rpc.end or Gone("The connection ended.")
        stop = self.state.stop
        if stop is None:
            return None
        self.told = self.state.stops
        with contextlib.suppress(RequestFailed):
            frames = await self.stack(stop.thread_id, count=1)
            if frames:
                stop = replace(stop, frame=frames[0])
        return stop

    async def set_stop_mode(self, mode: StopMode) -> None:
        """From now on a stop holds "all" threads, or only the "one" that makes it."""
        if not self.has("remora/stopMode"):
            raise ClientError(_NO_STOP_MODE)
        await self.request("remora/stopMode", {"mode": mode})
        self.stop_mode = mode
        self._arguments["stopMode"] = mode  # also when we come back

    async def give_input(self, line: str) -> None:
        """Give the program a line to read, before what its own standard input has for it."""
        self.has_given_input = True
        await self.request("remora/input", {"text": line})

    async def unread_input(self) -> int:
        """How many of the lines that were given the program has not read. Leaving takes them back."""
        if not self.has_given_input or self.state.over:
            return 0
        unread = (await self.request("remora/input")).get("unread")
        return unread if isinstance(unread, int) else 0

    async def resume(
        self, thread: int | None = None, *, times: int = 1, passing: Callable[[Stop], bool] | None = None
    ) -> None:
        """Let all threads run, or one (`thread`) where the server can; past stops, up to `times` in all."""
        repetition = None if passing is None else Repetition(times, passing)
        await self._run("continue", thread, single=thread is not None, repetition=repetition)
        if self.state.phase == "running":
            self._look_at_next()

    def _look_at_next(self) -> None:
        """Turn to a thread that was held meanwhile, if there is one."""
        if self.state.waiting:
            self._take_event("remora/next-stop", {})

    async def step_over(self, thread: int | None = None, *, times: int = 1) -> None:
        """To the next line of this frame; `times` such steps, of which only the last one is told."""
        await self._run("next", thread, repetition=Repetition.of_steps(times))

    async def step_in(
        self,
        thread: int | None = None,
        *,
        target: int | None = None,
        everywhere: bool = False,
        times: int = 1,
    ) -> None:
        """To the next line, wherever it is; `target` is an id from `step_in_targets`.

        With `everywhere`, library code and what `skip` names are entered as well.
        """
        extra: dict[str, Any] = {} if target is None else {"targetId": target}
        if everywhere:
            extra["everywhere"] = True
        await self._run("stepIn", thread, extra=extra, repetition=Repetition.of_steps(times))

    async def step_instruction(self, *, into: bool, thread: int | None = None, times: int = 1) -> None:
        """To the next instruction of the bytecode, of this function or of whichever it calls."""
        if not self.supports("supportsSteppingGranularity"):
            raise ClientError("This server cannot step by instructions.")
        extra = {"granularity": "instruction"}
        await self._run(
            "stepIn" if into else "next", thread, extra=extra, repetition=Repetition.of_steps(times)
        )

    async def disassembly(self, frame: Frame | None = None) -> tuple[list[dict[str, Any]], int]:
        """The instructions of the function that a frame runs, and the index of the one it is at."""
        body = await self.request("remora/disassemble", {"frameId": (await self._frame(frame)).id})
        current = body.get("current")
        return records(body, "instructions"), current if isinstance(current, int) else -1

    async def step_out(self, thread: int | None = None) -> None:
        """To the caller, straight after the call returned."""
        await self._run("stepOut", thread)

    async def skip(self, skips: Sequence[tuple[str, str]], *, just_my_code: bool) -> None:
        """What steps pass by: (kind, pattern), of kind file, function or module; library code or not."""
        body = [{"kind": kind, "pattern": pattern} for kind, pattern in skips]
        await self.request("remora/skip", {"skips": body, "justMyCode": just_my_code})

    async def step_return(self, thread: int | None = None) -> None:
        """To the return of this frame, still in it, with the return value. Elsewhere: step out."""
        remora = self.has("remora/return")
        await self._run("remora/return" if remora else "stepOut", thread)

    async def until(self, line: int | None = None, thread: int | None = None) -> None:
        """To a greater line of this frame, or to `line` or beyond, or to its end, whatever is first."""
        if not self.has("remora/until"):
            raise ClientError("This server has no 'until'.", "Set a temporary breakpoint instead.")
        await self._run("remora/until", thread, extra={} if line is None else {"line": line})

    async def pause(self, thread: int | None = None) -> None:
        """Ask the program to stop at its next line; `wait_for_stop` tells when it has."""
        self._repetition = None
        if thread is None:
            threads = self.state.threads or {each.id: each for each in await self.threads()}
            thread = self.state.awaited or min(threads, default=0)
        await self.request("pause", {"threadId": thread})

    async def pause_beside(self, thread: int, timeout: float | None = None) -> None:
        """Stop this thread as well, where each is held for itself, and go on looking at the other.

        Raises:
            TimeoutError: it has not come by after `timeout` seconds.
        """
        await self.request("pause", {"threadId": thread})
        async with asyncio.timeout(timeout):
            while all(each.thread_id != thread for each in (self.state.stop, *self.state.waiting) if each):
                self._changed.clear()
                await self._changed.wait()

    async def step_in_targets(self, frame: Frame | None = None) -> list[tuple[int, str]]:
        """The calls on the current line that `step_in` may enter: (id, name)."""
        body = await self.request("stepInTargets", {"frameId": (await self._frame(frame)).id})
        targets = [each for each in records(body, "targets") if isinstance(each.get("id"), int)]
        return [(each["id"], str(each.get("label", ""))) for each in targets]

    async def columns(self, source: Source, line: int) -> list[int]:
        """Where the places on a line begin that can stop, from the left; none where there is only one."""
        if not self.supports("supportsBreakpointLocationsRequest"):
            return []
        body = await self.request("breakpointLocations", {"source": source.to_dap(), "line": line})
        return [
            each["column"] for each in records(body, "breakpoints") if isinstance(each.get("column"), int)
        ]

    async def step_in_target(self, name: str) -> int:
        """The id of the one whose name holds this. Raises `ClientError`, also where there is no choice."""
        if not self.supports("supportsStepInTargetsRequest"):
            raise ClientError(
                "This server cannot pick a call to step into.", "Set a temporary breakpoint in it instead."
            )
        targets = await self.step_in_targets()
        found = [ident for ident, label in targets if name and name in label]
        if not found:
            listed = ", ".join(label for _, label in targets) or "none"
            raise ClientError(f"No call of {name or 'that name'} on this line.", f"Calls: {listed}.")
        return found[0]

    async def goto(self, line: int, frame: Frame | None = None) -> None:
        """Jump: the next line that runs is `line` of the current frame's file. A stop follows."""
        place = await self._frame(frame)
        body = await self.request("gotoTargets", {"source": place.source.to_dap(), "line": line})
        targets = [each for each in records(body, "targets") if "id" in each]
        if not targets:
            raise ClientError(f"Line {line} cannot be jumped to from here.")
        best = next((each for each in targets if each.get("line") == line), targets[0])
        await self._run("goto", None, extra={"targetId": best["id"]})

    async def restart_frame(self, frame: Frame | None = None) -> None:
        """Run a call again from its start, where the server can."""
        if not self.supports("supportsRestartFrame"):
            raise ClientError("This server cannot run a call again.")
        place = await self._frame(frame)
        before, alone = self.state, self.held_alone
        self.state = resumed(before, alone, steps=alone is not None)
        try:
            await self.request("restartFrame", {"frameId": place.id})
        except RequestFailed:
            self._undo_resume(before)
            raise
