"""Calls of ours in the program's bytecode: how breakpoints on CPython 3.9-3.11 cost nothing unless hit.

`insert` makes a code object in which a hook is called wherever `sys.settrace` would report a 'line' event for
its line. Tracing decides that not by the instruction alone but by the way control came to it: a loop on one
line has an event for each turn, though its line "starts" only once. So hooks sit on the edges between
instructions: an instruction gets one group of ours in front, and the edges which are no events go around it.

An inserted group looks like this. Its last step makes a tracer that the hook has set see a 'line' event
before anything of the line is done and with nothing of ours on the stack: there a frame may be made to jump.

    3.11: PUSH_NULL, LOAD_CONST hook, PRECALL, CALL (all on the line), POP_TOP (on no line)
    3.10: LOAD_CONST hook, CALL_FUNCTION (on the line), POP_TOP (on no line)
    3.9:  LOAD_CONST hook, CALL_FUNCTION, POP_TOP (on the line); then the line starts once more

An exception that leaves a hook is handled by the program as if the line had raised it. Everything here is a
pure function of code objects, for any thread.
"""

from __future__ import annotations

import opcode
import sys
from functools import partial
from itertools import groupby
from types import CodeType, MappingProxyType
from typing import TYPE_CHECKING, Any, Callable, NamedTuple
from weakref import WeakValueDictionary

from remora._engine import _linetables
from remora._engine._linetables import Guard, Place, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

    Hook = Callable[[], object]
    Hooks = Mapping[int, Hook]
    """Line -> what to call there. Hooks end up in `co_consts`, so they must be hashable; functions are."""

__all__ = ["SUPPORTED", "Insertion", "Rewriter", "insert", "insertion_of", "lines_of", "nested", "original"]

_VERSION = sys.version_info[:2]

SUPPORTED = sys.implementation.name == "cpython" and (3, 9) <= _VERSION <= (3, 11)
"""Whether `insert` can read and write this Python's bytecode."""


def _opcodes(*names: str) -> frozenset[int]:
    """The numbers of those of `names` that this Python has."""
    return frozenset(opcode.opmap[name] for name in names if name in opcode.opmap)


_ABSOLUTE = frozenset(opcode.hasjabs)
_RELATIVE = frozenset(opcode.hasjrel)
_BACKWARD = frozenset(number for name, number in opcode.opmap.items() if "JUMP_BACKWARD" in name)
_JUMP_UNIT = 1 if _VERSION < (3, 10) else 2  # bytes in one step of a jump's argument
_CACHES: Sequence[int] = getattr(opcode, "_inline_cache_entries", None) or [0] * 256
_EXTENDED_ARG = opcode.EXTENDED_ARG
_RESUME = _opcodes("RESUME")
_SEND = _opcodes("SEND")
_SETUPS = _opcodes("SETUP_FINALLY", "SETUP_WITH", "SETUP_ASYNC_WITH")
_POPS = _opcodes("POP_BLOCK", "POP_EXCEPT", "END_ASYNC_FOR")
_ENDS = _opcodes("RETURN_VALUE", "RAISE_VARARGS", "RERAISE", "JUMP_FORWARD", "JUMP_ABSOLUTE") | _opcodes(
    "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"
)
_GROUP_DEPTH = 2 if _VERSION >= (3, 11) else 1


class Insertion:
    """What was inserted into a code object. It is the last of the object's constants, so it lives as long.

    Compared and hashed by identity, as code objects compare and hash their constants.

    Attributes:
        original: the code object as the program made it.
        hooks: the lines of this code object, without nested ones, that call a hook, and which.
        results: where a hook's result is dropped, as `f_lasti`. A frame must not be made to jump from there.
    """

    __slots__ = ("hooks", "original", "results")

    def __init__(self, code: CodeType, hooks: Hooks, results: Set[int]) -> None:
        self.original = code
        self.hooks = MappingProxyType(dict(hooks))
        self.results = frozenset(results)

    def __repr__(self) -> str:
        return f"<insertion into {self.original.co_name} at lines {sorted(self.hooks)}>"


def insertion_of(code: CodeType) -> Insertion | None:
    """What we inserted into `code`, or None."""
    last = code.co_consts[-1:]
    return last[0] if last and type(last[0]) is Insertion else None


def original(code: CodeType) -> CodeType:
    """`code` as the program made it."""
    insertion = insertion_of(code)
    return code if insertion is None else insertion.original


