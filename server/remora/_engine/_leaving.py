"""How a frame is being left, read off its bytecode. Any thread."""

from __future__ import annotations

import dis
from typing import TYPE_CHECKING

from remora._engine._base import Happening

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = ["hands_over", "how_it_leaves", "yields_itself"]

_CACHE = dis.opmap.get("CACHE", -1)
_SEND = dis.opmap.get("SEND", -1)
_YIELD_VALUE = dis.opmap["YIELD_VALUE"]
_YIELDS = frozenset(dis.opmap[name] for name in ("YIELD_VALUE", "YIELD_FROM") if name in dis.opmap)
_YIELD_FROM = dis.opmap.get("YIELD_FROM", -1)
_RETURNS = frozenset(dis.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in dis.opmap)


def how_it_leaves(frame: FrameType, thrown: bool) -> Happening:
    """Tell the three kinds of "return" events apart. `thrown`: an exception was the frame's last event."""
    code, position = frame.f_code.co_code, frame.f_lasti
    if position >= 0 and code[position] in _RETURNS:
        return Happening.RETURN
    if thrown or position < 0:
        return Happening.UNWIND
    # Before 3.11 CPython steps back from YIELD_FROM, to come to it again when it is resumed.
    follows = code[position + 2] if position + 2 < len(code) else -1
    if code[position] in _YIELDS or follows == _YIELD_FROM:
        return Happening.YIELD
    return Happening.UNWIND


def hands_over(frame: FrameType, happening: Happening) -> bool:
    """Whether a frame that is left so hands a value of its own to who called or resumed it."""
    if happening is Happening.YIELD:
        return yields_itself(frame.f_code, frame.f_lasti)
    return happening is Happening.RETURN


def yields_itself(code: CodeType, offset: int) -> bool:
    """Whether a frame suspended here does so by a `yield` of its own, not by `yield from` or `await`."""
    instructions = code.co_code
    if instructions[offset] != _YIELD_VALUE:
        return False
    before = offset - 2
    while before > 0 and instructions[before] == _CACHE:
        before -= 2
    return before < 0 or instructions[before] != _SEND
