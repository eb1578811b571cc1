"""Starting the server inside a process that never asked for it: `remora attach PID`, CPython 3.14 or later.

CPython has a door for this (PEP 768, `sys.remote_exec`): the process runs a small script of ours at its next
safe point. Only the very same version of Python can ask for it, so the process's own interpreter is
started for that. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from remora_client._errors import AttachRefused, NoSuchProcess
from remora_client._text import visible

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["start_server_in"]

_SECONDS = 10.0
_LOOK_EVERY = 0.02
_EMBED = "Put remora.enable_attach() into the program, or start it with: python -m remora SCRIPT"

# Runs in the process. Whatever goes wrong is written down, and nothing but that: it is not our program.
_SCRIPT = """\
def _remora_start():
    import sys
    folders = {folders!r}
    sys.path[:0] = folders
    try:
        import remora, remora_protocol, secrets
        remora.enable_attach(secrets.token_urlsafe(32), ("127.0.0.1", 0))
    except BaseException as error:
        with open({report!r}, "w", encoding="utf-8") as file:
            file.write(f"{{type(error).__name__}}: {{error}}")
    finally:
        for folder in folders:
            sys.path.remove(folder)
_remora_start()
del _remora_start
"""

# Runs in an interpreter of the same version, on our side.
_ASK = """\
import sys
if not hasattr(sys, "remote_exec"):
    print(sys.implementation.name, "%d.%d" % sys.version_info[:2])
    sys.exit(3)
try:
    sys.remote_exec(int(sys.argv[1]), sys.argv[2])
except (OSError, RuntimeError) as error:
    print("PermissionError" if isinstance(error, PermissionError) else "Error", error)
    sys.exit(4)
"""


async def start_server_in(pid: int, door: Callable[[], str | None]) -> str:
    """Have the process start a server; the path of its socket.

    Args:
        door: finds the process's socket in the registry, once it is there.

    Raises:
        NoSuchProcess: there is none, or none that can be asked.
        AttachRefused: it was asked, and did not do it.
    """
    python = _interpreter(pid)
    with tempfile.TemporaryDirectory(prefix="remora-") as folder:
        script, report = Path(folder, "start.py"), Path(folder, "report")
        script.write_text(_SCRIPT.format(folders=_package_folders(), report=str(report)), encoding="utf-8")
        await asyncio.to_thread(_ask, python, pid, script)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS):
                while not report.exists():
                    path = door()
                    if path is not None:
                        return path
                    await asyncio.sleep(_LOOK_EVERY)
        if report.exists():
            text = visible(report.read_text(encoding="utf-8", errors="replace"))
            raise AttachRefused(f"Process {pid} could not start the server: {text}", _EMBED)
    raise AttachRefused(
        f"Process {pid} was asked to start the server, and has not come to it in {_SECONDS:g} s.",
        "Its main thread may be in a long call into C code (a sleep, a read, a lock). Try again.",
    )


def _interpreter(pid: int) -> str:
    """The executable of a process. Raises `NoSuchProcess` when it is no Python, or cannot be told."""
    try:
        os.kill(pid, 0)
        executable = os.readlink(f"/proc/{pid}/exe") if sys.platform == "linux" else _from_ps(pid)
    except (ProcessLookupError, OverflowError):
        raise NoSuchProcess(
            f"There is no process {pid} on this machine.", "remora ls shows those there are."
        ) from None
    except PermissionError:
        raise NoSuchProcess(
            f"Process {pid} belongs to another user.",
            "Attach as that user, or through its address: HOST:PORT.",
        ) from None
    except OSError as error:
        raise NoSuchProcess(f"What process {pid} runs cannot be told: {error.strerror}.", _EMBED) from None
    name = os.path.basename(executable).lower()
    if not name.startswith(("python", "pypy")):
        raise NoSuchProcess(
            f"Process {pid} has not called remora.enable_attach() and runs no plain Python: {visible(name)}.",
            _EMBED,
        )
    return executable


def _from_ps(pid: int) -> str:
    command = ["ps", "-p", str(pid), "-o", "comm="]
    return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout.strip()


def _package_folders() -> list[str]:
    """Where the server's packages are, so that the process finds them whatever is installed for it."""
    folders = []
    for package in ("remora", "remora_protocol"):
        found = importlib.util.find_spec(package)
        if found is not None and found.origin is not None:
            folders.append(os.path.dirname(os.path.dirname(os.path.abspath(found.origin))))
    return list(dict.fromkeys(folders))


def _ask(python: str, pid: int, script: Path) -> None:
    """Blocks for as long as an interpreter takes to start."""
    command = [python, "-I", "-S", "-c", _ASK, str(pid), str(script)]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoSuchProcess(
            f"The Python of process {pid} cannot be started: {visible(str(error))}", _EMBED
        ) from None
    said = visible(asked.stdout.strip())
    if asked.returncode == 3:
        raise NoSuchProcess(
            f"Process {pid} has not called remora.enable_attach(), and it is {said}: only CPython 3.14 and "
            "later can be attached to without that.",
            _EMBED,
        )
    if asked.returncode == 4:
        raise AttachRefused(f"Process {pid} cannot be asked to start the server: {said}", _remedy(said))
    if asked.returncode != 0:
        raise AttachRefused(
            f"Process {pid} cannot be asked to start the server: {visible(asked.stderr.strip())}", _EMBED
        )


def _remedy(said: str) -> str:
    if not said.startswith("PermissionError"):
        return (
            "Its Python may have been built or started (-X disable-remote-debug) without remote debugging. "
            + _EMBED
        )
    if sys.platform == "darwin":
        return "macOS wants root for this: sudo. " + _EMBED
    return (
        "The system forbids to look into it: in a container add --cap-add=SYS_PTRACE; elsewhere be root, or "
        "sysctl kernel.yama.ptrace_scope=0. " + _EMBED
    )
