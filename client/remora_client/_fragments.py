"""Formatted text: lists of (style class, text), measured in columns, cut, and put into tables. Pure."""

from __future__ import annotations

import textwrap
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Fragments",
    "broken_at_blanks",
    "clip",
    "clip_lines",
    "clipped",
    "hanging",
    "part",
    "per_line",
    "plain",
    "rows_of",
    "sentences",
    "table",
    "width_of",
    "without_head",
    "wrapped",
]

Fragments: TypeAlias = "list[tuple[str, str]]"

_LEAST_COLUMN = 16  # columns that a text needs to be broken within its column of a table


def plain(fragments: Iterable[tuple[str, str]]) -> str:
    """The text without its styles."""
    return "".join(text for _, text in fragments)


def width_of(text: str) -> int:
    """How many columns a line takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_columns, text))


@lru_cache(maxsize=4096)
def _columns(character: str) -> int:
    """0 for what combines with the character before it, 2 for East Asian wide ones and emoji."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def clip(text: str, width: int) -> str:
    """At most `width` columns, with a mark where something was cut off."""
    return text if width_of(text) <= width else _head(text, width - 1) + "…"


def _head(text: str, width: int) -> str:
    """The longest beginning that takes at most `width` columns."""
    used = 0
    for position, character in enumerate(text):
        used += _columns(character)
        if used > width:
            return text[:position]
    return text


def table(rows: Sequence[Sequence[Fragments]], gap: int = 2, indent: int = 0) -> Fragments:
    """Rows of cells in columns; the last cell of a row is not padded. One line a row, each ended."""
    columns = max((len(row) for row in rows), default=0)
    widths = [
        max((width_of(plain(row[column])) for row in rows if column < len(row) - 1), default=0)
        for column in range(columns)
    ]
    out: Fragments = []
    for row in rows:
        out.append(("", " " * indent))
        for column, cell in enumerate(row):
            out.extend(cell)
            if column < len(row) - 1:
                out.append(("", " " * (widths[column] - width_of(plain(cell)) + gap)))
        out.append(("", "\n"))
    return out


def per_line(fragments: Fragments) -> list[Fragments]:
    """Cuts formatted text at its newlines; what follows the last one counts when it is not empty."""
    lines: list[Fragments] = [[]]
    for style, text in fragments:
        head, *tail = text.split("\n")
        if head:
            lines[-1].append((style, head))
        for part in tail:
            lines.append([(style, part)] if part else [])
    if not lines[-1]:
        lines.pop()
    return lines


def clipped(line: Fragments, width: int) -> Fragments:
    """One line of formatted text, cut like `clip` does."""
    if width_of(plain(line)) <= width:
        return line
    out: Fragments = []
    left = width - 1
    for style, text in line:
        out.append((style, _head(text, left)))
        left -= width_of(text)
        if left < 0:
            break
    return [*out, ("class:dim", "…")]


def without_head(line: Fragments, width: int) -> Fragments:
    """One line of formatted text without its first `width` columns."""
    out: Fragments = []
    for style, text in line:
        head = _head(text, width)
        width -= width_of(head)
        if text[len(head) :]:
            width = 0  # a wide character at the edge stays
            out.append((style, text[len(head) :]))
    return out


def rows_of(line: Fragments, width: int) -> list[Fragments]:
    """One line of formatted text as the rows that a terminal of that width makes of it."""
    rows: list[Fragments] = [[]]
    left = width
    for style, text in line:
        at = 0
        while at < len(text):
            near = text[at : at + left]
            head = near if near.isascii() else _head(near, left)
            if not head and left < width:
                rows.append([])
                left = width
                continue
            head = head or text[at]  # wider than the terminal
            rows[-1].append((style, head))
            left -= width_of(head)
            at += len(head)
    return rows


def wrapped(line: Fragments, width: int) -> list[Fragments]:
    """One line of formatted text as rows of at most that width, broken at blanks where there are any."""
    text = plain(line)
    rows: list[Fragments] = []
    start = 0
    while width_of(text[start:]) > width:
        head = _head(text[start:], width) or text[start]
        blank = head.rfind(" ")
        while blank > 0 and text.startswith("·", start + blank + 1):  # it ends a row, and begins none
            blank = head.rfind(" ", 0, blank)
        stop = start + (blank + 1 if blank > len(head) // 2 else len(head))
        rows.append(part(line, start, stop))
        start = stop
    if start < len(text) or not rows:
        rows.append(part(line, start, len(text)))
    return rows


def broken_at_blanks(fragments: Fragments, width: int, hang: int = 0) -> Fragments:
    """Lines of formatted text; one that is too long goes on below where it begins. 0: any width.

    `hang`: so many columns to the right of there.
    """
    out: Fragments = []
    for line in per_line(fragments):
        text = plain(line)
        margin = " " * (len(text) - len(text.lstrip(" ")) + hang)
        rows = [line]
        if width and width_of(text) > width:
            first, *rest = wrapped(line, width)
            rows = [first]
            if rest:
                left = without_head(line, width_of(plain(first)))
                rows += [[("", margin), *row] for row in wrapped(left, max(width - len(margin), 1))]
        out += [each for row in rows for each in (*row, ("", "\n"))]
    return out


def hanging(rows: Fragments, width: int) -> Fragments:
    """Rows of a table; one that is too long goes on below its last column, which begins behind two blanks.

    0: any width.
    """
    out: Fragments = []
    for line in per_line(rows):
        text = plain(line)
        start = text.rstrip().rfind("  ") + 2
        if not width or width_of(text) <= width or not 0 < start <= width - _LEAST_COLUMN:
            out += [*line, ("", "\n")]
            continue
        first, *rest = wrapped(part(line, start, len(text)), width - start)
        out += [*part(line, 0, start), *first, ("", "\n")]
        out += [each for row in rest for each in (("", " " * start), *row, ("", "\n"))]
    return out


def sentences(text: str, width: int, style: str = "") -> Fragments:
    """What we say to a person, no line of it broken within a word where a blank is near. 0: any width.

    What cannot be broken so, as a long path, is left whole, for who copies it.
    """
    out = ""
    for line in text.split("\n"):
        margin = " " * (len(line) - len(line.lstrip(" ")))
        rows = [line]
        if width and width_of(line) > width:
            rows = textwrap.wrap(
                line, width, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
            )
        out += "".join(f"{row}\n" for row in rows)
    return [(style, out)]


def part(line: Fragments, start: int, stop: int) -> Fragments:
    """The characters from `start` up to `stop`."""
    out: Fragments = []
    at = 0
    for style, text in line:
        piece = text[max(start - at, 0) : max(stop - at, 0)]
        if piece:
            out.append((style, piece))
        at += len(text)
    return out


def clip_lines(fragments: Fragments, width: int) -> Fragments:
    """Lines of formatted text, each cut like `clip` does. 0: nothing is cut."""
    if not width:
        return fragments
    out: Fragments = []
    for line in per_line(fragments):
        out += [*clipped(line, width), ("", "\n")]
    return out
