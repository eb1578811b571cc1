"""What a process of this machine is, and whether it may be looked into: read from /proc, and said in words.

Every reason why a process cannot be attached to by its number has its own sentence here, with the remedy.
All of it is read through `Proc`, so that a test can lay out any machine in a folder.
"""

from __future__ import annotations

import os
import re
from dataclasses import field
from pathlib import Path

from remora_client._errors import AttachRefused, NoSuchProcess
from remora_client._inject._errand import EMBED
from remora_client._records import record
from remora_client._text import visible

__all__ = ["Proc", "check_identity", "check_permission", "denied", "interpreter"]

_SYS_PTRACE = 1 << 19
_HELD = "R", "S"  # running, or waiting for something


def _our_user() -> int:
    return os.geteuid()  # not as a default itself: there is none on Windows, where nobody asks


@record
class Proc:
    """The files by which the system tells of its processes, and who we are."""

    root: Path = Path("/proc")
    user: int = field(default_factory=_our_user)
    ourselves: str = "self"

    def link(self, pid: int | str, name: str) -> str:
        """Where a link of a process points; "" when that cannot be told."""
        try:
            return os.readlink(self.root / str(pid) / name)
        except OSError:
            return ""

    def status(self, pid: int | str) -> dict[str, str]:
        """The fields of a process's status; empty when there is no such process."""
        try:
            text = (self.root / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return {}
        return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}

    def environment(self, pid: int) -> dict[str, str]:
        """What a process was started with; empty when we may not see it."""
        try:
            data = (self.root / str(pid) / "environ").read_bytes()
        except OSError:
            return {}
        pairs = (each.partition(b"=") for each in data.split(b"\0"))
        return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs if name}

    def blocked_at(self, pid: int) -> tuple[int, int] | None:
        """Stack and program pointer of the main thread while it is in a system call; None: it is not."""
        try:
            words = (self.root / str(pid) / "task" / str(pid) / "syscall").read_text(encoding="ascii").split()
        except OSError:
            return None
        # Number, six arguments, and the two; or "running"; or -1, when it waits in no system call.
        return (int(words[-2], 16), int(words[-1], 16)) if len(words) == 9 else None

    def ptrace_scope(self) -> int:
        """How far the system lets processes of one user look into each other (Yama)."""
        try:
            text = (self.root / "sys/kernel/yama/ptrace_scope").read_text(encoding="ascii")
        except OSError:
            return 0
        return int(text)

    def is_below_us(self, pid: int) -> bool:
        """Whether it is a child of ours, or a child's child."""
        ours = self.status(self.ourselves).get("Pid", "")
        for _ in range(64):
            parent = self.status(pid).get("PPid", "0")
            if parent == ours:
                return True
            if not parent.isdecimal() or int(parent) <= 1:
                return False
            pid = int(parent)
        return False


def interpreter(pid: int, proc: Proc) -> str:
    """The executable of a process. Raises `NoSuchProcess` when it is no Python, or cannot be started."""
    executable = proc.link(pid, "exe")
    if not executable:
        raise NoSuchProcess(f"What process {pid} runs cannot be told.", EMBED)
    path = executable.removesuffix(" (deleted)")
    name = os.path.basename(path).lower()
    if not re.match(r"python|pypy", name):
        raise NoSuchProcess(
            f"Process {pid} has not called remora.enable_attach() and runs no plain Python: {visible(name)}.",
            EMBED,
        )
    if executable != path:
        raise NoSuchProcess(
            f"Process {pid} runs a Python that has been removed or replaced since: {visible(path)}.",
            f"Start the program anew. {EMBED}",
        )
    return executable


def check_identity(pid: int, proc: Proc) -> None:
    """Refuse what is not there, not ours, not here, or in no state to answer."""
    status = proc.status(pid)
    if not status:
        raise NoSuchProcess(f"There is no process {pid} on this machine.", "remora ls shows those there are.")
    users = status.get("Uid", "").split()
    if len(users) > 1 and int(users[1]) != proc.user:
        raise NoSuchProcess(
            f"Process {pid} belongs to another user (number {users[1]}).",
            f"Attach as that user (sudo -u '#{users[1]}' remora attach {pid}), or to its address, HOST:PORT.",
        )
    _check_container(pid, status, proc)
    state = status.get("State", "S")[:1]
    tracer = status.get("TracerPid", "0")
    if tracer != "0":
        name = visible(proc.status(tracer).get("Name", "another program"))
        raise AttachRefused(
            f"Process {pid} is being traced by process {tracer} ({name}), and only one may do that.",
            "End the other debugger, then try again.",
        )
    if state == "T":
        raise AttachRefused(
            f"Process {pid} is stopped by a signal, as Ctrl-Z does it.",
            f"Let it go on, then try again: kill -CONT {pid}",
        )
    if state == "Z":
        raise NoSuchProcess(f"Process {pid} has ended; its parent has not taken note of it yet.")
    if state not in _HELD:
        raise AttachRefused(
            f"Process {pid} is in the kernel and cannot be interrupted (state {visible(state)}).",
            "It waits for a disk or a file server, most often. Try again when that answers.",
        )
    if proc.environment(pid).get("PYTHON_DISABLE_REMOTE_DEBUG"):
        raise AttachRefused(
            f"Process {pid} was started with PYTHON_DISABLE_REMOTE_DEBUG: whoever did so does not want this.",
            f"Start it without that variable. {EMBED}",
        )


