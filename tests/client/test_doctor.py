"""What `remora doctor` finds in eight broken set-ups, and in good ones."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remora_client import cli
from remora_protocol import RequestFailed
from tests.client.servers import DAY, SECRET, Files, Remora, Server, make_certificate
from tests.support.interpreters import NEWEST
from tests.support.program import Program

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


def test_for_people(capsys: pytest.CaptureFixture[str], certificate: Files) -> None:
    with Server(Remora()) as listener:
        assert cli.main(["doctor", f"tcp://wrong@{listener.place}"]) == 4
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["ok", "name"]
    assert any(line.startswith("failed  login") for line in lines)
    with Server(Remora(certificate=certificate.der), certificate.context()) as secured:
        assert cli.main(["doctor", f"tcps://{SECRET}@{secured.place}"]) == 5
    told = capsys.readouterr().out.splitlines()
    assert [line for line in told if line.startswith(" " * 21 + "  SHA-256")]  # in the column of its reason


def test_eight_broken_set_ups_have_their_lines(
    capsys: pytest.CaptureFixture[str], certificate: Files, tmp_path: Path
) -> None:
    """Each is one line that begins with "failed", names the layer, and has a remedy under it."""

    def line(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["doctor", *arguments])
        lines = capsys.readouterr().out.splitlines()
        (at,) = (number for number, each in enumerate(lines) if each.startswith("failed"))
        remedy = lines[at + 1].strip() if lines[at + 1 :] and lines[at + 1].startswith(" " * 21) else ""
        return code, " ".join(lines[at].split()), remedy

    def mismatch(server: Remora, arguments: object) -> None:
        raise RequestFailed("version-mismatch", "We speak 1 to 1, you 7 to 9: upgrade this side.")

    code, text, remedy = line("nosuch.invalid")
    assert code == 3 and text.startswith("failed name There is no host named") and "spelling" in remedy
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        code, text, remedy = line(f"127.0.0.1:{bound.getsockname()[1]}")
    assert code == 3 and re.search("^failed TCP .* nothing listens there", text) and "firewall" in remedy
    with Server(Remora()) as listener:
        code, text, remedy = line(f"tcps://{SECRET}@{listener.place}")
        assert code == 3 and re.search("^failed TLS .* does not speak TLS", text) and "tcp://" in remedy
        code, text, remedy = line(f"tcp://wrong@{listener.place}")
        assert (
            code == 4 and re.search("^failed login .* rejects the secret", text) and "enable_attach" in remedy
        )
    with Server(Remora(secret=None)) as listener:
        code, text, remedy = line(f"tcp://{SECRET}@{listener.place}")
        assert code == 4 and re.search("^failed login .* asks for no secret", text) and "leave" in remedy
    with Server(Remora(certificate=certificate.der), certificate.context()) as listener:
        code, text, remedy = line(f"tcps://{SECRET}@{listener.place}")
        assert code == 5 and re.search("^failed certificate .* not trusted", text)
    with Server(Remora(answers={"remora/hello": mismatch})) as listener:
        code, text, remedy = line(listener.place)
        assert code == 6 and re.search("^failed protocol .* 7 to 9: upgrade", text)
    with Server(lambda sock: sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as listener:
        code, text, remedy = line(listener.place)
        assert code == 6 and re.search("^failed protocol .* web server", text) and "port" in remedy


@pytest.mark.parametrize(("seconds", "state", "words"), [(0, "ok", "agree"), (-120, "note", "behind ours")])
def test_the_clocks_are_compared(doctor: Doctor, seconds: int, state: str, words: str) -> None:
    body = {"remora": {"engine": "fake", "limits": [], "clock": time.time() + seconds}}
    with Server(Remora(secret=None, answers={"initialize": lambda s, a: body})) as listener:
        _, found = doctor(listener.place)
    assert found["clock"]["state"] == state
    assert words in found["clock"]["text"]


def test_a_real_server_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert NEWEST is not None
    with Program(NEWEST, "#\ninput()\n", enable={"secret": "real"}) as program:
        host, port = program.address
        assert cli.main(["doctor", f"tcp://real@{host}:{port}"]) == 0
    lines = [" ".join(line.split()[:2]) for line in capsys.readouterr().out.splitlines()]
    wanted = [
        "ok name",
        "ok TCP",
        "note TLS",
        "ok protocol",
        "ok login",
        "ok processes",
        "ok debugger",
        "ok clock",
    ]
    assert [line for line in lines if line in wanted] == wanted


def test_its_look_at_the_port_ends_with_a_reset(doctor: Doctor) -> None:
    """An old ptvsd that sees an orderly end in the middle of its greeting spins for ever."""
    ends: list[object] = []

    def listen(sock: socket.socket) -> None:
        try:
            ends.append(sock.recv(1))
        except ConnectionResetError:
            ends.append("reset")

    with Server(listen) as listener:
        doctor(listener.place)
    assert ends[0] == "reset"
