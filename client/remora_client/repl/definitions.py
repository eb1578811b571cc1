"""The functions and classes of a source text, with the lines they begin at. Pure."""

from __future__ import annotations

import ast
from functools import lru_cache

__all__ = ["definitions"]


@lru_cache(maxsize=16)
def definitions(text: str) -> tuple[tuple[int, str], ...]:
    """(line, dotted name) of each, in the order of the lines; nothing where the text is no Python of ours."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    found: list[tuple[int, str]] = []

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}{child.name}"
                found.append((child.lineno, name))
                walk(child, f"{name}.")
            else:
                walk(child, prefix)

    walk(tree, "")
    return tuple(sorted(found))
