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
    "first_visits",
    "is_line_again",
    "is_only_cleanup",
    "line_at",
    "lines_of",
    "may_catch",
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
    if name.startswith(("JUMP_", "RETURN_", "RAISE_", "RERAISE"))
    and "_IF_" not in name
    and name != "RETURN_GENERATOR"
)
_JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))
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


def first_visits(code: CodeType, first: int, last: int) -> list[range]:
    """Where a statement on these lines may come to its first one without having been there before.

    It may come there late, as in an `if` and `else` in brackets, and come back to it after its other lines
    were evaluated. On which way it comes is not known: what may be either is here.
    """
    lines = {offset: line for start, end, line in _table(code) for offset in range(start, end, 2)}
    steps = list(dis.get_instructions(code))
    inside = {step.offset for step in steps if first <= (lines.get(step.offset) or first) <= last}
    follows: dict[int, list[int]] = {step.offset: [] for step in steps}
    for step, after in zip(steps, [*steps[1:], None]):
        if after is not None and step.opcode not in _LEAVES:
            follows[step.offset].append(after.offset)
        if step.opcode in _JUMPS:
            follows[step.offset].append(step.argval)
    targets = {step.argval for step in steps if step.opcode in _JUMPS}
    # On no line, and only an exception comes there: so begins a copy of a `finally`.
    entered = {after for afters in follows.values() for after in afters}
    caught = [offset for offset in follows if lines.get(offset) is None and offset not in entered]
    coming = [after for offset, afters in follows.items() if offset not in inside for after in afters]
    seen: set[int] = set()
    waiting = [offset for offset in (0, *caught, *coming) if offset in inside]
    while waiting:
        offset = waiting.pop()
        if offset not in seen:
            seen.add(offset)
            if lines.get(offset) != first:
                waiting += [after for after in follows[offset] if after in inside]
    return [
        range(offset, _end_of_run(offset, lines, first, targets))
        for offset in sorted(seen)
        if lines.get(offset) == first
    ]


def _end_of_run(offset: int, lines: dict[int, int | None], line: int, targets: set[int]) -> int:
    """Where the instructions from here on are of another line, or may be jumped to."""
    offset += 2
    while lines.get(offset) == line and offset not in targets:
        offset += 2
    return offset


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
