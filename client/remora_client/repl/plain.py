"""Reading lines where there is no terminal to speak of: TERM=dumb, an editor's shell, a pipe.

A thread reads, because nothing else can wait for a pipe on every system; it ends with the process.
"""

from __future__ import annotations

import asyncio
import sys
import threading

__all__ = ["PlainReader"]


class PlainReader:
    """Lines of standard input, one after the other, without blocking the event loop."""

    def __init__(self) -> None:
        self._stream = sys.stdin
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        threading.Thread(target=self._read, name="remora-stdin", daemon=True).start()

    async def line(self) -> str:
        """The next line without its end. Raises `EOFError` at the end of the stream."""
        line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
            raise EOFError
        return line

    def _read(self) -> None:
        try:
            for line in self._stream:
                self._put(line.rstrip("\r\n"))
        except (OSError, ValueError):
            pass  # closed under our hands: the same as its end
        self._put(None)

    def _put(self, line: str | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
        except RuntimeError:
            pass  # the loop is closed: nobody reads any more
