"""What may stand behind a command: --json and | PROGRAM; and OBJ? for who knows IPython."""

from __future__ import annotations

import pytest

from remora_client.commands import CommandLine, PythonLine, classify, classify_script


def read(line: str, names: frozenset[str] = frozenset()) -> tuple[str, str, bool, str]:
    found = classify(line, names)
    assert isinstance(found, CommandLine), line
    return found.command.name, found.arguments, found.tail.as_json, found.tail.pipe


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("bt | wc -l", ("where", "", False, "wc -l")),
        ("bt 3 | sort | wc -l", ("where", "3", False, "sort | wc -l")),
        ("threads --json", ("threads", "", True, "")),
        ("p x --json", ("print", "x", True, "")),
        ("p x --json | wc -c", ("print", "x", True, "wc -c")),
        ("p text | wc -l", ("print", "text", False, "wc -l")),
        ("p 'a | wc' + b", ("print", "'a | wc' + b", False, "")),
        ("p [a | wc]", ("print", "[a | wc]", False, "")),
        ("p a | no_such_program_1", ("print", "a | no_such_program_1", False, "")),
        ("b 3 if a | wc", ("break", "3 if a | wc", False, "")),
        ("on 1 bt | wc -l", ("commands", "1 bt | wc -l", False, "")),
        ("word?", ("inspect", "word", False, "")),
        ("word.upper??", ("src", "word.upper", False, "")),
        ("where?", ("help", "where", False, "")),
        ("?", ("help", "", False, "")),
    ],
)
def test_at_the_prompt(line: str, wanted: tuple[str, str, bool, str]) -> None:
    assert read(line) == wanted


def test_a_variable_is_no_program() -> None:
    assert read("p a | wc", frozenset({"wc"})) == ("print", "a | wc", False, "")
    assert read("n?", frozenset({"n"})) == ("inspect", "n", False, "")
    assert isinstance(classify("n | sort", frozenset({"n", "sort"})), PythonLine)


def test_a_script_does_not_guess() -> None:
    found = classify_script("print a | wc")
    assert isinstance(found, CommandLine)
    assert found.arguments == "a | wc"
    found = classify_script("where | wc -l")
    assert isinstance(found, CommandLine)
    assert found.tail.pipe == "wc -l"
    assert isinstance(classify_script("where?"), CommandLine)  # the command, with an argument it refuses


def test_while_interacting_all_is_python() -> None:
    for line in ("where", ":where", "n?", "c"):
        assert isinstance(classify(line, bare_names="python"), PythonLine)
