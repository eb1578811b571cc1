"""Where exceptions come from that a handler has passed on: CPython 3.11.

When a handler itself ends by an exception, be it another one or the same again, control goes through a
cleanup, three instructions on no line, to the next handler outside. For tracing it then comes from where it
was raised first: a line is reported if that was on another one. For a `with` of several managers on one line
this makes a difference, and which way control came can no longer be seen at the cleanup's end. So there are
two cleanups where both ways are possible, one for each; and where a manager stands between two others, two of
what passes on the exceptions that it does not swallow.

What comes through a third manager of an `async with` of one line counts as an event, whichever way it came.

Pure functions of a code object taken to pieces, for any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora._engine._instructions import Guarded, Instruction, opcodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Cleanups"]

_COPY = opcodes("COPY")
_POP_EXCEPT = opcodes("POP_EXCEPT")
_PUSH_EXC_INFO = opcodes("PUSH_EXC_INFO")
_RERAISE = opcodes("RERAISE")
_WITH_EXCEPT_START = opcodes("WITH_EXCEPT_START")
_JUMP_IF_SWALLOWED = opcodes("POP_JUMP_FORWARD_IF_TRUE")
_SIZE = 3
_PASSER_SIZE = 4


class Cleanups:
    """Those of one code object.

    Attributes:
        copies: the instructions of second cleanups, to be put at the end.
        passing: what passes exceptions on -> the instructions of a second one, to be put in front of it.
        diverted: (cleanup or what passes on, what raises) -> the second one that this goes to instead.
    """

    def __init__(self, instructions: Sequence[Instruction], guarded: list[Guarded]) -> None:
        self.copies: list[Instruction] = []
        self.passing: dict[Instruction, list[Instruction]] = {}
        self.diverted: dict[tuple[Instruction, Instruction], Instruction] = {}
        self._guarded = guarded
        self._sources: dict[Instruction, Sequence[Instruction]] = {}
        self._cleanups: list[list[Instruction]] = []
        self._passers: list[list[Instruction]] = []
        handler: Instruction | None = None
        for place, step in enumerate(instructions):
            if step.opcode in _PUSH_EXC_INFO:
                handler = step
            elif step.opcode in _RERAISE and step.argument:
                cleanup = list(instructions[max(place - _SIZE + 1, 0) : place + 1])
                if _is_cleanup(cleanup):
                    self._cleanups.append(cleanup)
                    self._sources[step] = cleanup[0].raisers
                elif handler is not None:
                    self._sources[step] = handler.raisers  # the end of a `with`: the same exception again
                    passer = list(instructions[max(place - _PASSER_SIZE + 1, 0) : place + 1])
                    if _is_passer(passer):
                        self._passers.append(passer)

    def origins(self, source: Instruction) -> set[Instruction]:
        """Where an exception may have been raised first that comes out of `source`."""
        found: set[Instruction] = set()
        seen = set()
        pending = [source]
        while pending:
            step = pending.pop()
            if step not in seen:
                seen.add(step)
                if step in self._sources:
                    pending += self._sources[step]
                else:
                    found.add(step)
        return found

    def split(self, handler: Instruction, is_event: Callable[[Instruction], bool]) -> None:
        """Have the exceptions that are events for `handler` come there by other cleanups than the rest.

        To be called for inner handlers before outer ones.
        """
        for passer in self._passers:
            self._split_passer(passer, handler, is_event)
        for cleanup in self._cleanups:
            outside = [each for each in self._guarded if cleanup[-1] in each.body and each.handler is handler]
            silent = [source for source in cleanup[0].raisers if not is_event(source)]
            if outside and 0 < len(silent) < len(cleanup[0].raisers):
                self._divert(cleanup, silent, outside[0])

    def _split_passer(
        self, passer: list[Instruction], handler: Instruction, is_event: Callable[[Instruction], bool]
    ) -> None:
        inside = [each for each in self._guarded if passer[0] in each.body]
        outside = [each for each in self._guarded if inside and inside[0].handler in each.body]
        if not outside or outside[0].handler is not handler or handler.place.line != passer[0].place.line:
            return
        silent = [source for source in passer[0].raisers if not is_event(source)]
        if 0 < len(silent) < len(passer[0].raisers):
            copy = [step.copy() for step in passer]
            self.passing[passer[0]] = copy
            self._guarded.append(inside[0]._replace(body=copy))
            inside[0].handler.raisers += copy
            self._sources[copy[-1]] = silent
            self._sources[passer[-1]] = [each for each in passer[0].raisers if each not in silent]
            self.diverted.update({(passer[0], source): copy[0] for source in silent})

    def _divert(self, cleanup: list[Instruction], sources: list[Instruction], outside: Guarded) -> None:
        copy = [step.copy() for step in cleanup]
        self.copies += copy
        self._guarded.append(outside._replace(body=copy))
        self._sources[copy[-1]] = sources
        self._sources[cleanup[-1]] = [each for each in cleanup[0].raisers if each not in sources]
        outside.handler.raisers.append(copy[-1])
        self.diverted.update({(cleanup[0], source): copy[0] for source in sources})


def _is_cleanup(steps: list[Instruction]) -> bool:
    opcodes_of_one = (_COPY, _POP_EXCEPT, _RERAISE)
    fits = len(steps) == _SIZE and all(step.opcode in wanted for step, wanted in zip(steps, opcodes_of_one))
    return fits and not steps[0].jumps


def _is_passer(steps: list[Instruction]) -> bool:
    """Whether these are how a `with` handles an exception, up to where it raises it again."""
    opcodes_of_one = (_PUSH_EXC_INFO, _WITH_EXCEPT_START, _JUMP_IF_SWALLOWED, _RERAISE)
    return len(steps) == _PASSER_SIZE and all(
        step.opcode in wanted for step, wanted in zip(steps, opcodes_of_one)
    )
