"""Attaching by number to programs that know nothing of a debugger: they are debugged, and survive it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import remora_client
from remora_client import _inject
from remora_client._errors import AttachRefused, NoSuchProcess
from tests.support.interpreters import INTERPRETERS, Interpreter
from tests.support.program import Program, runtime_folder

KINDS = ("busy", "sleep", "lock", "read", "threads", "asyncio")
BLOCKED = ("lock", "read", "asyncio")


def by_gdb(interpreter: Interpreter) -> bool:
    return interpreter.implementation == "cpython" and interpreter.version < (3, 14)


WILLING = [each for each in INTERPRETERS if not each.is_pypy or each.version >= (3, 11)]
OLD = next((each for each in INTERPRETERS if by_gdb(each)), None)
#: PyPy comes to it when its main thread is no longer blocked, and sees no thread that was there before.
PAIRS = [(each, kind) for each in WILLING for kind in KINDS if not each.is_pypy or kind in ("busy", "sleep")]
#: PyPy writes this itself, into the program's output; nobody can keep it from that.
PYPY_LINE = "Executing remote debugger script "

pytestmark = pytest.mark.skipif(OLD is None, reason="no CPython before 3.14 was found here")
needs_gdb = pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed here")


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime_folder())


def start(interpreter: Interpreter | None, kind: str, **options: object) -> Program:
    """Without the server on its path: whatever it needs of us, we bring."""
    assert interpreter is not None
    program = Program(interpreter, "unprepared.py", [kind], pythonpath=None, **options)  # type: ignore[arg-type]
    program.wait_line("ready")
    return program


def end(program: Program) -> None:
    """It ends as it would have, and was never disturbed."""
    program.stdin_line("end")
    assert program.process.wait(20) == 7
    program.wait_line("done")
    assert program.errors == ""
    before, after = [line for line in program.output.splitlines() if not line.startswith(PYPY_LINE)]
    assert before.removeprefix("ready") == after.removeprefix("done"), "something was left behind"


@pytest.mark.parametrize(("interpreter", "kind"), PAIRS, ids=str)
def test_a_program_that_did_nothing_is_debugged(interpreter: Interpreter, kind: str) -> None:
    if shutil.which("gdb") is None and (by_gdb(interpreter) or kind in BLOCKED):
        pytest.skip("gdb is not installed here")
    with start(interpreter, kind) as program:
        try:
            session = remora_client.attach(program.pid)
        except AttachRefused as refused:
            if "may not be looked into" in refused.text:  # this machine forbids it, and that was said
                pytest.skip(f"{refused.text} {refused.remedy}")
            raise
        with session:
            session.break_at("unprepared.py", program.line("inner"))
            program.stdin_line("go")
            stop = session.resume(20)
            assert stop is not None
            assert stop.frame is not None
            assert stop.frame.name == "work"
        end(program)


@needs_gdb
def test_it_can_be_attached_to_again_through_its_own_door() -> None:
    with start(OLD, "sleep") as program:
        with remora_client.attach(program.pid):
            pass
        with remora_client.attach(program.pid) as again:
            again.break_at("unprepared.py", program.line("inner"))
            assert again.resume(20) is not None
            assert again.evaluate("work(4)").value == "8"
        end(program)


@pytest.mark.skipif(not any(each.is_pypy for each in WILLING), reason="no new PyPy here")
def test_a_blocked_pypy_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_inject, "_SECONDS", 2.5)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pypy = next(each for each in WILLING if each.is_pypy)
    with start(pypy, "read") as program:
        with pytest.raises(AttachRefused, match="has not come to it") as refused:
            remora_client.attach(program.pid)
        assert "main thread is blocked" in refused.value.remedy
        end(program)  # it comes by what it was asked to, and there is nothing to do any more
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("interpreter", [each for each in INTERPRETERS if each not in WILLING], ids=str)
def test_an_old_pypy_is_told_apart(interpreter: Interpreter) -> None:
    with start(interpreter, "sleep") as program:
        with pytest.raises(NoSuchProcess, match="newer ones of PyPy") as refused:
            remora_client.attach(program.pid)
        assert "python -m remora" in refused.value.remedy
        end(program)


@pytest.mark.parametrize(
    "interpreter", [each for each in WILLING if not by_gdb(each) and each.version >= (3, 14)], ids=str
)
def test_who_turned_it_off_is_respected(interpreter: Interpreter) -> None:
    with start(interpreter, "sleep", argv=["-X", "disable-remote-debug", "{script}"]) as program:
        with pytest.raises(AttachRefused, match="cannot be asked") as refused:
            remora_client.attach(program.pid)
        assert "disable-remote-debug" in refused.value.remedy
        end(program)


def test_the_variable_is_respected_on_every_version() -> None:
    with start(OLD, "sleep", env={"PYTHON_DISABLE_REMOTE_DEBUG": "1"}) as program:
        with pytest.raises(AttachRefused, match="PYTHON_DISABLE_REMOTE_DEBUG"):
            remora_client.attach(program.pid)
        end(program)


# -- gdb that is missing, fails, or is killed ----------------------------------------------------


def pretend_gdb(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Put a gdb into the path that is this shell script; `$gdb` is the real one, `$pid` the process."""
    real = shutil.which("gdb")
    script = folder / "gdb"
    script.write_text(
        f'#!/bin/sh\ngdb={real}\nfor word; do [ "$before" = -p ] && pid=$word; before=$word; done\n{text}\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def refused(program: Program) -> AttachRefused:
    with pytest.raises(AttachRefused) as caught:
        remora_client.attach(program.pid)
    end(program)
    return caught.value


def test_without_gdb_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with start(OLD, "sleep") as program:
        error = refused(program)
    assert "not installed" in error.text
    assert "apt install gdb" in error.remedy


ASKED = [each for each in WILLING if not by_gdb(each) and not each.is_pypy]


@pytest.mark.parametrize("interpreter", ASKED[-1:], ids=str)
def test_a_blocked_program_that_gdb_could_wake(
    interpreter: Interpreter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_inject, "_SECONDS", 2.5)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with start(interpreter, "lock") as program:
        error = refused(program)  # it came by what it was asked to, and there was nothing to do any more
    assert "main thread is blocked" in error.remedy
    assert "gdb could have it done at once, and is not installed" in error.remedy
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("ptrace: Operation not permitted.", "forbids it, and does not say why"),
        ('No symbol "Py_AddPendingCall" in current context.', "Py_AddPendingCall is not to be found"),
        ("Couldn't write extended state status: Bad address.", "tried on one of our own.*Bad address"),
    ],
)
def test_what_gdb_says_is_understood(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, text: str
) -> None:
    pretend_gdb(tmp_path, monkeypatch, f"cat {tmp_path}/said; exit 1")
    (tmp_path / "said").write_text(f"{said}\n")
    with start(OLD, "busy") as program:
        error = refused(program)
    assert re.search(text, error.text), error.text


