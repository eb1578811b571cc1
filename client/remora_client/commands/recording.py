"""The command `record`, and the file that it keeps: what was done, as commands that do it again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from remora_client.commands._classify import CommandLine
from remora_client.commands._files import unquoted
from remora_client.commands._table import CommandError, Result, command

if TYPE_CHECKING:
    from remora_client.commands._classify import Line
    from remora_client.commands._context import Context

__all__ = ["note_line"]


@command("record", group="session", usage="[FILE | -off]", argument="file")
async def record(ctx: Context, arguments: str) -> Result:
    """Write the commands that work into a file, from now on: source and -x do them again. -off ends it.

    Python for the program is written with a ! before it. A file that is there is written anew.
    """
    if arguments in ("-off", "off") and ctx.record:
        path, ctx.record = ctx.record, None
        return Result({"file": None}, [("", f"What was recorded is in {path}.\n")])
    if arguments and arguments not in ("-off", "off"):
        path = os.path.abspath(os.path.expanduser(unquoted(arguments)))
        _write(path, "# Recorded by remora; run it with: remora exec QUALIFIER -x FILE\n", "w")
        ctx.record = path
    text = (
        f"Commands are recorded in {ctx.record}.\n"
        if ctx.record
        else "Nothing is recorded. As in: record bug.remora\n"
    )
    return Result({"file": ctx.record}, [("", text)])


def note_line(ctx: Context, line: Line) -> None:
    """Keep a line that has worked, in the form that scripts have. Raises `CommandError`."""
    if ctx.record is None:
        return
    if not isinstance(line, CommandLine):
        _write(ctx.record, f"!{line.text}\n", "a")
    elif line.command.name not in ("connect", "record"):  # a script stays with its program
        _write(ctx.record, f"{line.command.name} {line.arguments}".strip() + "\n", "a")


def _write(path: str, text: str, mode: str) -> None:
    try:
        with open(path, mode, encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
