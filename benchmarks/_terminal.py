"""A command in a pseudo-terminal: nothing but bytes, since to draw a screen would be most of the time."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

# What prompt_toolkit and we ask: the background's colour, what kind of terminal it is, where the cursor is.
_ANSWERS = {
    b"\x1b]11;?": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1b[c": b"\x1b[?62;c",
    b"\x1b[6n": b"\x1b[1;1R",
}
_PATIENCE = 20.0


class Terminal:
    """Starts the command; it is killed at the end of the `with`.

    Attributes:
        used: seconds of a processor's time that it took, when it has ended.
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.used = 0.0
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execve(command[0], command, env)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self._pid, signal.SIGKILL)
        _, _, usage = os.wait4(self._pid, 0)
        os.close(self._terminal)
        self.used = usage.ru_utime + usage.ru_stime

    def send(self, text: str) -> None:
        """Type it."""
        os.write(self._terminal, text.encode())

    def until(self, text: str) -> bool:
        """Wait until it writes that, and answer what it asks, as all terminals do. False: it never does."""
        seen, end = b"", time.monotonic() + _PATIENCE
        while text.encode() not in seen:
            came = self._read(end - time.monotonic())
            if not came:
                return False
            seen += came
        return True

    def rest(self, seconds: float) -> None:
        """Wait until it has written nothing for so long."""
        while self._read(seconds):
            pass

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._terminal], [], [], max(seconds, 0))[0]:
            return b""
        try:
            came = os.read(self._terminal, 65536)
        except OSError:  # Linux's way to say that it ended
            return b""
        for question, answer in _ANSWERS.items():
            if question in came:
                os.write(self._terminal, answer)
        return came