@needs_gdb
def test_a_gdb_that_is_killed_leaves_the_program_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with start(OLD, "busy") as program:
        pretend_gdb(
            tmp_path,
            monkeypatch,
            f'[ "$pid" = {program.pid} ] || exec $gdb "$@"\n'
            "exec $gdb -nx --batch --readnever -p $pid -ex 'shell kill -9 $PPID'",
        )
        assert "could not reach process" in refused(program).text


def test_a_program_left_stopped_is_woken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with start(OLD, "busy") as program:
        pretend_gdb(
            tmp_path,
            monkeypatch,
            f'[ "$pid" = {program.pid} ] || {{ echo remora: queued 0; kill $pid; exit 0; }}\n'
            "kill -STOP $pid; kill -9 $$",
        )
        monkeypatch.setattr("remora_client._inject._gdb.Gdb.rehearse", lambda self: None)
        assert "could not reach process" in refused(program).text


# -- what is no Python, and what is not there ----------------------------------------------------


def test_what_is_no_python_and_what_is_not_there() -> None:
    with subprocess.Popen(["sleep", "30"]) as other:
        with pytest.raises(NoSuchProcess, match="no plain Python: sleep"):
            remora_client.attach(other.pid)
        other.kill()
    with pytest.raises(NoSuchProcess, match="no process"):
        remora_client.attach(2**40)
