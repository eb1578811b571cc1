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

import sys
from functools import partial
from itertools import groupby
from types import CodeType, MappingProxyType
from typing import TYPE_CHECKING, Any, Callable
from weakref import WeakValueDictionary

from remora._engine._instructions import VERSION, Guarded, Instruction, lay_out, opcodes, take_apart
from remora._engine._linetables import TABLE, Guard, Place, Span, read_places, write_guards, write_places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set

    Hook = Callable[[], object]
    Hooks = Mapping[int, Hook]
    """Line -> what to call there. Hooks end up in `co_consts`, so they must be hashable; functions are."""

__all__ = ["SUPPORTED", "Insertion", "Rewriter", "insert", "insertion_of", "lines_of", "nested", "original"]

SUPPORTED = sys.implementation.name == "cpython" and (3, 9) <= VERSION <= (3, 11)
"""Whether `insert` can read and write this Python's bytecode."""


_POP_EXCEPT = opcodes("POP_EXCEPT")
_RESUME = opcodes("RESUME")
_SEND = opcodes("SEND")
_GROUP_DEPTH = 2 if VERSION >= (3, 11) else 1


class Insertion:
    """What was inserted into a code object. It is the last of the object's constants, so it lives as long.

    Compared and hashed by identity, as code objects compare and hash their constants.

    Attributes:
        original: the code object as the program made it.
        hooks: the lines of this code object, without nested ones, that call a hook, and which.
        results: where a hook's result is dropped, as `f_lasti`. 3.9 may report a 'line' event there, to be
            ignored; a frame must not be made to jump from there.
        starts: where what we inserted begins, as `f_lasti`. The 'line' event there comes before the hook, and
            comes again after it.
    """

    __slots__ = ("hooks", "original", "results", "starts")

    def __init__(
        self, code: CodeType, hooks: Hooks, results: Set[int], starts: Set[int] = frozenset()
    ) -> None:
        self.original = code
        self.hooks = MappingProxyType(dict(hooks))
        self.results = frozenset(results)
        self.starts = frozenset(starts)

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
    return {place.line for place in read_places(code) if place.line is not None}


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


