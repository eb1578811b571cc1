"""Lines that a client types for the program: who reads `sys.stdin` gets them before its own input.

The program keeps that. `sys.stdin` stands for ours only while there are lines from a client, or while the
client has asked to be read from; a read that had begun before goes on where it began. Reads run on the
program's threads, and wait for the client no longer than it is there; the rest is the server's.
"""

from __future__ import annotations

import builtins
import sys
from collections import deque
from typing import TYPE_CHECKING, Any

from remora._interpreter._originals import allocate_lock
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ClientInput"]

_ASKS = "The program reads a line, and waits for yours: stdin TEXT.\n"


class ClientInput:
    """Off until `give` or `take`.

    Args:
        tell: called with the name and the body of an event; must not block.

    Attributes:
        is_taken: whether reading waits for the client, rather than for the program's own input.
    """

    def __init__(self, tell: Callable[[str, dict[str, Any]], None]) -> None:
        self.is_taken = False
        self._tell = tell
        self._lines: deque[str] = deque()
        self._readers: deque[Any] = deque()  # the lock of each thread that waits for a line
        self._own: Any = None
        self._stream: _Stream | None = None
        self._own_input: Any = None

    # -- on the server's thread

    def give(self, text: str) -> None:
        """The next line that the program reads.

        Raises:
            RequestFailed: the program has no standard input.
        """
        self._cover()
        self._lines.append(f"{text}\n")
        self._wake()

    def take(self) -> None:
        """From now on whoever reads waits for lines from the client.

        Raises:
            RequestFailed: the program has no standard input.
        """
        self._cover()
        self.is_taken = True

    def stop(self) -> None:
        """The program reads its own input again, also who waits for a line right now."""
        self.is_taken = False
        self._lines.clear()
        self._uncover()
        self._wake()

    @property
    def unread(self) -> int:
        """How many lines of the client's the program has not read."""
        return len(self._lines)

    def _cover(self) -> None:
        if self._stream is not None and sys.stdin is self._stream:
            return
        own = sys.stdin
        if own is None:
            raise RequestFailed("failed", "The program has no standard input.")
        self._own = own
        self._stream = _Stream(own, self._next_line)
        sys.stdin = self._stream
        if own.isatty():
            # The built-in one reads from a terminal itself, past `sys.stdin`.
            self._own_input, builtins.input = builtins.input, self._input

    def _uncover(self) -> None:
        """Where somebody has put something else there, that stays."""
        if self._stream is not None and sys.stdin is self._stream:
            sys.stdin = self._own
        if self._own_input is not None and builtins.input == self._input:
            builtins.input = self._own_input
        self._own_input = self._stream = None

    def _wake(self) -> None:
        while self._readers:
            self._readers.popleft().release()

    # -- on the program's threads

    def _next_line(self) -> str | None:
        """A line from the client; None: read on from the program's own input."""
        ready = allocate_lock()
        ready.acquire()
        is_told = False
        while True:
            self._readers.append(ready)  # first: a line that comes now is not missed
            try:
                if self._lines:
                    return self._take_line()
                if not self.is_taken:
                    return None
                if not is_told:
                    is_told = True
                    self._tell("output", {"category": "console", "output": _ASKS})
                # Not for ever: a signal that comes just before the wait would be seen only after it.
                ready.acquire(timeout=1)
            except IndexError:
                pass  # another thread was quicker
            finally:
                if ready in self._readers:
                    self._readers.remove(ready)

    def _take_line(self) -> str:
        line = self._lines.popleft()
        if not self._lines and not self.is_taken:
            self._uncover()
        return line

    def _input(self, prompt: object = "") -> str:
        own = self._own_input
        if own is not None and not self._lines and not self.is_taken:
            return str(own(prompt))
        stream = self._stream
        if sys.stdout is not None:
            sys.stdout.write(str(prompt))
            sys.stdout.flush()
        line = str((self._own if stream is None else stream).readline())
        if not line:
            raise EOFError
        return line.removesuffix("\n")


class _Stream:
    """A text stream that has the client's lines before those of another one, and is that one for the rest."""

    def __init__(self, own: Any, next_line: Callable[[], str | None]) -> None:
        self._own = own
        self._next_line = next_line
        self._rest = ""  # of a line that was read in part

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def readline(self, size: int = -1) -> str:
        """A line, or so much of it."""
        line = self._rest or self._next_line()
        self._rest = ""
        if line is None:
            return str(self._own.readline(size))
        if 0 <= size < len(line):
            line, self._rest = line[:size], line[size:]
        return line

    def read(self, size: int | None = -1) -> str:
        """So much; the end is that of the program's own input."""
        if size is not None and size >= 0:
            return self.readline(size)
        found: list[str] = []
        while True:
            line = self._rest or self._next_line()
            self._rest = ""
            if line is None:
                return "".join([*found, self._own.read()])
            found.append(line)

    def readlines(self, hint: int = -1) -> list[str]:
        """All lines."""
        return list(self)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.readline()
        if not line:
            raise StopIteration
        return line
