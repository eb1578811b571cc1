"""Reading the repr of a value back: from a server, which may have sent anything, or from a person."""

from __future__ import annotations

import ast
import warnings
from typing import Any

__all__ = ["read_literal"]


def read_literal(text: str) -> Any:
    """The value that a repr of plain data stands for.

    Raises:
        ValueError: the text is no such repr, or nested more deeply than Python reads.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash that escapes nothing is a backslash
            return ast.literal_eval(text)
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(str(error)) from None
