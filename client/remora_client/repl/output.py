"""Text that appears above the prompt while a person types: collected for a moment, then shown in one go.

Used on the event loop's thread. Redrawing the prompt for each line of a chatty program would make typing
impossible; a flood beyond what anybody can read is cut in the middle, and the cut says how much it was.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from remora_client._errors import is_of_output
from remora_client.repl.printer import output_lines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from remora_client._fragments import Fragments

__all__ = ["Above"]

_PAUSE = 0.02
_MOST = 64 * 1024  # characters of the program's output at once


class Above:
    """What waits to be shown.

    Args:
        show: shows text now, wherever the prompt is, and returns when it is on the screen.
        lost: called when that cannot be any more: nobody reads what we print, or the disk is full.
    """

    def __init__(self, show: Callable[[Fragments], Awaitable[None]], lost: Callable[[], None]) -> None:
        self._show = show
        self._pending: list[tuple[str, str] | Fragments] = []  # (category, text) of output, or ready text
        self._open = ""  # the stream whose last line has not ended yet
        self._more = asyncio.Event()
        self._showing = asyncio.Lock()
        self._lost = lost
        self._task = asyncio.get_running_loop().create_task(self._run())

    def output(self, category: str, text: str) -> None:
        """Something that the program printed."""
        if category == self._open and text.startswith("\n"):  # the end of a line that is on the screen
            text = text[1:]
        if not text:
            self._open = ""
            return
        self._pending.append((category, text))
        self._more.set()

    def add(self, fragments: Fragments) -> None:
        """Something of ours."""
        self._pending.append(fragments)
        self._more.set()

    async def flush(self) -> None:
        """Show what waits, now."""
        async with self._showing:
            pending, self._pending = self._pending, []
            if not pending:
                return
            last = pending[-1]
            self._open = last[0] if isinstance(last, tuple) and not last[1].endswith("\n") else ""
            await self._show(_joined(pending))

    async def close(self) -> None:
        """Show the rest and stop."""
        self._task.cancel()
        await self.flush()

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            await asyncio.sleep(_PAUSE)
            self._more.clear()
            try:
                await self.flush()
            except OSError as error:
                if not is_of_output(error):
                    raise
                self._lost()  # who prints next, if only the last line of all, says so
                return


def _joined(pending: list[tuple[str, str] | Fragments]) -> Fragments:
    """One text: output of one stream that came in pieces is put together again."""
    out: Fragments = []
    category = ""
    pieces: list[str] = []
    for each in [*pending, []]:
        same = isinstance(each, tuple) and each[0] == category
        if not same and pieces:
            out += output_lines(category, _cut("".join(pieces)))
            pieces = []
        if isinstance(each, tuple):
            category = each[0]
            pieces.append(each[1])
        else:
            out += each
    return out


def _cut(text: str) -> str:
    if len(text) <= _MOST:
        return text
    head, tail = text[: _MOST // 4], text[-_MOST // 4 :]
    lines = text.count("\n") - head.count("\n") - tail.count("\n")
    return f"{head.rpartition(chr(10))[0]}\n… {lines:,} lines not shown …\n{tail.partition(chr(10))[2]}"
