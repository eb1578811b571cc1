"""Locations as people type them."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_client.locspec import (
    BreakSpec,
    FileLine,
    FileText,
    Function,
    FunctionPattern,
    Line,
    LocationError,
    ModuleLine,
    Offset,
    parse_break,
    parse_location,
)

identifiers = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
dotted = st.lists(identifiers, min_size=1, max_size=3).map(".".join)
names = st.from_regex(r"[a-z_'][a-z0-9_ ,]{0,8}", fullmatch=True)
paths = st.lists(identifiers | names, min_size=1, max_size=3).map(lambda parts: "/".join(parts) + ".py")
lines = st.integers(1, 99_999)
columns = st.none() | st.integers(1, 200)
patterns = st.from_regex(r"[a-z^.*|]{1,9}", fullmatch=True).filter(lambda p: not _bad(p))


def _bad(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return True
    return False


locations = st.one_of(
    st.builds(Line, lines, columns),
    st.builds(Line, lines, nth=st.integers(1, 99)),
    st.builds(Offset, st.integers(-999, 999)),
    st.builds(FileLine, paths, lines, columns),
    st.builds(FileLine, paths, lines, nth=st.integers(1, 99)),
    st.builds(FileText, paths, st.from_regex(r"[a-z =]{1,9}", fullmatch=True).map(str.strip).filter(bool)),
    st.builds(ModuleLine, dotted.filter(lambda name: not name.endswith(".py")), lines, columns),
    st.builds(Function, dotted.filter(lambda name: not re.search(r"\.(py|pyw|pyi|pyx)$", name))),
    st.builds(FunctionPattern, patterns),
)


@given(locations)
def test_what_is_written_is_read_back(location: object) -> None:
    assert parse_location(str(location)) == location


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_location, parse_break):
        with contextlib.suppress(LocationError):
            parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", Line(12)),
        ("12:5", Line(12, 5)),
        ("12#2", Line(12, nth=2)),
        ("app.py:12#2", FileLine("app.py", 12, nth=2)),
        ("pkg.mod:12#3", ModuleLine("pkg.mod", 12, nth=3)),
        ("+3", Offset(3)),
        ("-3", Offset(-3)),
        ("app.py:12", FileLine("app.py", 12)),
        ("part/of/app.py:12:7", FileLine("part/of/app.py", 12, 7)),
        (r"C:\work\app.py:12", FileLine(r"C:\work\app.py", 12)),
        ("my file.py:3", FileLine("my file.py", 3)),
        ("'my file.py':3", FileLine("my file.py", 3)),
        ('"my file.py":3:5', FileLine("my file.py", 3, 5)),
        ("'my file.py':3#2", FileLine("my file.py", 3, nth=2)),
        ("'my file.py:3'", FileLine("my file.py", 3)),
        ("'my file.py':/x = 'a'/", FileText("my file.py", "x = 'a'")),
        ("""\"it's.py":3""", FileLine("it's.py", 3)),
        (r"'C:\new folder\app.py':12", FileLine(r"C:\new folder\app.py", 12)),
        ("'pkg.mod':12", ModuleLine("pkg.mod", 12)),
        ("<string>:3", FileLine("<string>", 3)),
        ("pages/index.html:3", FileLine("pages/index.html", 3)),
        ("pkg.mod:12", ModuleLine("pkg.mod", 12)),
        ("guess:12", ModuleLine("guess", 12)),
        ("app.py:/x = 1/", FileText("app.py", "x = 1")),
        ("play", Function("play")),
        ("Class.meth", Function("Class.meth")),
        ("/^handle_/", FunctionPattern("^handle_")),
    ],
)
def test_forms(text: str, expected: object) -> None:
    assert parse_location(text) == expected
    assert parse_location(f"  {text} ") == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "missing"),
        ("app.py", "which line"),
        ("0", "first line is 1"),
        ("app.py:0", "first line is 1"),
        ("99999999999", "first line is 1"),
        ("/(/", "regular expression"),
        ("x y", "no place"),
        ("'my file.py:3", "closing quote"),
        ("'my file.py':x", "no place"),
        ("'':3", "missing"),
        ("'my file.py'", "as in 'my file.py':12"),
    ],
)
def test_refusals_say_what_works(text: str, says: str) -> None:
    with pytest.raises(LocationError, match=says):
        parse_location(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", BreakSpec()),
        ("12", BreakSpec(Line(12))),
        ("12, x > 3", BreakSpec(Line(12), "x > 3")),
        ("app.py:12 if x in (1, 2)", BreakSpec(FileLine("app.py", 12), "x in (1, 2)")),
        ("if x > 3", BreakSpec(None, "x > 3")),
        ("play if a, b", BreakSpec(Function("play"), "a, b")),
        ("app.py:/if x, y/ if z", BreakSpec(FileText("app.py", "if x, y"), "z")),
        ("iffy", BreakSpec(Function("iffy"))),
        ("-tmp -hit '>= 3' app.py:3", BreakSpec(FileLine("app.py", 3), hit=">= 3", temporary=True)),
        ("-log 'x is {x}' play", BreakSpec(Function("play"), log="x is {x}")),
        ("-disabled 3", BreakSpec(Line(3), disabled=True)),
        ("app.py:3 -hit '% 2'", BreakSpec(FileLine("app.py", 3), hit="% 2")),
        ("-r play -tmp if x", BreakSpec(Function("play"), "x", at="return", temporary=True)),
        ("app.py:/a -b/ -tmp, y", BreakSpec(FileText("app.py", "a -b"), "y", temporary=True)),
        ("3, x -tmp", BreakSpec(Line(3), "x -tmp")),
        ("-3", BreakSpec(Offset(-3))),
        ("'if a, b.py':3 if x", BreakSpec(FileLine("if a, b.py", 3), "x")),
        ("'a thread b.py':3 thread 'w 1'", BreakSpec(FileLine("a thread b.py", 3), thread="w 1")),
        (
            "-tmp 'a b.py':/if x/ -hit 3 if y",
            BreakSpec(FileText("a b.py", "if x"), "y", ">= 3", temporary=True),
        ),
        ("/a thread b/", BreakSpec(FunctionPattern("a thread b"))),
    ],
)
def test_break_arguments(text: str, expected: BreakSpec) -> None:
    assert parse_break(text) == expected


@pytest.mark.parametrize("text", ["12 if", "12,", "-hit", "-nonsense 3", "3 -nonsense", "3 -hit"])
def test_break_refusals(text: str) -> None:
    with pytest.raises(LocationError):
        parse_break(text)
