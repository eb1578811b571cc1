"""Which lines are commands and which are Python: the rule as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_client.commands import (
    COMMANDS,
    CommandLine,
    PythonLine,
    classify,
    classify_script,
    could_be_python,
    lookup,
    split_commands,
)

# Every variable that a one-letter command could be taken for, in scope at once.
NAMES = ["n", "c", "s", "b", "p", "l", "r", "a", "args", "list", "next", "x", "return_"]


@pytest.mark.parametrize(
    ("line", "command", "arguments"),
    [
        ("exit()", "quit", ""),
        ("quit( 3 )", "quit", ""),
        ("help()", "help", ""),
        ("help(x.y)", "inspect", "x.y"),
        ("help((1, 2)[0])", "inspect", "(1, 2)[0]"),
    ],
)
def test_what_is_meant_for_a_python_of_ones_own_reaches_no_program(
    line: str, command: str, arguments: str
) -> None:
    found = classify(line, NAMES)
    assert isinstance(found, CommandLine)
    assert (found.command.name, found.arguments) == (command, arguments)
    word = line.partition("(")[0]
    assert classify(line, [word]) == PythonLine(line)  # there it is the program's own
    for more in (f"{line}.x", f"{line} + 1", f"a = {line}", f"{line[:-1]}"):
        assert not isinstance(classify(more, NAMES), CommandLine), more


@pytest.mark.parametrize(
    ("line", "command", "arguments"),
    [
        ("n", "next", ""),
        ("c", "continue", ""),
        ("n 3", "next", "3"),
        ("b 12", "break", "12"),
        ("b 12, x > 3", "break", "12, x > 3"),
        ("b +3", "break", "+3"),
        ("b app.py:12 if x", "break", "app.py:12 if x"),
        ("b if x > 3", "break", "if x > 3"),
        ("b /^handle_/", "break", "/^handle_/"),
        ("b -tmp 3", "break", "-tmp 3"),
        ("j -3", "jump", "-3"),
        ("l 5,9", "list", "5,9"),
        ("l .", "list", "."),
        ("kill -9", "kill", "-9"),
        ("bt -3", "where", "-3"),
        ("source /tmp/commands", "source", "/tmp/commands"),
        ("transcript ./session", "transcript", "./session"),
        ("sh ../run -v", "sh", "../run -v"),
        ("sh .venv/bin/python", "sh", ".venv/bin/python"),
        ("p x", "print", "x"),
        ("p (a, b)", "print", "(a, b)"),
        ("p [x]", "print", "[x]"),
        ("p {x}", "print", "{x}"),
        ("p -x", "print", "-x"),
        ("p not x", "print", "not x"),
        ("p 'text'", "print", "'text'"),
        ("pp(x)", "pp", "(x)"),
        ("pp/x 255", "pp", "/x 255"),
        ("display -x", "display", "-x"),
        ("display -changed x", "display", "-changed x"),
        ("set x = 1", "set", "x = 1"),
        ("set x[0] = 1", "set", "x[0] = 1"),
        ("continue 12", "continue", "12"),
        ("c -thread", "continue", "-thread"),
        ("return", "return", ""),
        ("return x", "return", "x"),
        (":n", "next", ""),
        ("!!n 2", "next", "2"),
        (": p x", "print", "x"),
        ("s into play", "step", "into play"),
        ("whe", "where", ""),
        ("whe 3", "where", "3"),
        ("  where  ", "where", ""),
        ("catch raised ValueError", "catch", "raised ValueError"),
        ("where -full", "where", "-full"),
    ],
)
def test_commands(line: str, command: str, arguments: str) -> None:
    found = classify(line, NAMES)
    assert isinstance(found, CommandLine), found
    assert (found.command.name, found.arguments) == (command, arguments)


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "x + 1",
        "c = 9",
        "c == 9",
        "c += 1",
        "n + 1",
        "n -x",
        "n - 1",
        "n * 2",
        "n != 3",
        "n if x else 3",
        "n in x",
        "n is None",
        "n not in x",
        "n and x",
        "n: int = 3",
        "n, c = 1, 2",
        "n.bit_length()",
        "l[0]",
        "list(x)",
        "next(x)",
        "next (x)",
        "print(x)",
        "s.upper()",
        "return_ = 1",
        "b'x'",
        'b"x"',
        "r'\\d'",
        "args, kw = x()",
        "args = f(",
        "a @ x",
        "p = 3",
        "p(x)",
        "12",
        "(n)",
        "[n]",
        "'n'",
        "for i in x:",
        "import os",
        "del x",
        "with x as c:",
        "if x:",
        "thread_count",
        "unknown",
        "int",
        "whi",
    ],
)
def test_python(line: str) -> None:
    assert classify(line, NAMES) == PythonLine(line)


def test_a_mark_decides() -> None:
    assert classify("!n", NAMES) == PythonLine("n")
    assert classify("! where = 3") == PythonLine("where = 3")
    assert classify(":no_such_command") == PythonLine(":no_such_command")


def test_a_bare_word_that_is_both_runs_the_command_and_says_so() -> None:
    found = classify("n", ["n"])
    assert isinstance(found, CommandLine)
    assert found.hint == "n is also a variable: p n"
    assert isinstance(classify("n", []), CommandLine)
    assert classify("n", []).hint == ""  # type: ignore[union-attr]
    assert classify("n", ["n"], bare_names="variable") == PythonLine("n")


@pytest.mark.parametrize("start", ["qui", "kil", "det", "deta"])
def test_costly_commands_are_spelled_out(start: str) -> None:
    assert isinstance(classify(start), PythonLine) or lookup(start) is not None


def test_a_variable_is_never_taken_for_the_start_of_a_command() -> None:
    assert isinstance(classify("thr", []), PythonLine)  # thread, threads
    assert isinstance(classify("condi 1 x"), CommandLine)
    assert isinstance(classify("condi", ["condi"]), PythonLine)
    assert isinstance(classify("condi = 3"), PythonLine)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("n + 1", "next"),  # a script's first word decides, whatever follows
        ("c = 9", "continue"),
        ("x + 1", None),
        ("whe", None),
        ("!n", None),
        (":where", "where"),
        ("where", "where"),
    ],
)
def test_scripts_never_guess(line: str, expected: str | None) -> None:
    found = classify_script(line)
    assert (found.command.name if isinstance(found, CommandLine) else None) == expected


@given(st.text(max_size=40), st.lists(st.sampled_from([*NAMES, "where", "q"])))
def test_any_line_is_one_or_the_other(line: str, names: list[str]) -> None:
    assert isinstance(classify(line, names), CommandLine | PythonLine)
    assert isinstance(classify_script(line), CommandLine | PythonLine)


@given(st.sampled_from(sorted(COMMANDS)))
def test_every_name_alone_is_its_command(name: str) -> None:
    found = classify(name)
    assert isinstance(found, CommandLine)
    assert found.command.name == name


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("n ;; p x", ["n", "p x"]),
        ("p ';;' ;; n", ["p ';;'", "n"]),
        ('p """a;;b""" ;; n', ['p """a;;b"""', "n"]),
        ("p f(';;', [1;;2])", ["p f(';;', [1;;2])"]),
        ("p don't ;; n", ["p don't", "n"]),
        ("p x # ;; no", ["p x # ;; no"]),
        ("b app.py:/# here/ ;; c", ["b app.py:/# here/", "c"]),
        (";;", []),
        ("", []),
    ],
)
def test_splitting(line: str, parts: list[str]) -> None:
    assert split_commands(line) == parts


@given(st.text(alphabet="ab '\"\\();#\n", max_size=30))
def test_splitting_loses_no_command(line: str) -> None:
    joined = "".join(split_commands(line))
    assert [c for c in joined if c in "ab()"] == [c for c in line if c in "ab()"]


def test_what_could_be_python() -> None:
    assert could_be_python("x = [")
    assert could_be_python("def f():")
    assert could_be_python("x = 1")
    assert not could_be_python("x y")
    assert not could_be_python("\0")
