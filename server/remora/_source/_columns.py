"""Several places to stop on one line: which lambda, comprehension or one-line body a column means.

Pure: a text goes in, tables come out. A place is the part of a line that one code object runs. What the
interpreter compiles has no columns before 3.11, so code and text are brought together by another way: the
text is compiled a second time with every scope on a line of its own, and the two trees of code have the same
shape. Runs on the server thread, and on a program's thread that enters a file with a breakpoint for the
first time.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any

from remora._interpreter._compiling import compile_quietly, parse_quietly
from remora._source._placement import code_spans
from remora_protocol import split_source

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Spot", "pick", "spots_of_text"]

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_DEFINITIONS, *_COMPREHENSIONS, ast.Lambda)
_FAR = 1_000_000  # lines that no text has

Place = "tuple[int, int]"


@dataclass(frozen=True)
class Spot:
    """One of several places on a line.

    Attributes:
        column: where it begins, from 1, in characters.
        begins, ends: what of the text belongs to it, as (line, column from 0 in bytes).
        depth: how many scopes it is inside of.
        code: what runs there, as this text compiles; None: this Python has one code object for several
            places, because they are the same but for where they stand.
        is_alone: no other code object of the file has this name and first line.
    """

    column: int
    begins: tuple[int, int]
    ends: tuple[int, int]
    depth: int
    code: CodeType | None
    is_alone: bool

    def runs(self, code: CodeType) -> bool:
        """Whether this code of the program is the one meant."""
        mine = self.code
        if mine is None or code.co_name != mine.co_name or code.co_firstlineno != mine.co_firstlineno:
            return False
        if self.is_alone:
            return True  # also where something has rewritten the code, as pytest does with assertions
        here, there = _first_position(code), _first_position(mine)
        return code == mine if here is None or there is None else here == there


def pick(spots: tuple[Spot, ...], line: int, column: int, text: str) -> Spot:
    """The innermost place that holds this column, which is one of characters, from 1."""
    lines = split_source(text)
    before = lines[line - 1][: column - 1] if line <= len(lines) else ""
    at = (line, len(before.encode("utf-8", "surrogatepass")))
    inside = [spot for spot in spots if spot.begins <= at < spot.ends]
    return max(inside, key=lambda spot: spot.depth, default=spots[0])


def spots_of_text(text: str) -> dict[int, tuple[Spot, ...]]:
    """The lines with several places, each with its places from left to right.

    Raises:
        SyntaxError, ValueError, RecursionError: the text is not Python of this version.
    """
    tree = parse_quietly(text)
    module = compile_quietly(text)
    codes, twins = _codes_of_scopes(parse_quietly(text), module)
    scopes = [node for node in ast.walk(tree) if isinstance(node, _SCOPES)]
    owners: dict[int, ast.AST] = {}
    depths: dict[int, int] = {id(tree): 0}
    by_position = {_key(node): node for node in scopes}
    real = {id(by_position[key]): code for key, code in codes.items() if key in by_position}
    merged = {id(by_position[key]) for key in twins if key in by_position}
    starts: dict[tuple[int, int], int] = {}  # (scope, line) -> the leftmost column of what it runs there
    for node, owner in _owned(tree, tree, {*real, *merged}):
        if isinstance(node, _SCOPES) and id(node) in {*real, *merged}:
            owners[id(node)] = owner
            depths[id(node)] = depths[id(owner)] + 1
        line, at = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        if line:
            key = (id(owner), line)
            starts[key] = min(starts.get(key, at), at)
    names = [(code.co_name, code.co_firstlineno) for code in _all_codes(module)]
    source = split_source(text)
    found: dict[int, list[Spot]] = {}
    for scope in [tree, *scopes]:
        code = module if scope is tree else real.get(id(scope))
        if code is None and id(scope) not in merged:
            continue
        begins, ends = _span(scope, len(source))
        for line in _lines_of(scope, code):
            at = starts.get((id(scope), line))
            if at is None or line > len(source):
                continue
            column = (
                len(source[line - 1].encode("utf-8", "surrogatepass")[:at].decode("utf-8", "replace")) + 1
            )
            alone = code is not None and names.count((code.co_name, code.co_firstlineno)) == 1
            found.setdefault(line, []).append(Spot(column, begins, ends, depths[id(scope)], code, alone))
    return {
        line: tuple(sorted(spots, key=lambda spot: spot.column))
        for line, spots in found.items()
        if len(spots) > 1
    }


def _lines_of(scope: ast.AST, code: CodeType | None) -> set[int]:
    if code is not None:
        return code_spans(code)
    body: Any = scope.body if isinstance(scope, ast.Lambda) else getattr(scope, "elt", scope)
    return {body.lineno}


def _codes_of_scopes(
    marked: ast.Module, module: CodeType
) -> tuple[dict[tuple[Any, ...], CodeType], set[tuple[Any, ...]]]:
    """By a scope's place in the text: its code. And those of which this Python has one code for several."""
    keys: dict[int, tuple[Any, ...]] = {}
    lines: dict[int, int] = {}
    for number, node in enumerate(each for each in ast.walk(marked) if isinstance(each, _SCOPES)):
        line = _FAR + number
        keys[line] = _key(node)
        lines[line] = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
        for each in (node, *getattr(node, "decorator_list", ())):
            each.lineno = each.end_lineno = line
            each.col_offset, each.end_col_offset = 0, 1
    codes: dict[tuple[Any, ...], CodeType] = {}
    twins: set[tuple[Any, ...]] = set()

    def pair(real: CodeType, other: CodeType) -> None:
        groups: dict[tuple[str, int], tuple[list[CodeType], list[CodeType]]] = {}
        for place, code in enumerate((real, other)):
            for each in code.co_consts:
                if isinstance(each, CodeType):
                    first = lines.get(each.co_firstlineno, each.co_firstlineno)
                    groups.setdefault((each.co_name, first), ([], []))[place].append(each)
        for mine, theirs in groups.values():
            if len(mine) != len(theirs):  # equal constants are one: before 3.11 columns do not count
                twins.update(keys[each.co_firstlineno] for each in theirs if each.co_firstlineno in keys)
                continue
            for one, same in zip(mine, theirs):
                if same.co_firstlineno in keys and not one.co_name.startswith("<generic"):
                    codes[keys[same.co_firstlineno]] = one
                pair(one, same)

    pair(module, compile_quietly(marked))
    return codes, twins


