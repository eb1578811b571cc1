"""What `remora doctor` finds in eight broken set-ups, and in good ones."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remora_client import cli
from remora_protocol import RequestFailed
from tests.client.servers import DAY, SECRET, Files, Remora, Server, make_certificate

Doctor = Callable[..., tuple[int, dict[str, dict[str, Any]]]]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    def examine(*arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
        code = cli.main(["doctor", "--json", *arguments])
        return code, {each["step"]: each for each in json.loads(capsys.readouterr().out)}

    return examine


def states(found: dict[str, dict[str, Any]]) -> list[str]:
    return [f"{step}:{each['state']}" for step, each in found.items()]


def test_all_is_well(doctor: Doctor, certificate: Files) -> None:
    server = Remora(certificate=certificate.der)
    with Server(server, certificate.context()) as listener:
        code, found = doctor("--cafile", certificate.certfile, f"tcps://{SECRET}@{listener.place}")
    assert code == 0
    assert list(found) == ["dns", "tcp", "tls", "certificate", "protocol", "login", "process", "debugger"]
    assert "TLSv1" in found["tls"]["text"]
    assert found["certificate"]["state"] == "note"  # it ends tomorrow
    assert "the server knows it" in found["login"]["text"]
    assert "engine fake" in found["debugger"]["text"]
    assert server.asked("attach") == []  # only looked at


def test_without_tls_it_says_so(doctor: Doctor) -> None:
    with Server(Remora(secret=None)) as listener:
        code, found = doctor(listener.place)
    assert code == 0
    assert found["tls"]["text"] == "not encrypted"
    assert found["login"]["text"] == "no secret is asked for"


def test_where_it_breaks(doctor: Doctor, certificate: Files, tmp_path: Path) -> None:
    def mismatch(server: Remora, arguments: object) -> None:
        raise RequestFailed("version-mismatch", "too old")

    rest = ["process:skipped", "debugger:skipped"]
    code, found = doctor("nosuch.invalid")
    assert (code, found["dns"]["state"], found["tcp"]["state"]) == (3, "failed", "skipped")

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        code, found = doctor(f"127.0.0.1:{bound.getsockname()[1]}")
    assert states(found)[:2] == ["dns:ok", "tcp:failed"]
    assert "firewall" in found["tcp"]["remedy"]

    with Server(Remora()) as listener:
        code, found = doctor(f"tcp://wrong@{listener.place}")
        assert (code, states(found)) == (4, ["dns:ok", "tcp:ok", "protocol:ok", "login:failed", *rest])
        code, found = doctor(f"tcps://{SECRET}@{listener.place}")
        assert (code, states(found)[2]) == (3, "tls:failed")

    old = make_certificate(tmp_path, "old", start=-9 * DAY, end=-DAY)
    with Server(Remora(certificate=old.der), old.context()) as listener:
        code, found = doctor(f"tcps://{SECRET}@{listener.place}")
        assert (code, states(found)[2:4]) == (5, ["tls:ok", "certificate:failed"])
        assert "expired" in found["certificate"]["text"]

    with Server(Remora(answers={"remora/hello": mismatch})) as listener:
        code, found = doctor(listener.place)
        assert (code, states(found)[2]) == (6, "protocol:failed")

    with Server(lambda sock: sock.sendall(b"SSH-2.0-x\r\n")) as listener:
        code, found = doctor(listener.place)
        assert (code, states(found)[2]) == (6, "protocol:failed")
        assert "SSH" in found["protocol"]["text"]


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    with Server(Remora()) as listener:
        assert cli.main(["doctor", f"tcp://wrong@{listener.place}"]) == 4
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["ok", "name"]
    assert any(line.startswith("failed  login") for line in lines)
