"""Letting the program run; several steps or stops may count as one: `next 10`, `continue 3`.

To everybody else the program runs during those: the stops in between are neither told nor kept. So the prompt
is free, and what needs a stop says that there is none. Runs on the event loop's thread.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError, NotStopped
from remora_client._model import Stop
from remora_client._sessions._returning import Returning
from remora_client._sessions._state import State, resumed
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from remora_client._connecting._connect import Link
    from remora_client._model import StopMode
    from remora_client._source._localsource import LocalSources
    from remora_protocol import Response

__all__ = ["Repetition", "Resuming"]


class Repetition:
    """A request that is sent again at each stop that it was meant to lead to, so many times.

    Args:
        times: how often it is sent in all.
        leads_to: whether a stop is one of those; any other ends it.
    """

    def __init__(self, times: int, leads_to: Callable[[Stop], bool]) -> None:
        self.times = times
        self.sent = 0
        self._leads_to = leads_to
        self.command = ""
        self.arguments: dict[str, Any] = {}

    @classmethod
    def of_steps(cls, times: int) -> Repetition | None:
        """So many steps. A stop for any other reason, such as a breakpoint, ends them."""
        return cls(times, lambda stop: stop.reason == "step") if times > 1 else None

    def send(self, command: str, arguments: dict[str, Any]) -> None:
        """This is sent now, and is what is to be sent again."""
        self.command, self.arguments, self.sent = command, arguments, 1

    def takes(self, stop: Stop) -> bool:
        """Whether it goes on at this stop."""
        any_thread = self.command == "continue" and stop.all_threads
        its_own = any_thread or stop.thread_id == self.arguments["threadId"]
        if self.sent >= self.times or not its_own or not self._leads_to(stop):
            return False
        self.sent += 1
        return True

    def __str__(self) -> str:
        what = "stop" if self.command == "continue" else "step"
        return f"{what} {self.sent} of {self.times}"


class Resuming(Returning):
    """The part of a session that lets the program run."""

    def __init__(self, link: Link, sources: LocalSources) -> None:
        super().__init__(link, sources)
        self.stop_mode: StopMode = "all"  # what a stop holds: "all" threads, or the "one" that makes it
        self.steps_alone = False  # whether other threads stand still during a step, when all are stopped
        self._repetition: Repetition | None = None

    @property
    def held_alone(self) -> int | None:
        """The thread that is looked at, where it is held for itself, and others may be, too; else None."""
        stop = self.state.stop
        return stop.thread_id if stop is not None and self.state.is_for_itself(stop) else None

    async def _run(
        self,
        command: str,
        thread: int | None,
        *,
        single: bool = False,
        extra: dict[str, Any] | None = None,
        repetition: Repetition | None = None,
    ) -> None:
        before = self.state
        if before.stop is None:
            raise self._not_stopped()
        arguments: dict[str, Any] = {
            "threadId": before.stop.thread_id if thread is None else thread,
            **(extra or {}),
        }
        steps = command != "continue"
        alone = self.held_alone is not None and (steps or single)
        single = single or alone or (steps and self.steps_alone)
        if self.supports("supportsSingleThreadExecutionRequests") and (single or self.stop_mode == "one"):
            arguments["singleThread"] = single
        # Before the request: the next stop may come right behind the answer, or even before it.
        self.state = resumed(before, arguments["threadId"] if alone else None, steps=alone and steps)
        looked_at = self._selected, self._task
        self._selected = self._task = None
        self._stack.clear()
        self._repetition = repetition
        if repetition is not None:
            repetition.send(command, arguments)
        try:
            await self.request(command, arguments)
        except RequestFailed:
            if self._undo_resume(before):
                self._selected, self._task = looked_at
            raise

    def _undo_resume(self, before: State) -> bool:
        """It was refused: the program stands where it stood, unless it has stopped elsewhere meanwhile."""
        if self.state.phase != "running" or self.state.stops != before.stops:
            return False
        self._repetition = None
        self.state = replace(
            self.state, phase="stopped", stop=before.stop, waiting=before.waiting, awaited=None
        )
        return True

    # -- several as one ---------------------------------------------------------------------------

    def _take_event(self, event: str, body: dict[str, Any]) -> None:
        repetition = self._repetition
        if repetition is not None:
            if event == "stopped":
                stop = Stop.from_dap(body)
                if repetition.takes(stop):
                    # At once, so that a pause cannot come before it.
                    _, future = self._rpc.send(repetition.command, repetition.arguments)
                    self._later(self._sent_again(repetition, future, body))
                    return
                if not self._is_beside(stop):
                    self._repetition = None
            elif event in ("terminated", "remora/away", "remora/gone"):
                self._repetition = None
        super()._take_event(event, body)

    def _not_stopped(self) -> ClientError:
        if self._repetition is None:
            return super()._not_stopped()
        return NotStopped(f"The program is running, to {self._repetition}.", "pause ends that.")

    def _is_beside(self, stop: Stop) -> bool:
        """Whether it holds another thread than the one that steps, for itself."""
        return self.state.is_for_itself(stop) and self.state.awaited not in (None, stop.thread_id)

    async def _sent_again(
        self, repetition: Repetition, future: asyncio.Future[Response], body: dict[str, Any]
    ) -> None:
        try:
            await self._answer(repetition.command, future)
        except RequestFailed:  # so here it stands
            if self._repetition is repetition:
                self._repetition = None
                self._take_event("stopped", body)
        except ClientError:
            pass  # the connection is gone, and says so itself
