"""`dask://` against a real cluster of three worker processes on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from remora_client import Sessions, attach_all
from tests.e2e.engines.engine import Engine, Jobs
from tests.support.command import Remora

pytest.importorskip("distributed", reason="the extra dask is not installed")


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    return Jobs(tmp_path_factory.mktemp("dask"))


@pytest.fixture(scope="module")
def cluster(jobs: Jobs) -> Iterator[Engine]:
    # The scheduler gives a worker up after 5 s without a heartbeat, its least for three; not after 5 minutes.
    with Engine("dask_cluster.py", jobs, env={"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "1 s"}) as cluster:
        cluster.address = cluster.answer("scheduler").replace("tcp://", "dask://")  # type: ignore[attr-defined]
        yield cluster


@pytest.fixture
def address(cluster: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("REMORA_CONFIG_DIR", str(tmp_path))
    found: str = cluster.address  # type: ignore[attr-defined]
    return found


def pids(sessions: Sessions) -> set[int]:
    return {each.process["pid"] for each in sessions if each.process}


def test_a_cluster(cluster: Engine, jobs: Jobs, address: str, remora: Remora) -> None:
    """In one, so that there is one cluster, however the tests are spread."""
    check_ls(address, remora)
    check_whichever_worker_runs_the_task(cluster, jobs, address)
    check_that_restarted_workers_come_back(cluster, jobs, address)


def check_whichever_worker_runs_the_task(cluster: Engine, jobs: Jobs, address: str) -> None:
    with attach_all([address]) as sessions:
        assert len(pids(sessions)) == 3
        sessions.break_at(str(jobs.path), jobs.line("double"))
        cluster.say("first 21")
        found = sessions.next_stop(20)
        assert found is not None
        session, stop = found
        assert stop.reason == "breakpoint"
        assert session.evaluate("double").value == "42"
        assert session.process is not None and session.process["pid"] in pids(sessions)

        # Held for longer than the scheduler waits: it keeps its worker and its task all the same.
        assert float(cluster.ask("lease")) == float("inf")
        before = cluster.ask("workers")
        time.sleep(7)
        assert cluster.ask("workers") == before
        session.go()
        assert cluster.answer("first") == f"42 {session.process['pid']}"

        # Three at once: each worker stops for itself.
        for number in range(3):
            cluster.say(f"many{number} {number}")
        stopped = {found[0].process["pid"] for _ in range(3) if (found := sessions.next_stop(20))}  # type: ignore[index]
        assert stopped == pids(sessions)
        sessions.go()
        for number in range(3):
            assert cluster.answer(f"many{number}").split()[0] == str(2 * number)
    assert cluster.ask("last 4").split()[0] == "8"  # nobody is there any more to stop it
    deadline = time.monotonic() + 20
    while float(cluster.ask("lease")) != 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert float(cluster.ask("lease")) == 1


def check_that_restarted_workers_come_back(cluster: Engine, jobs: Jobs, address: str) -> None:
    with attach_all([address]) as sessions:
        sessions.break_at(str(jobs.path), jobs.line("double"))
        before = pids(sessions)
        cluster.ask("restart")
        deadline = time.monotonic() + 30
        while (len(pids(sessions)) < 3 or pids(sessions) & before) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(pids(sessions)) == 3
        assert not pids(sessions) & before
        cluster.say("again 5")
        found = sessions.next_stop(20)
        assert found is not None
        sessions.go()
        assert cluster.answer("again") == f"10 {found[0].process['pid']}"  # type: ignore[index]


def check_ls(address: str, remora: Remora) -> None:
    ran = remora("ls", address)
    assert (ran.code, ran.errors) == (0, "")
    assert sum("dask worker" in line for line in ran.output.splitlines()) == 3
    listed = json.loads(remora("ls", address, "--json").output)
    assert {each["name"] for each in listed} == {"dask worker 0", "dask worker 1", "dask worker 2"}
    assert all(each["pid"] > 0 and each["kind"] == "worker" for each in listed)


def test_a_scheduler_that_is_not_there(remora: Remora) -> None:
    ran = remora("ls", "dask://127.0.0.1:1", "--timeout", "2")
    assert ran.code == 3
    assert "No Dask scheduler answers" in ran.errors
    assert "Traceback" not in ran.errors
