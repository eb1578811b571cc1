"""What may stand behind any command: ``--json`` and ``| PROGRAM``. Pure, but for a look at PATH."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from remora_client._records import record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from remora_client.commands._table import Command

__all__ = ["NO_TAIL", "TAKES_COMMANDS", "Tail", "end_of_string", "split_tail"]

TAKES_COMMANDS = frozenset({"alias", "commands"})
"""Commands whose argument is other commands, to which everything that follows belongs."""

# What changes something is not read on, and what is text or Python of its own may hold any sign.
_NEVER_PIPED = frozenset(
    {
        "alias",
        "break",
        "catch",
        "clipboard",
        "commands",
        "condition",
        "connect",
        "display",
        "log",
        "py",
        "save",
    }
    | {"set", "sh", "stdin", "tbreak", "trace", "watch"}
)
_JSON = re.compile(r"(?:^|\s)--json\Z")


@record
class Tail:
    """What is to be done with what the command shows."""

    as_json: bool = False
    pipe: str = ""

    def __bool__(self) -> bool:
        return self.as_json or bool(self.pipe)


NO_TAIL = Tail()


def split_tail(entry: Command, rest: str, names: Collection[str] | None) -> tuple[str, Tail]:
    """The arguments of a command without their tail, and the tail.

    Args:
        rest: what stands behind the command's word.
        names: the variables in scope, where it has to be guessed what `|` is; None where the line says that
            it is a command. Behind an expression it is Python's then.
    """
    text, pipe = _split_pipe(entry, rest, names)
    text = text.rstrip()
    found = None if entry.name in TAKES_COMMANDS else _JSON.search(text)
    if found:
        text = text[: found.start()]
    return text.strip(), Tail(found is not None, pipe)


def _split_pipe(entry: Command, rest: str, names: Collection[str] | None) -> tuple[str, str]:
    if entry.name in _NEVER_PIPED or (names is None and entry.argument == "expression"):
        return rest, ""
    for position in _bars(rest):
        program = rest[position + 1 :].strip()
        word = program.split(maxsplit=1)[0] if program else ""
        if not word:
            continue
        if names is None or (word not in names and shutil.which(word)):
            return rest[:position], program
    return rest, ""


def _bars(text: str) -> Iterator[int]:
    """Where there is a ``|`` between blanks, and not in a string or in brackets."""
    position, depth = 0, 0
    while position < len(text):
        character = text[position]
        if character in "'\"":
            position = end_of_string(text, position)
            continue
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth = max(0, depth - 1)
        elif not depth and f" {text}"[position : position + 3] == " | ":
            yield position
        position += 1


def end_of_string(line: str, start: int) -> int:
    """The position after the string that starts here, or just after the quote when it never ends."""
    quote = line[start]
    triple = line.startswith(quote * 3, start)
    closing = quote * 3 if triple else quote
    position = start + len(closing)
    while position < len(line):
        if line[position] == "\\":
            position += 2
        elif line.startswith(closing, position):
            return position + len(closing)
        else:
            position += 1
    return start + 1
