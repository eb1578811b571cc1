"""The server's own log, where the owner asked for one: `REMORA_LOG=file[:level]`. Never a secret.

Written from any thread with one `os.write` a line: no lock of ours or of `logging`, which the program may
hold while it is stopped. Without the variable nothing is opened and nothing costs.
"""

from __future__ import annotations

import os
import time

__all__ = ["Log", "log"]

_LEVELS = ("debug", "info", "warning", "error")
# Strangers choose some of the words: what would move the cursor of whoever reads the log is shown instead.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127) if code != ord("\n")}


class Log:
    """A file that lines are appended to, once `open_from` has found one in the environment."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._identity = (0, 0)
        self._least = len(_LEVELS)

    def open_from(self, setting: str) -> None:
        """Read `file[:level]`; the level is info unless named. A file that cannot be written is none."""
        path, _, level = setting.rpartition(":")
        if level not in _LEVELS or not path:
            path, level = setting, "info"
        self.close()
        if not path:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        try:
            self._descriptor = os.open(path, flags, 0o600)
        except OSError:
            return
        self._identity = _identify(self._descriptor)
        self._least = _LEVELS.index(level)

    def close(self) -> None:
        """Write no more."""
        if self._descriptor >= 0 and _identify(self._descriptor) == self._identity:
            os.close(self._descriptor)
        self._descriptor, self._least = -1, len(_LEVELS)

    def debug(self, text: str) -> None:
        """What somebody who repairs Remora wants to read."""
        self._write(0, text)

    def info(self, text: str) -> None:
        """Who came, who left, who was refused and why."""
        self._write(1, text)

    def warning(self, text: str) -> None:
        """Something does not work here, and what happens instead."""
        self._write(2, text)

    def error(self, text: str) -> None:
        """A mistake of ours."""
        self._write(3, text)

    def failure(self, error: BaseException) -> None:
        """A mistake of ours, with the way to it. Raises nothing, whatever the program has replaced."""
        if self._descriptor < 0:
            return
        way, at = "", error.__traceback__
        while at is not None:
            code = at.tb_frame.f_code
            way += f"  {code.co_filename}:{at.tb_lineno} in {code.co_name}\n"
            at = at.tb_next
        try:
            self.error(f"a mistake of Remora's\n{way}{type(error).__name__}: {error}")
        except Exception:
            self.close()

    def _write(self, level: int, text: str) -> None:
        if level < self._least or self._descriptor < 0:
            return
        if _identify(self._descriptor) != self._identity:
            self._least = len(_LEVELS)  # the program closed our file: the number may be of one of its own
            return
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        shown = text.translate(_CONTROLS).encode("ascii", "backslashreplace").decode("ascii")
        shown = shown.replace("\n", "\n    ")
        line = f"{stamp}.{int(now * 1000) % 1000:03}Z {os.getpid()} {_LEVELS[level]} {shown}\n"
        try:
            os.write(self._descriptor, line.encode("ascii"))
        except OSError:
            self._least = len(_LEVELS)  # the disk is full


def _identify(descriptor: int) -> tuple[int, int]:
    """What tells a descriptor's file from any other."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return (0, 0)
    return status.st_dev, status.st_ino


log = Log()
