"""Is what was typed complete, or does it go on; and is it one thing to run, or several? Pure."""

from __future__ import annotations

import codeop
import re
import warnings
from typing import TYPE_CHECKING, Literal, TypeAlias

from remora_client.commands import CommandLine, classify, code_in, split_commands

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from remora_client._model import Breakpoint

__all__ = ["indentation", "known", "needs_more", "parts_of", "pieces"]

Kind: TypeAlias = Literal["exec", "eval"]
_OPENS_BLOCK = re.compile(r":\s*(#.*)?\Z")
_COMMANDS = re.compile(
    r"\s*:?(?:commands|on)(?:\s+(?P<which>[\w-]+))?\s*\Z"
)  # the lines of a breakpoint follow, up to `end`
_LATER_PART = re.compile(r"(?:else|elif|except|finally)\b")
_STEP = "    "


def needs_more(
    text: str, names: frozenset[str] = frozenset(), breakpoints: frozenset[str] | None = None
) -> bool:
    """Whether Enter should begin another line: Python that is not complete. A blank line ends a block.

    Args:
        text: what was typed, or of several pieces the last one.
        names: the variables in scope.
        breakpoints: the numbers and names of those there are; for another, `commands` takes no lines.
    """
    text = pieces(text, names)[-1]
    if not text.strip():
        return False
    first, _, rest = text.partition("\n")
    if match := _COMMANDS.match(first):
        if not rest and breakpoints is not None:
            return match["which"] in breakpoints if match["which"] else bool(breakpoints)
        return _takes_lines(text)
    code, kind = _code(text, names)
    return _block_goes_on(code) if kind == "exec" else _compiled(code, kind) is None


def known(breakpoints: Iterable[Breakpoint]) -> frozenset[str]:
    """The numbers and names of breakpoints."""
    return frozenset(word for each in breakpoints for word in (str(each.number), each.name) if word)


def pieces(text: str, names: frozenset[str] = frozenset()) -> list[str]:
    """What is to be run one after the other, of several lines that were pasted: commands, and Python.

    It is one where there is no command among them, or where a part is neither: nothing is run by mistake.
    """
    if "\n" not in text.strip():
        return [text]
    if not _is_command(text.lstrip().partition("\n")[0], names) and not _broken(text):
        return [text]
    found: list[str] = []
    for line in text.split("\n"):
        if found and (_belongs(line) or _is_open(found[-1], names)):
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    sound = all(_is_command(each, names) or not _broken(each) for each in found)
    return found if sound else [text]


def parts_of(text: str, names: frozenset[str] = frozenset()) -> list[str]:
    """The commands and the Python of what was typed: `pieces`, parted at ``;;`` too; an empty line is one."""
    return [part for piece in pieces(text, names) for part in split_commands(piece)] or [""]


def _is_command(text: str, names: frozenset[str]) -> bool:
    return bool(text.strip()) and isinstance(classify(text, names), CommandLine)


def _belongs(line: str) -> bool:
    """To what stands before it, whatever that is: indented, blank, or a later part of a block."""
    return not line.strip() or line[0].isspace() or bool(_LATER_PART.match(line))


def _is_open(piece: str, names: frozenset[str]) -> bool:
    """Whether the next line belongs to it, wherever that begins."""
    if _COMMANDS.match(piece.partition("\n")[0]):
        return _takes_lines(piece)
    code, kind = _code(piece, names)
    return _compiled(f"{code}\n" if kind == "exec" else code, kind) is None


def _takes_lines(text: str) -> bool:
    return text.rstrip("\n").rsplit("\n", 1)[-1].strip() != "end"


def _code(text: str, names: frozenset[str]) -> tuple[str, Kind]:
    """The Python in a text, and how it is read: as statements, or as the expression that a command takes."""
    first, newline, _ = text.partition("\n")
    line = classify(first if newline else text, names)
    if not isinstance(line, CommandLine):
        stripped = text.lstrip()
        return (stripped[1:].lstrip() if stripped.startswith("!") else text), "exec"
    if line.command.name == "py":
        return text[text.index(line.word) + len(line.word) :].lstrip(), "exec"
    whole = classify(text, names)
    found = code_in(line.command, whole.arguments) if isinstance(whole, CommandLine) else None
    return (found or "").strip() or "None", "eval"


def _block_goes_on(code: str) -> bool:
    if "\n" in code and not code.rsplit("\n", 1)[1].strip():
        return _incomplete(code.rstrip() + "\n\n")  # an open bracket or string goes on
    if _incomplete(code):
        return True
    return "\n" in code and code.rsplit("\n", 1)[1][:1].isspace() and not _broken(code)


def _incomplete(code: str) -> bool:
    return _compiled(code) is None


def _broken(code: str) -> bool:
    return _compiled(code) is False


def _compiled(code: str, kind: Kind = "exec") -> CodeType | Literal[False] | None:
    """The code; None if more has to come; False if it never becomes Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return codeop.compile_command(code, "<prompt>", kind)
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
