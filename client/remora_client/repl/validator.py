"""Is a line that was typed complete, or does it go on? Pure."""

from __future__ import annotations

import codeop
import re
import warnings

from remora_client.commands import PythonLine, classify

__all__ = ["indentation", "needs_more"]

_OPENS_BLOCK = re.compile(r":\s*(#.*)?\Z")
_STEP = "    "


def needs_more(text: str, names: frozenset[str] = frozenset()) -> bool:
    """Whether Enter should begin another line: Python that is not complete. A blank line ends a block."""
    if not text.strip():
        return False
    first, _, rest = text.partition("\n")
    if not isinstance(classify(first if rest else text, names), PythonLine):
        return False
    code = text.strip().removeprefix("!").lstrip() if text.lstrip().startswith("!") else text
    if "\n" in code and not code.rsplit("\n", 1)[1].strip():
        return _open_brackets_or_strings(code)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return codeop.compile_command(code, "<prompt>", "exec") is None
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            return False


def _open_brackets_or_strings(code: str) -> bool:
    """Incomplete even though a blank line follows?"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return codeop.compile_command(code.rstrip() + "\n\n", "<prompt>", "exec") is None
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            return False


def indentation(text: str) -> str:
    """The blanks that the line after `text` begins with."""
    last = text.rsplit("\n", 1)[-1]
    blanks = last[: len(last) - len(last.lstrip())]
    if _OPENS_BLOCK.search(last):
        return blanks + _STEP
    if re.match(r"\s*(return|pass|break|continue|raise)\b", last):
        return blanks[: -len(_STEP)]
    return blanks
