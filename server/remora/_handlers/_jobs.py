"""Has the stopped thread do something and answers the client with what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._control._evaluate import describe
from remora._control._helping import Help
from remora._handlers._table import Deferred
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

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
    deferred = Deferred()
    cancelled: list[bool] = []
    server = session.server
    is_answered = False
    over: list[Callable[[], None]] = []  # what is to be called when the work is done

    def done(result: Any, error: BaseException | None) -> None:
        nonlocal is_answered
        for each in over:
            each()
        if is_answered:
            return
        is_answered = True
        timed_out = isinstance(error, RequestFailed) and error.code == "cancelled" and not cancelled
        if timed_out and instead is not None:
            start(instead, None, finish)
        elif timed_out and timeout is not None:
            text = f"It was interrupted after {timeout:g} seconds."
            deferred.fail(RequestFailed("evaluation-failed", text))
        else:
            finish(result, error)

    def give_up() -> None:
        nonlocal is_answered
        if is_answered:
            return
        is_answered = True
        if instead is None:
            text = f"It was given up after {timeout:g} seconds. The thread is inside native code, and can do "
            deferred.fail(RequestFailed("evaluation-failed", f"{text}nothing else until it comes back."))
            return
        try:
            found = instead()
        except Exception as error:
            finish(None, error)
        else:
            finish(found, None)

    def finish(result: Any, error: BaseException | None) -> None:
        if isinstance(error, RequestFailed):
            deferred.fail(error)
        elif error is not None:
            deferred.fail(RequestFailed("evaluation-failed", describe(error)))
        else:
            try:
                deferred.resolve(build(result))
            except RequestFailed as refusal:
                deferred.fail(refusal)

    def start(function: Callable[[], Any], limit: float | None, answer: Callable[[Any, Any], None]) -> None:
        def diverted() -> Any:
            """Whatever of the program's code this runs, what it prints is for the client."""
            return server.divert_output(function)

        call = server.debugger.call_on(thread_id, diverted, answer, timeout=limit, is_nested=is_nested)

        def cancel() -> None:
            cancelled.append(True)
            call.cancel()

        deferred.cancel = cancel

    start(work, timeout, done)
    if not is_nested:  # a stop in the middle of it looks like waiting for a lock
        over.append(Help(server.loop, server.debugger, thread_id, session.note, is_patient=is_patient).end)
        if timeout is not None:
            over.append(server.loop.call_later(timeout + _GRACE, give_up).cancel)
    return deferred
