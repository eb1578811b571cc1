"""Kate on a screen that nobody sees.

Keys go in by xdotool; what it said to its adapter is read from the adapter's log. Runs on the test's
thread; each wait has a deadline.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.waiting import until

TIMEOUT = 30.0

#: The plug-in on, the view of variables open, and what a person has chosen under Debug, Settings.
SESSION = """\
[Kate Plugins]
kategdbplugin=true

[Open MainWindows]
Count=1

[MainWindow0]
Kate-MDI-Sidebar-1-Bar-0-TvList=Locals and Stack
Kate-MDI-Sidebar-3-Bar-0-TvList=Debug View
Kate-MDI-ToolView-Debug View-Position=3
Kate-MDI-ToolView-Debug View-Visible=true
Kate-MDI-ToolView-Locals and Stack-Position=1
Kate-MDI-ToolView-Locals and Stack-Visible=true

[Plugin:kategdbplugin:MainWindow:0]
lastTarget=0
redirectTerminal=false
targetCount=1
target_0={"args":"","debuggerKey":"remora","debuggerProfile":"attach","file":"","target":"remora","variables":{},"workdir":""}
version=5
"""


class Kate:
    """Kate with one file open at a line; its home is `folder`, and `log` gets what the adapter logs."""

    def __init__(
        self, commands: Mapping[str, str], folder: Path, file: Path, line: int, environment: Mapping[str, str]
    ) -> None:
        self.log = folder / "adapter.log"
        self._xdotool = commands["xdotool"]
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        sessions = folder / ".local" / "share" / "kate" / "sessions"
        sessions.mkdir(parents=True)
        (sessions / "debugging.katesession").write_text(SESSION)
        self._screen, display = _screen(commands["Xvfb"])
        self._environment = {**environment, "DISPLAY": f":{display}", "XDG_RUNTIME_DIR": str(runtime)}
        self._kate = subprocess.Popen(
            [commands["kate"], "--block", "--new", "--start", "debugging", "--line", str(line), str(file)],
            env=self._environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._window = ""

    @staticmethod
    def wrapper(folder: Path, remora: str, log: Path, environment: Mapping[str, str]) -> Path:
        """A folder for PATH whose `remora` is the real one, with its log in a file."""
        command = folder / "bin" / "remora"
        command.parent.mkdir()
        settings = "".join(f"export {name}={shlex.quote(text)}\n" for name, text in environment.items())
        run = f'exec {shlex.quote(remora)} "$@" -vv 2>{shlex.quote(str(log))}'
        command.write_text(f"#!/bin/sh\n{settings}{run}\n")
        command.chmod(0o755)
        return command.parent

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self._kate, self._screen):
            process.kill()
            process.wait()

    def press(self, *keys: str, delay: int = 50) -> None:
        """Sends keys, so many milliseconds apart, to Kate's window: no window manager chooses one."""
        if not self._window:
            search = ("search", "--onlyvisible", "--class", "kate")
            self._window = until(lambda: self._do(*search), "Kate's window", TIMEOUT).split()[0]
        self._do("windowfocus", "--sync", self._window, "key", "--delay", str(delay), *keys)

    def choose(self, *keys: str) -> None:
        """Chooses from the menu Debug; its window has to be there before the next key is."""
        self.press("alt+d", *keys, delay=500)

    def ask(self, keys: Callable[[], None], pattern: str) -> None:
        """Does it, again if need be, until Kate sends what it should: a key too early is lost."""
        deadline = time.monotonic() + TIMEOUT
        while not self._last(pattern):
            assert time.monotonic() < deadline, f"Kate never sent {pattern}"
            keys()
            patience = time.monotonic() + 5
            while not self._last(pattern) and time.monotonic() < patience:
                time.sleep(0.05)

    def said(self, pattern: str) -> str:
        """Waits until a line of the adapter's log has `pattern`, and returns the last one."""
        return until(lambda: self._last(pattern), pattern, TIMEOUT)

    def _last(self, pattern: str) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return next((line for line in reversed(lines) if pattern in line), "")

    def ended(self) -> bool:
        return self._kate.poll() is not None

    def _do(self, *arguments: str) -> str:
        command = [self._xdotool, *arguments]
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        return done.stdout.strip()


def _screen(command: str) -> tuple[subprocess.Popen[bytes], int]:
    """Starts an X server on a free display."""
    reading, writing = os.pipe()
    arguments = [command, "-displayfd", str(writing), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(
        arguments, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        return server, int(answer.readline())
