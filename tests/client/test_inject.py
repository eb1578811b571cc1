"""Attaching by number to programs that know nothing of a debugger."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

import remora_client
from remora_client._errors import AttachRefused, NoSuchProcess
from tests.support.interpreters import INTERPRETERS, Interpreter
from tests.support.program import Program, runtime_folder

PROGRAM = """\
import sys, time

def work(number):
    return number * 2  # @inner

print("ready", len(sys.path), flush=True)
count = 0
while count is not None:
    count = work(count) % 1000 + 1
    time.sleep(0.01)
print("done", flush=True)
"""
CAN = [each for each in INTERPRETERS if each.implementation == "cpython" and each.version >= (3, 14)]
CANNOT = [each for each in INTERPRETERS if each not in CAN]


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime_folder())


def start(interpreter: Interpreter) -> Iterator[Program]:
    """Without the server on its path: whatever it needs of us, we bring."""
    with Program(interpreter, PROGRAM, pythonpath=None) as program:
        program.wait_line("ready")
        yield program


@pytest.fixture(params=CAN, ids=str)
def willing(request: pytest.FixtureRequest) -> Iterator[Program]:
    yield from start(request.param)


@pytest.fixture(params=CANNOT, ids=str)
def unwilling(request: pytest.FixtureRequest) -> Iterator[Program]:
    yield from start(request.param)


def test_a_program_that_did_nothing_is_debugged(willing: Program) -> None:
    try:
        session = remora_client.attach(willing.pid)
    except AttachRefused as refused:
        if "PermissionError" in refused.text:  # this machine forbids it, and that was said
            pytest.skip(f"{refused.text} {refused.remedy}")
        raise
    with session:
        session.break_at("program.py", willing.line("inner"))
        stop = session.resume(10)
        assert stop is not None
        assert stop.frame is not None
        assert stop.frame.name == "work"
    # It runs on, and can be attached to again, now through its own door.
    with remora_client.attach(willing.pid) as again:
        again.pause()
        assert again.evaluate("len(sys.path)").value == willing_path(willing)
        again.execute("count = None")


def willing_path(program: Program) -> str:
    """The length of sys.path at the program's start: we left nothing there."""
    return program.output.split()[1]


def test_elsewhere_it_says_what_to_do(unwilling: Program) -> None:
    with pytest.raises(NoSuchProcess) as caught:
        remora_client.attach(unwilling.pid)
    assert "3.14" in caught.value.text
    assert "python -m remora" in caught.value.remedy
    assert unwilling.process.poll() is None


def test_what_is_no_python_and_what_is_not_there() -> None:
    with subprocess.Popen(["sleep", "30"]) as other:
        with pytest.raises(NoSuchProcess, match="no plain Python: sleep"):
            remora_client.attach(other.pid)
        other.kill()
    with pytest.raises(NoSuchProcess, match="no process"):
        remora_client.attach(2**40)
