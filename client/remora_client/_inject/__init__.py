"""Starting the server inside a process that never asked for it: `remora attach PID`.

CPython 3.14 and later, and newer PyPys, have a door for this: the process runs a small script of ours at its
next safe point (PEP 768, `sys.remote_exec`). Only the very same version can ask for it, so the process's own
interpreter is started for that. Before 3.14 gdb has to help; also where the main thread is blocked and comes
to no safe point. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remora_client._errors import AttachRefused, NoSuchProcess
from remora_client._inject._errand import EMBED, Errand
from remora_client._inject._gdb import Gdb, find_gdb
from remora_client._inject._process import Proc, check_identity, check_permission, denied, interpreter
from remora_client._text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["start_server_in"]

_SECONDS = 10.0
_LOOK_EVERY = 0.02
# So long a process that was asked may take, before its main thread counts as blocked.
_BLOCKED_AFTER = 0.7

# Runs in an interpreter of the same version, on our side.
_ASK = """\
import os, sys
def find():
    if hasattr(sys, "remote_exec"):
        return sys.remote_exec
    if sys.implementation.name == "pypy":
        try:
            from _pypy_remote_debug import start_debugger
        except ImportError:
            return None
        return lambda pid, path: start_debugger(pid, os.fsencode(path), False)
ask = find()
if ask is None:
    print(sys.implementation.name, "%d.%d" % sys.version_info[:2])
    sys.exit(3)
try:
    ask(int(sys.argv[1]), sys.argv[2])
except (OSError, RuntimeError, ValueError, AssertionError) as error:
    forbidden = isinstance(error, PermissionError) or "not permitted" in str(error)
    print("forbidden" if forbidden else "%s: %s" % (type(error).__name__, error))
    sys.exit(4)
