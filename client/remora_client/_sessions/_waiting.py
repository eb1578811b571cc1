"""How long to wait for a stop. On the event loop's thread."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["at_most"]


@contextlib.asynccontextmanager
async def at_most(seconds: float | None) -> AsyncIterator[None]:
    """Bound what waits for a stop. Raises `TimeoutError` and says so; a callback's own stays as it is."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise TimeoutError(f"No stop within {seconds:g} s; the program runs on.") from None
