"""Is a line that was typed complete, or does it go on? Pure."""

from __future__ import annotations

import codeop
import re
import warnings
from typing import TYPE_CHECKING, Literal

from remora_client.commands import PythonLine, classify

if TYPE_CHECKING:
    from types import CodeType

__all__ = ["indentation", "needs_more"]

_OPENS_BLOCK = re.compile(r":\s*(#.*)?\Z")
_COMMANDS = re.compile(
    r"\s*:?(?:commands|on)(?:\s+(?P<which>[\w-]+))?\s*\Z"
)  # the lines of a breakpoint follow, up to `end`
_STEP = "    "


def needs_more(
    text: str, names: frozenset[str] = frozenset(), breakpoints: frozenset[str] | None = None
) -> bool:
    """Whether Enter should begin another line: Python that is not complete. A blank line ends a block.

    Args:
        names: the variables in scope.
        breakpoints: the numbers and names of those there are; for another, `commands` takes no lines.
    """
    if not text.strip():
        return False
    first, _, rest = text.partition("\n")
    if match := _COMMANDS.match(first):
        if not rest and breakpoints is not None:
            return match["which"] in breakpoints if match["which"] else bool(breakpoints)
        return text.rstrip("\n").rsplit("\n", 1)[-1].strip() != "end"
    if not isinstance(classify(first if rest else text, names), PythonLine):
        return False
    code = text.strip().removeprefix("!").lstrip() if text.lstrip().startswith("!") else text
    if "\n" in code and not code.rsplit("\n", 1)[1].strip():
        return _incomplete(code.rstrip() + "\n\n")  # an open bracket or string goes on
    if _incomplete(code):
        return True
    return "\n" in code and code.rsplit("\n", 1)[1][:1].isspace() and not _broken(code)


def _incomplete(code: str) -> bool:
    return _compiled(code) is None


def _broken(code: str) -> bool:
    return _compiled(code) is False


def _compiled(code: str) -> CodeType | Literal[False] | None:
    """The code; None if more has to come; False if it never becomes Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return codeop.compile_command(code, "<prompt>", "exec")
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
