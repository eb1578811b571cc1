"""Values, and variables in columns. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._fragments import Fragments, clip, width_of
from remora_client._text import visible, visible_block
from remora_client.render._source import python_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora_client._model import Variable

__all__ = ["value_line", "variable_lines"]


def value_line(value: str) -> Fragments:
    """A value on a line of its own. A value of several lines stays so."""
    return [*python_line(visible_block(value) if "\n" in value else visible(value)), ("", "\n")]


def variable_lines(variables: Sequence[Variable], *, width: int = 0, indent: int = 1) -> Fragments:
    """``name = value`` with the type behind, in columns; values are clipped to the width."""
    if not variables:
        return []
    names = min(max(width_of(visible(each.name)) for each in variables), 28)
    types = min(max((width_of(visible(each.type)) for each in variables), default=0), 20)
    out: Fragments = []
    for each in variables:
        room = max(width - indent - names - types - 6, 20) if width else 10**6
        name, kind = clip(visible(each.name), 60), clip(visible(each.type), 20)
        value = clip(visible(each.value), room)
        out += [("", " " * indent), ("class:name", name), ("", " " * max(names - width_of(name), 0))]
        out += [("class:punctuation", " = "), *python_line(value)]
        if kind:
            column = max(min(room, _value_column(variables, room)) - width_of(value), 0)
            out += [("", " " * (column + 2)), ("class:type", kind)]
        out.append(("", "\n"))
    return out


def _value_column(variables: Sequence[Variable], room: int) -> int:
    """Where the types stand: behind the longest value that is not unusually long."""
    short = [width for each in variables if (width := width_of(visible(each.value[:200]))) <= 40]
    return min(max(short, default=0), room)
