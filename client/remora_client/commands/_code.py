"""The Python in a command's arguments: completion works on it, and an open bracket in it goes on. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remora_client.commands._table import lookup
from remora_client.locspec import split_place

if TYPE_CHECKING:
    from remora_client.commands._table import Command

__all__ = ["code_in"]

_OPTION = re.compile(r"(?:/[a-z]+|-[a-z]+)(?:\s+|\Z)")
_CONDITION = re.compile(r"(?:,|(?:^|(?<=\s))if\b)\s*")
_NUMBER = re.compile(r"\S+\s+(?!-)")
_SET = re.compile(r"[^=]*[^=!<>]=(?!=)")
_THERE = re.compile(r"(?:apply\s+)?\S+\s+(?=(?P<word>\w+)(?P<rest>.*))", re.DOTALL)
_ELSEWHERE = frozenset({"frame", "proc", "task", "thread"})  # they run the rest in another place


def code_in(entry: Command, arguments: str) -> str | None:
    """The expression that these arguments end with; None where they end with none.

    ``print /x n`` ends with ``n``, ``break app.py:3 if x > 1`` with ``x > 1``, ``set x = y`` and
    ``frame 2 print y`` with ``y``.
    """
    if entry.argument == "expression":
        while match := _OPTION.match(arguments):
            arguments = arguments[match.end() :]
        return arguments
    if entry.name in _ELSEWHERE:
        match = _THERE.match(arguments)
        there = lookup(match["word"]) if match else None
        return code_in(there, match["rest"].lstrip()) if match and there else None
    match = None
    if entry.argument == "location":
        place, behind = split_place(arguments)
        arguments = arguments if place == "if" else behind
        match = _CONDITION.search(arguments)
    elif entry.name in ("condition", "set"):
        match = (_NUMBER if entry.name == "condition" else _SET).match(arguments)
    return arguments[match.end() :] if match else None
