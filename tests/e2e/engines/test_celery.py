"""`celery://` against a real worker of three processes, with a broker that is a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Remora
from tests.support.program import clean_environment, markers, runtime_folder

pytest.importorskip("celery", reason="the extra celery is not installed")

APP = """\
# The app of the tests: its broker and its results are folders.
import os

from celery import Celery
from celery.signals import worker_process_init

here = os.path.dirname(os.path.abspath(__file__))
app = Celery("queue_app", broker="filesystem://", backend=f"file://{here}/results")
app.conf.broker_transport_options = {
    "data_folder_in": f"{here}/messages",
    "data_folder_out": f"{here}/messages",
    "control_folder": f"{here}/control",
}
app.conf.worker_hijack_root_logger = False


@worker_process_init.connect
def enable_attach(**kwargs):
    import remora

    remora.enable_attach("the workers' secret", ("127.0.0.1", 0), name="celery worker")


@app.task
def double(number):
    result = 2 * number
    return [result, os.getpid()]  # @double
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("celery")
    (folder / "queue_app.py").write_text(APP)
    for name in ("results", "messages", "control"):
        (folder / name).mkdir()
    return folder


def environment(folder: Path) -> dict[str, str]:
    return clean_environment({"PYTHONPATH": str(folder)})


@pytest.fixture(scope="module")
def worker(folder: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-A", "queue_app", "worker", "--pool", "prefork"]
    command += ["--concurrency", "3", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def call(folder: Path, number: int) -> subprocess.Popen[str]:
    code = f"import queue_app; print(*queue_app.double.delay({number}).get(timeout=60))"
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True
    )


def test_a_breakpoint_in_a_task(
    folder: Path, worker: None, remora: Remora, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    there = Remora(remora.configuration, folder)  # where the app can be imported
    deadline = time.monotonic() + 60
    listed: list[dict[str, object]] = []
    while len(listed) < 3 and time.monotonic() < deadline:
        ran = there("ls", "celery://queue_app", "--json")
        listed = json.loads(ran.output) if ran.code == 0 else []
    assert len(listed) == 3, (folder / "log").read_text()
    assert {each["kind"] for each in listed} == {"worker"}

    line = f"break queue_app.py:{markers(folder / 'queue_app.py')['double']}"
    commands = ["-c", line, "-c", "continue", "-c", "print result"]
    with there.start("exec", "celery://queue_app:app", "--json", *commands) as running:
        assert running.result(line, timeout=60)["verified"]
        with call(folder, 21) as caller:
            stopped = running.answer("continue", timeout=60)
            assert stopped["pid"] in {each["pid"] for each in listed}
            assert running.result("print result")["value"] == "42"
            assert running.returncode(60) == 0  # leaves, and the task runs on
            out, _ = caller.communicate(timeout=60)
            assert out.split() == ["42", str(stopped["pid"])]
    assert os.path.isdir(runtime_folder())


def test_an_app_that_is_not_there(remora: Remora) -> None:
    ran = remora("ls", "celery://no_such_module")
    assert ran.code == 2
    assert "cannot be imported here" in ran.errors
    assert remora("ls", "celery://").code == 2
    assert "no Celery app" in remora("ls", "celery://json").errors