"""


async def start_server_in(pid: int, enable: Mapping[str, Any] | None = None) -> str:
    """Have the process start a server; the path of its socket.

    Args:
        enable: the arguments of its `enable_attach`.

    Raises:
        NoSuchProcess: there is none, or none that can be asked.
        AttachRefused: it was asked, and did not do it.
    """
    proc = Proc()
    python = _interpreter(pid, proc)
    with Errand(enable) as errand:
        attempt = _Attempt(pid, python, errand, proc)
        asking = asyncio.create_task(attempt.make())
        left = _SECONDS
        try:
            while left > 0:
                if asking.done():
                    asking.result()
                path = errand.door()
                if path is not None:
                    return path
                begun, is_its_turn = time.monotonic(), attempt.is_its_turn
                await asyncio.sleep(_LOOK_EVERY)
                if is_its_turn:
                    left -= time.monotonic() - begun
            raise AttachRefused(
                f"Process {pid} was asked to start the server, and has not come to it in {_SECONDS:g} s.",
                attempt.hint or "Its main thread may be in a long call into C code. Try again.",
            )
        finally:
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError, AttachRefused, NoSuchProcess):
                await asking


@dataclass
class _Attempt:
    """The ways in, one after the other, until the process has begun with the errand.

    Attributes:
        is_its_turn: the process was asked, and is waited for. Else an interpreter or gdb of ours is at work,
            with a deadline of its own: on a busy machine that takes seconds, which are not the process's.
    """

    pid: int
    python: str
    errand: Errand
    proc: Proc
    hint: str = ""
    is_its_turn: bool = False

    async def make(self) -> None:
        """Ask the interpreter, or else gdb; and gdb again where the main thread turns out to be blocked."""
        kind = await asyncio.to_thread(_ask, self.python, self.pid, self.errand, self.proc)
        gdb: Gdb | None = None
        if kind.startswith("cpython"):
            check_permission(self.pid, self.proc)
            path = find_gdb()
            if path is None:
                raise _no_gdb(self.pid, kind)
            gdb = await self._rehearsed(path)
            await asyncio.to_thread(gdb.queue, self.errand)
        elif kind:
            raise NoSuchProcess(
                f"Process {self.pid} has not called remora.enable_attach(), and it is {visible(kind)}, which "
                "cannot be asked to: newer ones of PyPy can.",
                EMBED,
            )
        self.is_its_turn = True
        while True:
            await asyncio.sleep(_BLOCKED_AFTER)
            blocked_at = self.proc.blocked_at(self.pid)
            if self.errand.is_taken:
                return
            if blocked_at is not None:
                self.is_its_turn = False
                gdb = gdb or await self._rehearsed_if_possible()
                if gdb is not None:
                    await asyncio.to_thread(gdb.call, self.errand, blocked_at)
                self.is_its_turn = True
                if gdb is None:
                    return

    async def _rehearsed(self, path: str) -> Gdb:
        gdb = Gdb(path, self.pid, self.python, self.errand.folder, self.proc)
        await asyncio.to_thread(gdb.rehearse)
        return gdb

    async def _rehearsed_if_possible(self) -> Gdb | None:
        """The process was asked already and will come to it some time: gdb would only make it sooner."""
        blocked = "Its main thread is blocked (in a lock, a sleep, a read), and comes to it when that ends."
        if "pypy" in os.path.basename(self.python):
            self.hint = blocked
            return None
        path = find_gdb()
        if path is None:
            self.hint = f"{blocked} gdb could have it done at once, and is not installed."
            return None
        try:
            check_permission(self.pid, self.proc)
            return await self._rehearsed(path)
        except AttachRefused as refused:
            self.hint = (
                f"{blocked} gdb could have it done sooner, if it were there and permitted: {refused.text}"
            )
            return None


def _interpreter(pid: int, proc: Proc) -> str:
    """The executable of a process that we may ask. Raises `NoSuchProcess` or `AttachRefused`."""
    if pid == os.getpid():
        raise NoSuchProcess(f"Process {pid} is this debugger itself.", "It cannot stop and look on as well.")
    if sys.platform == "linux":
        check_identity(pid, proc)
        return interpreter(pid, proc)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        raise NoSuchProcess(
            f"There is no process {pid} on this machine.", "remora ls shows those there are."
        ) from None
    except PermissionError:
        raise NoSuchProcess(f"Process {pid} belongs to another user.", "Attach as that user.") from None
    command = ["ps", "-p", str(pid), "-o", "comm="]
    executable = subprocess.run(
        command, capture_output=True, text=True, timeout=5, check=False
    ).stdout.strip()
    if not os.path.basename(executable).lower().startswith(("python", "pypy")):
        raise NoSuchProcess(f"Process {pid} runs no plain Python: {visible(executable)}.", EMBED)
    return executable


def _ask(python: str, pid: int, errand: Errand, proc: Proc) -> str:
    """Ask by the interpreter's own door. "" when that was done; else which Python has none.

    Blocks for as long as an interpreter takes to start.
    """
    command = [python, "-I", "-S", "-c", _ASK, str(pid), str(errand.script)]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoSuchProcess(
            f"The Python of process {pid} cannot be started: {visible(str(error))}", EMBED
        ) from None
    said = visible(asked.stdout.strip())
    if asked.returncode == 0:
        errand.asked()
        return ""
    if asked.returncode == 3:
        return _supported(pid, said)
    if said == "forbidden":
        raise _why_forbidden(pid, proc)
    raise AttachRefused(
        f"Process {pid} cannot be asked to start the server: {said or visible(asked.stderr.strip())}",
        f"Its Python may have been built, or started (-X disable-remote-debug), without that. {EMBED}",
    )


def _no_gdb(pid: int, kind: str) -> AttachRefused:
    version = kind.partition(" ")[2]
    text = f"Process {pid} runs Python {version}, which cannot be asked to start the server, as 3.14 can."
    if sys.platform != "linux":
        return AttachRefused(f"{text} Elsewhere gdb does it, but on Linux only.", EMBED)
    return AttachRefused(
        f"{text} gdb could have it do so, and is not installed.",
        f"Install gdb (apt install gdb, dnf install gdb, apk add gdb). {EMBED}",
    )


def _supported(pid: int, kind: str) -> str:
    name, _, version = kind.partition(" ")
    if name == "cpython" and tuple(map(int, version.split("."))) < (3, 9):
        raise NoSuchProcess(f"Process {pid} runs Python {version}; Remora needs 3.9 or later there.", "")
    return kind


def _why_forbidden(pid: int, proc: Proc) -> AttachRefused:
    if sys.platform == "darwin":
        return AttachRefused(
            f"macOS does not let us look into process {pid}.", f"It wants root: sudo. {EMBED}"
        )
    try:
        check_permission(pid, proc)
    except AttachRefused as refused:
        return refused
    return denied(pid, proc)
