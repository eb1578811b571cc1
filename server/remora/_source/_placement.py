"""Which lines of a source text can stop, and where a breakpoint on any other line goes.

Pure: a text goes in, tables come out. Runs on the server thread, and on a program's thread when a
file that has a breakpoint waiting is seen for the first time.
"""

from __future__ import annotations

import opcode
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING

from remora._interpreter._compiling import compile_quietly, parse_quietly
from remora_protocol import split_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_RESUME = opcode.opmap.get("RESUME")
_CO_NEWLOCALS = 0x02
_EXPRESSION_SCOPES = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


def code_lines(code: CodeType) -> list[tuple[int, int]]:
    """The (offset, line) pairs at which a line of this code starts, without the code that sets up a call."""
    begin = _prologue_end(code)
    return [(offset, line) for offset, line in _entries(code) if offset >= begin and line > 0]


def code_spans(code: CodeType) -> set[int]:
    """Every line that this code runs, also one whose first instruction sets up the call: a short lambda's."""
    if not hasattr(code, "co_lines"):
        return {line for _, line in code_lines(code)}
    begin = _prologue_end(code)
    return {line for _, end, line in code.co_lines() if line and end > begin}


def _entries(code: CodeType) -> Iterator[tuple[int, int]]:
    if hasattr(code, "co_lines"):
        for start, _end, line in code.co_lines():
            yield start, line or 0
        return
    offset, line, last = 0, code.co_firstlineno, None
    for width, delta in zip(code.co_lnotab[::2], code.co_lnotab[1::2]):
        if width:
            if line != last:
                yield offset, line
            last = line
            offset += width
        line += delta - 256 if delta >= 128 else delta
    if line != last:
        yield offset, line


def _prologue_end(code: CodeType) -> int:
    """The offset after RESUME: what stands before it has the line of the `def` and is no statement."""
    if _RESUME is None:
        return 0
    raw = code.co_code
    for offset in range(0, len(raw), 2):
        if raw[offset] == _RESUME:
            return offset + 2
    return 0


def nested_codes(code: CodeType) -> Iterator[CodeType]:
    """This code and every code inside it, outermost first."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested_codes(constant)


@dataclass(frozen=True)
class Scope:
    """A module, class or function: the lines that its own code starts, and the lines that it spans."""

    name: str
    qualname: str
    first: int
    last: int
    lines: frozenset[int]
    column: int = 0


@dataclass(frozen=True)
class Lines:
    """Everything about the lines of one file. `scopes` has the module first, then by first line."""

    executable: frozenset[int]
    scopes: tuple[Scope, ...]
    statements: tuple[tuple[int, int], ...] = ()
    margins: tuple[int, ...] = ()

    def scope_at(self, line: int) -> Scope:
        """The innermost scope whose text holds this line."""
        inside = [scope for scope in self.scopes if scope.first <= line <= scope.last]
        return min(inside, key=lambda scope: scope.last - scope.first) if inside else self.scopes[0]

    def place(self, line: int) -> int | None:
        """Where a breakpoint asked for on this line can stop; None when nowhere in the same function."""
        if line in self.executable:
            return line
        whole = self._statement_around(line)
        if whole is not None:
            return whole
        if self._is_tail_of_a_function(line):
            return None
        scope = self.scope_at(line)
        return min((other for other in scope.lines if line < other <= scope.last), default=None)

    def _statement_around(self, line: int) -> int | None:
        """The line on which the simple statement that spans this line can stop, if it can stop at all."""
        for first, last in self.statements:
            if first < line <= last:
                inside = [other for other in self.executable if first <= other <= last]
                return max((other for other in inside if other < line), default=min(inside, default=None))
        return None

    def _is_tail_of_a_function(self, line: int) -> bool:
        """Whether this is a comment after a function's last statement, indented as the function's body is.

        Going on to the next line that can stop would leave the function.
        """
        if not 0 < line <= len(self.margins) or self.margins[line - 1] <= 0:
            return False
        before = [scope for scope in self.scopes if scope.last < line]
        if not before:
            return False
        nearest = max(before, key=lambda scope: scope.last)
        between = any(nearest.last < other < line for other in self.executable)
        return not between and self.margins[line - 1] > nearest.column


def lines_of_text(text: str) -> Lines:
    """Read a whole file's text; raises SyntaxError or ValueError when it is not Python of this version."""
    import ast

    tree = parse_quietly(text)
    module = compile_quietly(text)
    codes = list(nested_codes(module))
    spans = _spans(tree)
    statements = sorted(
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt)
        and not hasattr(node, "body")
        and not hasattr(node, "cases")
        and (node.end_lineno or 0) > node.lineno
    )
    source = split_source(text)
    return Lines(
        executable=frozenset(line for code in codes for _, line in code_lines(code)),
        scopes=tuple(_scopes(module, codes, spans, len(source) + 1)),
        statements=tuple(statements),
        margins=tuple(_margin(line) for line in source),
    )


def lines_of_codes(codes: Iterable[CodeType]) -> Lines | None:
    """The same, as well as it can be known from code objects alone; None when there are none."""
    everything = [inner for code in codes for inner in nested_codes(code)]
    if not everything:
        return None
    executable = frozenset(line for code in everything for _, line in code_lines(code))
    scopes = []
    for code in everything:
        own = frozenset(line for _, line in code_lines(code))
        if own and code.co_name not in _EXPRESSION_SCOPES:
            scopes.append(_scope(code, code.co_firstlineno, max(own), own))
    scopes.sort(key=lambda scope: (scope.first, -scope.last))
    last = max(executable, default=1)
    return Lines(executable, (Scope("<module>", "<module>", 1, last, frozenset()), *scopes))


def _scopes(
    module: CodeType, codes: list[CodeType], spans: dict[tuple[int, str], tuple[int, int, int]], count: int
) -> Iterator[Scope]:
    own = {id(code): {line for _, line in code_lines(code)} for code in codes}
    _lend_expressions(module, own)
    yield _scope(module, 1, count, frozenset(own[id(module)]))
    inner = [code for code in codes[1:] if code.co_name not in _EXPRESSION_SCOPES]
    for code in sorted(inner, key=lambda code: code.co_firstlineno):
        known = spans.get((code.co_firstlineno, code.co_name))
        lines = frozenset(own[id(code)])
        first, last, column = known or (code.co_firstlineno, max(lines, default=code.co_firstlineno), 0)
        yield _scope(code, first, last, lines, column)


def _lend_expressions(code: CodeType, own: dict[int, set[int]]) -> None:
    """Count the lines of comprehensions as lines of the function around them: they are one text."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _lend_expressions(constant, own)
            if constant.co_name in _EXPRESSION_SCOPES:
                own[id(code)] |= own[id(constant)]


def _scope(code: CodeType, first: int, last: int, lines: frozenset[int], column: int = 0) -> Scope:
    return Scope(code.co_name, getattr(code, "co_qualname", code.co_name), first, last, lines, column)


def _spans(tree: object) -> dict[tuple[int, str], tuple[int, int, int]]:
    """(first line with decorators, name) -> (line of the def, last line, column) of each def and class."""
    import ast

    found = {}
    for node in ast.walk(tree):  # type: ignore[arg-type]
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            last = node.end_lineno or node.lineno
            found[first, node.name] = (node.lineno, last, node.col_offset)
            found.setdefault((node.lineno, node.name), (node.lineno, last, node.col_offset))
    return found


def _margin(line: str) -> int:
    """How far a line of only a comment is indented; -1 for every other line."""
    bare = line.lstrip(" \t")
    return len(line) - len(bare) if bare.startswith("#") else -1
