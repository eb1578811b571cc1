"""`k8s://` through a stand-in for kubectl, which runs the same proxy here: no cluster was at hand."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Remora
from tests.support.interpreters import NEWEST
from tests.support.program import Program
from tests.support.workers import WORKER


def pod(name: str) -> dict[str, Any]:
    """What `kubectl get pods -o json` says of a pod, as far as it is read."""
    state = {"name": "web", "containerID": f"containerd://{name}", "state": {"running": {"startedAt": "now"}}}
    waiting = {"name": "init", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}"},
        "status": {"phase": "Running", "containerStatuses": [state, waiting]},
    }


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="k8s-", dir="/tmp"))
    for name in ("web-1", "web-2"):
        (folder / name).mkdir(mode=0o700)
    (folder / "pods.json").write_text(json.dumps({"items": [pod("web-1"), pod("web-2"), pod("web-3")]}))
    stand_in = Path(__file__).with_name("kubectl.py")
    monkeypatch.setenv("STAND_IN_KUBECTL", str(folder))
    yield folder
    shutil.rmtree(folder)
    assert stand_in.exists()


@pytest.fixture
def env() -> dict[str, str]:
    return {"REMORA_KUBECTL": shlex.join([sys.executable, str(Path(__file__).with_name("kubectl.py"))])}


class Pod(Program):
    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(
            NEWEST,
            WORKER,
            enable={"secret": "nobody here knows it", "name": f"worker of {name}"},
            env={"XDG_RUNTIME_DIR": str(folder / name)},
        )


def test_pods_are_listed_and_debugged(cluster: Path, env: dict[str, str], remora: Remora) -> None:
    with Pod(cluster, "web-1") as one, Pod(cluster, "web-2") as two:
        for each in (one, two):
            each.wait_line("worker")
        ran = remora("ls", "k8s://shop/app=web", "--json", env=env)
        assert (ran.code, ran.errors) == (0, "")
        # By name: others of this machine may be found through the temporary folder, which pods share here.
        known = ("worker of web-1", "worker of web-2", "web")
        listed = {each["host"]: each for each in json.loads(ran.output) if each["name"] in known}
        assert listed["web-1/web"]["pid"] == one.pid
        assert listed["web-2/web"]["name"] == "worker of web-2"
        assert (listed["web-3/web"]["canAttach"], "not found" in listed["web-3/web"]["remark"]) == (
            False,
            True,
        )

        commands = ["-c", "break work", "-c", "continue", "-c", "print job", "-c", "continue -all"]
        with remora.start(
            "exec", "k8s://shop/", "--name", "worker of web-*", "--json", *commands, env=env
        ) as running:
            running.result("break work")
            two.stdin_line("7")
            stopped = running.answer("continue")
            assert (stopped["pid"], stopped["host"]) == (two.pid, "web-2/web")
            assert running.result("print job")["value"] == "7"
            two.wait_line("did 14")
            one.stdin_line("2")
            assert running.answer("continue -all")["host"] == "web-1/web"
            assert running.returncode() == 0
        one.wait_line("did 4")


def test_what_kubectl_refuses_is_told(env: dict[str, str], remora: Remora, tmp_path: Path) -> None:
    ran = remora("ls", "k8s://shop/app=web", env={**env, "STAND_IN_KUBECTL": str(tmp_path)})
    assert ran.code == 3
    assert "kubectl could not list the pods" in ran.errors
    ran = remora("ls", "k8s://shop/app=web", env={"REMORA_KUBECTL": "no-such-kubectl"})
    assert ran.code == 2
    assert "no-such-kubectl cannot be started" in ran.errors
    assert remora("ls", "k8s://", env=env).code == 2
    assert remora("ls", "k8s://--kubeconfig=x/app=web", env=env).code == 2
