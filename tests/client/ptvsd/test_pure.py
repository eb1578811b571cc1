"""The parts that decide without a connection: lines, hits, exceptions, output, threads."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_client._ptvsd import _records as r
from remora_client._ptvsd._breakpoints import pass_count
from remora_client._ptvsd._exceptions import describe, modes_for
from remora_client._ptvsd._lines import Placement, place, statements, try_ranges
from remora_client._ptvsd._output import OutputFilter
from remora_client._ptvsd._signs import greets, incomplete
from remora_client._ptvsd._sources import is_library, literal, source_path
from remora_client._ptvsd._threads import WAKE_SECONDS, Threads
from remora_protocol import RequestFailed

OLD = '''\
"""A doc
string."""
# a comment
import os

def play(a,
         b):
    "doc"
    global count
    x = (1,
         2)

    try:
        y = 'a#b'  # not a comment in there
        print "old", y
    except (A, b.C), e:
        pass
    except D as e: print "x"
    except E, e:
        raise
    else:
        z = 1
    finally:
        done = \\
            True
    return x

class K:
    def g(self): return 1
    try: a
    except: b
    try:
        c
    finally:
        d
    try:
        f
    except find(x): pass
'''


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (1, Placement(4, "moved from line 1 to 4")),
        (4, Placement(4)),
        (7, Placement(6, "moved from line 7 to 6, where its statement begins")),
        (8, Placement(10, "moved from line 8 to 10")),
        (11, Placement(10, "moved from line 11 to 10, where its statement begins")),
        (12, Placement(13, "moved from line 12 to 13")),
        (21, Placement(22, "moved from line 21 to 22")),
        (25, Placement(24, "moved from line 25 to 24, where its statement begins")),
        (27, Placement(28, "moved from line 27 to 28")),
    ],
)
def test_a_breakpoint_goes_where_code_is(line: int, found: Placement) -> None:
    assert place(OLD, line) == found


def test_a_breakpoint_does_not_leave_its_function() -> None:
    text = "def f():\n    return 1\n    # the end\n\nx = 1\n"
    assert place(text, 3).line == 5  # below the function's last statement nobody knows whose line it is
    assert (
        place("def f():\n    a = 1\n    '''\n    no code\n    '''\n\ndef g():\n    b = 2\n", 4).line is None
    )
    assert place("x = 1\n", 99).line is None


def test_the_programs_own_python_knows_better() -> None:
    assert place(OLD, 10, frozenset({4, 11, 13})) == Placement(11, "moved from line 10 to 11")


def test_what_a_file_handles() -> None:
    assert try_ranges(OLD) == [
        r.TryRange(13, 16, ("A", "b.C", "D", "E")),
        r.TryRange(30, 31, ("*",)),
        r.TryRange(36, 38, ("*",)),
    ]


@given(st.text("abc:#'\"\\\n ()[]{}\t=,tryexcpdf", max_size=200))
def test_any_text_is_read_without_complaint(text: str) -> None:
    found = statements(text)
    assert [each.first for each in found] == sorted(each.first for each in found)
    assert all(each.first <= each.last for each in found)
    try_ranges(text)
    place(text, 3)


@given(st.integers(1, 120))
def test_this_very_file_is_read_as_python_reads_it(line: int) -> None:
    with open(__file__, encoding="utf-8") as stream:
        text = stream.read()
    heads = {node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)}
    decorators = {
        each.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
        for each in node.decorator_list
    }
    found = {each.first for each in statements(text) if each.runs}
    doc = {1}
    assert found - decorators <= heads
    assert heads - found <= doc


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, (r.PassKind.ALWAYS, 0)),
        ("5", (r.PassKind.FROM, 5)),
        ("== 5", (r.PassKind.EQUAL, 5)),
        ("=5", (r.PassKind.EQUAL, 5)),
        (">= 1", (r.PassKind.ALWAYS, 0)),
        ("> 5", (r.PassKind.FROM, 6)),
        ("% 3", (r.PassKind.EVERY, 3)),
    ],
)
def test_hit_conditions(text: str | None, found: tuple[r.PassKind, int]) -> None:
    assert pass_count(text) == found


@pytest.mark.parametrize(
    ("text", "code"),
    [("< 3", "not-supported"), ("% 0", "not-supported"), ("!= 3", "not-supported"), ("x", "bad-request")],
)
def test_hit_conditions_that_cannot_be(text: str, code: str) -> None:
    with pytest.raises(RequestFailed) as caught:
        pass_count(text)
    assert caught.value.code == code


def test_exception_filters() -> None:
    raised, unhandled, never = r.ExceptionMode.RAISED, r.ExceptionMode.UNHANDLED, r.ExceptionMode.NEVER
    assert modes_for({}) == r.ExceptionModes(never, {})
    assert modes_for({"filters": ["uncaught", "raised"]}).default == raised
    narrowed = modes_for(
        {
            "filters": ["uncaught"],
            "filterOptions": [{"filterId": "raised", "condition": "ValueError, app.Broken"}],
        }
    )
    assert narrowed == r.ExceptionModes(
        unhandled, {"ValueError": raised, "__main__.ValueError": raised, "app.Broken": raised}
    )
    for arguments in (
        {"filters": ["userUnhandled"]},
        {"filterOptions": [{"filterId": "raised", "condition": "$exc"}]},
    ):
        with pytest.raises(RequestFailed):
            modes_for(arguments)


def test_what_is_told_of_an_exception() -> None:
    trace = "'/a.py', 3, 'f', 'raise x'\nnot like that"
    told = describe(r.ExceptionRaised(1, "app.Broken", "it broke", True, trace))
    assert (told["exceptionId"], told["breakMode"]) == ("app.Broken", "unhandled")
    assert told["details"]["stackTrace"] == 'File "/a.py", line 3, in f\n  raise x\nnot like that'


def test_output_that_comes_thrice() -> None:
    filter_ = OutputFilter(3)
    pieces = ["a", "a", "a", "b", "b", "b", "b", "b", "b", "c", "d", "d", "d"]
    assert [text for text in pieces if filter_.passes(r.Output(1, text))] == ["a", "b", "b", "c", "d"]
    assert filter_.passes(r.Output(2, "d"))
    assert filter_.passes(r.Output(1, "d", "stderr"))
    assert all(OutputFilter(1).passes(r.Output(1, "x")) for _ in range(3))


def test_who_is_woken_has_to_show_life() -> None:
    threads = Threads()
    threads.stopped(1)
    threads.halted(2, "worker", 10.0)
    assert threads.unsettled(10.0) > 0  # the second is about to stand still
    assert threads.unsettled(11.0) == 0
    assert not threads.running
    threads.resumed(11.0)
    assert threads.running
    assert threads.unsettled(11.0) == pytest.approx(WAKE_SECONDS)
    threads.heard_of_resume(11.1)
    threads.alive(1)
    assert threads.unsettled(11.2) > 0  # the second has not
    threads.gone(2)
    assert threads.unsettled(11.2) == 0
    threads.resumed(20.0)
    assert threads.unsettled(20.0) == 0  # nobody stood


@pytest.mark.parametrize(
    ("data", "is_greeting", "is_part"),
    [
        (b"", False, True),
        (b"PTV", False, True),
        (b"PTVSDBG\0\0", True, True),
        (b"PTVSDBG\0\0\0\0\0\0\0\6", True, False),
        (b"C", False, True),
        (b"Content-Length: 40\r\n\r\n", False, True),
        (b'Content-Length: 5\r\n\r\n{"a":', False, False),
        (b'Content-Length: 999\r\n\r\n{"event": "legacyRemoteConnected"', True, True),
        (b"SSH-2.0", False, False),
        (b"\x16\x03\x01", False, False),
    ],
)
def test_recognising_a_greeting(data: bytes, is_greeting: bool, is_part: bool) -> None:
    assert (greets(data), incomplete(data)) == (is_greeting, is_part)


def test_paths_and_literals() -> None:
    assert source_path("/a/b.pyc") == "/a/b.py"
    assert is_library("/usr/lib/python2.7/threading.py")
    assert is_library("/x/site-packages/django/base.py")
    assert not is_library("/home/ada/library/python.py")
    assert (
        ast.literal_eval(literal("/tmp/it's \N{SNOWMAN}\U0001f600\n")) == "/tmp/it's \N{SNOWMAN}\U0001f600\n"
    )
    assert literal("é").isascii()
