"""Bytecode as rows to be shown, and addresses for it, which DAP wants although Python has none.

An address is a number of the code object, made up when first asked for, and the offset in it.
"""

from __future__ import annotations

import dis
from typing import TYPE_CHECKING, NamedTuple

from remora._engine._lines import starts_of_lines

if TYPE_CHECKING:
    from types import CodeType

__all__ = ["Addresses", "Row", "disassemble", "row_at"]

_SHIFT = 32
_HIDDEN = frozenset(("CACHE", "EXTENDED_ARG"))


class Row(NamedTuple):
    """One instruction. `line` is that of the source, where there is one."""

    offset: int
    text: str
    line: int | None


def disassemble(code: CodeType) -> list[Row]:
    """The instructions of this code object, without those in functions that it makes."""
    starts = starts_of_lines(code)
    rows = []
    line: int | None = None
    for step in dis.get_instructions(code):
        line = starts.get(step.offset, line)
        if step.opname not in _HIDDEN:
            argument = "" if step.arg is None else step.argrepr or str(step.arg)
            rows.append(Row(step.offset, f"{step.opname:<24} {argument}".rstrip(), line))
    return rows


def row_at(rows: list[Row], offset: int) -> int:
    """The index of the row that a frame at this offset is at, or is in the middle of."""
    return max((index for index, row in enumerate(rows) if row.offset <= offset), default=0)


class Addresses:
    """Gives code objects their addresses."""

    def __init__(self) -> None:
        self._codes: list[CodeType] = []
        self._numbers: dict[int, int] = {}

    def of(self, code: CodeType, offset: int) -> int:
        """The address of an instruction."""
        number = self._numbers.get(id(code))
        if number is None:
            self._codes.append(code)
            self._numbers[id(code)] = number = len(self._codes)
        return (number << _SHIFT) + max(offset, 0)

    def find(self, address: int) -> tuple[CodeType, int] | None:
        """The code object and the offset that `of` was asked for."""
        number = address >> _SHIFT
        if not 1 <= number <= len(self._codes):
            return None
        return self._codes[number - 1], address & ((1 << _SHIFT) - 1)

    def clear(self) -> None:
        """Forget them all, and the code objects with them."""
        self._codes.clear()
        self._numbers.clear()
