"""The parts of `layout` that need no terminal: how the screen is divided, wrapping, the tree, the output."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from remora_client._fragments import Fragments, broken_at_blanks, plain, without_head, wrapped
from remora_client._model import Frame, Scope, Source, Variable
from remora_client._sessions._session import Session
from remora_client.render import source_lines
from remora_client.repl.layout.arrangement import KINDS, Sizes, arrange, borders
from remora_client.repl.layout.output import OutputPane
from remora_client.repl.layout.tree import PAGE, Tree


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("columns", [1, 20, 40, 71, 72, 80, 120, 200, 500])
def test_every_size_is_divided_without_a_rest(kind: Any, columns: int) -> None:
    for rows in range(1, 80):
        for sizes in (Sizes(), Sizes(right=0.8, below=0.8), Sizes(right=0.15, below=0.1)):
            found = arrange(kind, columns, rows, sizes)
            below = sum(each.rows for each in found.below)
            assert sum(each.rows for each in found.left) + below == rows
            assert not found.right or sum(each.rows for each in found.right) + below == rows
            assert all(each.rows >= min(3, rows) for each in (*found.left, *found.right, *found.below))
            assert not found.right or 0 < found.right_columns < columns
            assert len(set(found.panes)) == len(found.panes)


def test_what_is_shown_where() -> None:
    assert arrange("split", 80, 22).panes == ("source", "stack", "variables", "breakpoints", "output")
    assert arrange("split", 60, 10).panes == ("source", "variables", "output")
    assert arrange("vars", 80, 22).panes == ("variables", "stack", "output")
    assert arrange("src", 40, 5).panes == ("source",)


def test_sizes_have_limits() -> None:
    sizes = Sizes()
    for _ in range(50):
        sizes = sizes.wider(0.1).taller("output", 0.1).taller("stack", -0.1)
    assert (sizes.right, sizes.below) == (0.8, 0.8)
    assert sizes.weights["stack"] > 0
    assert Sizes().taller("stack", 0.1).weights["stack"] > Sizes().weights["stack"]


@pytest.mark.parametrize("size", [(80, 22), (200, 56), (60, 40)])
def test_a_border_goes_to_where_the_mouse_is(size: tuple[int, int]) -> None:
    columns, rows = size
    before = arrange("split", columns, rows)
    found = {each.pane: each for each in borders(before)}
    assert set(found) == set(before.panes) - {"source"} - ({"stack"} if before.right else set()) | (
        {None} if before.right else set()
    )
    for pane, border in found.items():
        wanted_column, wanted_row = border.left - 4, border.top - 2
        if pane == "output" and not before.right:
            continue  # its share depends on what is above it
        sizes = Sizes().with_border(border, wanted_column, wanted_row, before)
        after = arrange("split", columns, rows, sizes)
        moved = {each.pane: each for each in borders(after)}[pane]
        if pane is None:
            assert moved.left == wanted_column
        else:
            least = {"variables": 3, "breakpoints": 3}.get(str(pane), 0)
            assert abs(moved.top - wanted_row) <= 1 or border.top - 2 < least
        other = {each.pane for each in borders(after)} - {pane}
        assert other == set(found) - {pane}


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("abcdef", 6, ["abcdef"]),
        ("abcdefg", 3, ["abc", "def", "g"]),
        ("日本語", 3, ["日", "本", "語"]),
        ("日本語", 1, ["日", "本", "語"]),
        ("", 5, [""]),
        ("one two three", 8, ["one two ", "three"]),
        ("one two", 7, ["one two"]),
        ("a bcdefghij", 8, ["a bcdefg", "hij"]),
    ],
)
def test_wrapping(text: str, width: int, rows: list[str]) -> None:
    assert [plain(row) for row in wrapped([("a", text)], width)] == rows


def test_wrapping_keeps_the_styles() -> None:
    assert wrapped([("a", "abc"), ("b", "def")], 4) == [[("a", "abc"), ("b", "d")], [("b", "ef")]]


def test_lines_are_broken_at_blanks_and_go_on_where_they_began() -> None:
    line: Fragments = [("a", "  one two "), ("b", "three four five\n"), ("", "six\n")]
    assert plain(broken_at_blanks(line, 11)) == "  one two \n  three \n  four five\nsix\n"
    assert plain(broken_at_blanks(line, 0)) == plain(line)
    assert plain(broken_at_blanks([("", "abcdef gh · ijk")], 11)) == "abcdef \ngh · ijk\n"
    assert [style for style, text in broken_at_blanks(line, 11) if text.strip()] == ["a", "b", "b", ""]


def test_what_is_left_of_a_line_that_is_shifted() -> None:
    line: Fragments = [("a", "ab"), ("b", "cd日")]
    assert without_head(line, 3) == [("b", "d日")]
    assert without_head(line, 5) == [("b", "日")]
    assert without_head(line, 9) == []
    text = plain(source_lines("x = 'abcdef'\n", 1, 1, shift=4, width=40))
    assert text == "     1 │ 'abcdef'\n"


# -- the output ---------------------------------------------------------------------------------------


def shown(pane: OutputPane, width: int = 10, height: int = 3) -> list[str]:
    return [plain(row) for row in pane.draw(width, height, focused=False)]


def numbered(first: int, last: int) -> Fragments:
    return [("", f"line {number}\n") for number in range(first, last)]


def test_the_output_follows_and_stands_still() -> None:
    pane = OutputPane()
    pane.add(numbered(0, 9))
    assert shown(pane) == ["line 6", "line 7", "line 8"]
    pane.scroll(-2)
    pane.add(numbered(9, 20))
    assert shown(pane) == ["line 4", "line 5", "line 6"]
    assert pane.title() == "13 more, End"
    pane.scroll(100)
    pane.add(numbered(20, 21))
    assert shown(pane) == ["line 18", "line 19", "line 20"]


def test_the_output_is_wrapped_anew_for_another_width() -> None:
    pane = OutputPane()
    pane.add([("", "abcdefghij\n"), ("", "k\n")])
    assert shown(pane) == ["abcdefghij", "k"]
    assert shown(pane, width=4) == ["efgh", "ij", "k"]
    assert shown(pane, width=20) == ["abcdefghij", "k"]


def test_a_long_answer_is_shown_from_its_beginning() -> None:
    pane = OutputPane()
    pane.add(numbered(0, 5))
    shown(pane)
    pane.start_at_top(numbered(100, 120))
    assert shown(pane)[0] == "line 100"
    pane.start_at_top(numbered(200, 202))
    assert shown(pane)[0] == "line 100"  # a short one does not move it
    pane.follow()
    assert shown(pane)[-1] == "line 201"


def test_the_output_keeps_so_much_and_no_more() -> None:
    pane = OutputPane()
    shown(pane)
    for start in range(0, 50_000, 1000):
        pane.add(numbered(start, start + 1000))
    pane.scroll(-10)
    before = shown(pane)
    pane.add(numbered(0, 5))
    assert shown(pane) == before
    assert pane.count() <= 20_000


# -- the tree -----------------------------------------------------------------------------------------


class Program:
    """A session that knows two functions; and how often it was asked."""

    def __init__(self) -> None:
        self.count = 1
        self.asked: list[tuple[Any, ...]] = []

    async def scopes(self, frame: Frame) -> list[Scope]:
        return [Scope("Locals", 1, "locals"), Scope("Globals", 2), Scope("Returned", 3, "returnValue")]

    async def variables(
        self, reference: int, start: int = 0, count: int | None = None, filter: str | None = None
    ) -> list[Variable]:
        self.asked.append((reference, start, count, filter))
        if reference == 1:
            many = Variable("[…]", "list", 10, 0, 1000, "many")
            return [variable("count", str(self.count)), variable("point", "<Point>", 11), many]
        if reference == 10:
            last = start + (count or 0)
            return [variable(f"[{n}]", str(n)) for n in range(start, last)] if filter == "indexed" else []
        return [variable("x", "1", reference + 1)]


def variable(name: str, value: str, reference: int = 0) -> Variable:
    return Variable(value, "int", reference, None, None, name, name)


FRAME = Frame(1, "look", Source("a.py", "/a.py"), 3)


def names(tree: Tree) -> list[str]:
    return ["  " * each.depth + each.name for each in tree.rows()]


def test_only_what_is_open_is_asked_for() -> None:
    async def look() -> None:
        program, tree = Program(), Tree()
        session = cast("Session", program)
        await tree.load(session, FRAME, moved=True)
        assert names(tree) == ["Returned", "  x", "Locals", "  count", "  point", "  many", "Globals"]
        assert {reference for reference, *_ in program.asked} == {1, 3}
        await tree.open(session, tree.rows()[4])
        await tree.open(session, tree.rows()[5])
        assert names(tree)[4:7] == ["  point", "    x", "      x"]
        await tree.load(session, FRAME, moved=True)
        assert names(tree)[4:7] == ["  point", "    x", "      x"]  # open as before
        tree.close(tree.rows()[2])
        await tree.load(session, FRAME, moved=True)
        assert names(tree) == ["Returned", "  x", "Locals", "Globals"]

    asyncio.run(look())


def test_pages() -> None:
    async def look() -> None:
        program, tree = Program(), Tree()
        session = cast("Session", program)
        await tree.load(session, FRAME, moved=True)
        await tree.open(session, tree.rows()[5])
        assert names(tree)[6 + PAGE] == "    900 more"
        await tree.open(session, tree.rows()[6 + PAGE])
        assert names(tree)[6 + 2 * PAGE - 1 :][:2] == [f"    [{2 * PAGE - 1}]", "    800 more"]
        assert (10, 0, 2 * PAGE, "indexed") in program.asked

    asyncio.run(look())


def test_what_has_changed_is_marked() -> None:
    async def look() -> None:
        program, tree = Program(), Tree()
        session = cast("Session", program)
        await tree.load(session, FRAME, moved=True)
        assert not any(each.changed for each in tree.rows())
        program.count = 2
        await tree.load(session, FRAME, moved=True)
        assert [each.name for each in tree.rows() if each.changed] == ["count"]
        await tree.load(session, FRAME, moved=False)  # a command at the same stop
        assert [each.name for each in tree.rows() if each.changed] == ["count"]
        program.count = 3
        await tree.load(session, Frame(2, "other", FRAME.source, 9), moved=True)
        assert not any(each.changed for each in tree.rows())

    asyncio.run(look())
