"""The commands that the command line gives: those of -x FILE, then those of -c."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from remora_client._errors import UsageError
from remora_client._records import record
from remora_client.commands._classify import split_commands
from remora_client.commands._files import commands_in, read_commands
from remora_client.commands._table import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Given", "given_commands"]


@record
class Given:
    """A command as it was given, and where, for messages."""

    text: str
    where: str = ""


def given_commands(file: str | None, commands: Sequence[str]) -> list[Given]:
    """All of them in order; "-" is standard input. Raises `UsageError` for a file that cannot be read."""
    given: list[Given] = []
    if file is not None:
        try:
            lines = commands_in(_standard_input(), "-x -") if file == "-" else read_commands(file)
        except CommandError as error:
            raise UsageError(error.text) from None
        given += [Given(text, f"{file}:{number}: ") for number, text in lines]
    for text in commands:
        given += [Given(part) for part in split_commands(text)]
    return given


def _standard_input() -> str:
    """All of it. By its descriptor: where it is a socket, as with Node, there is no /dev/stdin to open."""
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"Standard input cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise CommandError("Standard input is not UTF-8 text.") from None
