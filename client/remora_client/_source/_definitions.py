"""The functions and classes of a source text, with the lines they begin and end at. Pure."""

from __future__ import annotations

import ast
from functools import lru_cache

from remora_client._records import record
from remora_protocol import split_source

__all__ = ["Definition", "definitions", "function_range"]


@record
class Definition:
    """A function or class: its dotted name, the line of its `def`, and that of its first own statement."""

    name: str
    line: int
    body: int
    is_function: bool


@lru_cache(maxsize=64)
def definitions(text: str) -> tuple[Definition, ...]:
    """All of them, in the order of the lines; nothing where the text is no Python of ours."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    found: list[Definition] = []

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}{child.name}"
                is_function = not isinstance(child, ast.ClassDef)
                found.append(Definition(name, child.lineno, _first_line(child), is_function))
                walk(child, f"{name}.")
            else:
                walk(child, prefix)

    walk(tree, "")
    return tuple(sorted(found, key=lambda each: each.line))


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    first, *rest = node.body
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return rest[0].lineno if documented and rest else first.lineno


def function_range(text: str, line: int) -> tuple[int, int]:
    """The first and last line of the innermost function or class that holds a line; else of the file."""
    lines = split_source(text)
    best = (1, len(lines))
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return max(1, line - 15), min(len(lines), line + 15)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            last = node.end_lineno or node.lineno
            if first <= line <= last and last - first <= best[1] - best[0]:
                best = (first, last)
    return best
