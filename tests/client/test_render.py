"""What is rendered, as text and as styles."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_client._fragments import (
    Fragments,
    clip,
    hanging,
    per_line,
    plain,
    rows_of,
    sentences,
    table,
    width_of,
)
from remora_client._model import Breakpoint, Frame, Source, Stop, Thread, Variable
from remora_client.render import (
    breakpoint_lines,
    placed_line,
    source_lines,
    stack_lines,
    stop_line,
    thread_lines,
    value_line,
    variable_lines,
)

TEXT = '''\
"""Module.

def not_code(): pass
"""
import os


def play(secret):
    """A docstring
    over two lines."""
    guess = 42  # comment
    return guess == secret
'''


def frame(
    index: int, name: str = "play", line: int = 12, *, subtle: bool = False, file: str = "guess.py"
) -> Frame:
    return Frame(index + 1, name, Source(file, f"/app/{file}"), line, 1, index, subtle)


def test_source_marks_the_line_and_the_breakpoints() -> None:
    shown = source_lines(TEXT, 9, 12, current=11, breakpoints={11: True, 12: False}, notes={11: "guess = 41"})
    assert plain(shown) == (
        '     9 │     """A docstring\n'
        '    10 │     over two lines."""\n'
        "●→  11 │     guess = 42  # comment  ┊ guess = 41\n"
        "○   12 │     return guess == secret\n"
    )
    assert ("class:pygments.keyword", "return") in shown
    docstring = [text for style, text in shown if style == "class:pygments.literal.string.doc"]
    assert any("over two lines" in text for text in docstring), "the lexer began inside of it"


def test_source_is_clipped_and_safe() -> None:
    text = "x = '\x1b[2J'\n" + "y = " + "'long' + " * 50 + "''\n"
    shown = plain(source_lines(text, 1, 2, width=60))
    assert "\x1b" not in shown
    assert all(width_of(line) <= 60 for line in shown.splitlines())
    assert shown.splitlines()[1].endswith("…")
    assert plain(source_lines("a\n", 5, 9)) == ""
    assert plain(source_lines("", 1, 9)) == ""


@given(st.text(max_size=200), st.integers(1, 12), st.integers(1, 12), st.integers(20, 100))
def test_any_text_is_shown_line_by_line(text: str, first: int, last: int, width: int) -> None:
    shown = plain(source_lines(text, first, last, current=first, width=width))
    lines = shown.splitlines()
    assert len(lines) <= max(last - first + 1, 0)
    assert all(width_of(line) <= width for line in lines)
    assert "\x1b" not in shown
    assert [int(line.lstrip("●○→ ").split(" ")[0]) for line in lines] == list(
        range(first, first + len(lines))
    )


def test_a_line_far_down_a_large_file_is_quick() -> None:
    text = "".join(f"def f{n}():\n    return {n}\n" for n in range(50_000))
    source_lines(text, 1, 1)
    start = time.perf_counter()
    shown = plain(source_lines(text, 90_000, 90_010, current=90_005))
    assert time.perf_counter() - start < 1
    assert "90005" in shown


def test_a_stack_newest_last() -> None:
    frames = [frame(0), frame(1, "main", 30), frame(2, "<module>", 40)]
    text = plain(stack_lines(frames, current=1, code={1: "    play(7)"}))
    assert text.splitlines() == [
        "   #2  <module>  guess.py:40",
        "→  #1  main      guess.py:30  │ play(7)",
        "   #0  play      guess.py:12",
    ]
    assert plain(stack_lines(frames, newest_last=False)).splitlines()[0].startswith("→  #0")


def test_deep_recursion_is_folded() -> None:
    frames = [frame(0, "leaf"), *(frame(n, "walk", 3) for n in range(1, 1000)), frame(1000, "<module>", 9)]
    start = time.perf_counter()
    text = plain(stack_lines(frames))
    assert time.perf_counter() - start < 0.2
    assert len(text.splitlines()) < 60
    assert "997 more of walk, #2 to #998" in text
    assert len(plain(stack_lines(frames, fold=False)).splitlines()) == 1001


def test_library_calls_are_folded_and_the_selected_one_is_not() -> None:
    frames = [
        frame(0),
        *(frame(n, f"f{n}", subtle=True, file="threading.py") for n in range(1, 6)),
        frame(6, "run"),
    ]
    text = plain(stack_lines(frames))
    assert "5 library calls, #1 to #5: threading.py" in text
    assert "→  #3  f3" in plain(stack_lines(frames, current=3))


def test_why_it_stopped() -> None:
    known = [Breakpoint(3, "line", "guess.py", 12, server_id=77, verified=True)]
    hit = Stop("breakpoint", 1, hit_breakpoints=(77,), frame=frame(0))
    assert (
        plain(stop_line(hit, breakpoints=known, thread="worker"))
        == "● Breakpoint 3  play at guess.py:12  in worker\n"
    )
    error = Stop("exception", 1, "ValueError raised", "ValueError: no\x1b[31m", frame=frame(0))
    assert "✖ ValueError raised" in plain(stop_line(error))
    assert "ValueError: no\\x1b[31m" in plain(stop_line(error))


