"""Facts about the line table of a code object that engines need and the interpreter does not offer.

Any thread.
"""

from __future__ import annotations

import dis
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = [
    "first_line",
    "is_line_again",
    "is_only_cleanup",
    "line_at",
    "lines_of",
    "may_catch",
    "second_starts",
    "starts_of_lines",
]

_CLEANUP_THROW = dis.opmap.get("CLEANUP_THROW", -1)
_SWAP = dis.opmap.get("SWAP", -1)
_RERAISE = dis.opmap["RERAISE"]
# What gives the variables of the function back that those of a comprehension hid.
_RESTORES = frozenset(
    dis.opmap[name]
    for name in ("EXTENDED_ARG", "POP_TOP", "STORE_FAST", "STORE_FAST_STORE_FAST", "SWAP")
    if name in dis.opmap
)
_LEAVES = frozenset(
    number
    for name, number in dis.opmap.items()
    if name.startswith(("JUMP_", "RETURN_", "RAISE_", "RERAISE")) and "_IF_" not in name
)
_SETUPS = frozenset(number for name, number in dis.opmap.items() if name.startswith("SETUP_"))
_APPENDS = frozenset(("LIST_APPEND", "SET_ADD", "MAP_ADD"))


def lines_of(code: CodeType) -> frozenset[int]:
    """The lines that this code object itself has instructions for, not those of functions inside it."""
    return frozenset(line for _, _, line in _table(code) if line is not None)


def starts_of_lines(code: CodeType) -> dict[int, int | None]:
    """Where runs of instructions of one line begin, and of which; None for those on no line."""
    return {start: line for start, _, line in _table(code)}


def line_at(code: CodeType, offset: int) -> int | None:
    """The line of the instruction at this offset."""
    return next((line for start, end, line in _table(code) if start <= offset < end), None)


def is_line_again(code: CodeType, source: int, target: int) -> bool:
    """Whether a jump back begins another turn of a loop that stands on one line.

    The loops of comprehensions do not count: since 3.12 they are part of the code around them, and a step
    over the line is meant to go over them all.
    """
    line = line_at(code, target)
    if target > source or line is None or line != line_at(code, source):
        return False
    previous = ""
    for instruction in dis.get_instructions(code):
        if previous in _APPENDS and instruction.argval == target and "BACKWARD" in instruction.opname:
            return False
        previous = instruction.opname
    return True


def is_only_cleanup(code: CodeType, offset: int) -> bool:
    """Whether what starts here is an exception's way out of an `await` or, since 3.12, of a comprehension:

    no line that somebody wrote.
    """
    instructions = code.co_code
    if instructions[offset] != _SWAP:
        return instructions[offset] == _CLEANUP_THROW
    while instructions[offset] in _RESTORES:
        offset += 2
    return instructions[offset] == _RERAISE


def second_starts(code: CodeType, first: int, last: int) -> list[range]:
    """Where a statement on these lines comes back to its first line, after its other lines were evaluated."""
    found: list[range] = []
    before = 0
    for start, end, line in _table(code):
        if line == first and found and found[-1].stop == start:
            found[-1] = range(found[-1].start, _end_of_flow(code, start, end))
        elif line == first and first < before <= last:
            found.append(range(start, _end_of_flow(code, start, end)))
        before = before if line is None else line
    return found


def _end_of_flow(code: CodeType, start: int, end: int) -> int:
    """Where between these offsets nothing goes on.

    What follows may be the same statement once more: it is in each copy of a `finally`.
    """
    instructions = code.co_code
    leaving = (offset for offset in range(start, end, 2) if instructions[offset] in _LEAVES)
    return next(leaving, end - 2) + 2


def may_catch(frame: FrameType) -> bool:
    """Whether an exception that comes out of what this frame calls now might be handled in it."""
    code = frame.f_code
    if sys.version_info >= (3, 11):
        from remora._engine._linetables import read_guards

        return any(guard.start <= frame.f_lasti < guard.end for guard in read_guards(code))
    return not _SETUPS.isdisjoint(code.co_code[::2])


def first_line(code: CodeType) -> int | None:
    """The line that the call itself belongs to: that of `def` or `lambda`."""
    return next((line for _, _, line in _table(code) if line is not None), None)


def _table(code: CodeType) -> list[tuple[int, int, int | None]]:
    if hasattr(code, "co_lines"):
        return list(code.co_lines())
    # 3.9, and PyPy 3.9
    starts = list(dis.findlinestarts(code))
    ends = [start for start, _ in starts[1:]] + [len(code.co_code)]
    return [(start, end, line) for (start, line), end in zip(starts, ends)]
