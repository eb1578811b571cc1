"""A terminal's screen as an SVG: the same screen gives the same bytes, in dark and in light.

Every run of characters that look alike is one element, as wide as its columns: fonts differ, the columns must
not. The colours are classes, so that the picture follows whether the reader has a dark or a light page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import groupby

__all__ = ["Cell", "Row", "masked", "svg"]

WIDTH, HEIGHT, MARGIN = 8.4, 18, 12  # of a character, of a row, around the screen, in pixels
#: pyte's names, with what they are on a dark page and on a light one.
COLOURS = {
    "default": ("d4d4d4", "24292f"),
    "background": ("1e1e1e", "ffffff"),
    "black": ("3b3b3b", "24292f"),
    "red": ("f14c4c", "cf222e"),
    "green": ("23d18b", "116329"),
    "brown": ("e5c07b", "7d4e00"),
    "blue": ("6ba7ff", "0550ae"),
    "magenta": ("d670d6", "8250df"),
    "cyan": ("29b8db", "1b7c83"),
    "white": ("e5e5e5", "57606a"),
    "brightblack": ("8a8a8a", "6e7781"),
}
FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"


@dataclass(frozen=True)
class Cell:
    """One column of a row. `text` is empty behind a wide character."""

    text: str = " "
    colour: str = "default"
    background: str = "default"
    bold: bool = False
    italic: bool = False
    reverse: bool = False


Row = list[Cell]


def masked(row: Row, names: Mapping[str, str]) -> Row:
    """The row with other names for what differs from run to run; what follows moves, to the next gap."""
    for old, new in names.items():
        row = _replaced(row, old, new)
    return row


def _replaced(row: Row, old: str, new: str) -> Row:
    text = "".join(cell.text or "\0" for cell in row)
    at = text.find(old)
    while at >= 0:
        look = row[at]
        cells = [
            Cell(each, look.colour, look.background, look.bold, look.italic, look.reverse) for each in new
        ]
        end = at + len(old)
        longer = len(new) - len(old)
        gap = re.compile(r"  +|──+").search(text, end)
        start = gap.start() if gap else len(row)
        filler = row[start] if gap else Cell()
        between = row[end:start]
        rest = row[start + longer :] if longer > 0 else [filler] * -longer + row[start:]
        row = (row[:at] + cells + between + rest)[: len(row)]
        text = "".join(cell.text or "\0" for cell in row)
        at = text.find(old, at + len(new))
    return row


def svg(rows: list[Row], title: str) -> str:
    """The picture."""
    columns = max(map(len, rows))
    width, height = _number(columns * WIDTH + 2 * MARGIN), len(rows) * HEIGHT + 2 * MARGIN
    body = "\n".join(part for y, row in enumerate(rows) for part in _row(y, row))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(title)}">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_style()}</style>\n"
        f'<rect class="b-background" width="{width}" height="{height}" rx="8"/>\n{body}\n</svg>\n'
    )


def _style() -> str:
    rules = [
        f"text{{font:14px {FONT};white-space:pre}}",
        ".bold{font-weight:bold}",
        ".italic{font-style:italic}",
    ]
    dark = "".join(
        f".f-{name}{{fill:#{dark}}}.b-{name}{{fill:#{dark}}}" for name, (dark, _) in COLOURS.items()
    )
    light = "".join(
        f".f-{name}{{fill:#{light}}}.b-{name}{{fill:#{light}}}" for name, (_, light) in COLOURS.items()
    )
    return "\n".join([*rules, dark, f"@media (prefers-color-scheme:light){{{light}}}", ""])


def _row(y: int, row: Row) -> Iterator[str]:
    x = 0
    for (look, _), run in groupby(
        row, lambda cell: (_look(cell), unicodedata.east_asian_width(cell.text or "字") in "WF")
    ):
        cells = list(run)
        yield from _run(x, y, "".join(cell.text for cell in cells), len(cells), look)
        x += len(cells)


def _look(cell: Cell) -> tuple[str, str, bool, bool]:
    colour, background = cell.colour, cell.background
    if background == "default":
        background = "background"
    if cell.reverse:
        colour, background = background, colour
    return colour, background, cell.bold, cell.italic


def _run(x: int, y: int, text: str, columns: int, look: tuple[str, str, bool, bool]) -> Iterator[str]:
    colour, background, bold, italic = look
    left, top, wide = _number(MARGIN + x * WIDTH), MARGIN + y * HEIGHT, _number(columns * WIDTH)
    if background != "background":
        yield f'<rect {_fill("b", background)} x="{left}" y="{top}" width="{wide}" height="{HEIGHT}"/>'
    shown = text.rstrip()
    if not shown:
        return
    blanks = len(shown) - len(shown.lstrip())
    shown = shown.lstrip()
    size = columns - (len(text) - len(text.rstrip())) - blanks
    classes = _fill("f", colour, *(["bold"] if bold else []), *(["italic"] if italic else []))
    yield (
        f'<text {classes} x="{_number(MARGIN + (x + blanks) * WIDTH)}" y="{top + 13}" '
        f'textLength="{_number(size * WIDTH)}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">'
        f"{escape(shown, quote=False)}</text>"
    )


def _fill(kind: str, colour: str, *more: str) -> str:
    if colour in COLOURS:
        return f'class="{" ".join([f"{kind}-{colour}", *more])}"'
    return (f'class="{" ".join(more)}" ' if more else "") + f'fill="#{colour}"'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
