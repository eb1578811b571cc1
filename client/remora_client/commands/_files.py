"""Files of commands: a command a line, # begins a comment, and what `commands N` begins ends with `end`."""

from __future__ import annotations

import os
import re

from remora_client.commands._classify import split_commands
from remora_client.commands._table import CommandError

__all__ = ["commands_in", "read_commands", "unquoted"]

_BLOCK = re.compile(r"\s*(commands|on)(\s+[\w-]+)?\s*\Z")  # what follows belongs to it, up to a line `end`


def unquoted(name: str) -> str:
    """A file's name as it was typed, without the quotes around it."""
    return name[1:-1] if len(name) > 2 and name[0] == name[-1] and name[0] in "'\"" else name


def read_commands(path: str) -> list[tuple[int, str]]:
    """The commands of a file with the numbers of their lines. Raises `CommandError`."""
    try:
        with open(os.path.expanduser(path), encoding="utf-8-sig") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandError(f"{path} cannot be read: {reason}") from None
    return commands_in(text, path)


def commands_in(text: str, path: str) -> list[tuple[int, str]]:
    """The same of a text; `path` is for messages."""
    found: list[tuple[int, str]] = []
    block: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if block:
            block.append(line)
            if line.strip() == "end":
                found.append((number, "\n".join(block)))
                block = []
        elif _BLOCK.match(line):
            block = [line]
        elif line.strip() and not line.lstrip().startswith("#"):
            found += [(number, part) for part in split_commands(line)]
    if block:
        raise CommandError(f"{os.path.basename(path)}: {block[0].strip()} has no end.")
    return found
