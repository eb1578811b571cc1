"""The calls on a line, as a step may go into one of them: which they are, and where in the bytecode.

Pure functions of a source text and a code object, on the server's thread.
"""

from __future__ import annotations

import ast
import dis
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remora._interpreter._compiling import parse_quietly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

__all__ = ["Target", "calls_at"]

_SCOPES: tuple[type, ...] = (ast.Lambda, ast.GeneratorExp)
if sys.version_info < (3, 12):  # since then they are part of the code around them
    _SCOPES += (ast.ListComp, ast.SetComp, ast.DictComp)


@dataclass(frozen=True)
class Target:
    """One call. `offsets` are those of its instruction and of what belongs to it."""

    label: str
    offsets: range
    line: int
    column: int
    end_line: int
    end_column: int


def calls_at(text: str, code: CodeType, line: int, after: int) -> list[Target]:
    """The calls of the statement on this line from an offset on, in the order they are made in."""
    statement = _statement_at(parse_quietly(text), line)
    if statement is None:
        return []
    calls = list(_calls_in(statement))
    has_positions = sys.version_info >= (3, 11) and sys.implementation.name == "cpython"
    found = _by_position(code, calls) if has_positions else _by_order(code, calls)
    return [_target(call, found[call]) for call in calls if call in found and found[call].start >= after]


def _statement_at(tree: ast.Module, line: int) -> ast.stmt | None:
    """The innermost one that this line is part of."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return min(around, key=lambda node: (node.end_lineno or node.lineno) - node.lineno, default=None)


def _calls_in(node: ast.AST) -> Iterator[ast.Call]:
    """Calls in this node itself, not in statements or functions within it; the arguments before the call."""
    if isinstance(node, _SCOPES):
        for loop in getattr(node, "generators", [])[:1]:
            yield from _calls_in(loop.iter)
        return
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.stmt, ast.ExceptHandler)) and type(child).__name__ != "match_case":
            yield from _calls_in(child)
    if isinstance(node, ast.Call):
        yield node


def _by_position(code: CodeType, calls: list[ast.Call]) -> dict[ast.Call, range]:
    by_end = {(call.end_lineno, call.end_col_offset): call for call in calls}
    found: dict[ast.Call, range] = {}
    instructions: list[Any] = list(dis.get_instructions(code))
    ends = [*(step.offset for step in instructions[1:]), len(code.co_code)]
    for step, end in zip(instructions, ends):
        place = step.positions
        if step.opname.startswith("CALL") and "INTRINSIC" not in step.opname and place is not None:
            call = by_end.get((place.end_lineno, place.end_col_offset))
            if call is not None:
                found[call] = range(step.offset, end)
    return found


def _by_order(code: CodeType, calls: list[ast.Call]) -> dict[ast.Call, range]:
    """Where instructions have lines only. If they are not as many as the calls, none is known."""
    lines = {line for call in calls for line in range(call.lineno, (call.end_lineno or call.lineno) + 1)}
    found = []
    line, previous = 0, ""
    for step in dis.get_instructions(code):
        line = step.starts_line or line
        ends_with = previous == "DUP_TOP"  # the call that a `with` makes at its end
        if step.opname.startswith("CALL_") and line in lines and not ends_with:
            found.append(range(step.offset, step.offset + 2))
        previous = step.opname
    return dict(zip(calls, found)) if len(found) == len(calls) else {}


def _target(call: ast.Call, offsets: range) -> Target:
    end_line, end_column = call.end_lineno or call.lineno, call.end_col_offset or call.col_offset
    label = ast.unparse(call.func)
    return Target(label, offsets, call.lineno, call.col_offset + 1, end_line, end_column + 1)
