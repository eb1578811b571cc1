"""The gallery of examples, run as its readers run it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.game import SECRET, tls_enable
from tests.support.command import Remora, client_environment
from tests.support.interpreters import NEWEST, ROOT, Interpreter
from tests.support.ports import free_port
from tests.support.program import EXAMPLES, PYTHONPATH, Program
from tests.support.waiting import until

assert NEWEST
SERVICE = """\
#
import threading, time, remora

def handle(number):
    total = number * 2  # @total
    if number % 5 == 0:
        raise ValueError(f"no {number}")
    return total

def serve(number):
    handle(number)

remora.wait_for_attach(30)
for number in range(1, 1000):
    thread = threading.Thread(target=serve, args=(number,))
    thread.start()
    thread.join()
    time.sleep(0.02)
"""


def run(remora: Remora, name: str, *arguments: str, secret: str | None = None, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        env=client_environment(remora.configuration, {"REMORA_SECRET": secret} if secret else {}),
        cwd=remora.folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    return done.stderr if code else done.stdout


def test_wait_for_a_value_and_dump(remora: Remora) -> None:
    with Program(NEWEST, "function_loop.py", enable={}) as program:
        where = f"function_loop.py:{program.line('step_return')}"
        dumped = json.loads(run(remora, "wait_for_value.py", program.qualifier, where, "value > 50"))
        assert int(dumped["locals"]["doubled"]) > 100
        assert "step" in dumped["stack"][0]


def test_ctrl_c_ends_an_example_and_not_the_program(remora: Remora) -> None:
    with Program(NEWEST, "function_loop.py", enable={}) as program:
        where = f"function_loop.py:{program.line('step_return')}"
        example = subprocess.Popen(
            [sys.executable, str(EXAMPLES / "wait_for_value.py"), program.qualifier, where, "value < 0"],
            env=client_environment(remora.configuration, {}),
            cwd=remora.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until(
            lambda: json.loads(remora("ls", "--json", program.qualifier).output)[0]["attachedBy"], "a client"
        )
        example.send_signal(signal.SIGINT)
        assert example.communicate(timeout=20) == ("", "")
        assert example.returncode == 130
        assert remora.exec(program.qualifier, "pause", "print state").code == 0


def test_over_tls_with_a_secret(
    remora: Remora, certificate: dict[str, str], interpreter: Interpreter
) -> None:
    with Program(
        interpreter, "function_loop.py", enable={"secret": SECRET, **tls_enable(certificate)}
    ) as program:
        host, port = program.address
        assert remora("trust", "add", f"{host}:{port}", certificate["fingerprint"]).code == 0
        target = f"tcps://{host}:{port}"
        where = f"function_loop.py:{program.line('step_return')}"
        dumped = json.loads(run(remora, "wait_for_value.py", target, where, "value > 50", secret=SECRET))
        assert int(dumped["locals"]["doubled"]) > 100
        assert "spin" in run(remora, "sample_stacks.py", target, "3", secret=SECRET)


def test_what_goes_wrong_is_told_in_a_sentence(remora: Remora) -> None:
    nowhere = f"tcp://127.0.0.1:{free_port()}"
    for name, *arguments in (
        ("wait_for_value.py", nowhere, "app.py:1", "True"),
        ("collect_exceptions.py", nowhere),
        ("sample_stacks.py", nowhere),
        ("trace_arguments.py", nowhere, "app.py:1", "x"),
    ):
        assert "refused the connection" in run(remora, name, *arguments, code=1)
    assert "refused the connection" in run(remora, "watch_workers.py", "1", nowhere)
    with Program(NEWEST, "function_loop.py", enable={}) as program:
        traced = run(remora, "trace_arguments.py", program.qualifier, "nowhere.py:1", "x", "0.1")
        assert traced == ""
        assert "True" in run(remora, "watch_workers.py", "state['running']", program.qualifier, nowhere)


def test_wrong_usage_shows_the_usage(remora: Remora) -> None:
    for name in ("wait_for_value", "collect_exceptions", "sample_stacks", "trace_arguments", "watch_workers"):
        assert f"python {name}.py " in run(remora, f"{name}.py", code=1)


def test_a_condition_that_cannot_be_asked_is_told(remora: Remora) -> None:
    with Program(NEWEST, "function_loop.py", enable={}) as program:
        where = f"function_loop.py:{program.line('doubled')}"
        for condition, told in (("nonsense > 3", "NameError"), ("value >", "invalid syntax")):
            assert told in run(remora, "wait_for_value.py", program.qualifier, where, condition, code=1)


def test_sample_stacks(remora: Remora) -> None:
    with Program(NEWEST, "function_loop.py", enable={}) as program:
        sampled = run(remora, "sample_stacks.py", program.qualifier, "10")
        assert sum(int(line.split()[0]) for line in sampled.splitlines()) == 10
        assert "MainThread" in sampled
        assert "spin" in sampled


def test_trace_arguments(remora: Remora) -> None:
    with Program(NEWEST, SERVICE, enable={}, name="service.py", warnings="default") as program:
        where = f"service.py:{program.line('total')}"
        traced = run(remora, "trace_arguments.py", program.qualifier, where, "number={number}", "1.5")
        numbers = [int(found) for found in re.findall(r"number=(\d+)", traced)]
        assert len(numbers) > 2
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_collect_exceptions(remora: Remora) -> None:
    with Program(NEWEST, SERVICE, enable={}, name="service.py", warnings="default") as program:
        found = [
            json.loads(line)
            for line in run(remora, "collect_exceptions.py", program.qualifier, "3").splitlines()
        ]
        assert len(found) >= 2
        assert all(int(each["locals"]["number"]) % 5 == 0 for each in found)
        assert all("no " in each["exception"] for each in found)


def test_watch_workers(remora: Remora) -> None:
    with (
        Program(NEWEST, "function_loop.py", enable={}) as one,
        Program(NEWEST, "function_loop.py", enable={}) as two,
    ):
        watched = run(remora, "watch_workers.py", "state['running']", one.qualifier, two.qualifier)
        assert [line.split()[-1] for line in watched.splitlines()] == ["True", "True"]


def test_a_failing_test_waits(remora: Remora, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    answer = 41\n    assert answer == 42\n")
    environment = client_environment(
        remora.configuration, {"PYTHONPATH": os.pathsep.join([PYTHONPATH, str(EXAMPLES)])}
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-s",
        "-p",
        "pytest_remora",
        "--remora",
        "30",
        "test_it.py",
    ]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as tests:
        try:
            assert tests.stderr
            said = tests.stderr.readline()
            target = said.split()[-1]
            with remora.start_exec(target, "wait", "print answer") as session:
                assert session.stop("wait")["frame"]["name"] == "test_it"
                assert session.result("print answer")["value"] == "41"
                assert session.returncode() == 0
            assert tests.wait(30) == 1
        finally:
            tests.kill()


def test_every_example_is_run_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8") + (ROOT / "tests" / "e2e" / "game.py").read_text()
    for each in EXAMPLES.glob("*.py"):
        assert each.name in text or each.stem in text, each
