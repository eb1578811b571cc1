"""The instructions of a code object, taken to pieces and put together again: CPython 3.9 to 3.11.

`take_apart` also finds out how control can come to each instruction: what jumps there, and what may raise and
is handled there. Nothing here knows what the pieces are needed for. Pure functions, for any thread.
"""

from __future__ import annotations

import opcode
import sys
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from remora._engine._linetables import Place, read_guards, read_places

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType

__all__ = ["VERSION", "Guarded", "Instruction", "lay_out", "opcodes", "take_apart"]

VERSION = sys.version_info[:2]


def opcodes(*names: str) -> frozenset[int]:
    """The numbers of those of `names` that this Python has."""
    return frozenset(opcode.opmap[name] for name in names if name in opcode.opmap)


_ABSOLUTE = frozenset(opcode.hasjabs)
_RELATIVE = frozenset(opcode.hasjrel)
_BACKWARD = frozenset(number for name, number in opcode.opmap.items() if "JUMP_BACKWARD" in name)
_JUMP_UNIT = 1 if VERSION < (3, 10) else 2  # bytes in one step of a jump's argument
_CACHES: Sequence[int] = getattr(opcode, "_inline_cache_entries", None) or [0] * 256
_RERAISE = opcodes("RERAISE")
_SETUPS = opcodes("SETUP_FINALLY", "SETUP_WITH", "SETUP_ASYNC_WITH")
_POPS = opcodes("POP_BLOCK", "POP_EXCEPT", "END_ASYNC_FOR")
_LEAVES = opcodes("RETURN_VALUE", "RAISE_VARARGS", "RERAISE")
_JUMPS = opcodes("JUMP_FORWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT")
_ENDS = _LEAVES | _JUMPS


