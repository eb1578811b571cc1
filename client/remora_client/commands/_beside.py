"""Calling a person's own Python, which may never come back: beside the event loop, on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["beside"]

T = TypeVar("T")
P = ParamSpec("P")


async def beside(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call it there. An executor's thread would be waited for when this process ends, and this one is not."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(found: Any, error: BaseException | None) -> None:
        if not outcome.done():  # else it was given up
            outcome.set_exception(error) if error else outcome.set_result(found)

    def work() -> None:
        found, failure = None, None
        try:
            found = function(*args, **kwargs)
        except (Exception, SystemExit) as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, found, failure)

    threading.Thread(target=work, name="remora-beside", daemon=True).start()
    return await outcome
