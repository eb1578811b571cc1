"""Running, stepping and stopping. Everything runs on the caller's event loop."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from remora_client._scripting._breaking import Breaking
from remora_client._scripting._objects import Stop
from remora_client._sessions._waiting import at_most

if TYPE_CHECKING:
    from collections.abc import Iterable

    from remora_client import _model
    from remora_client._model import StopMode
    from remora_client._sessions import _session

__all__ = ["Running"]


class Running(Breaking):
    """The part of a session that makes the program run, and waits for its stops."""

    def __init__(self, core: _session.Session) -> None:
        super().__init__(core)
        self._told_stop = 0  # the number of the last stop that the callbacks were told of

    async def resume(self, timeout: float | None = None, *, thread: int | None = None) -> Stop | None:
        """Let the program run until the next stop; one that already runs is just waited for.

        The next stop may have come already, after a breakpoint was set, say: then it is this one.
        """
        if self._core.stop is not None and self._core.told == self._core.state.stops:
            await self._core.resume(thread)
        return await self._next_stop(timeout)

    async def go(self, *, thread: int | None = None) -> None:
        """Let the program run, and do not wait for what comes of it."""
        if self._core.stop is not None:
            await self._core.resume(thread)

    async def step_over(
        self, timeout: float | None = None, *, thread: int | None = None, times: int = 1
    ) -> Stop | None:
        """To the next line of this function; `times` such steps, unless something stops it before."""
        await self._core.step_over(thread, times=times)
        return await self._next_stop(timeout, is_step=True)

    async def step_in(
        self,
        timeout: float | None = None,
        *,
        thread: int | None = None,
        into: str = "",
        everywhere: bool = False,
        times: int = 1,
    ) -> Stop | None:
        """To the next line, in whatever function it is; `times` such steps, unless something stops it before.

        Args:
            into: the call to enter, by (a part of) its name, where the line has several.
            everywhere: enter library code, too, and what `skip` names.
        """
        target = await self._core.step_in_target(into) if into else None
        await self._core.step_in(thread, target=target, everywhere=everywhere, times=times)
        return await self._next_stop(timeout, is_step=True)

    async def step_out(self, timeout: float | None = None, *, thread: int | None = None) -> Stop | None:
        """Out of this function, to its caller."""
        await self._core.step_out(thread)
        return await self._next_stop(timeout, is_step=True)

    async def step_return(self, timeout: float | None = None) -> Stop | None:
        """To the return of this function, still in it."""
        await self._core.step_return()
        return await self._next_stop(timeout, is_step=True)

    async def until(self, line: int | None = None, timeout: float | None = None) -> Stop | None:
        """To a later line of this function, or to its end."""
        await self._core.until(line)
        return await self._next_stop(timeout, is_step=True)

    async def goto(self, line: int, timeout: float | None = None) -> Stop | None:
        """Jump to another line of this function without running what is between."""
        await self._core.goto(line)
        return await self._next_stop(timeout, is_step=True)

    async def restart_frame(
        self, frame: _model.Frame | None = None, timeout: float | None = None
    ) -> Stop | None:
        """Run a call again from its first line, with the arguments that it has now."""
        await self._core.restart_frame(frame)
        return await self._next_stop(timeout, is_step=True)

    async def step_instruction(
        self,
        timeout: float | None = None,
        *,
        into: bool = False,
        thread: int | None = None,
        times: int = 1,
    ) -> Stop | None:
        """To the next instruction of the bytecode: of this function, or of whichever it calls (`into`)."""
        await self._core.step_instruction(into=into, thread=thread, times=times)
        return await self._next_stop(timeout, is_step=True)

    async def skip(
        self,
        *,
        files: Iterable[str] = (),
        functions: Iterable[str] = (),
        modules: Iterable[str] = (),
        just_my_code: bool = True,
    ) -> None:
        """Say anew what steps pass by: patterns such as "generated_*.py"; and library code, or not."""
        kinds = {"file": files, "function": functions, "module": modules}
        skips = [(kind, pattern) for kind, patterns in kinds.items() for pattern in patterns]
        await self._core.skip(skips, just_my_code=just_my_code)

    async def set_stop_mode(self, mode: StopMode) -> None:
        """From now on a stop holds "all" threads, or only the "one" that makes it."""
        await self._core.set_stop_mode(mode)

    async def advance(self, place: str, line: int | None = None, timeout: float | None = None) -> Stop | None:
        """To a place, as `break_at` takes it. Where a breakpoint stops it on the way, it goes no further."""
        self._core.aims.add((await self.break_at(place, line, temporary=True)).number)
        return await self.resume(timeout)

    async def goto_lines(self, frame: _model.Frame | None = None) -> list[int]:
        """The lines of a frame's function that `goto` may name."""
        return await self._core.goto_lines(frame)

    def set_step_mode(self, mode: StopMode) -> None:
        """During a step, "all" threads run, or only the "one" that steps."""
        self._core.steps_alone = mode == "one"

    async def pause(self, timeout: float | None = 10.0, *, thread: int | None = None) -> Stop | None:
        """Stop the program wherever it is; in stop mode "one", only the `thread`, by default the first.

        Where another one stands already, it goes on being looked at; `select_thread` turns to this one.
        """
        if self._core.stop is None:
            await self._core.pause(thread)
        elif thread is not None and self._core.held_alone not in (None, thread):
            await self._core.pause_beside(thread, timeout)
        return await self._next_stop(timeout, is_step=True)

    async def wait_for_stop(self, timeout: float | None = None) -> Stop | None:
        """Wait until the program stands still; at once if it does."""
        return await self._next_stop(timeout)

    async def _next_stop(self, timeout: float | None, *, is_step: bool = False) -> Stop | None:
        """The next stop that is the caller's: those of callbacks that want no more are left again."""
        async with at_most(timeout):
            while True:
                found = await self._core.wait_for_stop()
                if found is None:
                    return None
                stop = await self._judge(found, is_step=is_step)
                if stop is not None:
                    return stop

    async def _judge(self, found: _model.Stop, *, is_step: bool = False) -> Stop | None:
        """The stop, if it is the caller's. None: only callbacks wanted it, and the program runs again."""
        stop, number = Stop.of(found, self._core), self._core.state.stops
        if number == self._told_stop:
            return stop
        self._told_stop = number
        if await self._is_wanted(stop) or is_step:
            return stop
        if self._core.stop is not None:  # else the callback has let it run
            await self._core.resume(self._core.held_alone)
        return None

    async def _is_wanted(self, stop: Stop) -> bool:
        """Whether to hand a stop to the caller: at breakpoints with callbacks it is theirs to say."""
        hit = [each.number for each in stop.hit(self._core.breakpoints)]
        is_hit = bool(hit) and stop.reason in ("breakpoint", "function breakpoint")
        wanted = not is_hit or any(each not in self._on_hit for each in hit)
        for each in hit:
            if each in self._on_hit:
                answer = self._on_hit[each](stop)
                if inspect.isawaitable(answer):
                    answer = await answer
                wanted = bool(answer) or wanted
        return wanted
