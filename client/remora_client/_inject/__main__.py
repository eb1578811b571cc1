"""`python -m remora_client._inject list | start PID`: the agent's helper, in a process of its own.

It needs none of the client's dependencies. `list` prints the programs of this user that could be given a
server, as rows of a process list; `start` reads the arguments of `enable_attach` from standard input, so that
no process list shows the secret.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError
from remora_client._inject import start_server_in
from remora_client._inject._gdb import find_gdb
from remora_client._inject._process import Proc, check_identity, check_permission, interpreter
from remora_protocol import is_private_folder, pid_of_socket, registry_folders

if TYPE_CHECKING:
    from pathlib import Path

    from remora_protocol import ProcessInfo

_VERSION = re.compile(r"(python|pypy)(\d+\.\d+)?")
_GDB_BEFORE = 3, 14
_OLDEST, _OLDEST_PYPY = (3, 9), (3, 11)


def main(words: list[str]) -> int:
    """The command."""
    if words == ["list"]:
        print(json.dumps(unprepared(Proc())))
        return 0
    enable: dict[str, Any] = json.load(sys.stdin)
    enable["address"] = tuple(enable["address"])
    try:
        asyncio.run(start_server_in(int(words[1]), enable=enable))
    except ClientError as error:
        print(error)
        return 1
    return 0


def unprepared(proc: Proc) -> list[ProcessInfo]:
    """The programs that could be given a server, and have none."""
    if sys.platform != "linux":
        return []
    registered = _registered()
    agent = os.getppid()
    rows = []
    for name in os.listdir(proc.root):
        if not name.isdecimal() or int(name) in registered or int(name) in (agent, os.getpid()):
            continue
        try:
            row = _row(int(name), agent, proc)
        except (ClientError, OSError, ValueError):
            continue  # it cannot be attached to, or has just ended
        if row is not None:
            rows.append(row)
    return sorted(rows, key=lambda row: row["pid"])


def _registered() -> set[int]:
    found: set[int] = set()
    for folder in registry_folders():
        if is_private_folder(folder):
            found.update(pid for each in os.listdir(folder) if (pid := pid_of_socket(each)) is not None)
    return found


def _row(pid: int, agent: int, proc: Proc) -> ProcessInfo | None:
    status = proc.status(pid)
    if int(status.get("PPid", "0")) == agent:  # another helper
        return None
    check_identity(pid, proc)
    executable = interpreter(pid, proc)
    check_permission(pid, proc)
    kind, version = _kind(executable)
    if version is not None and version < (_OLDEST if kind == "cpython" else _OLDEST_PYPY):
        return None
    wants_gdb = version is not None and kind == "cpython" and version < _GDB_BEFORE
    if wants_gdb and find_gdb() is None:
        return None
    argv = [os.fsdecode(each) for each in (proc.root / str(pid) / "cmdline").read_bytes().split(b"\0")[:-1]]
    return {
        "pid": pid,
        "ppid": int(status["PPid"]),
        "name": _name(argv),
        "argv": argv[1:],
        "executable": executable,
        "user": _user(proc.user),
        "implementation": kind,
        "version": "" if version is None else ".".join(map(str, version)),
        "platform": sys.platform,
        "cwd": proc.link(pid, "cwd"),
        "started": _started(proc.root / str(pid) / "stat"),
        "state": "unprepared",
        "attachedBy": None,
        "address": None,
    }


def _kind(executable: str) -> tuple[str, tuple[int, int] | None]:
    match = _VERSION.match(os.path.basename(executable).lower())
    assert match is not None  # or `interpreter` would have refused it
    version = match[2].split(".") if match[2] else None
    kind = "pypy" if match[1] == "pypy" else "cpython"
    return kind, (int(version[0]), int(version[1])) if version else None


def _name(argv: list[str]) -> str:
    """What the program is called: the script, or the module after -m."""
    words = iter(argv[1:])
    for word in words:
        if word == "-c":
            break
        if word == "-m":
            return next(words, "python")
        if word in ("-W", "-X"):
            next(words, None)
        elif not word.startswith("-"):
            return os.path.basename(word)
    return "python"


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _started(stat: Path) -> float:
    """In epoch seconds: the system counts from its own start."""
    ticks = float(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19])
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