class _Draft:
    """A code object taken to pieces."""

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.instructions, self.guarded = take_apart(code)
        self.groups: dict[Instruction, Instruction] = {}  # in front of what -> the first of the group
        self.arounds: dict[Instruction, Instruction] = {}  # in front of what -> the jump around the group
        # 3.11 traces nothing up to the first RESUME: cells, free variables and generators are being prepared.
        resumes = (instruction.origin for instruction in self.instructions if instruction.opcode in _RESUME)
        self.begin = next(resumes, -1)
        starts = (instruction.origin for instruction in self.instructions[1:] if instruction.place.starts)
        self.second_start = next(starts, len(code.co_code))
        self.woven: list[Instruction] = []
        self.constants: list[Any] = list(code.co_consts)
        self.places: dict[int, int] = {}  # id of a hook -> its place among the constants
        self.droppers: list[Instruction] = []

    def is_event(self, source: Instruction | None, target: Instruction) -> bool:
        """Whether tracing reports a line when control goes from `source` (None: anywhere) to `target`."""
        line = target.place.line
        backward = source is not None and source.origin > target.origin
        if VERSION == (3, 9):
            return backward or target.place.starts
        if line is None or target.origin <= self.begin or target.opcode in _RESUME:
            return False
        if source is None or source.origin <= self.begin or source.place.line != line:
            return True
        return backward and target.opcode not in _SEND

    def is_raise_event(self, source: Instruction, handler: Instruction) -> bool:
        """Whether tracing reports the line of `handler` when `source` raises."""
        if VERSION > (3, 9):
            return self.is_event(source, handler)
        # 3.9 means to report a line after each exception, but overlooks those of the first instruction of a
        # line and of the whole first line, unless the handler starts a line.
        misses = source.place.starts or source.origin < self.second_start
        return handler.place.starts or not misses

    def weave(self, hooks: Hooks) -> dict[int, Hook]:
        """Put groups in front of the instructions that need them; the hooks that were used, by line."""
        used = {}
        previous: Instruction | None = None
        for instruction in self.instructions:
            line = instruction.place.line
            if line is not None and line in hooks and self._weave_before(instruction, previous, hooks[line]):
                used[line] = hooks[line]
            self.woven.append(instruction)
            previous = instruction
        return used

    def _weave_before(self, target: Instruction, previous: Instruction | None, hook: Hook) -> bool:
        falls = previous is None or previous.falls_through
        falls_as_event = falls and self.is_event(previous, target)
        jumps = [jump for jump in target.jumps if not jump.sets_up and self.is_event(jump, target)]
        raises = any(self.is_raise_event(raiser, target) for raiser in target.raisers)
        if not (falls_as_event or jumps or raises):
            return False
        if raises:
            # Up to 3.10 a block has one way to its handler, whatever raises in it. So the few raisers for
            # which tracing would report nothing (on the handler's own line) take it with the others.
            jumps += [jump for jump in target.jumps if jump.sets_up]
        group = self._group(hook, target.place)
        self.groups[target] = group[0]
        if falls and not falls_as_event:
            self.arounds[target] = around = self._jump(target)
            self.woven.append(around)
        for jump in jumps:
            jump.target = group[0]
        self.woven += group
        return True

    def _group(self, hook: Hook, place: Place) -> list[Instruction]:
        if id(hook) not in self.places:
            self.places[id(hook)] = len(self.constants)
            self.constants.append(hook)
        here = Place(place.line, place.starts, place.line)
        load = ("LOAD_CONST", self.places[id(hook)], here)
        drop = ("POP_TOP", 0, Place(None))
        if VERSION >= (3, 11):
            steps = [("PUSH_NULL", 0, here), load, ("PRECALL", 0, here), ("CALL", 0, here), drop]
        else:
            steps = [load, ("CALL_FUNCTION", 0, here._replace(starts=False)), drop]
        if VERSION == (3, 9) and not place.starts:
            steps.append(("NOP", 0, here._replace(starts=True)))
        group = [Instruction(*step) for step in steps]
        self.droppers.append(group[[step[0] for step in steps].index("POP_TOP")])
        return group

    def _jump(self, target: Instruction) -> Instruction:
        line = target.place.line
        jump = Instruction("JUMP_FORWARD", 0, Place(line, False, line))
        jump.target = target
        return jump

    def finish(self, used: Hooks) -> CodeType:
        """Put the pieces together."""
        lay_out(self.woven)
        dropped = {dropper.offset for dropper in self.droppers}
        starts = {first.offset for first in self.groups.values()}
        spans = (Span(instruction.size, instruction.place) for instruction in self.woven)
        changes: dict[str, Any] = {
            "co_code": b"".join(instruction.encode() for instruction in self.woven),
            "co_consts": (*self.constants, Insertion(self.code, used, dropped, starts)),
            "co_stacksize": self.code.co_stacksize + _GROUP_DEPTH,
            TABLE: write_places(spans, self.code.co_firstlineno),
        }
        if VERSION >= (3, 11):
            changes["co_exceptiontable"] = write_guards(self._guards())
        return self.code.replace(**changes)

    def _guards(self) -> Iterator[Guard]:
        last = self.instructions[-1]
        ends = {last: last.offset + last.size}
        for instruction, following in zip(self.instructions, self.instructions[1:]):
            ends[instruction] = self._guarded_from(following)
        for guarded in self.guarded:
            # What raises on the handler's own line goes past the hook in front: more entries than before.
            for landing, run in groupby(guarded.body, partial(self._landing, guarded)):
                body = list(run)
                start, end = self._guarded_from(body[0]), ends[body[-1]]
                yield Guard(start, end, landing.offset, guarded.depth, guarded.lasti)

    def _guarded_from(self, instruction: Instruction) -> int:
        """The offset from where the guards of `instruction` hold: that of what is in front of it."""
        # POP_EXCEPT ends a handler, and is not guarded by it since it cannot raise. But a hook there can.
        if instruction.opcode in _POP_EXCEPT:
            return instruction.offset
        return (self.arounds.get(instruction) or self.groups.get(instruction) or instruction).offset

    def _landing(self, guarded: Guarded, source: Instruction) -> Instruction:
        """Where to go when `source` raises."""
        group = self.groups.get(guarded.handler)
        return group if group and self.is_raise_event(source, guarded.handler) else guarded.handler
