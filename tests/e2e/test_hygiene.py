"""The secret is looked for wherever it could be left behind by a run that does a bit of everything."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.command import REMORA, Remora
from tests.support.interpreters import NEWEST
from tests.support.program import Program

SECRET = "correct-horse-battery-staple"
WRONG = "wrong-horse-battery-staple"
OBSERVER = "only-looking-battery-staple"

PROGRAM = """\
#
import os, subprocess, sys, traceback
def show():
    child = subprocess.run(["/bin/sh", "-c", "env; cat /proc/self/cmdline"], capture_output=True, text=True)
    print("child", child.stdout.replace("\\0", " "), flush=True)
    with open("/proc/self/cmdline", "rb") as file:
        print("own", file.read(), flush=True)
    print("state", repr(sys.modules["remora._api"]._state.enabled), flush=True)
for line in sys.stdin:
    show()
    try:
        sys.modules["remora"].enable_attach("another", ("127.0.0.1", 0))
    except Exception:
        traceback.print_exc()  # @here
    if line.startswith("crash"):
        raise RuntimeError("crashed")
"""


def processes() -> str:
    """The arguments and environments of everything that runs, but the person's own `remora attach`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                found.append((folder / name).read_bytes().decode("utf-8", "replace"))
            except OSError:
                continue
    return "\n".join(found)


def everything_in(*folders: Path) -> str:
    return "\n".join(
        path.read_bytes().decode("utf-8", "replace")
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.name != "secret"
    )


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads /proc")
def test_the_secret_is_left_nowhere(remora: Remora, tmp_path: Path) -> None:
    assert NEWEST is not None
    log, keep = tmp_path / "logs" / "server.log", tmp_path / "keep"
    log.parent.mkdir()
    keep.mkdir()
    for name, text in (("secret", SECRET), ("wrong", WRONG), ("observer", OBSERVER)):
        (keep / name).write_text(f"{text}\n")
    enable = (
        "import pathlib, remora\n"
        f"names = [pathlib.Path({str(keep)!r}, name) for name in ('secret', 'observer')]\n"
        "given = [name.read_text().strip() for name in names]\n"
        "place = remora.enable_attach(given[0], ('127.0.0.1', 0), observer_secret=given.pop())\n"
        "print('REMORA_ADDRESS', *place, flush=True)\n"
    )
    source = PROGRAM.replace("#\n", enable, 1)
    home = {"HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state")}
    with Program(NEWEST, source, env={"REMORA_LOG": f"{log}:debug"}) as program:
        place = program.qualifier
        options = ("--secret-file", str(keep / "secret"))
        # With all that can be shown
        shown = [remora("exec", place, *options, "-vv", "-c", "threads")]
        shown.append(remora("exec", place, *options, "-vv", "--json", "--hold", "5", "-c", "threads"))
        shown.append(remora("doctor", place, *options, "-vv"))
        shown.append(remora("ls", place, "--json", env={"REMORA_SECRET": SECRET, **home}))
        assert [each.code for each in shown] == [0] * 4, shown
        # At the prompt: a transcript, a history, and somebody who types the secret there
        with remora.terminal("attach", place, *options, env=home) as terminal:
            terminal.wait("remora❯")
            terminal.enter(f"transcript {tmp_path / 'logs' / 'transcript'}")
            terminal.enter(f"break program.py:{program.line('here')}")
            terminal.wait(r"(?i)breakpoint 1")
            program.stdin_line("go")
            terminal.wait(r"→ +\d+ ")
            assert SECRET not in processes()
            terminal.enter("print 1 + 1")
            terminal.wait("^2")
            assert SECRET not in terminal.text
            terminal.enter(f"p 'tcp://{SECRET}@h'")
            terminal.enter("quit -c")
            terminal.returncode()
        # A wrong one last: it makes the next login wait
        shown.append(remora("ls", place, "--secret-file", keep / "wrong", "-vv"))
        assert shown[-1].code == 4
        program.stdin_line("crash")
        assert program.returncode() == 1
        places = {
            "what the client said": "".join(each.output + each.errors for each in shown),
            "what the program and its children have": program.output + program.errors,
            "the log": log.read_text(),
            "the history, and all else that the client keeps": everything_in(
                *(path for path in tmp_path.iterdir() if path.name not in ("keep", "logs"))
            ),
        }
    assert "Traceback" in places["what the program and its children have"]
    assert re.search(r"warning .* refused: ", places["the log"])
    for where, text in places.items():
        for secret in (SECRET, WRONG, OBSERVER):
            assert secret not in text, where


def test_a_client_that_crashes_says_nothing_of_the_secret(remora: Remora) -> None:
    """A bug of ours, put into the middle of the login: even its traceback has no secret in it."""
    assert NEWEST is not None
    code = """
import sys
from remora_client._connecting import _login
from remora_client import cli
async def broken(link, mechanism, data, *, last):
    raise ZeroDivisionError("oops")
_login._exchange = broken
sys.exit(cli.main(["ls", sys.argv[1], "--secret-file", sys.argv[2]]))
"""
    path = remora.folder / "secret"
    path.write_text(SECRET)
    with Program(NEWEST, "#\ninput()\n", enable={"secret": SECRET}) as program:
        python = str(Path(REMORA).with_name("python"))
        run = subprocess.run(
            [python, "-c", code, program.qualifier, str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert run.returncode != 0
    assert "oops" in run.stderr or "bug" in run.stderr.lower()
    assert SECRET not in run.stdout + run.stderr
