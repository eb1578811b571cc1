"""One deadline for all of connecting: who has not let us in by then is told as silent. On the event loop.

What the other end may take is meant: after a person was asked, or we ourselves were busy with others, it has
all of the time again.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Deadline"]


class Deadline:
    """Begins when it is made.

    Args:
        turns: of those who log in. Who makes many connections at once can so have each server say what it is
            at once, and do the hashing for a few at a time.
    """

    def __init__(self, seconds: float, turns: asyncio.Semaphore | None = None) -> None:
        self._seconds = seconds
        self._turns = turns
        self._end = 0.0
        self.restart()

    @property
    def left(self) -> float:
        """Seconds, for the step that comes next."""
        return max(0.0, self._end - asyncio.get_running_loop().time())

    def restart(self) -> None:
        """What has gone by was not the other end's doing."""
        self._end = asyncio.get_running_loop().time() + self._seconds

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """For the login, when it is its turn."""
        if self._turns is None:
            yield
            return
        async with self._turns:
            self.restart()
            yield
