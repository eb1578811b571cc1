"""What was inserted into a code object, kept in its constants. Pure functions, for any thread."""

from __future__ import annotations

import sys
from bisect import bisect_right
from types import CodeType, MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from remora._engine._bytecode import ExitHook, Hook, Hooks

__all__ = ["Insertion", "insertion_of", "original"]


class Insertion:
    """What was inserted into a code object. It is the last of the object's constants, so it lives as long.

    Compared and hashed by identity, as code objects compare and hash their constants.

    Attributes:
        original: the code object as the program made it.
        hooks: the lines of this code object, without nested ones, that call a hook, and which.
        entry: the hook that each start and resumption calls, if there is one.
        exit: the hook that gets what is returned or yielded, if there is one.
        results: where a hook's result is dropped, as `f_lasti`. 3.9 may report a 'line' event there, to be
            ignored; a frame must not be made to jump from there.
        starts: where what we inserted begins, as `f_lasti`. The 'line' event there comes before the hook, and
            comes again after it.
        origins: (offset, offset in the original) of each instruction, in order; -1 for those inserted.
    """

    __slots__ = ("entry", "exit", "hooks", "original", "origins", "results", "starts")

    def __init__(
        self,
        code: CodeType,
        hooks: Hooks,
        entry: Hook | None = None,
        exit: ExitHook | None = None,
        *,
        results: Set[int] = frozenset(),
        starts: Set[int] = frozenset(),
        origins: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.original = code
        self.hooks = MappingProxyType(dict(hooks))
        self.entry = entry
        self.exit = exit
        self.results = frozenset(results)
        self.starts = frozenset(starts)
        self.origins = tuple(origins)

    def origin(self, offset: int) -> int:
        """Where the instruction at this offset was in the original; -1 if it was not."""
        if not self.origins:
            return offset
        place = bisect_right(self.origins, (offset, sys.maxsize)) - 1
        return self.origins[place][1] if place >= 0 else -1

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
