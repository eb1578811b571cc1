"""The same program by every way in: a port, TLS, a Unix socket, ssh through a real sshd, and a pipe."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import remora_client
from tests.support.bridge import Bridge
from tests.support.command import REMORA, Ran, Remora
from tests.support.interpreters import INTERPRETERS, NEWEST, Interpreter
from tests.support.program import PYTHONPATH, Program, runtime_folder
from tests.support.sshd import Sshd, why_not
from tests.support.waiting import until

SECRET = "the_secret"
WORKER = """\
#
import time

class Point:
    def __init__(self):
        self.x, self.y = 1, [2, 3]

def work(point):
    total = point.x  # @inner
    for each in point.y:
        total += each
    return total

while True:
    work(Point())
    time.sleep(0.02)
"""
SCRIPT = (
    "break program.py:9",
    "continue",
    "where",
    "locals",
    "print point.y",
    "next",
    "next",
    "total = 40",
    "print total + nothing",
)
OLDEST = min((each for each in INTERPRETERS if not each.is_pypy), key=lambda each: each.version)
needs_sshd = pytest.mark.skipif(bool(why_not()), reason=why_not())


def proxy(interpreter: Interpreter, *words: str) -> str:
    """The command that a bare Python answers on its standard input and output."""
    return shlex.join([interpreter.path, "-m", "remora", "proxy", "--stdio", *words])


def far_environment() -> dict[str, str]:
    return {"PYTHONPATH": PYTHONPATH, "XDG_RUNTIME_DIR": runtime_folder()}


@pytest.fixture
def program() -> Iterator[Program]:
    with Program(OLDEST, WORKER, enable={"secret": SECRET}) as program:
        assert program.address
        yield program


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path / "sshd", far_environment()) as sshd:
        yield sshd


def run(remora: Remora, *words: str, env: dict[str, str] | None = None) -> Ran:
    each = [part for command in SCRIPT for part in ("-c", command)]
    return remora("exec", *words, "--json", *each, env={"PYTHONPATH": "", **(env or {})})


def transcript(ran: Ran, program: Program) -> list[Any]:
    """What the commands gave, without what only tells the programs apart.

    Events are left out: the first stop may come before or after the answer to the command that asks for it.
    """
    assert len(ran.lines) >= len(SCRIPT), ran
    text = ran.output.replace(str(program.directory), "FOLDER")
    # Breakpoints are counted by the program, for all its sessions; and each way has another host.
    text = re.sub(r'"hitBreakpointIds": \[\d+\]|0x[0-9a-f]+|"pid": \d+, "host": "[^"]*"', "…", text)
    return [line for line in text.splitlines() if not line.startswith('{"event"')]


@needs_sshd
def test_the_same_session_by_every_way(
    remora: Remora, program: Program, sshd: Sshd, certificate: dict[str, str]
) -> None:
    host, port = program.address
    python = shlex.join(["env", f"PYTHONPATH={PYTHONPATH}", OLDEST.path])
    ways = {
        "tcp": run(remora, f"tcp://{SECRET}@{host}:{port}"),
        "unix": run(remora, f"unix://{runtime_folder()}/remora/{program.pid}.sock"),
        "pipe": run(remora, "--via", proxy(OLDEST), str(program.pid), env=far_environment()),
        "ssh": run(
            remora, f"{sshd.qualifier}/{program.pid}", "--remote-python", python, env={"REMORA_SSH": sshd.ssh}
        ),
    }
    enable = {"secret": SECRET, "certfile": certificate["certfile"], "keyfile": certificate["keyfile"]}
    with Program(OLDEST, WORKER, enable=enable) as secured:
        host, port = secured.address
        options = ("--cafile", certificate["certfile"])
        ways["tcps"] = run(remora, *options, f"tcps://{SECRET}@{host}:{port}")
        found = {name: transcript(ran, secured if name == "tcps" else program) for name, ran in ways.items()}
    assert "NameError" in found["tcp"][-1]
    for name, lines in found.items():
        assert lines == found["tcp"], name
        assert ways[name].code == ways["tcp"].code == 1
    # All of them are gone: nothing runs for them on the far side.
    until(lambda: not sshd.sessions(), "the sessions' end")


@needs_sshd
def test_ssh_lists_what_is_there_and_needs_no_secret(remora: Remora, program: Program, sshd: Sshd) -> None:
    environment = {"REMORA_SSH": sshd.ssh, "REMORA_REMOTE_PYTHON": OLDEST.path, "REMORA_SECRET": "of another"}
    ran = remora("ls", sshd.qualifier, env=environment)
    assert ran.code == 0, ran
    assert str(program.pid) in ran.output
    ran = remora("doctor", f"{sshd.qualifier}/{program.pid}", env=environment)
    assert ran.code == 0, ran
    assert "connection" in ran.output


@needs_sshd
@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ("python", 6, "--remote-python"),
        ("module", 6, "pip install remora"),
        ("user", 4, "Permission denied"),
        ("host key", 5, "Host key verification failed"),
        ("port", 3, "Connection refused"),
    ],
)
def test_what_can_go_wrong_with_ssh(remora: Remora, sshd: Sshd, change: str, code: int, text: str) -> None:
    python, place = OLDEST.path, sshd.qualifier
    if change == "python":
        python = "no-such-python"
    elif change == "module":
        python = f"env PYTHONPATH= {OLDEST.path} -S -I"
    elif change == "user":
        (sshd.folder / "authorized_keys").write_text("")
    elif change == "host key":
        sshd.write_known_host("user_key")
    else:
        place = "ssh://127.0.0.1:1"
    ran = remora("ls", place, "--remote-python", python, env={"REMORA_SSH": sshd.ssh})
    assert ran.code == code, ran
    assert text in ran.errors, ran


def test_a_pipe_that_leads_nowhere(remora: Remora) -> None:
    for command, text in (("echo hello", "ended with code 0"), ("no-such-command", "was not found")):
        ran = remora("ls", "--via", command)
        assert ran.code == 6, ran
        assert text in ran.errors
    assert remora("exec", "--via", "cat", "tcp://host", "-c", "where").code == 2
    assert remora("ls", "--via", "cat", "host").code == 2
    assert remora("ls", "--via", "'").code == 2


def test_the_client_has_the_far_end_too(remora: Remora, program: Program) -> None:
    with Program(NEWEST, WORKER, enable={"secret": SECRET}) as other:
        assert other.address
        ran = remora("ls", "--json", "--via", f"{REMORA} proxy --stdio")
        assert {program.pid, other.pid} <= {row["pid"] for row in json.loads(ran.output)}, ran
        ran = remora("ls", "--json", "--via", f"{REMORA} proxy --stdio --pid {other.pid}")
        assert [row["pid"] for row in json.loads(ran.output)] == [other.pid], ran
        ran = remora(
            "exec", "--via", f"{REMORA} proxy --stdio --pid {other.pid}", str(program.pid), "-c", "where"
        )
        assert ran.code == 3, ran


def test_from_python_and_from_an_editor(
    remora: Remora, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in far_environment().items():
        monkeypatch.setenv(name, value)
    options = remora_client.ConnectOptions(via=proxy(OLDEST))
    assert program.pid in [row["pid"] for row in remora_client.processes(options=options)]
    with remora_client.attach(program.pid, options=options) as session:
        session.break_at("program.py", program.line("inner"))
        stop = session.resume(20)
        assert stop is not None
    with Bridge(remora, "--via", proxy(OLDEST), str(program.pid), env=far_environment()) as bridge:
        editor = bridge.editor
        editor.attach({program.path: [program.line("inner")]})
        editor.wait_stopped(reason="breakpoint")
        editor.disconnect()


def test_a_program_that_hangs_holds_up_nobody(remora: Remora, program: Program) -> None:
    with Program(NEWEST, WORKER, enable={"secret": SECRET}) as hanging:
        assert hanging.address
        os.kill(hanging.pid, signal.SIGSTOP)
        try:
            ran = remora("ls", "--via", proxy(OLDEST), env=far_environment())
        finally:
            os.kill(hanging.pid, signal.SIGCONT)
    assert ran.code == 0, ran
    assert str(program.pid) in ran.output
    assert str(hanging.pid) not in ran.output
