"""Where the processes of one user on one host find each other: names and rules, no sockets.

Each process that can be debugged has a Unix socket `PID.sock` in a folder that only its user can enter.
A process registers in the first folder of the list; whoever looks for others looks in all of them,
because a service, a cron job and a login shell do not agree on their environment. Any thread.
"""

from __future__ import annotations

import os
import re
import stat

__all__ = ["is_private_folder", "pid_of_socket", "registry_folders", "socket_path"]

_SOCKET = re.compile(r"([1-9][0-9]{0,9})\.sock")
# What fits into a sockaddr_un on every Unix (104 on macOS and the BSDs), less "/1234567890.sock" and NUL.
_LONGEST = 104 - 17


def registry_folders() -> list[str]:
    """The folders, best first; none need exist. Empty on Windows, which has no Unix sockets to Python."""
    getuid = getattr(os, "getuid", None)
    if getuid is None:
        return []
    user = getuid()
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    temporary = os.environ.get("TMPDIR", "")
    folders = []
    if os.path.isabs(runtime):
        folders.append(os.path.join(runtime, "remora"))
    if os.path.isabs(temporary):
        folders.append(os.path.join(temporary, f"remora-{user}"))
    folders += [f"/tmp/remora-{user}", f"/run/user/{user}/remora"]
    return [each for each in dict.fromkeys(folders) if len(os.fsencode(each)) <= _LONGEST]


def socket_path(folder: str, pid: int) -> str:
    """The socket of a process in a folder."""
    return os.path.join(folder, f"{pid}.sock")


def pid_of_socket(name: str) -> int | None:
    """The process whose socket has this file name; None when it is no such name."""
    match = _SOCKET.fullmatch(name)
    return int(match[1]) if match else None


def is_private_folder(folder: str) -> bool:
    """Whether a folder exists, is ours, and nobody else can enter it. Do not use it otherwise.

    In a place that everybody can write to, somebody else may have made a folder of that name first.
    """
    try:
        status = os.lstat(folder)  # not stat: a link may point anywhere
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
