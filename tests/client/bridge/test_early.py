"""Configuration before the attach, against a server that decides what comes first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remora_protocol import RequestFailed
from tests.client.servers import SECRET, Server
from tests.client.servers import Remora as Honest
from tests.support.bridge import Bridge
from tests.support.command import Remora


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "guess.py"
    path.write_text("value = 1\n" * 5)
    return path


def test_a_stop_that_comes_before_the_answer_names_the_number_that_the_editor_knows(
    remora: Remora, file: Path
) -> None:
    def set_breakpoints(server: Honest, _arguments: dict[str, Any]) -> dict[str, Any]:
        server.announce("output", {"category": "stdout", "output": "first\n"})
        server.announce("stopped", {"reason": "breakpoint", "threadId": 1, "hitBreakpointIds": [101]})
        return {"breakpoints": [{"id": 101, "verified": True, "line": 2}]}

    honest = Honest(answers={"setBreakpoints": set_breakpoints})
    with Server(honest) as listener, Bridge(remora) as bridge:
        editor = bridge.editor
        editor.initialize()
        editor.expect_event("initialized")
        (pending,) = editor.set_breakpoints(file, [2])
        editor.request("configurationDone")
        editor.request("attach", qualifier=f"tcp://{SECRET}@{listener.place}")
        changed = editor.expect_event("breakpoint", reason="changed")["breakpoint"]
        assert (changed["id"], changed["verified"]) == (pending["id"], True)
        assert editor.expect_event("output", category="stdout")["output"] == "first\n"
        assert editor.wait_stopped()["hitBreakpointIds"] == [pending["id"]]
        editor.disconnect()


def test_a_refusal_keeps_no_event_back(remora: Remora, file: Path) -> None:
    def set_breakpoints(server: Honest, _arguments: dict[str, Any]) -> dict[str, Any]:
        server.announce("stopped", {"reason": "pause", "threadId": 1})
        raise RequestFailed("failed", "Not today.")

    honest = Honest(answers={"setBreakpoints": set_breakpoints})
    with Server(honest) as listener, Bridge(remora) as bridge:
        editor = bridge.editor
        editor.initialize()
        editor.set_breakpoints(file, [2])
        editor.request("configurationDone")
        editor.request("attach", qualifier=f"tcp://{SECRET}@{listener.place}")
        assert editor.wait_stopped()["reason"] == "pause"
        while "Not today." not in editor.expect_event("output")["output"]:
            pass  # there is other output, too
        editor.disconnect()
