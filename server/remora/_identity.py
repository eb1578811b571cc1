"""What this process says of itself in lists of processes. Read when asked; on the server's thread."""

from __future__ import annotations

import os
import sys
import time

from remora._interpreter._originals import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora_protocol import ProcessInfo

__all__ = ["Identity", "parent_of", "start_time"]

_MOST_ANCESTORS = 32
_SECRET_OPTIONS = ("--secret", "--password", "--token")


class Identity:
    """This process.

    Args:
        given_name: what the owner calls it; the script's name if empty.
    """

    def __init__(self, given_name: str | None) -> None:
        self.pid = os.getpid()
        self.given_name = given_name
        self._started = start_time()
        # Now, as one of them may end before somebody asks.
        self._ancestors = _ancestors()

    @property
    def name(self) -> str:
        """What people call it."""
        if self.given_name:
            return self.given_name
        argv = getattr(sys, "argv", None) or [""]
        main = getattr(sys.modules.get("__main__"), "__spec__", None)
        if main is not None and argv[0] and getattr(main, "name", None):
            return str(main.name).removesuffix(".__main__")
        return os.path.basename(argv[0]) if argv[0] not in ("", "-c") else "python"

    def describe(
        self, state: str = "running", attached_by: str | None = None, address: tuple[str, int] | None = None
    ) -> ProcessInfo:
        """All of it. The address is that of the port that it is reached through."""
        return {
            "pid": self.pid,
            "ppid": os.getppid(),
            "ancestors": self._ancestors,
            "name": self.name,
            "argv": _argv(),
            "executable": getattr(sys, "executable", None) or "",
            "user": _user(),
            "implementation": sys.implementation.name,
            "version": ".".join(map(str, sys.version_info[:3])),
            "platform": sys.platform,
            "cwd": _working_directory(),
            "started": self._started,
            "state": state,
            "attachedBy": attached_by,
            "address": _join(address),
        }


def parent_of(pid: int) -> int:
    """What started a process, whatever it is, where the system tells; else 0."""
    try:
        return int(read_file(f"/proc/{pid}/stat").rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _ancestors() -> list[int]:
    """What started this process, what started that, and so on."""
    found: list[int] = []
    pid = os.getppid()
    while pid > 1 and len(found) < _MOST_ANCESTORS:
        found.append(pid)
        pid = parent_of(pid)
    return found


def _argv() -> list[str]:
    """The command line, without the values of options that look like secrets."""
    shown: list[str] = []
    hide = False
    for argument in map(str, getattr(sys, "argv", None) or []):
        option, equals, _ = argument.partition("=")
        is_secret = option in _SECRET_OPTIONS
        shown.append("…" if hide else f"{option}=…" if is_secret and equals else argument)
        hide = is_secret and not equals
    return shown


def _user() -> str:
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError, OSError):
        return os.environ.get("USERNAME") or str(getattr(os, "getuid", lambda: "")())


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def start_time() -> float:
    """When this process began, in epoch seconds, where the system tells; else now."""
    try:
        ticks = int(read_file("/proc/self/stat").rpartition(b")")[2].split()[19])
        uptime = float(read_file("/proc/uptime").split()[0])
        return round(time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK"), 2)
    except (OSError, ValueError, IndexError):
        return round(time.time(), 2)


def _join(address: tuple[str, int] | None) -> str | None:
    if address is None:
        return None
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
