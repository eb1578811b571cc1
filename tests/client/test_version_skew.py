"""An older or a newer peer: what both know works, and what one does not know is said, not stumbled over.

The other side is simulated: the server's by another range of protocol versions and by more or fewer
requests, fields and events; the client's by what it says in its hello.
"""

from __future__ import annotations

from typing import Any

import pytest

from remora_protocol import RequestFailed
from remora_protocol._login import hello_body, negotiate
from tests.client.servers import SECRET, Answer, Server, process
from tests.client.servers import Remora as Honest
from tests.support.command import Ran, Remora
from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST
from tests.support.program import Program

SPOKEN_BY_A_NEWER_SERVER = (1, 3)


def _stop(server: Honest, _arguments: dict[str, Any]) -> dict[str, Any]:
    server.emit("stopped", {"reason": "pause", "threadId": 1})
    return {}


def _run(remora: Remora, answers: dict[str, Answer], *commands: str) -> Ran:
    given = [word for command in commands for word in ("-c", command)]
    with Server(Honest(answers={"pause": _stop, **answers})) as listener:
        return remora("exec", f"tcp://{SECRET}@{listener.place}", "--timeout", "15", *given)


def test_a_newer_server_that_still_speaks_our_version_is_debugged(remora: Remora) -> None:
    def hello(_server: Honest, arguments: dict[str, Any]) -> dict[str, Any]:
        chosen = negotiate(arguments["protocol"], SPOKEN_BY_A_NEWER_SERVER)
        body = hello_body(chosen, "remora", "7.0.0", ["SCRAM-SHA-512-FUTURE", "SCRAM-SHA-256"])
        return {**body, "quantum": {"safe": True}}

    def initialize(server: Honest, _arguments: dict[str, Any]) -> dict[str, Any]:
        server.emit("remora/weather", {"sun": True})
        server.emit("memory", {"memoryReference": "x"})
        return {
            "supportsConfigurationDoneRequest": True,
            "supportsTimeTravel": True,
            "remora": {"version": "7.0.0", "requests": ["remora/until", "remora/rewind"], "engine": "jit-5"},
        }

    def stack(_server: Honest, _arguments: dict[str, Any]) -> dict[str, Any]:
        source = {"path": "/app/guess.py", "checksums": [{"algorithm": "BLAKE9", "checksum": "x"}], "mood": 1}
        frame = {"id": 7, "name": "main", "line": 12, "column": 1, "source": source, "colour": "blue"}
        return {"stackFrames": [frame], "totalFrames": 1}

    answers: dict[str, Answer] = {
        "remora/hello": hello,
        "initialize": initialize,
        "stackTrace": stack,
        "remora/processes": lambda _server, _arguments: {"processes": [process(mood="fine", state="?")]},
    }
    ran = _run(remora, answers, "pause", "where", "threads")
    assert ran.code == 0, ran
    assert "main" in ran.output


def test_a_server_that_has_left_our_version_behind_says_who_is_to_upgrade(remora: Remora) -> None:
    def hello(_server: Honest, arguments: dict[str, Any]) -> Any:
        return negotiate(arguments["protocol"], (2, 3))

    ran = _run(remora, {"remora/hello": hello}, "where")
    assert ran.code == 6, ran
    assert "versions 2 to 3" in ran.errors and "1 to 1" in ran.errors
    assert "pgrade" in ran.errors


def test_an_older_server_lacks_what_it_does_not_know_and_no_more(remora: Remora) -> None:
    def initialize(_server: Honest, _arguments: dict[str, Any]) -> dict[str, Any]:
        return {"supportsConfigurationDoneRequest": True}  # no word of ours

    def unknown(_server: Honest, _arguments: dict[str, Any]) -> Any:
        raise RequestFailed("unknown-command", "There is no request of this name here.")

    old: dict[str, Answer] = {
        "initialize": initialize,
        "remora/tasks": unknown,
        "remora/ping": unknown,
        "completions": unknown,
        "exceptionInfo": unknown,
    }
    assert _run(remora, old, "pause", "where").code == 0
    for command in ("tasks", "until 14", "exceptions", "catch raised"):
        ran = _run(remora, old, "pause", command)
        assert ran.code in (0, 1), ran
        assert "Traceback" not in ran.errors
        assert ran.code == 0 or ran.errors.startswith(f"remora: {command}:"), ran


def test_our_server_takes_a_newer_client_that_still_speaks_its_version() -> None:
    with Program(NEWEST, "#\ninput()\n", enable={"secret": SECRET}) as program:
        with DapClient.connect(program.address, login=False) as client:
            body = client.hello(
                protocol={"min": 1, "max": 3, "preferred": 3},
                client={"name": "remora", "version": "7.0.0", "mood": "fine"},
                features=["quantum"],
            )
            assert body["protocol"] == 1
        with DapClient.connect(program.address, SECRET) as client:
            client.initialize(supportsTimeTravel=True, supportsANSIStyling=True)
            client.attach(initialize=False, timeTravel=True)
            with pytest.raises(Refused, match="unknown-command"):
                client.request("remora/rewind")
            assert client.threads()


def test_our_server_tells_a_client_that_is_too_new_which_side_to_upgrade() -> None:
    with Program(NEWEST, "#\ninput()\n", enable={"secret": SECRET}) as program:
        with DapClient.connect(program.address, login=False) as client:
            with pytest.raises(Refused, match=r"versions 1 to 1 .* 2 to 5.*upgrade"):
                client.hello(protocol={"min": 2, "max": 5})