def nested(code: CodeType) -> Iterator[tuple[int, CodeType]]:
    """The code objects directly in `code`, with their places among its constants."""
    return ((place, value) for place, value in enumerate(code.co_consts) if type(value) is CodeType)


def lines_of(code: CodeType) -> set[int]:
    """The lines that instructions of `code` stand on."""
    if sys.version_info >= (3, 10):
        return {line for _, _, line in code.co_lines() if line is not None}
    return {place.line for place in _linetables.read_places(code) if place.line is not None}


def insert(code: CodeType, hooks: Hooks) -> CodeType | None:
    """A copy of `code` that calls `hooks[line]()` at each start of a line; None if no such line starts in it.

    Nested code objects stay as they are: see `Rewriter`.
    """
    if insertion_of(code) is not None:
        raise ValueError("hooks are inserted into the original of a code object only")
    if hooks.keys().isdisjoint(lines_of(code)):
        return None
    draft = _Draft(code)
    used = draft.weave(hooks)
    return draft.finish(used) if used else None


class Rewriter:
    """Rewrites code objects of one file together with all code nested in them.

    The same code object gives the same result, whichever way it is reached, as long as the result is in use.
    """

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = dict(hooks)
        # By the id of the original, which lives as long as the result does.
        self._made: WeakValueDictionary[int, CodeType] = WeakValueDictionary()

    @property
    def changed(self) -> list[tuple[CodeType, CodeType]]:
        """(old, new) for each code object in use that had to change."""
        return [(original(new), new) for new in self._made.values()]

    def rewrite(self, code: CodeType) -> CodeType:
        """`code` with hooks, or the original of it if there is nothing to insert in it or below."""
        code = original(code)
        made = self._made.get(id(code))
        if made is None:
            made = self._rewrite(code)
            if made is not code:
                self._made[id(code)] = made
        return made

    def _rewrite(self, code: CodeType) -> CodeType:
        inner = {place: self.rewrite(child) for place, child in nested(code)}
        new = insert(code, self.hooks)
        if new is None:
            if not any(insertion_of(child) for child in inner.values()):
                return code
            new = code.replace(co_consts=(*code.co_consts, Insertion(code, {}, frozenset())))
        if inner:
            constants = list(new.co_consts)
            for place, child in inner.items():
                constants[place] = child
            new = new.replace(co_consts=tuple(constants))
        return new


