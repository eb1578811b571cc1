"""Starts the debugged program under one debugger or none, speaks to it, and cleans up after it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any

from benchmarks._dap import DapClient
from benchmarks._pythons import Python, debugpy_python

HERE = Path(__file__).parent
ROOT = HERE.parent
WORKLOADS = str(HERE / "programs" / "workloads.py")
BARE, REMORA, DEBUGPY = "bare", "remora", "debugpy"
_MARK = "REMORA_BENCHMARK_RUN"


class TargetError(Exception):
    """The program ended or stayed silent past its deadline."""


def line_of(marker: str) -> int:
    for number, line in enumerate(Path(WORKLOADS).read_text().splitlines(), 1):
        if line.endswith(f"# @{marker}"):
            return number
    raise LookupError(marker)


def command_line(python: Python, debugger: str) -> list[str]:
    """How to start an interpreter that can import the debugger."""
    return [debugpy_python(python) if debugger == DEBUGPY else python.path]


def environment(debugger: str) -> dict[str, str]:
    """The same for each, but for where it is imported from. One hash seed: layout moves times by percents."""
    dropped = ("PYTHON", "REMORA", "PYDEVD")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    kept |= {"PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    if debugger == REMORA:
        kept["PYTHONPATH"] = os.pathsep.join([str(ROOT / "protocol"), str(ROOT / "server")])
    return kept


class Target:
    """One process running `programs/workloads.py`. Leaving its block ends it and its helpers."""

    def __init__(self, python: Python, debugger: str) -> None:
        self.debugger = debugger
        self.enabled: dict[str, Any] = {}
        self._mark = uuid.uuid4().hex
        reading, writing = os.pipe()
        self._stderr = open(os.devnull, "w") if debugger == DEBUGPY else None  # noqa: SIM115
        self._process = subprocess.Popen(
            [*command_line(python, debugger), WORKLOADS, str(writing)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            pass_fds=[writing],
            env=environment(debugger) | {_MARK: self._mark},
        )
        os.close(writing)
        self.answers = reading
        self._received = b""

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        helpers = self.helpers()
        self._process.kill()
        self._process.wait(10)
        deadline = time.monotonic() + 3
        while any(map(_alive, helpers)) and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in filter(_alive, helpers):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.close(self.answers)
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        if self._stderr is not None:
            self._stderr.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, do: str, **arguments: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "with": arguments}).encode() + b"\n")
        self._process.stdin.flush()

    def answer(self, timeout: float = 120) -> Any:
        deadline = time.monotonic() + timeout
        while b"\n" not in self._received:
            readable, _, _ = select.select([self.answers], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self.answers, 1 << 16) if readable else b""
            if not data:
                raise TargetError(f"{self.debugger}: no answer (exit status {self._process.poll()})")
            self._received += data
        line, self._received = self._received.split(b"\n", 1)
        return json.loads(line)

    def ask(self, do: str, timeout: float = 120, **arguments: Any) -> Any:
        self.tell(do, **arguments)
        return self.answer(timeout)

    def enable(self, **arguments: Any) -> dict[str, Any]:
        """Import and enable the debugger inside the program; nothing for a bare one."""
        if self.debugger != BARE:
            self.enabled = self.ask("enable", debugger=self.debugger, **arguments)
        return self.enabled

    def connect(self) -> DapClient:
        host, port = self.enabled["address"]
        return DapClient((host, port))

    def attach(self, **arguments: Any) -> DapClient:
        client = self.connect()
        arguments.setdefault("redirectOutput", False)
        client.attach(**arguments)
        return client

    def helpers(self) -> list[int]:
        """Processes that this one started: they inherited its mark, even when they left its session."""
        wanted = f"{_MARK}={self._mark}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(entry.name) != self.pid and wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found


def resident(pid: int) -> int | None:
    """The resident set of a process in bytes, where /proc tells."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
