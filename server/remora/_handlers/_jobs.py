"""Has the stopped thread do something and answers the client with what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._control._evaluate import describe
from remora._control._helping import Help
from remora._handlers._table import Deferred
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._sessions._server import Server
    from remora._sessions._session import Session

__all__ = ["on_thread"]

_GRACE = 0.5
"""Seconds that what was interrupted has to come back: native code hears of it only when it ends."""


def on_thread(
    session: Session,
    thread_id: int,
    work: Callable[[], Any],
    build: Callable[[Any], dict[str, Any] | None],
    *,
    timeout: float | None = None,
    instead: Callable[[], Any] | None = None,
    is_patient: bool = False,
    is_nested: bool = False,
) -> Deferred:
    """Run `work` on the stopped thread and answer with what `build`, on the server's, makes of the result.

    Args:
        is_patient: a person waits for it, and is told when it takes long.
        is_nested: breakpoints in it stop the thread; then it may take as long as the person likes.
        instead: run in its place when it took longer than `timeout` and was interrupted. It must not run
            the program's code: when the thread does not come back, the server's runs it.
    """
    server = session.server
    job = _Job(server, thread_id, build, timeout=timeout, instead=instead, is_nested=is_nested)
    job.begin(work)
    if not is_nested:  # a stop in the middle of it looks like waiting for a lock
        from_others = Help(server.loop, server.debugger, thread_id, session.note, is_patient=is_patient)
        job.over.append(from_others.end)
        if timeout is not None:
            job.over.append(server.loop.call_later(timeout + _GRACE, job.give_up).cancel)
    return job.deferred


class _Job:
    """What a stopped thread does for one request. All on the server's thread but the work itself.

    Attributes:
        over: what is to be called when the work is done.
    """

    def __init__(
        self,
        server: Server,
        thread_id: int,
        build: Callable[[Any], dict[str, Any] | None],
        *,
        timeout: float | None,
        instead: Callable[[], Any] | None,
        is_nested: bool,
    ) -> None:
        self.deferred = Deferred()
        self.over: list[Callable[[], None]] = []
        self._server = server
        self._thread_id = thread_id
        self._build = build
        self._timeout = timeout
        self._instead = instead
        self._is_nested = is_nested
        self._is_cancelled = False
        self._is_over = False  # the work; or it is not waited for any more

    def begin(self, work: Callable[[], Any]) -> None:
        """Have the thread do it."""
        self._start(work, self._timeout, self._done)

    def _start(
        self, function: Callable[[], Any], limit: float | None, answer: Callable[[Any, Any], None]
    ) -> None:
        server = self._server

        def diverted() -> Any:
            """Whatever of the program's code this runs, what it prints is for the client."""
            return server.divert_output(function)

        call = server.debugger.call_on(
            self._thread_id, diverted, answer, timeout=limit, is_nested=self._is_nested
        )

        def cancel() -> None:
            self._is_cancelled = True
            call.cancel()

        self.deferred.cancel = cancel

    def _done(self, result: Any, error: BaseException | None) -> None:
        for each in self.over:
            each()
        if self._is_over:
            return
        self._is_over = True
        timed_out = isinstance(error, RequestFailed) and error.code == "cancelled" and not self._is_cancelled
        if timed_out and self._instead is not None:
            self._start(self._instead, None, self._answer)
        elif timed_out and self._timeout is not None:
            text = f"It was interrupted after {self._timeout:g} seconds."
            self._answer(None, RequestFailed("evaluation-failed", text))
        else:
            self._answer(result, error)

    def give_up(self) -> None:
        """The thread was interrupted and has not come back: answer without it."""
        if self._is_over:
            return
        self._is_over = True
        if self._instead is None:
            text = (
                f"It was given up after {self._timeout:g} seconds. The thread is inside native code, and can "
                "do nothing else until it comes back."
            )
            self._answer(None, RequestFailed("evaluation-failed", text))
            return
        try:
            found = self._instead()
        except Exception as error:
            self._answer(None, error)
        else:
            self._answer(found, None)

    def _answer(self, result: Any, error: BaseException | None) -> None:
        if isinstance(error, RequestFailed):
            self.deferred.fail(error)
        elif error is not None:
            self.deferred.fail(RequestFailed("evaluation-failed", describe(error)))
        else:
            try:
                self.deferred.resolve(self._build(result))
            except RequestFailed as refusal:
                self.deferred.fail(refusal)
