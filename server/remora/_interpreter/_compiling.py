"""Texts to trees and code without a warning of the compiler's. Any thread.

For the program's files, where they are only looked at, and for what clients send. The program has had the
warnings of its files, or wants none. Once more, they would land on its streams, or be errors where it
says so, and then its files could not be read.
"""

from __future__ import annotations

import ast
import re
import warnings

from remora._interpreter._frames import EVALUATED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType
    from typing import Any

__all__ = ["compile_quietly", "parse_quietly"]

_QUIET = ("ignore", None, Warning, re.compile(re.escape(EVALUATED) + r"\Z"), 0)


class _Quiet:
    """While it lasts, warnings in what is named EVALUATED are ignored, and all others are as they were.

    Not `warnings.catch_warnings`, which other threads would see, and which puts back the filters of one at
    the end of another. Nor is Python told that the filters have changed: it would show every warning anew.
    """

    def __enter__(self) -> None:
        filters: Any = getattr(warnings, "filters", None)  # or whatever the program has put there
        self._filters: list[Any] = filters if type(filters) is list else []
        self._filters.insert(0, _QUIET)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for place, each in enumerate(self._filters):
            if each is _QUIET:
                del self._filters[place]
                return


def parse_quietly(text: str, mode: str = "exec") -> Any:
    """`ast.parse`, and its errors."""
    with _Quiet():
        return ast.parse(text, EVALUATED, mode)


def compile_quietly(source: str | ast.AST, mode: str = "exec") -> CodeType:
    """`compile`, and its errors. The code is named EVALUATED, whatever file the text may be of."""
    with _Quiet():
        code: CodeType = compile(source, EVALUATED, mode, dont_inherit=True)  # type: ignore[arg-type]
        return code
