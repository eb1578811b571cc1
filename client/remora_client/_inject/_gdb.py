"""Having gdb call a function in a process: for CPython before 3.14, and for a main thread that is blocked.

What is called, and when, so that the program survives:

- A main thread that runs is only made to queue a call (`Py_AddPendingCall`, meant for signal handlers): the
  interpreter makes it where Python code may run. Nothing else happens in the middle of whatever it was at.
- A main thread that waits in the system without the interpreter's lock is made to take the lock, run our
  line and give it back: what a C library does that calls back into Python while it waits.
- No breakpoint is set and no memory allocated through malloc, whose lock the thread may hold.
- It is rehearsed on a process of our own first, with the same interpreter: where this gdb cannot do it on
  this machine (gdb 13 and the registers of newer processors), the rehearsal dies, and the program does not.
- gdb is not killed while it is at it, and runs in a session of its own, which no Ctrl-C of ours reaches.

Blocks: called on a thread of a pool.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from remora_client._errors import AttachRefused
from remora_client._inject._errand import EMBED
from remora_client._inject._process import Proc, denied
from remora_client._text import clip, visible

if TYPE_CHECKING:
    from pathlib import Path

    from remora_client._inject._errand import Errand

__all__ = ["Gdb", "find_gdb"]

_SECONDS = 20.0
_OPTIONS = (
    "-nx", "--batch", "--readnever",
    "-iex", "set auto-load no", "-iex", "set debuginfod enabled off",
    "-iex", "set auto-solib-add off", "-iex", "set confirm off", "-iex", "set pagination off",
)  # fmt: skip
_BEGIN = """\
set language c
handle all nostop noprint pass
handle SIGINT nostop noprint pass
sharedlibrary libpython
sharedlibrary libc
sharedlibrary musl
"""
_QUEUE = """\
set $page = ((void *(*)(void *, unsigned long, int, int, int, long)) mmap)(0, 4096, 3, 0x22, -1, 0)
if $page == (void *) -1
  printf "remora: no memory\\n"
else
  restore call binary $page
  set $full = ((int (*)(void *, void *)) Py_AddPendingCall)((void *) PyRun_SimpleString, $page)
  printf "remora: queued %d\\n", $full
end
"""
_CALL = """\
set $called = 0
if $sp == {stack} && $pc <= {program} && $pc >= {program} - 4
  if ((int (*)(void)) PyGILState_Check)() == 0
    set $page = ((void *(*)(void *, unsigned long, int, int, int, long)) mmap)(0, 4096, 3, 0x22, -1, 0)
    if $page != (void *) -1
      restore call binary $page
      set $state = ((int (*)(void)) PyGILState_Ensure)()
      set $failed = ((int (*)(void *)) PyRun_SimpleString)($page)
      call ((void (*)(int)) PyGILState_Release)($state)
      call ((int (*)(void *, unsigned long)) munmap)($page, 4096)
      set $called = 1
    end
  end
