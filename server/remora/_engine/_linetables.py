"""Where the instructions of a code object stand in the source: reading and writing CPython's tables.

CPython kept this in three formats: `co_lnotab` up to 3.9, `co_linetable` of 3.10, and the location table of
3.11, which also holds columns. 3.11 added the exception table, which is written in a similar way. Nothing
here looks at instructions; offsets are in bytes. Pure functions, for any thread.
"""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType

__all__ = ["TABLE", "Guard", "Place", "Span", "read_guards", "read_places", "write_guards", "write_places"]

TABLE = "co_linetable" if sys.version_info >= (3, 10) else "co_lnotab"
"""The argument of `CodeType.replace` that takes what `write_places` makes."""

_UNIT = 2
_LOCATION_LIMIT = 8  # code units in one entry of 3.11's table


class Place(NamedTuple):
    """Where an instruction comes from; `line` is None for what the compiler made up."""

    line: int | None
    starts: bool = False  # an entry of the table begins here: the tracing of 3.9 asks for that
    end_line: int | None = None
    column: int | None = None
    end_column: int | None = None


class Span(NamedTuple):
    """`size` bytes of bytecode from one place."""

    size: int
    place: Place


class Guard(NamedTuple):
    """One entry of 3.11's exception table: what is raised in [start, end) is handled at `target`."""

    start: int
    end: int
    target: int
    depth: int
    lasti: bool