def _check_container(pid: int, status: dict[str, str], proc: Proc) -> None:
    """Its files are others, and so is the place where it would open its door."""
    inside = status.get("NSpid", "").split()
    ours = proc.status(proc.ourselves).get("NSpid", "").split()
    elsewhere = [
        kind
        for kind in ("pid", "mnt")
        if (theirs := proc.link(pid, f"ns/{kind}")) and theirs != proc.link(proc.ourselves, f"ns/{kind}")
    ]
    number = inside[-1] if inside else str(pid)
    if len(inside) > max(len(ours), 1) or "pid" in elsewhere:
        raise NoSuchProcess(
            f"Process {pid} is in a container, where its number is {number} and its files are others.",
            f"Attach from inside: docker exec -it CONTAINER remora attach {number} (kubectl exec -it POD). "
            "Where there is no client inside, see docs/ways-in.md.",
        )
    if elsewhere:
        raise NoSuchProcess(
            f"Process {pid} sees other files than we do (a container's, or systemd's PrivateTmp).",
            f"Attach from where it is: sudo nsenter -m -t {pid} remora attach {pid}",
        )


def check_permission(pid: int, proc: Proc) -> None:
    """Refuse where the system would not let us write into the process."""
    us, them = proc.status(proc.ourselves), proc.status(pid)
    ours, theirs = int(us.get("CapEff", "0"), 16), int(them.get("CapPrm", "0"), 16)
    if ours & _SYS_PTRACE:
        return
    scope = proc.ptrace_scope()
    if scope >= 3:
        raise _forbidden(
            pid,
            "this system lets nobody do that until it is booted anew (kernel.yama.ptrace_scope is 3)",
            "",
        )
    if scope == 2:
        raise _forbidden(
            pid,
            "only root may look into a process here (kernel.yama.ptrace_scope is 2)",
            "Be root, or in a container add --cap-add=SYS_PTRACE.",
        )
    if scope == 1 and not proc.is_below_us(pid):
        raise _forbidden(
            pid,
            "a process may only look into its own children here (kernel.yama.ptrace_scope is 1)",
            "sudo sysctl kernel.yama.ptrace_scope=0, for all processes until the next boot; or be root; or "
            "in a container add --cap-add=SYS_PTRACE.",
        )
    if theirs & ~ours:
        raise _forbidden(
            pid,
            f"it has capabilities that we have not (CapPrm {theirs:x}, ours {ours:x})",
            "Be root, or give the client CAP_SYS_PTRACE (in a container --cap-add=SYS_PTRACE).",
        )
    if _is_shielded(pid, proc):
        raise _forbidden(
            pid,
            "it is shielded (not dumpable: it changed its user, or was started from a file with privileges)",
            "Be root.",
        )


def _is_shielded(pid: int, proc: Proc) -> bool:
    try:
        return os.stat(proc.root / str(pid) / "status").st_uid != proc.user
    except OSError:
        return False


def denied(pid: int, proc: Proc) -> AttachRefused:
    """The system said no, though nothing that can be read says why."""
    if proc.status(proc.ourselves).get("Seccomp", "0") == "2":
        return _forbidden(
            pid,
            "a system call filter (seccomp) around the client does not allow it, as older containers have it",
            "Start the container with --cap-add=SYS_PTRACE --security-opt seccomp=unconfined.",
        )
    return _forbidden(
        pid,
        "the system forbids it, and does not say why",
        "A security module (SELinux, AppArmor) may do so. Be root; in a container add --cap-add=SYS_PTRACE.",
    )


def _forbidden(pid: int, why: str, remedy: str) -> AttachRefused:
    return AttachRefused(f"Process {pid} may not be looked into: {why}.", f"{remedy} {EMBED}".strip())
