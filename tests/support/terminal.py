"""A person at a terminal: runs a command in a pseudo-terminal and looks at the screen that it makes.

Everything runs on the test's thread. The screen is so tall that only a flood scrolls anything away, and
whatever a program asks a terminal (where is the cursor?) is answered, as prompt_toolkit expects.
"""

from __future__ import annotations

import copy
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import pexpect
import pyte

TIMEOUT = 20.0
ROWS, COLUMNS = 250, 120


class _Screen(pyte.Screen):
    """A screen whose answers go back to the program, and that counts the lines that it has scrolled away."""

    def __init__(self, answer: _Answer, rows: int, columns: int) -> None:
        self.scrolled = 0
        super().__init__(columns, rows)
        self._answer = answer
        self._behind: tuple[Any, Any] | None = None  # what a full-screen program covers

    def set_mode(self, *modes: int, **options: Any) -> None:
        """pyte knows no alternate screen."""
        if options.get("private") and 1049 in modes and self._behind is None:
            self._behind = (copy.deepcopy(self.buffer), copy.copy(self.cursor))
            self.erase_in_display(2)
        super().set_mode(*modes, **options)

    def reset_mode(self, *modes: int, **options: Any) -> None:
        if options.get("private") and 1049 in modes and self._behind is not None:
            self.buffer, self.cursor = self._behind
            self._behind = None
            self.dirty.update(range(self.lines))
        super().reset_mode(*modes, **options)

    def index(self) -> None:
        if self.cursor.y == self.lines - 1:
            self.scrolled += 1
        super().index()

    def report_device_status(self, mode: int, **options: Any) -> None:
        """Editors ask with a private mode, of which pyte has never heard."""
        if not options:
            super().report_device_status(mode)

    def write_process_input(self, data: str) -> None:
        self._answer.text += data


class _Answer:
    text = ""


class Terminal:
    """A command under a pseudo-terminal.

    Attributes:
        raw: every byte that came, for what a screen does not show.
        background: how the terminal answers when it is asked for it, such as `rgb:ffff/ffff/ffff`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str | os.PathLike[str] | None = None,
        size: tuple[int, int] = (COLUMNS, ROWS),
        background: str = "",
    ) -> None:
        self.columns, rows = size
        self._background = background
        self.raw = bytearray()
        self._answer = _Answer()
        self._screen = _Screen(self._answer, rows, self.columns)
        self._stream = pyte.ByteStream(self._screen)
        self._from = 0  # the line that was typed last, counted from the first one ever shown
        self.ended = False
        self.child: Any = pexpect.spawn(
            command[0],
            list(command[1:]),
            env={**env, "TERM": "xterm-256color", "COLUMNS": str(self.columns)},
            cwd=os.fspath(cwd) if cwd else None,
            dimensions=(rows, self.columns),
            timeout=TIMEOUT,
        )
        self.child.delaybeforesend = None

    @property
    def pid(self) -> int:
        return int(self.child.pid)

    def _read(self, seconds: float) -> bool:
        """Takes what comes within that time; False: nothing came."""
        try:
            data = self.child.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return False
        except pexpect.EOF:
            self.ended = True
            return False
        self.raw += data
        self._stream.feed(bytes(data))
        if self._background and b"\x1b]11;?" in data:  # pyte has no colours of its own to tell of
            self._answer.text = f"\x1b]11;{self._background}\x1b\\{self._answer.text}"
        if self._answer.text:
            self.child.send(self._answer.text)
            self._answer.text = ""
        return True

    def rest(self, seconds: float, timeout: float = TIMEOUT) -> None:
        """Waits until nothing has come for so long."""
        deadline = time.monotonic() + timeout
        while self._read(seconds):
            assert time.monotonic() < deadline, f"it does not come to rest:\n{self.text}"

    def settle(self) -> None:
        """Takes what is on its way: in the middle of a redraw the cursor, then hidden, may be anywhere."""
        for _ in range(100):
            if not self._read(0.03) and not self._screen.cursor.hidden:
                return

    @property
    def text(self) -> str:
        """The whole screen."""
        return self._rows(0)

    @property
    def recent(self) -> str:
        """The screen from the line on where the last input was typed."""
        return self._rows(max(self._from - self._screen.scrolled, 0))

    def _rows(self, first: int) -> str:
        # Not pyte's `display`: it draws all the rows, also those that nothing was written to.
        buffer = self._screen.buffer
        rows = range(first, max(buffer, default=0) + 1)
        return "\n".join(
            "".join(buffer[y][x].data for x in range(self.columns)).rstrip() for y in rows
        ).rstrip()

    def cells(self) -> list[list[Any]]:
        """The screen with its colours: pyte's characters, row by row."""
        screen = self._screen
        return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]

    def wait(self, pattern: str, timeout: float = TIMEOUT) -> re.Match[str]:
        """Waits until `pattern` is on the screen, at or below the last line typed."""
        regex = re.compile(pattern, re.MULTILINE)
        self.wait_until(lambda: regex.search(self.recent) is not None, pattern, timeout)
        found = regex.search(self.recent)
        assert found
        return found

    def wait_until(self, is_there: Callable[[], bool], what: str, timeout: float = TIMEOUT) -> None:
        """Waits until the screen is as wanted."""
        deadline = time.monotonic() + timeout
        while not is_there():
            left = deadline - time.monotonic()
            if self.ended or left <= 0:
                why = "it ended" if self.ended else f"not within {timeout} s"
                raise AssertionError(f"no {what!r} on the screen ({why}):\n{self.text}")
            self._read(left)

    def see(self, pattern: str, timeout: float = TIMEOUT) -> re.Match[str]:
        """Waits until `pattern` is anywhere on the screen, as for panes that are drawn where they like."""
        regex = re.compile(pattern, re.MULTILINE)
        self.wait_until(lambda: regex.search(self.text) is not None, pattern, timeout)
        found = regex.search(self.text)
        assert found
        return found

    def row_of(self, pattern: str, timeout: float = TIMEOUT) -> int:
        """The row, from 1, on which `pattern` is."""
        found = self.see(pattern, timeout)
        return found.string.count("\n", 0, found.start()) + 1

    def click(self, column: int, row: int, button: int = 0) -> None:
        """Presses and releases a button of the mouse; from 1. 64 and 65 are the wheel."""
        self.settle()
        self.child.send(f"\x1b[<{button};{column};{row}M\x1b[<{button};{column};{row}m")

    def resize(self, columns: int, rows: int) -> None:
        """Gives the window another size."""
        self.settle()
        self.columns = columns
        self._screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def enter(self, text: str) -> None:
        """Types a line and Enter."""
        self.press(text + "\r")

    def press(self, key: str) -> None:
        """Sends a key as it is; `"\\x03"` is Ctrl-C."""
        self.settle()
        self._from = self._screen.cursor.y + self._screen.scrolled
        self.child.send(key)

    def returncode(self, timeout: float = TIMEOUT) -> int:
        """Waits for the end of the command."""
        deadline = time.monotonic() + timeout
        while not self.ended:
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"still running after {timeout} s:\n{self.text}")
            self._read(left)
        self.child.close()
        status: int | None = self.child.exitstatus
        assert status is not None, f"ended by signal {self.child.signalstatus}:\n{self.text}"
        return status

    def kill(self) -> None:
        """What a crash or a pulled plug looks like."""
        self.child.kill(9)
        self.child.wait()

    def close(self) -> None:
        self.child.close(force=True)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
