"""`ray://` against a real cluster of three worker processes on this machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.e2e.engines.engine import Engine, Jobs
from tests.support.command import Remora, Running

pytest.importorskip("ray", reason="the extra ray is not installed")

JOBS = """\
# What tasks and actors do.
import os


def job(number):
    double = 2 * number
    return f"{double} {os.getpid()}"  # @double


class Worker:
    def pid(self):
        return os.getpid()

    def do(self, number):
        return job(number)  # @call
"""
ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token"}


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    return Jobs(tmp_path_factory.mktemp("ray"), JOBS)


@pytest.fixture(scope="module")
def cluster(jobs: Jobs) -> Iterator[tuple[Engine, str]]:
    with Engine("ray_cluster.py", jobs, env=ENVIRONMENT) as cluster:
        folder = cluster.answer("folder")
        yield cluster, cluster.answer("cluster")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def place(cluster: tuple[Engine, str], jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOME", str(jobs.folder))  # the cluster's token is there
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return f"ray://{cluster[1]}"


def exec_(remora: Remora, place: str, *commands: str) -> Running:
    each = [part for command in commands for part in ("-c", command)]
    return remora.start("exec", place, "--json", *each)


def test_breakpoints_in_tasks_and_actors(
    cluster: tuple[Engine, str], jobs: Jobs, place: str, remora: Remora
) -> None:
    """In one, so that there is one cluster, however the tests are spread."""
    check_a_remote_function(cluster[0], jobs, place, remora)
    for name in ("counter", "nameless"):
        check_an_actor_that_runs(cluster[1], jobs, place, remora, name)


def check_a_remote_function(engine: Engine, jobs: Jobs, place: str, remora: Remora) -> None:
    for number in range(3):  # three workers, each with the hook
        engine.say(f"first{number} {number}")
    pids = {int(engine.answer(f"first{number}").split()[1]) for number in range(3)}
    line = f"break {jobs.path}:{jobs.line('double')}"
    with exec_(remora, place, line, "continue", "print double", "continue -all") as running:
        running.result(line, timeout=60)
        engine.say("second 21")
        stopped = running.answer("continue", timeout=60)
        assert stopped["stop"]["reason"] == "breakpoint"
        assert running.result("print double")["value"] == "42"
        assert engine.answer("second") == f"42 {stopped['pid']}"
        running.kill()
    assert pids
    engine.say("third 5")
    assert engine.answer("third").split()[0] == "10"  # nobody is there any more


def check_an_actor_that_runs(address: str, jobs: Jobs, place: str, remora: Remora, name: str) -> None:
    """Of another job, which has no hook."""
    with Engine("ray_cluster.py", jobs, address, env=ENVIRONMENT) as theirs:
        theirs.answer("cluster")
        pid = int(theirs.ask(f"actor {name}"))
        listed = json.loads(remora("ls", place, "--json").output)
        kinds = {each["kind"] for each in listed}
        assert kinds == {"node", "worker", "actor"}
        (actor,) = [each for each in listed if each["kind"] == "actor"]
        shown = "ray actor Worker counter" if name == "counter" else "ray actor Worker"
        assert (actor["pid"], actor["name"], actor["canAttach"]) == (pid, shown, True)

        line = f"break {jobs.path}:{jobs.line('call')}"
        with exec_(remora, place, line, "continue", "print number", "step") as running:
            running.result(line, timeout=60)
            theirs.say(f"call {name} 4")
            stopped = running.answer("continue", timeout=60)
            assert (stopped["pid"], stopped["stop"]["frame"]["name"]) == (pid, "Worker.do")
            assert running.result("print number")["value"] == "4"
            assert running.stop("step")["frame"]["name"] == "job"
            assert running.returncode(60) == 0
        assert theirs.answer("call") == f"8 {pid}"
        theirs.say(f"call {name} 5")  # nobody is there any more, and the actor is
        assert theirs.answer("call") == f"10 {pid}"


def test_a_cluster_that_is_not_there(remora: Remora) -> None:
    ran = remora("ls", "ray://127.0.0.1:1")
    assert ran.code == 3
    assert "refused" in ran.errors
    assert remora("ls", "ray://host/path").code == 2
