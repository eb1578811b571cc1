"""Source with its line numbers, marks and notes, and Python in colours. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from remora_client._fragments import Fragments, clip, clipped, per_line, plain, width_of, without_head
from remora_client._text import visible, visible_block
from remora_protocol import split_source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pygments.lexers.python import PythonLexer

__all__ = ["line_count", "python", "python_line", "source_lines"]

_LOOK_BACK = 400  # lines before the shown ones that the lexer reads, so that it knows a docstring from code
_BLOCK = 32  # lines that are highlighted at once


def python(text: str) -> Fragments:
    """Python text, highlighted. The text is shown as it is: make it visible first."""
    return [
        ("class:" + ".".join(("pygments", *kind)).lower(), part) for kind, part in _lexer().get_tokens(text)
    ]


def python_line(text: str) -> Fragments:
    """Highlighted Python without the newline that the lexer ends every text with."""
    if len(text) > 20_000:  # nobody reads it in colours, and the lexer would take its time
        return [("", text)]
    out = python(text)
    while out and out[-1][1].endswith("\n"):
        style, last = out.pop()
        if last[:-1]:
            out.append((style, last[:-1]))
            break
    return out


def source_lines(
    text: str,
    first: int,
    last: int,
    *,
    current: int | None = None,
    breakpoints: Mapping[int, bool] | None = None,
    notes: Mapping[int, str] | None = None,
    width: int = 0,
    shift: int = 0,
) -> Fragments:
    """Lines of a file with their numbers: the current one marked, breakpoints in the margin.

    Args:
        text: the whole file.
        first: the first line to show, from 1.
        last: the last line to show.
        current: the line that runs next.
        breakpoints: lines that have one, and whether it is enabled and bound.
        notes: a remark behind a line, such as the values it uses.
        width: the terminal's; longer lines are clipped. 0: no limit.
        shift: how many columns at the left of the text are out of sight.
    """
    all_lines = _split(text)
    first, last = max(first, 1), min(last, len(all_lines))
    shown = _highlighted(text, first, last)
    digits = max(len(str(last)), 3)
    out: Fragments = []
    for number, line in enumerate(shown, first):
        here = number == current
        mark = ("class:source.current", "→") if here else ("", " ")
        bound = (breakpoints or {}).get(number)
        dot = (
            ("", " ")
            if bound is None
            else ("class:breakpoint", "●")
            if bound
            else ("class:breakpoint.off", "○")
        )
        out += [
            dot,
            mark,
            ("class:source.current" if here else "class:source.number", f" {number:>{digits}} "),
        ]
        out += [("class:source.bar", "│ ")]
        seen = without_head(line, shift) if shift else line
        out += clipped(seen, width - digits - 6) if width else seen
        if notes and number in notes:
            room = width - digits - 11 - width_of(plain(line)) if width else 60
            if room >= 12:
                out.append(("class:source.note", "  ┊ " + clip(visible(notes[number]), room)))
        out.append(("", "\n"))
    return out


def line_count(text: str) -> int:
    """How many lines a file has."""
    return len(_split(text))


@lru_cache(maxsize=1)
def _lexer() -> PythonLexer:
    from pygments.lexers.python import PythonLexer  # not before the first line of source is shown

    return PythonLexer(stripnl=False, stripall=False, ensurenl=True)


_split = lru_cache(maxsize=8)(split_source)


@lru_cache(maxsize=256)
def _block(text: str, number: int) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The highlighted lines of one block: who steps or scrolls sees the same lines again and again."""
    lines = _split(text)
    first, last = number * _BLOCK + 1, min((number + 1) * _BLOCK, len(lines))
    start = _start_of_block(lines, first)
    shown = [visible_block(line) for line in lines[start - 1 : last]]
    lexed = per_line(python("\n".join(shown) + "\n"))
    return tuple(tuple(line) for line in lexed[first - start : last - start + 1])


def _highlighted(text: str, first: int, last: int) -> list[Fragments]:
    if last < first:
        return []
    blocks = range((first - 1) // _BLOCK, (last - 1) // _BLOCK + 1)
    lines = [line for number in blocks for line in _block(text, number)]
    skipped = first - 1 - blocks[0] * _BLOCK
    return [list(line) for line in lines[skipped : skipped + last - first + 1]]


def _start_of_block(lines: Sequence[str], first: int) -> int:
    """A line at or before `first` where the lexer can start: one that is not inside anything."""
    for number in range(first, max(first - _LOOK_BACK, 1), -1):
        if lines[number - 1].startswith(
            ("def ", "class ", "async def ", "@", "import ", "from ", "if ", "for ")
        ):
            return number
    return max(first - _LOOK_BACK, 1)