def test_breakpoints() -> None:
    shown = [
        Breakpoint(1, "line", "/app/guess.py", 12, condition="x > 3", verified=True, bound_line=13),
        Breakpoint(2, "line", "nowhere.py", 3, message="no such file"),
        Breakpoint(3, "function", "", 0, "play", log_message="hi", enabled=False),
    ]
    assert plain(breakpoint_lines(shown, hits={1: 2}, extra={1: ["p x"]})).splitlines() == [
        " 1  ●  guess.py:13   if x > 3  hit 2 times",
        "       on hit: p x",
        " 2  ○  nowhere.py:3  pending",
        "       no such file",
        " 3  ○  play          log hi  disabled",
    ]
    noted = plain(breakpoint_lines(shown, extra={1: ["p x", "p the.name.of.the.one"]}, width=24)).splitlines()
    assert noted[1:5] == [
        "       on hit: p x",
        "       on hit: p ",
        "       the.name.of.the.o",
        "       ne",
    ]
    equals = [
        Breakpoint(number, "line", path, 2, bound_path=path, bound_line=2, verified=True)
        for number, path in enumerate(("/srv/a/models.py", "/srv/b/models.py", "C:\\x\\views.py"), 1)
    ]
    assert plain(breakpoint_lines(equals)).splitlines() == [
        " 1  ●  a/models.py:2  ",
        " 2  ●  b/models.py:2  ",
        " 3  ●  views.py:2     ",
    ]
    assert plain(placed_line(equals[0], among=equals)) == "● Breakpoint 1 at a/models.py:2\n"
    assert plain(placed_line(equals[0], among=equals[:1])) == "● Breakpoint 1 at models.py:2\n"
    assert plain(placed_line(shown[1])) == "○ Breakpoint 2 at nowhere.py:3  pending\n  no such file\n"


def test_the_last_column_of_a_table_is_broken_within_itself() -> None:
    rows: list[list[Fragments]] = [[[("", "name")], [("", "on")], [("", "what it is and what it does")]]]
    assert plain(hanging(table(rows), 30)).splitlines() == [
        "name  on  what it is and what ",
        "          it does",
    ]
    assert plain(hanging(table(rows), 0)) == plain(hanging(table(rows), 20)) == plain(table(rows))


def test_variables_in_columns() -> None:
    shown = [Variable("1", "int", name="a"), Variable("'" + "x" * 99 + "'", "str", name="longer")]
    lines = plain(variable_lines(shown, width=50)).splitlines()
    assert lines[0] == " a      = 1  int"
    assert lines[1].startswith(" longer = 'xxx")
    assert all(width_of(line) <= 50 for line in lines)
    assert variable_lines([]) == []


def test_threads() -> None:
    rows = [(Thread(1, "MainThread", "stopped"), frame(0)), (Thread(2, "pool\n", "native"), None)]
    assert plain(thread_lines(rows, current=1)).splitlines() == [
        "→  1  MainThread  stopped  play at guess.py:12",
        "   2  pool\\n      native",
    ]


def test_values() -> None:
    assert plain(value_line("'a\x1b'")) == "'a\\x1b'\n"
    assert plain(value_line("a\nb\x07")) == "a\nb\\x07\n"
    assert plain(value_line("x" * 50_000)) == "x" * 50_000 + "\n"


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("🔒", 2), ("", 0)])
def test_columns(text: str, width: int) -> None:
    assert width_of(text) == width


@given(st.text(max_size=40), st.integers(1, 30))
def test_clipping_fits(text: str, width: int) -> None:
    assert width_of(clip(text, width)) <= width
    if width_of(text) <= width:
        assert clip(text, width) == text


def test_tables_align_wide_characters() -> None:
    rows = [[[("", "日本")], [("", "x")]], [[("", "a")], [("", "y")]]]
    assert plain(table(rows)) == "日本  x\na     y\n"
    assert per_line([("", "a\nb")]) == [[("", "a")], [("", "b")]]


def test_a_sentence_is_broken_at_blanks() -> None:
    text = "Nothing can stop there.\n  Options: context, keys, /a/long/path/that-is/copied.py"
    assert plain(sentences(text, 25)) == (
        "Nothing can stop there.\n  Options: context, keys,\n  /a/long/path/that-is/copied.py\n"
    )
    assert plain(sentences(text, 0)) == f"{text}\n"
    assert sentences("", 25, "class:dim") == [("class:dim", "\n")]


@given(
    st.lists(st.tuples(st.sampled_from(["", "class:dim"]), st.text("ab日é ", max_size=30))), st.integers(2, 9)
)
def test_rows_hold_all_of_a_line_and_are_no_wider_than_the_screen(line: Fragments, width: int) -> None:
    rows = rows_of(line, width)
    assert "".join(map(plain, rows)) == plain(line)
    assert all(width_of(plain(row)) <= width for row in rows)
