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

A function that is watched as a whole has another such group wherever it starts or is resumed, and one that
hands what it returns or yields to a hook, and takes what that gives, wherever it does so.

An exception that leaves a hook is handled by the program as if the line had raised it. Everything here is a
pure function of code objects, for any thread.
"""

from __future__ import annotations

import sys
from functools import partial
from itertools import chain, groupby
from opcode import opname
from types import CodeType, MappingProxyType
from typing import TYPE_CHECKING, Any, Callable
from weakref import WeakValueDictionary

from remora._engine._cleanups import Cleanups
from remora._engine._insertion import Insertion, insertion_of, original
from remora._engine._instructions import VERSION, Guarded, Instruction, lay_out, opcodes, take_apart
from remora._engine._linetables import TABLE, Guard, Place, Span, read_places, write_guards, write_places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Hook = Callable[[], object]
    Hooks = Mapping[int, Hook]
    """Line -> what to call there. Hooks end up in `co_consts`, so they must be hashable; functions are."""

    Entries = Mapping[int, Hook]
    """Id of a code object as the program made it -> what to call when it starts or is resumed."""

    ExitHook = Callable[[Any], Any]
    Exits = Mapping[int, ExitHook]
    """The same -> what to call with what it returns or yields; it gives what is to be handed over instead."""

__all__ = [
    "RETURNS",
    "SUPPORTED",
    "Insertion",
    "Rewriter",
    "insert",
    "insertion_of",
    "lines_of",
    "nested",
    "original",
]

SUPPORTED = sys.implementation.name == "cpython" and (3, 9) <= VERSION <= (3, 11)
"""Whether `insert` can read and write this Python's bytecode."""


RETURNS = opcodes("RETURN_VALUE")
# An async generator of 3.11 wraps what it yields first.
_WRAPS = opcodes("ASYNC_GEN_WRAP")
_YIELDS = opcodes("YIELD_VALUE")
_POP_EXCEPT = opcodes("POP_EXCEPT")
_RESUME = opcodes("RESUME")
_GEN_START = opcodes("GEN_START")
# After these a frame goes on when it is called or resumed. Up to 3.10 an `await` is resumed in the midst of
# YIELD_FROM; what comes after that, comes when the `await` is over.
_ENTERED_AFTER = _RESUME or opcodes("GEN_START", "YIELD_VALUE", "YIELD_FROM")
_SEND = opcodes("SEND")
_GROUP_DEPTH = 2 if VERSION >= (3, 11) else 1


def nested(code: CodeType) -> Iterator[tuple[int, CodeType]]:
    """The code objects directly in `code`, with their places among its constants."""
    return ((place, value) for place, value in enumerate(code.co_consts) if type(value) is CodeType)


def lines_of(code: CodeType) -> set[int]:
    """The lines that instructions of `code` stand on."""
    if sys.version_info >= (3, 10):
        return {line for _, _, line in code.co_lines() if line is not None}
    return {place.line for place in read_places(code) if place.line is not None}


def insert(
    code: CodeType, hooks: Hooks, entry: Hook | None = None, exit: ExitHook | None = None
) -> CodeType | None:
    """A copy of `code` that calls `hooks[line]()` at each start of a line and `entry` at each of its own.

    `exit` is called with what it returns and yields. None if no such line starts in it, and there is neither.
    Nested code objects stay as they are: see `Rewriter`.
    """
    if insertion_of(code) is not None:
        raise ValueError("hooks are inserted into the original of a code object only")
    is_watched = entry is not None or exit is not None
    if not is_watched and hooks.keys().isdisjoint(lines_of(code)):
        return None
    draft = _Draft(code)
    used = draft.weave(hooks, entry)
    return draft.finish(used, entry, exit) if used or is_watched else None