class Instruction:
    """One instruction with its EXTENDED_ARGs and inline caches.

    Attributes:
        origin: its offset in the old bytecode, -1 if it was not there.
        target: where it jumps, if it does.
        jumps: the instructions that jump here, in the old bytecode.
        raisers: the instructions that may raise and are handled here, in the old bytecode.
        offset, size: in bytes, in the new bytecode, once laid out.
    """

    def __init__(self, name: str, argument: int, place: Place, origin: int = -1) -> None:
        self.opcode = opcode.opmap[name]
        self.argument = argument
        self.place = place
        self.origin = origin
        self.target: Instruction | None = None
        self.jumps: list[Instruction] = []
        self.raisers: list[Instruction] = []
        self.offset = 0
        self.size = self.needed_size()

    def become(self, name: str, argument: int) -> None:
        """Do something else in the same place, to where the same jumps go."""
        self.opcode = opcode.opmap[name]
        self.argument = argument
        self.size = self.needed_size()

    def copy(self) -> Instruction:
        """Another one that does the same and stands for this one."""
        copy = Instruction(opcode.opname[self.opcode], self.argument, self.place, self.origin)
        copy.target = self.target
        return copy

    @property
    def sets_up(self) -> bool:
        """Whether its target is not where it goes, but where it will go when something raises."""
        return self.opcode in _SETUPS

    @property
    def falls_through(self) -> bool:
        """Whether the next instruction may come after it."""
        return self.opcode not in _ENDS

    def needed_size(self) -> int:
        """The size that the argument of now asks for."""
        extensions = max(self.argument.bit_length() - 1, 0) // 8
        return 2 * (1 + extensions + _CACHES[self.opcode])

    def encode(self) -> bytes:
        """The bytecode of it."""
        caches = _CACHES[self.opcode]
        out = bytearray()
        for shift in range(8 * (self.size // 2 - 1 - caches), 0, -8):
            out += bytes((opcode.EXTENDED_ARG, self.argument >> shift & 0xFF))
        out += bytes((self.opcode, self.argument & 0xFF))
        return bytes(out) + bytes(2 * caches)


class Guarded(NamedTuple):
    """An entry of 3.11's exception table, with the instructions that it stands for."""

    body: list[Instruction]
    handler: Instruction
    depth: int
    lasti: bool


def take_apart(code: CodeType) -> tuple[list[Instruction], list[Guarded]]:
    """The instructions of `code`, with the ways between them, and its exception table."""
    instructions = list(_decode(code))
    by_origin = {instruction.origin: instruction for instruction in instructions}
    for instruction in instructions:
        if instruction.opcode in _ABSOLUTE or instruction.opcode in _RELATIVE:
            instruction.target = by_origin[_destination(instruction)]
            instruction.target.jumps.append(instruction)
    origins = list(by_origin)
    guarded = []
    for start, end, target, depth, lasti in read_guards(code):
        body = instructions[bisect_left(origins, start) : bisect_left(origins, end)]
        handler = by_origin[target]
        handler.raisers += body
        guarded.append(Guarded(body, handler, depth, lasti))
    if VERSION < (3, 11):
        _find_raisers(instructions)
    return instructions, guarded


def lay_out(instructions: Sequence[Instruction]) -> None:
    """Give each instruction its offset. A longer jump moves others, so this repeats; sizes only grow."""
    settled = False
    while not settled:
        offset = 0
        for instruction in instructions:
            instruction.offset = offset
            offset += instruction.size
        settled = True
        for instruction in instructions:
            if instruction.target is not None:
                instruction.argument = _jump_argument(instruction, instruction.target)
                size = instruction.needed_size()
                if size > instruction.size:
                    instruction.size = size
                    settled = False


def _decode(code: CodeType) -> Iterator[Instruction]:
    places = read_places(code)
    raw = code.co_code
    start = offset = extended = 0
    while offset < len(raw):
        number, argument = raw[offset], raw[offset + 1] | extended
        offset += 2
        if number == opcode.EXTENDED_ARG:
            extended = argument << 8
            continue
        offset += 2 * _CACHES[number]
        instruction = Instruction(opcode.opname[number], argument, places[start // 2], start)
        instruction.size = offset - start
        yield instruction
        start, extended = offset, 0


class _Block(NamedTuple):
    handler: Instruction
    handling: bool = False  # or else being tried


def _find_raisers(instructions: list[Instruction]) -> None:
    """Fill `raisers`, for Pythons whose blocks are set up by instructions: up to 3.10."""
    following = dict(zip(instructions, instructions[1:]))
    branches: list[tuple[Instruction | None, tuple[_Block, ...]]] = [(instructions[0], ())]
    seen = set()
    passed_on = []
    while branches:
        step, blocks = branches.pop()
        while step is not None and step not in seen:
            seen.add(step)
            tried = next((block for block in reversed(blocks) if not block.handling), None)
            if tried is not None:
                if step.opcode in _RERAISE and step.argument:
                    passed_on.append((step.origin, blocks[-1].handler, tried.handler))
                else:
                    tried.handler.raisers.append(step)
            if step.sets_up and step.target is not None:
                branches.append((step.target, (*blocks, _Block(step.target, True))))
                blocks = (*blocks, _Block(step.target))
            elif step.target is not None:
                branches.append((step.target, blocks))
            elif step.opcode in _POPS:
                blocks = blocks[:-1]
            step = following.get(step) if step.falls_through else None
    # 3.10 takes such an exception for raised where it was first. Inner handlers come before outer ones.
    for _, inner, outer in sorted(passed_on, key=lambda one: one[0]):
        outer.raisers += inner.raisers


def _destination(jump: Instruction) -> int:
    """The old offset that `jump` goes to, while its size is still the old one."""
    distance = jump.argument * _JUMP_UNIT
    if jump.opcode in _ABSOLUTE:
        return distance
    return jump.origin + jump.size + (-distance if jump.opcode in _BACKWARD else distance)


def _jump_argument(jump: Instruction, target: Instruction) -> int:
    if jump.opcode in _ABSOLUTE:
        return target.offset // _JUMP_UNIT
    distance = target.offset - jump.offset - jump.size
    argument = (-distance if jump.opcode in _BACKWARD else distance) // _JUMP_UNIT
    if argument < 0:
        raise AssertionError(f"{opcode.opname[jump.opcode]} cannot go {distance} bytes")
    return argument
