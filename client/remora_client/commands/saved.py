"""Commands that keep things in files: save and load."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError
from remora_client._finding._saved import kept_file, saved_breakpoints, write_kept, write_lines
from remora_client._literal import read_literal
from remora_client._text import visible
from remora_client.commands._files import unquoted
from remora_client.commands._table import CommandError, Result, command
from remora_client.commands.session import source
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora_client.commands._context import Context

__all__ = ["first_commands", "keep_what_changed"]


_WHAT_AND_FILE = re.compile(r"""(?P<what>.*?)\s+(?P<file>'[^']*'|"[^"]*"|\S+)""", re.DOTALL)


@command("save", group="session", usage="breakpoints [FILE] | EXPR FILE", argument="file")
async def save(ctx: Context, arguments: str) -> Result:
    """Write the breakpoints, displays and aliases into a file, or keep them for this project.

    load brings them back, each to its line even when that has moved: a line is found by its text.
    Or write the value of an expression, all of it: save page.html /tmp/page.html. Text is written as UTF-8,
    bytes as they are, anything else as print -a shows it.
    """
    found = _WHAT_AND_FILE.fullmatch(arguments)
    what, path = (found["what"], unquoted(found["file"])) if found else ("", "")
    if arguments in ("breakpoints", "b"):
        return await keep_breakpoints(ctx)
    if not what.strip():
        raise CommandError(
            "save takes breakpoints, or an expression and a file.", "As in: save breakpoints work.remora"
        )
    if what.strip() not in ("breakpoints", "b"):
        return await _save_value(ctx, what.strip(), path)
    lines = await _saved_lines(ctx)
    write_lines(path, lines)
    told = f"{_counted(ctx)} in {path}; load {path} brings them back.\n"
    return Result({"file": path, "lines": len(lines)}, [("", told)])


def first_commands(ctx: Context) -> list[str]:
    """What the option `keep-breakpoints` has run first in a session."""
    return ["load"] if ctx.settings.keep_breakpoints == "on" and kept_file().exists() else []


async def keep_what_changed(ctx: Context) -> None:
    """What it does whenever there is something else to keep, so that not even a kill -9 loses it."""
    if ctx.settings.keep_breakpoints != "on" or ctx.session.observes:
        return
    displays = [(each.expression, each.changed_only) for each in ctx.displays.values()]
    now = repr((ctx.session.breakpoints, ctx.on_hit, displays, ctx.aliases))
    if now != ctx.kept:
        with contextlib.suppress(ClientError, RequestFailed):
            await keep_breakpoints(ctx)
            ctx.kept = now


async def keep_breakpoints(ctx: Context) -> Result:
    """Write them into this project's file."""
    lines = await _saved_lines(ctx)
    path = write_kept(lines)
    told = f"{_counted(ctx)} kept for this project; load brings back what was kept.\n"
    return Result({"file": str(path), "lines": len(lines)}, [("", told)])


@command("load", group="session", usage="[FILE]", argument="file")
async def load(ctx: Context, arguments: str) -> Result:
    """Bring back what save has kept: that of this project, or that in a file."""
    path = unquoted(arguments) or str(kept_file())
    if not os.path.exists(os.path.expanduser(path)):
        if arguments:
            raise CommandError(f"There is no file {arguments}.", "save breakpoints FILE writes one.")
        raise CommandError("Nothing is kept for this project yet.", "save breakpoints keeps them.")
    return await source(ctx, path)


def _counted(ctx: Context) -> str:
    count = len(ctx.session.breakpoints)
    return "1 breakpoint is" if count == 1 else f"{count} breakpoints are"


async def _saved_lines(ctx: Context) -> list[str]:
    lines: list[str] = []
    for each, line in await saved_breakpoints(ctx.session):
        lines.append(line)
        held = ctx.on_hit.get(each.number)
        if held:
            lines += ["commands", *(f"  {text}" for text in held), "end"]
    lines += [f"display {'-changed ' * each.changed_only}{each.expression}" for each in ctx.displays.values()]
    lines += [f"alias {name} {text}" for name, text in ctx.aliases.items()]
    return lines


async def _save_value(ctx: Context, expression: str, path: str) -> Result:
    shown = (await ctx.session.evaluate(expression, None, "clipboard")).value
    try:
        value: Any = read_literal(shown)
    except ValueError:
        value = shown
    data = value if isinstance(value, bytes) else _text_of(value, shown).encode("utf-8", "backslashreplace")
    _write(path, data)
    return Result({"file": path, "bytes": len(data)}, [("", f"{len(data)} bytes in {path}\n")])


def _text_of(value: Any, shown: str) -> str:
    return value if isinstance(value, str) else f"{shown}\n"


def _write(path: str, data: bytes) -> None:
    try:
        with open(os.path.expanduser(path), "wb") as stream:
            stream.write(data)
    except OSError as error:
        raise CommandError(f"{visible(path)} cannot be written: {error.strerror}") from None