def read_places(code: CodeType) -> list[Place]:
    """The place of each code unit (two bytes) of `code`."""
    if sys.version_info >= (3, 11):
        return [Place(line, False, *columns) for line, *columns in code.co_positions()]
    places: list[Place] = []
    if sys.version_info >= (3, 10):
        for start, end, line in code.co_lines():
            places += [Place(line)] * ((end - start) // _UNIT)
    else:
        for size, line in _entries_39(code):
            if size:
                places += [Place(line, True), *[Place(line)] * (size // _UNIT - 1)]
    return places


def write_places(spans: Iterable[Span], first_line: int) -> bytes:
    """The table for bytecode made of `spans`, in the format of this Python."""
    if sys.version_info >= (3, 11):
        return _write_311(spans, first_line)
    if sys.version_info >= (3, 10):
        return _write_310(spans, first_line)
    return _write_39(spans, first_line)


# 3.9: pairs (bytes, lines), each number in one byte, lines signed.


def _entries_39(code: CodeType) -> Iterator[tuple[int, int]]:
    """(size, line) of what tracing takes for one entry: a new one begins where the line delta is not 0."""
    table = code.co_lnotab
    line, size = code.co_firstlineno, 0
    left = len(code.co_code)
    for delta, lines in zip(table[::2], table[1::2]):
        size += delta
        left -= delta
        if lines:
            yield size, line
            line, size = line + _signed(lines), 0
    yield size + left, line


def _write_39(spans: Iterable[Span], first_line: int) -> bytes:
    out = bytearray()
    line, skipped = first_line, 0
    for number, (size, place) in enumerate(spans):
        wanted = line if place.line is None else place.line
        if wanted != line:
            _advance_39(out, skipped, wanted - line)
            line, skipped = wanted, 0
        elif place.starts and number:
            # Up a line and down again: no line changes, and still an entry begins here.
            _advance_39(out, skipped, 1)
            _advance_39(out, 0, -1)
            skipped = 0
        skipped += size
    return bytes(out)


def _advance_39(out: bytearray, size: int, lines: int) -> None:
    while size > 255:
        out += b"\xff\x00"
        size -= 255
    while not -128 <= lines <= 127:
        step = 127 if lines > 0 else -128
        out += bytes((size, step & 0xFF))
        lines -= step
        size = 0
    out += bytes((size, lines & 0xFF))


# 3.10: pairs (bytes, lines) again, but each says how far its own line reaches, and -128 stands for "no line".


def _write_310(spans: Iterable[Span], first_line: int) -> bytes:
    out = bytearray()
    line = first_line
    for size, place in _merged(spans):
        if place.line is None:
            lines = -128
        else:
            lines = place.line - line
            line = place.line
            while not -127 <= lines <= 127:
                step = 127 if lines > 0 else -127
                out += bytes((0, step & 0xFF))
                lines -= step
        for _ in range((size - 1) // 254):
            out += bytes((254, lines & 0xFF))
            lines = 0 if place.line is not None else -128
        out += bytes(((size - 1) % 254 + 1, lines & 0xFF))
    return bytes(out)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """`spans`, with neighbours from one place made one."""
    for place, group in groupby(spans, lambda span: span.place):
        yield Span(sum(span.size for span in group), place)


# 3.11: entries of up to eight units: a byte with kind and length, then the numbers that this kind has.

_KIND_LONG, _KIND_LINE, _KIND_NONE = 14, 13, 15
_KIND_SAME_LINE = 10  # 10, 11, 12: the line 0, 1 or 2 further, and two columns of a byte each


def _write_311(spans: Iterable[Span], first_line: int) -> bytes:
    out = bytearray()
    line = first_line
    for size, place in _merged(spans):
        units = size // _UNIT
        while units > 0:
            count = min(units, _LOCATION_LIMIT)
            units -= count
            _write_location(out, count, place, place.line - line if place.line is not None else 0)
            line = line if place.line is None else place.line
    return bytes(out)


def _write_location(out: bytearray, count: int, place: Place, lines: int) -> None:
    def begin(kind: int) -> None:
        out.append(0x80 | kind << 3 | count - 1)

    line, _, end_line, column, end_column = place
    if line is None:
        begin(_KIND_NONE)
    elif end_line is None or column is None or end_column is None:
        begin(_KIND_LINE)
        _write_signed(out, lines)
    elif line == end_line and 0 <= lines <= 2 and column <= 127 and end_column <= 127:
        begin(_KIND_SAME_LINE + lines)
        out += bytes((column, end_column))
    else:
        begin(_KIND_LONG)
        _write_signed(out, lines)
        for number in (end_line - line, column + 1, end_column + 1):
            _write_number(out, number)


def _write_number(out: bytearray, number: int) -> None:
    while number >= 64:
        out.append(0x40 | number & 0x3F)
        number >>= 6
    out.append(number)


def _write_signed(out: bytearray, number: int) -> None:
    _write_number(out, -number << 1 | 1 if number < 0 else number << 1)


# 3.11's exception table: numbers of six bits a byte, the highest first, the first byte of an entry marked.


def read_guards(code: CodeType) -> list[Guard]:
    """The exception table of `code`; empty before 3.11, where blocks are set up by instructions."""
    if sys.version_info < (3, 11):
        return []
    guards = []
    numbers = _read_numbers(code.co_exceptiontable)
    for start, size, target, packed in zip(numbers, numbers, numbers, numbers):
        begin = start * _UNIT
        guards.append(Guard(begin, begin + size * _UNIT, target * _UNIT, packed >> 1, bool(packed & 1)))
    return guards


def write_guards(guards: Iterable[Guard]) -> bytes:
    """The opposite of `read_guards`."""
    out = bytearray()
    for start, end, target, depth, lasti in guards:
        first = len(out)
        for number in (start // _UNIT, (end - start) // _UNIT, target // _UNIT, depth << 1 | lasti):
            _write_number_high_first(out, number)
        out[first] |= 0x80
    return bytes(out)


def _read_numbers(table: bytes) -> Iterator[int]:
    number = 0
    for byte in table:
        number = number << 6 | byte & 0x3F
        if not byte & 0x40:
            yield number
            number = 0


def _write_number_high_first(out: bytearray, number: int) -> None:
    shift = max(number.bit_length() - 1, 0) // 6 * 6
    for place in range(shift, 0, -6):
        out.append(0x40 | number >> place & 0x3F)
    out.append(number & 0x3F)


def _signed(byte: int) -> int:
    return byte - 256 if byte >= 128 else byte
