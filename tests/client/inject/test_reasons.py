"""Each reason why a process cannot be attached to by its number, on machines laid out in a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from remora_client._errors import AttachRefused, ConnectError, NoSuchProcess
from remora_client._inject.__main__ import _kind, _name
from remora_client._inject._process import Proc, check_identity, check_permission, denied, interpreter

PID = 77
CAP_SYS_PTRACE = 1 << 19


class Machine:
    """A folder that looks like /proc: process 77, and ourselves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "sys/kernel/yama").mkdir(parents=True)
        self.them = {
            "State": "S (sleeping)",
            "Uid": f"{self.user} {self.user}",
            "TracerPid": "0",
            "PPid": "1",
        }
        self.them |= {"NSpid": str(PID), "CapPrm": "0", "Name": "python3.9"}
        self.us = {"Pid": "50", "NSpid": "50", "CapEff": "0", "Seccomp": "0"}
        self.environment: dict[str, str] = {}
        self.links = {"exe": "/usr/bin/python3.9", "ns/pid": "pid:[1]", "ns/mnt": "mnt:[1]"}
        self.scope = 0

    user = os.geteuid()

    @property
    def proc(self) -> Proc:
        for name, status in (("self", self.us), (str(PID), self.them)):
            (self.folder / name / "ns").mkdir(parents=True)
            text = "".join(f"{key}:\t{value}\n" for key, value in status.items())
            (self.folder / name / "status").write_text(text)
        for name, target in self.links.items():
            (self.folder / str(PID) / name).symlink_to(target)
        (self.folder / "self/ns/pid").symlink_to("pid:[1]")
        (self.folder / "self/ns/mnt").symlink_to("mnt:[1]")
        environment = "\0".join(f"{name}={value}" for name, value in self.environment.items())
        (self.folder / str(PID) / "environ").write_text(environment)
        (self.folder / "sys/kernel/yama/ptrace_scope").write_text(f"{self.scope}\n")
        return Proc(self.folder, self.user)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def said(error: ConnectError) -> str:
    assert error.remedy, "what to do next?"
    return f"{error.text} | {error.remedy}"


def identity(machine: Machine, kind: type[ConnectError]) -> str:
    with pytest.raises(kind) as caught:
        check_identity(PID, machine.proc)
    return said(caught.value)


def permission(machine: Machine) -> str:
    with pytest.raises(AttachRefused) as caught:
        check_permission(PID, machine.proc)
    return said(caught.value)


def test_nothing_in_the_way(machine: Machine) -> None:
    proc = machine.proc
    check_identity(PID, proc)
    check_permission(PID, proc)
    assert interpreter(PID, proc) == "/usr/bin/python3.9"


def test_it_is_not_there(machine: Machine) -> None:
    with pytest.raises(NoSuchProcess, match="no process 78"):
        check_identity(78, machine.proc)


def test_it_is_another_users(machine: Machine) -> None:
    machine.them["Uid"] = f"{machine.user + 1} {machine.user + 1}"
    assert f"sudo -u '#{machine.user + 1}'" in identity(machine, NoSuchProcess)


def test_it_is_in_a_container(machine: Machine) -> None:
    machine.them["NSpid"] = f"{PID} 7"
    text = identity(machine, NoSuchProcess)
    assert "its number is 7" in text
    assert "remora attach 7" in text


def test_it_has_a_tmp_of_its_own(machine: Machine) -> None:
    machine.links["ns/mnt"] = "mnt:[2]"
    assert f"nsenter -m -t {PID}" in identity(machine, NoSuchProcess)


def test_somebody_traces_it(machine: Machine) -> None:
    machine.them["TracerPid"] = "50"
    assert "traced by process 50" in identity(machine, AttachRefused)


def test_it_is_stopped_by_a_signal(machine: Machine) -> None:
    machine.them["State"] = "T (stopped)"
    assert f"kill -CONT {PID}" in identity(machine, AttachRefused)


def test_it_is_in_the_kernel(machine: Machine) -> None:
    machine.them["State"] = "D (disk sleep)"
    assert "cannot be interrupted" in identity(machine, AttachRefused)


