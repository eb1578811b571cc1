"""Commands about objects as such, and those that work on this machine and not in the program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remora_client._errors import ClientError
from tests.client.commands.conftest import Debugging


def test_objects(debugging: Debugging) -> None:
    debugging.to("print")
    assert debugging.run("dir counter") == ["add", "value"]
    assert "__init__" in debugging.run("dir -p counter")
    size = debugging.run("sizeof mapping['numbers']")
    assert size["items"] == 100
    assert size["bytes"] > 800
    assert "items" not in debugging.run("sizeof 5")
    assert "100 items" in debugging.text or debugging.run("sizeof mapping['numbers']")
    holders = debugging.run("refs mapping['numbers']")
    assert {"type": "dict", "names": "numbers"} in holders
    holders = debugging.run("refs counter")
    assert {"type": "local variable", "names": "counter"} in holders
    assert [each["type"] for each in holders].count("dict") == 0, holders
    debugging.run("locals")
    debugging.run("p counter")
    kinds = {each["type"] for each in debugging.run("refs counter")}
    assert "Held" not in kinds, kinds  # what the debugger itself keeps for the client
    holders = debugging.run("refs Counter")
    assert any(each["names"] == "Counter" for each in holders), holders
    with pytest.raises(ClientError, match="As in"):
        debugging.run("refs")


def test_scopes_are_kept_apart(debugging: Debugging) -> None:
    debugging.to("print")
    found = debugging.run("vars")
    names = {scope: {each["name"] for each in rows} for scope, rows in found.items()}
    assert any({"word", "total"} <= each for each in names.values())
    assert any("Counter" in each and "word" not in each for each in names.values())
    assert "Globals\n" in debugging.text


def test_frame_apply(debugging: Debugging) -> None:
    debugging.to("loop")
    found = debugging.run("frame apply all print total")
    assert [each["name"] for each in found] == ["<module>", "handle"]
    assert "NameError" in found[0]["error"]
    assert found[1]["result"]["value"] == "0"
    assert "NameError" in debugging.text
    assert len(debugging.run("frame apply 1 print total")) == 1
    assert debugging.run("frame")["name"] == "handle"
    with pytest.raises(ClientError, match="frame apply all"):
        debugging.run("frame apply all")


def test_jump_targets(debugging: Debugging) -> None:
    debugging.to("handle")
    lines = [each["line"] for each in debugging.run("jump -list")]
    assert debugging.line("loop") in lines
    assert debugging.line("add") not in lines
    assert "total += number" in debugging.text


def test_display_the_way_of_delve(debugging: Debugging) -> None:
    debugging.to("loop")
    debugging.run("display -a total", "display number")
    assert [each["expression"] for each in debugging.run("display -d 1")] == ["number"]


def test_sticky(debugging: Debugging) -> None:
    debugging.to("loop")
    assert debugging.run("sticky")["value"] == "on"
    debugging.run("next")
    assert "def handle(word)" in debugging.text
    assert "return total + first" in debugging.text
    assert debugging.run("sticky off")["value"] == "off"


def test_values_go_to_files(debugging: Debugging, tmp_path: Path) -> None:
    debugging.to("print")
    target = tmp_path / "value"
    assert debugging.run(f"save 'ä' * 600_000 {target}")["bytes"] == 1_200_000
    assert target.read_text(encoding="utf-8") == "ä" * 600_000
    debugging.run(f"save bytes(range(256)) {target}")
    assert target.read_bytes() == bytes(range(256))
    debugging.run(f"save mapping['nested']['deep'][:2] {target}")
    assert target.read_text() == "[1, 2]\n"
    with pytest.raises(ClientError, match="cannot be written"):
        debugging.run(f"save 1 {tmp_path}")


def test_pipes_and_json(debugging: Debugging) -> None:
    debugging.to("loop")
    assert debugging.run("where | wc -l")["output"].strip() == "2"
    assert debugging.text.strip() == "2"
    debugging.run("threads --json")
    assert json.loads(debugging.text)[0]["name"] == "MainThread"
    assert debugging.run("where | exit 3") == {"output": "", "exitCode": 3}


def test_python_of_this_machine(debugging: Debugging) -> None:
    debugging.to("loop")
    assert debugging.run("py session.evaluate('total + 1').value") == {"value": "'1'", "output": ""}
    debugging.run("py numbers = [each.name for each in session.stack()]")
    assert debugging.run("py print(numbers)")["output"] == "['handle', '<module>']\n"
    assert debugging.text == "['handle', '<module>']\n"
    with pytest.raises(ClientError, match="ZeroDivisionError"):
        debugging.run("py 1 / 0")
    with pytest.raises(ClientError, match="SyntaxError"):
        debugging.run("py (")


def test_the_shell_of_this_machine(debugging: Debugging) -> None:
    assert debugging.run("sh echo one two") == {"output": "one two\n", "exitCode": 0}
    assert debugging.text == "one two\n"
    with pytest.raises(ClientError, match="git diff"):
        debugging.run("sh")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("restart", "Only who started"),
        ("interact", "somebody who types"),
        ("clipboard 1", "no terminal"),
        ("detach -stopped", "running"),
        ("detach now", "-stopped"),
        ("quit now", "-stopped"),
        ("dir", "As in"),
        ("sizeof", "As in"),
        ("py", "As in"),
        ("sticky x", "on, off"),
    ],
)
def test_a_refusal_says_why(debugging: Debugging, command: str, says: str) -> None:
    with pytest.raises(ClientError, match=says):
        debugging.run(command)


def test_left_standing(debugging: Debugging) -> None:
    debugging.to("loop")
    debugging.run("detach -stopped")
    again = Debugging(debugging.program, debugging.runner)
    try:
        assert again.runner.run(again.session.wait_for_stop(10)) is not None
        assert again.run("print number")["value"] == "0"
    finally:
        again.close()