class Rewriter:
    """Rewrites code objects of one file together with all code nested in them.

    The same code object gives the same result, whichever way it is reached, as long as the result is in use.
    """

    def __init__(
        self,
        hooks: Hooks,
        entries: Entries = MappingProxyType({}),
        exits: Exits = MappingProxyType({}),
    ) -> None:
        self.hooks = dict(hooks)
        self.entries = dict(entries)
        self.exits = dict(exits)
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
        new = insert(code, self.hooks, self.entries.get(id(code)), self.exits.get(id(code)))
        if new is None:
            if not any(insertion_of(child) for child in inner.values()):
                return code
            new = code.replace(co_consts=(*code.co_consts, Insertion(code, {})))
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
        self.entries: dict[Instruction, Instruction] = {}  # the same, for the hook of the whole function
        self.arounds: dict[Instruction, Instruction] = {}  # in front of what -> the jump around the group
        # 3.11 traces nothing up to the first RESUME: cells, free variables and generators are being prepared.
        resumes = (instruction.origin for instruction in self.instructions if instruction.opcode in _RESUME)
        self.begin = next(resumes, -1)
        starts = (instruction.origin for instruction in self.instructions[1:] if instruction.place.starts)
        self.second_start = next(starts, len(code.co_code))
        self.cleanups = Cleanups(self.instructions, self.guarded) if VERSION >= (3, 11) else None
        self.woven: list[Instruction] = []
        self.constants: list[Any] = list(code.co_consts)
        self.places: dict[int, int] = {}  # id of a hook -> its place among the constants
        self.droppers: list[Instruction] = []
        self.tails: dict[Instruction, list[Instruction]] = {}  # what returns or yields -> what comes after it

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
        if self.cleanups is not None:
            return any(self.is_event(origin, handler) for origin in self.cleanups.origins(source))
        if VERSION > (3, 9):
            return self.is_event(source, handler)
        # 3.9 means to report a line after each exception, but overlooks those of the first instruction of a
        # line and of the whole first line, unless the handler starts a line.
        misses = source.place.starts or source.origin < self.second_start
        return handler.place.starts or not misses

    def weave(self, hooks: Hooks, entry: Hook | None = None) -> dict[int, Hook]:
        """Put groups in front of the instructions that need them; the hooks that were used, by line."""
        used = {}
        if self.cleanups is not None:
            handlers = {guarded.handler for guarded in self.guarded}
            for handler in sorted(handlers, key=lambda each: each.origin):  # inner ones before outer ones
                if handler.place.line in hooks:
                    self.cleanups.split(handler, partial(self._is_raise_event_at, handler))
        previous: Instruction | None = None
        for instruction in self.instructions:
            line = instruction.place.line
            if self.cleanups is not None:
                self.woven += self.cleanups.passing.get(instruction, ())
            if entry is not None and self._is_entered_at(instruction, previous):
                self._weave_entry(instruction, previous, entry)
            if line is not None and line in hooks and self._weave_before(instruction, previous, hooks[line]):
                used[line] = hooks[line]
            self.woven.append(instruction)
            previous = instruction
        if self.cleanups is not None:
            self.woven += self.cleanups.copies
        return used

    def _is_raise_event_at(self, handler: Instruction, source: Instruction) -> bool:
        return self.is_raise_event(source, handler)

    def _is_entered_at(self, target: Instruction, previous: Instruction | None) -> bool:
        """Whether the frame goes on here when it is called or resumed."""
        if previous is None:
            return VERSION < (3, 11) and target.opcode not in _GEN_START
        return previous.opcode in _ENTERED_AFTER

    def _weave_entry(self, target: Instruction, previous: Instruction | None, hook: Hook) -> None:
        """What follows has to look as if nothing were in between, in the eyes of a tracer as well."""
        if previous is not None and previous.origin > self.begin and previous.opcode not in _GEN_START:
            here = Place(previous.place.line, False, previous.place.line)
            group = self._group(hook, here, here)  # the line was begun long before
        elif VERSION == (3, 9):
            group = self._group(hook, target.place, Place(None))
        else:
            group = self._group(hook, Place(None), Place(None))
        self.entries[target] = group[0]
        self.woven += group

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
        group = self._line_group(hook, target.place)
        self.groups[target] = group[0]
        if falls and not falls_as_event:
            self.arounds[target] = around = self._jump(target)
            self.woven.append(around)
        for jump in jumps:
            jump.target = group[0]
        self.woven += group
        return True

    def _line_group(self, hook: Hook, place: Place) -> list[Instruction]:
        here = Place(place.line, place.starts, place.line)
        group = self._group(hook, here, Place(None))
        if VERSION == (3, 9) and not place.starts:
            group.append(Instruction("NOP", 0, here._replace(starts=True)))
        return group

    def _group(self, hook: Hook, here: Place, after: Place) -> list[Instruction]:
        """A call of `hook`, and, at the place `after`, the end of its result."""
        load = ("LOAD_CONST", self._place_of(hook), here)
        drop = ("POP_TOP", 0, after)
        if VERSION >= (3, 11):
            steps = [("PUSH_NULL", 0, here), load, ("PRECALL", 0, here), ("CALL", 0, here), drop]
        else:
            steps = [load, ("CALL_FUNCTION", 0, here._replace(starts=False)), drop]
        group = [Instruction(*step) for step in steps]
        self.droppers.append(group[-1])
        return group

    def _place_of(self, hook: Hook | ExitHook) -> int:
        """Where a hook is among the constants."""
        if id(hook) not in self.places:
            self.places[id(hook)] = len(self.constants)
            self.constants.append(hook)
        return self.places[id(hook)]

    def weave_exits(self, hook: ExitHook) -> None:
        """Have the hook take what is returned or yielded, and give it back: as the last thing, in place."""
        leaving = set()
        previous: Instruction | None = None
        for instruction in self.instructions:
            is_wrapped = previous is not None and previous.opcode in _WRAPS | _SEND
            if instruction.opcode in RETURNS | _WRAPS or (instruction.opcode in _YIELDS and not is_wrapped):
                leaving.add(instruction)
            previous = instruction
        woven, self.woven = self.woven, []
        for instruction in woven:
            self.woven.append(instruction)
            if instruction in leaving:
                self.tails[instruction] = self._exit_group(instruction, hook)
                self.woven += self.tails[instruction]

    def _exit_group(self, instruction: Instruction, hook: ExitHook) -> list[Instruction]:
        """What comes after the instruction, which is made to load the hook: jumps to it stay as they are."""
        here = instruction.place._replace(starts=False)
        call = [("PRECALL", 0), ("CALL", 0)] if VERSION >= (3, 11) else [("CALL_FUNCTION", 1)]
        swap = ("SWAP", 2) if VERSION >= (3, 11) else ("ROT_TWO", 0)
        last = (opname[instruction.opcode], instruction.argument)
        instruction.become("LOAD_CONST", self._place_of(hook))
        return [Instruction(*step, here, instruction.origin) for step in (swap, *call, last)]

    def _jump(self, target: Instruction) -> Instruction:
        line = target.place.line
        jump = Instruction("JUMP_FORWARD", 0, Place(line, False, line))
        jump.target = target
        return jump

    def finish(self, used: Hooks, entry: Hook | None, exit: ExitHook | None) -> CodeType:
        """Put the pieces together."""
        if exit is not None:
            self.weave_exits(exit)
        lay_out(self.woven)
        dropped = {dropper.offset for dropper in self.droppers}
        starts = {first.offset for first in (*self.groups.values(), *self.entries.values())}
        origins = [(instruction.offset, instruction.origin) for instruction in self.woven]
        spans = (Span(instruction.size, instruction.place) for instruction in self.woven)
        changes: dict[str, Any] = {
            "co_code": b"".join(instruction.encode() for instruction in self.woven),
            "co_consts": (
                *self.constants,
                Insertion(self.code, used, entry, exit, results=dropped, starts=starts, origins=origins),
            ),
            "co_stacksize": self.code.co_stacksize + _GROUP_DEPTH,
            TABLE: write_places(spans, self.code.co_firstlineno),
        }
        if VERSION >= (3, 11):
            changes["co_exceptiontable"] = write_guards(sorted(self._guards()))
        return self.code.replace(**changes)

    def _guards(self) -> Iterator[Guard]:
        assert self.cleanups is not None
        passing = self.cleanups.passing
        ends = {each: each.offset + each.size for each in chain(self.cleanups.copies, *passing.values())}
        last = self.instructions[-1]
        tail = self.tails.get(last, [last])[-1]
        ends[last] = tail.offset + tail.size
        for instruction, following in zip(self.instructions, self.instructions[1:]):
            copied = passing.get(following)
            ends[instruction] = copied[0].offset if copied else self._guarded_from(following)
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
        inserted = (self.entries, self.arounds, self.groups)  # in this order
        first = next((where[instruction] for where in inserted if instruction in where), instruction)
        return first.offset

    def _landing(self, guarded: Guarded, source: Instruction) -> Instruction:
        """Where to go when `source` raises."""
        assert self.cleanups is not None
        if (guarded.handler, source) in self.cleanups.diverted:
            return self.cleanups.diverted[guarded.handler, source]
        group = self.groups.get(guarded.handler)
        return group if group and self.is_raise_event(source, guarded.handler) else guarded.handler