class _Instruction:
    """One instruction with its EXTENDED_ARGs and inline caches."""

    def __init__(self, number: int, argument: int, place: Place, origin: int = -1) -> None:
        self.opcode = number
        self.argument = argument
        self.place = place
        self.origin = origin  # offset in the old bytecode, -1 for ours
        self.target: _Instruction | None = None  # where it jumps
        self.jumps: list[_Instruction] = []  # what jumps here
        self.raisers: list[_Instruction] = []  # what may raise and is handled here
        self.group: _Instruction | None = None  # the group of ours in front
        self.entry = self  # the first thing in front: the group, or the jump around it
        self.offset = 0
        self.size = self.needed_size()

    def needed_size(self) -> int:
        extensions = max(self.argument.bit_length() - 1, 0) // 8
        return 2 * (1 + extensions + _CACHES[self.opcode])

    def encode(self) -> bytes:
        caches = _CACHES[self.opcode]
        out = bytearray()
        for shift in range(8 * (self.size // 2 - 1 - caches), 0, -8):
            out += bytes((_EXTENDED_ARG, self.argument >> shift & 0xFF))
        out += bytes((self.opcode, self.argument & 0xFF))
        return bytes(out) + bytes(2 * caches)


class _Guarded(NamedTuple):
    """An entry of 3.11's exception table, with the instructions that it stands for."""

    body: list[_Instruction]
    handler: _Instruction
    depth: int
    lasti: bool


class _Draft:
    """A code object taken to pieces."""

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.instructions = list(_decode(code))
        by_origin = {instruction.origin: instruction for instruction in self.instructions}
        for instruction in self.instructions:
            if instruction.opcode in _ABSOLUTE or instruction.opcode in _RELATIVE:
                instruction.target = by_origin[_destination(instruction)]
                instruction.target.jumps.append(instruction)
        self.guarded = [self._guarded(guard, by_origin) for guard in _linetables.read_guards(code)]
        if _VERSION < (3, 11):
            _find_raisers(self.instructions)
        # 3.11 traces nothing up to the first RESUME: cells, free variables and generators are being prepared.
        resumes = (instruction.origin for instruction in self.instructions if instruction.opcode in _RESUME)
        self.begin = next(resumes, -1)
        starts = (instruction.origin for instruction in self.instructions[1:] if instruction.place.starts)
        self.second_start = next(starts, len(code.co_code))
        self.woven: list[_Instruction] = []
        self.constants: list[Any] = list(code.co_consts)
        self.places: dict[int, int] = {}  # id of a hook -> its place among the constants
        self.droppers: list[_Instruction] = []

    def _guarded(self, guard: Guard, by_origin: Mapping[int, _Instruction]) -> _Guarded:
        body = [one for one in self.instructions if guard.start <= one.origin < guard.end]
        guarded = _Guarded(body, by_origin[guard.target], guard.depth, guard.lasti)
        guarded.handler.raisers += body
        return guarded

    def is_event(self, source: _Instruction | None, target: _Instruction) -> bool:
        """Whether tracing reports a line when control goes from `source` (None: anywhere) to `target`."""
        line = target.place.line
        backward = source is not None and source.origin > target.origin
        if _VERSION == (3, 9):
            return backward or target.place.starts
        if line is None or target.origin <= self.begin or target.opcode in _RESUME:
            return False
        if source is None or source.origin <= self.begin or source.place.line != line:
            return True
        return backward and target.opcode not in _SEND

    def is_raise_event(self, source: _Instruction, handler: _Instruction) -> bool:
        """Whether tracing reports the line of `handler` when `source` raises."""
        if _VERSION > (3, 9):
            return self.is_event(source, handler)
        # 3.9 means to report a line after each exception, but overlooks those of the first instruction of a
        # line and of the whole first line, unless the handler starts a line.
        misses = source.place.starts or source.origin < self.second_start
        return handler.place.starts or not misses

    def weave(self, hooks: Hooks) -> dict[int, Hook]:
        """Put groups in front of the instructions that need them; the hooks that were used, by line."""
        used = {}
        previous: _Instruction | None = None
        for instruction in self.instructions:
            line = instruction.place.line
            if line is not None and line in hooks and self._weave_before(instruction, previous, hooks[line]):
                used[line] = hooks[line]
            self.woven.append(instruction)
            previous = instruction
        return used

    def _weave_before(self, target: _Instruction, previous: _Instruction | None, hook: Hook) -> bool:
        falls = previous is None or previous.opcode not in _ENDS
        falls_as_event = falls and self.is_event(previous, target)
        jumps = [jump for jump in target.jumps if jump.opcode not in _SETUPS and self.is_event(jump, target)]
        raises = any(self.is_raise_event(raiser, target) for raiser in target.raisers)
        if not (falls_as_event or jumps or raises):
            return False
        if raises:
            # Up to 3.10 a block has one way to its handler, whatever raises in it. So the few raisers for
            # which tracing would report nothing (on the handler's own line) take it with the others.
            jumps += [jump for jump in target.jumps if jump.opcode in _SETUPS]
        group = self._group(hook, target.place)
        target.group = target.entry = group[0]
        if falls and not falls_as_event:
            target.entry = self._jump(target)
            self.woven.append(target.entry)
        for jump in jumps:
            jump.target = target.group
        self.woven += group
        return True

    def _group(self, hook: Hook, place: Place) -> list[_Instruction]:
        if id(hook) not in self.places:
            self.places[id(hook)] = len(self.constants)
            self.constants.append(hook)
        here = Place(place.line, place.starts, place.line)
        load = ("LOAD_CONST", self.places[id(hook)], here)
        drop = ("POP_TOP", 0, Place(None))
        if _VERSION >= (3, 11):
            steps = [("PUSH_NULL", 0, here), load, ("PRECALL", 0, here), ("CALL", 0, here), drop]
        else:
            steps = [load, ("CALL_FUNCTION", 0, here._replace(starts=False)), drop]
        if _VERSION == (3, 9) and not place.starts:
            steps.append(("NOP", 0, here._replace(starts=True)))
        group = [_Instruction(opcode.opmap[name], argument, there) for name, argument, there in steps]
        self.droppers += [one for one in group if one.opcode == opcode.opmap["POP_TOP"]]
        return group

    def _jump(self, target: _Instruction) -> _Instruction:
        line = target.place.line
        jump = _Instruction(opcode.opmap["JUMP_FORWARD"], 0, Place(line, False, line))
        jump.target = target
        return jump

    def finish(self, used: Hooks) -> CodeType:
        """Put the pieces together."""
        self._lay_out()
        dropped = {dropper.offset for dropper in self.droppers}
        spans = (Span(instruction.size, instruction.place) for instruction in self.woven)
        changes: dict[str, Any] = {
            "co_code": b"".join(instruction.encode() for instruction in self.woven),
            "co_consts": (*self.constants, Insertion(self.code, used, dropped)),
            "co_stacksize": self.code.co_stacksize + _GROUP_DEPTH,
            _linetables.TABLE: _linetables.write_places(spans, self.code.co_firstlineno),
        }
        if _VERSION >= (3, 11):
            changes["co_exceptiontable"] = _linetables.write_guards(self._guards())
        return self.code.replace(**changes)

    def _lay_out(self) -> None:
        """Give each instruction its offset. A longer jump moves others, so this repeats; sizes only grow."""
        settled = False
        while not settled:
            offset = 0
            for instruction in self.woven:
                instruction.offset = offset
                offset += instruction.size
            settled = True
            for instruction in self.woven:
                if instruction.target is not None:
                    instruction.argument = _jump_argument(instruction, instruction.target)
                    size = instruction.needed_size()
                    if size > instruction.size:
                        instruction.size = size
                        settled = False

    def _guards(self) -> Iterable[Guard]:
        ends = {}
        for instruction, following in zip(self.instructions, self.instructions[1:]):
            ends[instruction] = following.entry.offset
        last = self.instructions[-1]
        ends[last] = last.offset + last.size
        for guarded in self.guarded:
            # What raises on the handler's own line goes past the hook in front: more entries than before.
            for landing, run in groupby(guarded.body, partial(self._landing, guarded.handler)):
                body = list(run)
                start, end = body[0].entry.offset, ends[body[-1]]
                yield Guard(start, end, landing.offset, guarded.depth, guarded.lasti)

    def _landing(self, handler: _Instruction, source: _Instruction) -> _Instruction:
        return handler.group if handler.group and self.is_raise_event(source, handler) else handler


def _decode(code: CodeType) -> Iterator[_Instruction]:
    places = _linetables.read_places(code)
    raw = code.co_code
    start = offset = extended = 0
    while offset < len(raw):
        number, argument = raw[offset], raw[offset + 1] | extended
        offset += 2
        if number == _EXTENDED_ARG:
            extended = argument << 8
            continue
        offset += 2 * _CACHES[number]
        instruction = _Instruction(number, argument, places[start // 2], start)
        instruction.size = offset - start
        yield instruction
        start, extended = offset, 0


def _find_raisers(instructions: list[_Instruction]) -> None:
    """Fill `raisers`, for Pythons whose blocks are set up by instructions: up to 3.10.

    Each branch carries the handlers of the blocks that are open, None for those of exceptions being handled.
    """
    following = dict(zip(instructions, instructions[1:]))
    branches: list[tuple[_Instruction | None, tuple[_Instruction | None, ...]]] = [(instructions[0], ())]
    seen = set()
    while branches:
        step, blocks = branches.pop()
        while step is not None and step not in seen:
            seen.add(step)
            handler = next(filter(None, reversed(blocks)), None)
            if handler is not None:
                handler.raisers.append(step)
            if step.opcode in _SETUPS:
                branches.append((step.target, (*blocks, None)))
                blocks = (*blocks, step.target)
            elif step.target is not None:
                branches.append((step.target, blocks))
            elif step.opcode in _POPS:
                blocks = blocks[:-1]
            step = None if step.opcode in _ENDS else following.get(step)


def _destination(jump: _Instruction) -> int:
    """The old offset that `jump` goes to, while its size is still the old one."""
    distance = jump.argument * _JUMP_UNIT
    if jump.opcode in _ABSOLUTE:
        return distance
    return jump.origin + jump.size + (-distance if jump.opcode in _BACKWARD else distance)


def _jump_argument(jump: _Instruction, target: _Instruction) -> int:
    if jump.opcode in _ABSOLUTE:
        return target.offset // _JUMP_UNIT
    distance = target.offset - jump.offset - jump.size
    argument = (-distance if jump.opcode in _BACKWARD else distance) // _JUMP_UNIT
    if argument < 0:
        raise AssertionError(f"{opcode.opname[jump.opcode]} cannot go {distance} bytes")
    return argument
