"""stepi, nexti, disassemble, and steps into one call or into library code, in a real session."""

from __future__ import annotations

import pytest

from remora_client import ClientError
from remora_client.commands import error_text
from tests.client.commands.conftest import Debugging


def test_disassemble_points_at_the_instruction(debugging: Debugging) -> None:
    debugging.to("for")
    rows = debugging.run("disassemble")
    here = [row for row in rows if row["current"]]
    assert len(here) == 1
    assert here[0]["line"] == debugging.line("for")
    arrow = next(line for line in debugging.text.splitlines() if " → " in line)
    assert here[0]["instruction"] in arrow
    debugging.run("nexti")
    later = [row for row in debugging.run("disass") if row["current"]]
    assert later[0]["offset"] > here[0]["offset"]


def test_instruction_by_instruction(debugging: Debugging) -> None:
    debugging.to("handle")
    debugging.run("next")
    for _ in range(40):
        debugging.run("stepi")
        assert debugging.stop is not None
        assert "  → " in debugging.text
        if debugging.at("add"):
            break
    assert debugging.at("add")
    debugging.run("return", "nexti 2")
    assert debugging.stop is not None
    assert debugging.stop.frame is not None
    assert debugging.stop.frame.name == "handle"


def test_into_one_call_of_several(debugging: Debugging) -> None:
    debugging.to("call")
    with pytest.raises(ClientError, match=r"No call of walk") as caught:
        debugging.run("step into walk")
    assert "line.strip, handle" in error_text(caught.value)
    debugging.run("step into handle")
    assert debugging.at("handle")


def test_the_call_runs_again(debugging: Debugging) -> None:
    debugging.to("loop")
    debugging.run("restartframe")
    assert debugging.at("handle"), debugging.text
    assert debugging.stop is not None
    assert debugging.stop.reason == "restart"
    debugging.run("next 2")
    assert debugging.run("print first")["value"] == "10"
