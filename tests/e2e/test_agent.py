"""`python -m remora agent`: one port for a host, behind which programs come and go, prepared or not."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Remora
from tests.support.interpreters import INTERPRETERS, NEWEST, ROOT, Interpreter
from tests.support.ports import free_port
from tests.support.program import PYTHONPATH, Program

SECRET, OBSERVER = "the_secret", "another"
WORKER = """\
#
import time

def work(number):
    return number * 2  # @inner

while True:
    work(1)
    time.sleep(0.01)
"""
#: The client's packages, too, which know how to prepare a program; not what those depend on.
ALL = os.pathsep.join([PYTHONPATH, str(ROOT / "client")])
OLDEST = min((each for each in INTERPRETERS if not each.is_pypy), key=lambda each: each.version)
needs_gdb = pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed here")


class Agent:
    """One that runs, on a port of its own."""

    def __init__(self, remora: Remora, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.remora = remora
        secret = folder / "secret"
        secret.write_text(SECRET)
        words = ["-m", "remora", "agent", "--listen", f"127.0.0.1:{self.port}", "--secret-file", str(secret)]
        self.program = Program(NEWEST, "#\n", argv=[*words, *options], pythonpath=ALL)
        self.program.wait_line("is the agent's", errors=True)

    @property
    def place(self) -> str:
        return f"tcp://{SECRET}@127.0.0.1:{self.port}"

    def rows(self) -> dict[int, dict[str, Any]]:
        ran = self.remora("ls", "--json", self.place)
        assert ran.code == 0, ran
        return {row["pid"]: row for row in json.loads(ran.output)}

    def end(self) -> None:
        """As a service is ended."""
        self.program.process.send_signal(signal.SIGTERM)
        assert self.program.process.wait(20) == 0


@pytest.fixture
def agent(remora: Remora, tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(remora, tmp_path)
    with agent.program:
        yield agent


def enabled(agent: Agent, interpreter: Interpreter = NEWEST) -> Program:
    return Program(interpreter, WORKER, enable={"secret": SECRET, "address": ("127.0.0.1", agent.port)})


def debug(agent: Agent, program: Program) -> None:
    line = f"program.py:{program.line('inner')}"
    ran = agent.remora.exec(f"{agent.place}#{program.pid}", f"break {line}", "continue", "print number")
    assert ran.results()[-1]["value"] == "1", ran


def test_programs_come_and_go_behind_it(agent: Agent) -> None:
    assert agent.program.pid not in agent.rows()  # it is no program to be debugged
    with enabled(agent) as first, enabled(agent, OLDEST) as second:
        for program in (first, second):
            assert program.address == ("127.0.0.1", agent.port)
            assert agent.rows()[program.pid]["state"] == "running"
            debug(agent, program)
        first.process.kill()
        first.process.wait(10)
        debug(agent, second)
        rows = agent.rows()
        assert first.pid not in rows
        assert second.pid in rows
        agent.end()
        # The port goes to one of those who are left.
        debug(agent, second)


@needs_gdb
@pytest.mark.parametrize("interpreter", [OLDEST, NEWEST], ids=str)
def test_a_program_that_did_nothing_is_listed_and_debugged(agent: Agent, interpreter: Interpreter) -> None:
    with Program(interpreter, WORKER, pythonpath=None) as program:
        row = agent.rows()[program.pid]
        assert (row["state"], row["name"]) == ("unprepared", "program.py")
        assert row["implementation"] == interpreter.implementation
        debug(agent, program)
        row = agent.rows()[program.pid]
        assert row["state"] == "running"
        assert row["address"] == f"127.0.0.1:{agent.port}"
        debug(agent, program)
        assert program.errors == ""
        assert SECRET not in Path(f"/proc/{agent.program.pid}/cmdline").read_text()


def test_the_folder_that_it_runs_in_is_not_trusted(agent: Agent) -> None:
    """Others may be able to write there, and it starts Python again and again."""
    folder = Path(agent.program.directory)
    (folder / "remora_client").mkdir()
    (folder / "remora_client" / "__init__.py").write_text("open('trapped', 'w')")
    with Program(NEWEST, WORKER, pythonpath=None) as program:
        assert program.pid in agent.rows()
    assert not (folder / "trapped").exists()


def test_what_cannot_be_prepared_says_why(agent: Agent) -> None:
    with Program(OLDEST, WORKER, pythonpath=None, env={"PYTHON_DISABLE_REMOTE_DEBUG": "1"}) as program:
        assert program.pid not in agent.rows()
        ran = agent.remora("exec", f"{agent.place}#{program.pid}", "-c", "where")
        assert ran.code == 3, ran
        assert "no process" in ran.errors.lower()
        assert program.process.poll() is None


def test_without_the_clients_packages_it_says_what_is_missing(remora: Remora, tmp_path: Path) -> None:
    for interpreter, pythonpath, text in ((NEWEST, PYTHONPATH, "client"), (OLDEST, ALL, "Python 3.11")):
        words = ["agent", "--no-secret", "--listen", f"127.0.0.1:{free_port()}"]
        with Program(interpreter, "#\n", argv=["-m", "remora", *words], pythonpath=pythonpath) as program:
            program.wait_line("is the agent's", errors=True)
            program.wait_line(f"did nothing to prepare are not listed.*{text}", errors=True)
            program.process.send_signal(signal.SIGTERM)
            assert program.process.wait(20) == 0


def test_wrong_words_say_so(remora: Remora, tmp_path: Path) -> None:
    for words, text in (
        (["agent"], "what a client has to know"),
        (["agent", "--no-secret", "program.py"], "runs no program"),
    ):
        with Program(NEWEST, "#\n", argv=["-m", "remora", *words]) as program:
            assert program.process.wait(20) == 2
            program.wait_line(text, errors=True)