def test_it_has_ended(machine: Machine) -> None:
    machine.them["State"] = "Z (zombie)"
    with pytest.raises(NoSuchProcess, match="has ended"):
        check_identity(PID, machine.proc)


def test_it_does_not_want_to(machine: Machine) -> None:
    machine.environment["PYTHON_DISABLE_REMOTE_DEBUG"] = "1"
    assert "without that variable" in identity(machine, AttachRefused)


def test_it_is_no_python(machine: Machine) -> None:
    machine.links["exe"] = "/usr/sbin/nginx"
    with pytest.raises(NoSuchProcess, match="no plain Python: nginx"):
        interpreter(PID, machine.proc)


def test_its_python_was_replaced(machine: Machine) -> None:
    machine.links["exe"] = "/usr/bin/python3.9 (deleted)"
    with pytest.raises(NoSuchProcess, match="removed or replaced"):
        interpreter(PID, machine.proc)


@pytest.mark.parametrize(
    ("scope", "remedy"), [(1, "ptrace_scope=0"), (2, "Be root"), (3, "remora.enable_attach")]
)
def test_the_system_keeps_processes_apart(machine: Machine, scope: int, remedy: str) -> None:
    machine.scope = scope
    text = permission(machine)
    assert f"ptrace_scope is {scope}" in text
    assert remedy in text


def test_a_child_of_ours_may_be_looked_into(machine: Machine) -> None:
    machine.scope = 1
    machine.them["PPid"] = machine.us["Pid"]
    check_permission(PID, machine.proc)


@pytest.mark.parametrize("scope", [0, 1, 2])
def test_with_the_capability_nothing_else_matters(machine: Machine, scope: int) -> None:
    machine.scope = scope
    machine.us["CapEff"] = f"{CAP_SYS_PTRACE:016x}"
    machine.them["CapPrm"] = "000001ffffffffff"
    check_permission(PID, machine.proc)


def test_it_has_capabilities_that_we_have_not(machine: Machine) -> None:
    machine.them["CapPrm"] = "0000000000000400"
    assert "--cap-add=SYS_PTRACE" in permission(machine)


def test_it_is_shielded(machine: Machine) -> None:
    proc = machine.proc
    os.chown(proc.root / str(PID) / "status", machine.user, -1)
    somebody_else = Proc(proc.root, machine.user + 1)
    with pytest.raises(AttachRefused, match="not dumpable"):
        check_permission(PID, somebody_else)


def test_a_filter_around_us_forbids_it(machine: Machine) -> None:
    machine.us["Seccomp"] = "2"
    assert "seccomp=unconfined" in said(denied(PID, machine.proc))


def test_nobody_says_why(machine: Machine) -> None:
    assert "SELinux" in said(denied(PID, machine.proc))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("202 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffd0 0x7f10", (0x7FFD0, 0x7F10)),
        ("running", None),
        ("-1 0x7ffd0 0x7f10", None),
    ],
)
def test_where_the_main_thread_is_blocked(
    machine: Machine, text: str, expected: tuple[int, int] | None
) -> None:
    proc = machine.proc
    (proc.root / str(PID) / "task" / str(PID)).mkdir(parents=True)
    (proc.root / str(PID) / "task" / str(PID) / "syscall").write_text(text + "\n")
    assert proc.blocked_at(PID) == expected


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["python3", "-u", "app/main.py", "-m", "x"], "main.py"),
        (["python3", "-X", "dev", "-m", "http.server", "80"], "http.server"),
        (["python3", "-c", "import os"], "python"),
        (["python3"], "python"),
    ],
)
def test_what_an_unprepared_program_is_called(argv: list[str], name: str) -> None:
    assert _name(argv) == name


def test_which_python_it_is() -> None:
    assert _kind("/usr/bin/python3.12") == ("cpython", (3, 12))
    assert _kind("/opt/pypy/bin/pypy3.11") == ("pypy", (3, 11))
    assert _kind("/opt/x/python") == ("cpython", None)