def _key(node: Any) -> tuple[Any, ...]:
    return (type(node).__name__, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


def _owned(node: ast.AST, owner: ast.AST, scopes: set[int]) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Each node with the scope whose code evaluates it; a scope itself is made by the one around it."""
    yield node, owner
    inner = node if id(node) in scopes else owner
    for name, value in ast.iter_fields(node):
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, ast.AST):
                continue
            if isinstance(each, ast.comprehension):
                first = name == "generators" and each is node.generators[0]  # type: ignore[attr-defined]
                yield from _owned(each.iter, owner if first else inner, scopes)
                for part in (each.target, *each.ifs):
                    yield from _owned(part, inner, scopes)
            elif isinstance(each, ast.arguments):
                for part in (*each.defaults, *filter(None, each.kw_defaults)):
                    yield from _owned(part, owner, scopes)
            elif name in ("body", "elt", "key", "value") or not isinstance(node, _SCOPES):
                yield from _owned(each, inner, scopes)
            else:  # decorators, base classes, annotations
                yield from _owned(each, owner, scopes)


def _span(scope: Any, last: int) -> tuple[tuple[int, int], tuple[int, int]]:
    if isinstance(scope, ast.Module):
        return (0, 0), (last + 2, 0)
    first = scope.body[0] if isinstance(scope, _DEFINITIONS) else scope
    return (first.lineno, first.col_offset), (scope.end_lineno, scope.end_col_offset)


def _all_codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _all_codes(each)


def _first_position(code: CodeType) -> tuple[int, int] | None:
    """Where its text begins; None where the interpreter keeps no columns."""
    if not hasattr(code, "co_positions"):
        return None
    found = [(line, at) for line, _, at, _ in code.co_positions() if line is not None and at is not None]
    begins = [place for place in found if place != (code.co_firstlineno, 0)]
    return min(begins or found, default=None)