end
printf "remora: called %d\\n", $called
"""
_QUEUED = "remora: queued 0"
# In the rehearsal: comes by where Python code may run again and again, and is blocked in between.
_STAND_IN = "import sys, time\nprint(1, flush=True)\nwhile True: time.sleep(0.05)"
_REHEARSED = "import os; os.write(1, b'2')"


def find_gdb() -> str | None:
    """Where gdb is; None where it is not, or could not do this."""
    return shutil.which("gdb") if sys.platform == "linux" else None


class Gdb:
    """gdb, as it is used for one attempt.

    Args:
        pid: the process that it is for.
        python: the interpreter that the process runs.
        folder: for files of ours, until the attempt is over.
    """

    def __init__(self, path: str, pid: int, python: str, folder: Path, proc: Proc) -> None:
        self._path = path
        self._pid = pid
        self._python = python
        self._folder = folder
        self._proc = proc
        self._extra: tuple[str, ...] = ()

    def rehearse(self) -> None:
        """Do it to a process of our own. Raises `AttachRefused` when that fails."""
        said = self._try_rehearsal()
        if said and os.uname().machine == "x86_64":
            description = self._folder / "registers.xml"
            description.write_text(_register_description(), encoding="ascii")
            self._extra = ("-iex", f"set tdesc filename {description.name}")
            said = self._try_rehearsal()
        if said:
            raise self._explain(
                said, f"gdb here cannot call a function in a process (tried on one of our own). {said}"
            )

    def _try_rehearsal(self) -> str:
        """What went wrong; "" when nothing did."""
        command = [self._python, "-I", "-S", "-c", _STAND_IN]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as double:
            try:
                assert double.stdout is not None
                double.stdout.readline()
                said = self._run(double.pid, _QUEUE, _REHEARSED)
                if _QUEUED not in said:
                    return _shown(said)
                os.set_blocking(double.stdout.fileno(), False)
                deadline = time.monotonic() + 5
                while time.monotonic() < deadline and double.poll() is None:
                    if double.stdout.read(1) == b"2":
                        return ""
                    time.sleep(0.02)
                return "It ended." if double.poll() is not None else "It did nothing."
            finally:
                double.kill()

    def queue(self, errand: Errand) -> None:
        """Have the process run the errand where Python code may run next. Raises `AttachRefused`."""
        said = self._run(self._pid, _QUEUE, _line_for(errand))
        if _QUEUED not in said:
            raise self._explain(said, f"gdb could not reach process {self._pid}. {_shown(said)}")

    def call(self, errand: Errand, blocked_at: tuple[int, int]) -> None:
        """Have the process run the errand now, if it is still blocked at that place. May do nothing.

        Not ended when it takes long: it may wait for the interpreter's lock, and is inside the process then.
        """
        stack, program = blocked_at
        commands = _CALL.format(stack=stack, program=program)
        said = self._run(self._pid, commands, _line_for(errand), patient=True)
        if "remora: called" not in said:
            raise self._explain(said, f"gdb could not reach process {self._pid}. {_shown(said)}")

    def _run(self, pid: int, commands: str, line: str, *, patient: bool = False) -> str:
        """What gdb said. The process has been let go when this returns, unless gdb still waits in there."""
        (self._folder / "call").write_text(line + "\0", encoding="ascii")
        (self._folder / "commands").write_text(_BEGIN + commands, encoding="ascii")
        command = [self._path, *_OPTIONS, *self._extra, "-p", str(pid), "-x", "commands"]
        log = self._folder / "said"
        with log.open("wb") as output:
            gdb = subprocess.Popen(
                command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "LC_ALL": "C"},
            )
            try:
                gdb.wait(_SECONDS)
            except subprocess.TimeoutExpired:
                if patient:
                    raise AttachRefused(
                        f"gdb (process {gdb.pid}) waits for the interpreter's lock in process {pid}, which "
                        "some thread there does not give away.",
                        f"Do not end it: it leaves by itself when it had the lock. {EMBED}",
                    ) from None
                gdb.terminate()  # it lets go of the process then
                with contextlib.suppress(subprocess.TimeoutExpired):
                    gdb.wait(5)
        if gdb.returncode != 0:
            self._let_go_on(pid)
        return log.read_text(encoding="utf-8", errors="replace")

    def _let_go_on(self, pid: int) -> None:
        """A gdb that was killed in the moment of attaching leaves the process stopped."""
        for _ in range(20):
            status = self._proc.status(pid)
            if status.get("State", "")[:1] == "T" and status.get("TracerPid") == "0":
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGCONT)
                return
            time.sleep(0.01)

    def _explain(self, said: str, otherwise: str) -> AttachRefused:
        """What a failure means, from what gdb said."""
        if re.search(r"Operation not permitted|Permission denied", said):
            return denied(self._pid, self._proc)
        if (missing := re.search(r'No symbol "(\w+)" in|No symbol table is loaded', said)) is not None:
            name = f": {missing[1]} is not to be found" if missing[1] else ""
            return AttachRefused(
                f"The Python of process {self._pid} has no names by which it could be called{name}.",
                f"It is linked statically and stripped, most likely. {EMBED}",
            )
        if "remora: queued" in said:
            return AttachRefused(f"Process {self._pid} has too many calls waiting already.", "Try again.")
        return AttachRefused(otherwise, f"A newer gdb may be able to. {EMBED}")


def _shown(said: str) -> str:
    """The end of what gdb said, which is where it complains."""
    lines = [line for line in said.splitlines() if line.strip() and "detached" not in line]
    return clip(visible(" ".join(lines[-2:])), 200)


def _line_for(errand: Errand) -> str:
    """One line of Python that runs the script if it is there. In hexadecimal: a path may hold anything."""
    path = os.fsencode(errand.script).hex()
    text = (
        f"try:\n f=open(bytes.fromhex({path!r}))\nexcept OSError:\n pass\nelse:\n with f:exec(f.read(),{{}})"
    )
    return f"exec({text!r},{{}})"


def _register_description() -> str:
    """The registers of x86-64 without those that gdb before 14 fails to write on newer processors.

    The functions that are called leave those alone.
    """

    def registers(names: str, bits: int, kind: str) -> str:
        return "".join(f'<reg name="{name}" bitsize="{bits}" type="{kind}"/>' for name in names.split())

    def numbered(name: str, count: int) -> str:
        return " ".join(f"{name}{number}" for number in range(count))

    core = (
        registers("rax rbx rcx rdx rsi rdi", 64, "int64")
        + registers("rbp rsp", 64, "data_ptr")
        + registers("r8 r9 r10 r11 r12 r13 r14 r15", 64, "int64")
        + registers("rip", 64, "code_ptr")
        + registers("eflags cs ss ds es fs gs", 32, "int32")
        + registers(numbered("st", 8), 80, "i387_ext")
        + registers("fctrl fstat ftag fiseg fioff foseg fooff fop", 32, "int")
    )
    sse = (
        '<vector id="v4f" type="ieee_single" count="4"/>'
        + registers(numbered("xmm", 16), 128, "v4f")
        + registers("mxcsr", 32, "int")
    )
    features = {
        "core": core,
        "sse": sse,
        "linux": registers("orig_rax", 64, "int"),
        "segments": registers("fs_base gs_base", 64, "int"),
    }
    body = "".join(
        f'<feature name="org.gnu.gdb.i386.{name}">{text}</feature>' for name, text in features.items()
    )
    return (
        '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target>'
        f"<architecture>i386:x86-64</architecture><osabi>GNU/Linux</osabi>{body}</target>"
    )
