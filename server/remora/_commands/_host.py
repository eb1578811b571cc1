"""The agent's view of programs that did nothing to prepare: lists them, and prepares one that is opened.

Only the client's packages know how to start a server in another process. They are not ours to import, so a
helper is run for each question (`python -m remora_client._inject`), while the agent goes on. Where its Python
is too old for the client, there are no such programs. On the server's thread; each helper has one that waits.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from remora._interpreter._originals import monotonic, start_new_thread
from remora._log import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._network._loop import Loop
    from remora_protocol import ProcessInfo

__all__ = ["Host"]

_SECONDS = 30.0
_FRESH = 1.0


class Host:
    """What the agent knows of its host.

    Args:
        enable: the arguments of `enable_attach` by which a program comes behind the agent's port.
    """

    def __init__(self, loop: Loop, enable: dict[str, Any]) -> None:
        self._loop = loop
        self._enable = enable
        self._rows: list[ProcessInfo] = []
        self._asked = -_FRESH
        self._waiting: list[Callable[[list[ProcessInfo]], None]] = []

    def unprepared(self, tell: Callable[[list[ProcessInfo]], None]) -> None:
        """Give `tell` the programs that could be prepared, soon."""
        if monotonic() < self._asked + _FRESH:
            tell(self._rows)
            return
        self._waiting.append(tell)
        if len(self._waiting) == 1:
            self._run(["list"], "", self._on_list)

    def _on_list(self, code: int, output: str) -> None:
        try:
            self._rows = json.loads(output) if code == 0 else []
        except ValueError:
            self._rows = []
        self._asked = monotonic()
        waiting, self._waiting = self._waiting, []
        for tell in waiting:
            tell(self._rows)

    def prepare(self, pid: int, done: Callable[[str], None]) -> None:
        """Start a server in this process, behind the agent's port. `done` hears why not; or ""."""

        def on_end(code: int, output: str) -> None:
            self._asked = -_FRESH
            done("" if code == 0 else output.strip() or f"the helper ended with code {code}")

        self._run(["start", str(pid)], json.dumps(self._enable), on_end)

    def _run(self, words: list[str], given: str, on_end: Callable[[int, str], None]) -> None:
        # -P: nothing is imported from the folder that the agent runs in, where others may be able to write.
        command = [sys.executable, "-P", "-m", "remora_client._inject", *words]

        def wait() -> None:
            try:
                ran = subprocess.run(
                    command, input=given, capture_output=True, text=True, timeout=_SECONDS, check=False
                )
                code, output, errors = ran.returncode, ran.stdout, ran.stderr
            except (OSError, ValueError, subprocess.SubprocessError) as error:  # or it prints no text
                code, output, errors = 1, str(error), ""
            if errors:
                log.warning(f"the helper says: {errors.strip()}")
            self._loop.post(lambda: on_end(code, output))

        start_new_thread(wait, ())
