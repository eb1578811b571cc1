"""Commands that keep things in files: save and load."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError
from remora_client._literal import read_literal
from remora_client._places import project_file, write_private
from remora_client._text import visible
from remora_client.commands._table import CommandError, Result, command
from remora_client.commands.session import source
from remora_protocol import RequestFailed, split_source

if TYPE_CHECKING:
    from pathlib import Path

    from remora_client._model import Breakpoint
    from remora_client.commands._context import Context

__all__ = ["first_commands", "keep_at_the_end"]


def kept_breakpoints() -> Path:
    """Where the breakpoints of this project are kept: that of the folder that the client was started in."""
    return project_file("breakpoints", os.getcwd())


@command("save", group="session", usage="breakpoints [FILE] | EXPR FILE", argument="file")
async def save(ctx: Context, arguments: str) -> Result:
    """Write the breakpoints, displays and aliases into a file, or keep them for this project.

    load brings them back, each to its line even when that has moved: a line is found by its text.
    Or write the value of an expression, all of it: save page.html /tmp/page.html. Text is written as UTF-8,
    bytes as they are, anything else as print -a shows it.
    """
    what, _, path = arguments.rpartition(" ")
    if arguments in ("breakpoints", "b"):
        return await keep_breakpoints(ctx)
    if not what.strip():
        raise CommandError(
            "save takes breakpoints, or an expression and a file.", "As in: save breakpoints work.remora"
        )
    if what.strip() not in ("breakpoints", "b"):
        return await _save_value(ctx, what.strip(), path)
    lines = await _saved_lines(ctx)
    _write(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
    told = f"{_counted(ctx)} in {path}; load {path} brings them back.\n"
    return Result({"file": path, "lines": len(lines)}, [("", told)])


def first_commands(ctx: Context) -> list[str]:
    """What the option `keep-breakpoints` has run first in a session."""
    return ["load"] if ctx.settings.keep_breakpoints == "on" and kept_breakpoints().exists() else []


async def keep_at_the_end(ctx: Context) -> None:
    """What it does last."""
    if ctx.settings.keep_breakpoints == "on" and not ctx.session.link.options.observe:
        with contextlib.suppress(ClientError, RequestFailed):
            await keep_breakpoints(ctx)


async def keep_breakpoints(ctx: Context) -> Result:
    """Write them into this project's file."""
    path = kept_breakpoints()
    lines = await _saved_lines(ctx)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
    told = f"{_counted(ctx)} kept for this project; load brings back what was kept.\n"
    return Result({"file": str(path), "lines": len(lines)}, [("", told)])


@command("load", group="session", usage="[FILE]", argument="file")
async def load(ctx: Context, arguments: str) -> Result:
    """Bring back what save has kept: that of this project, or that in a file."""
    path = arguments or str(kept_breakpoints())
    if not os.path.exists(os.path.expanduser(path)):
        if arguments:
            raise CommandError(f"There is no file {arguments}.", "save breakpoints FILE writes one.")
        raise CommandError("Nothing is kept for this project yet.", "save breakpoints keeps them.")
    return await source(ctx, path)


def _counted(ctx: Context) -> str:
    count = len(ctx.session.breakpoints)
    return "1 breakpoint is" if count == 1 else f"{count} breakpoints are"


async def _saved_lines(ctx: Context) -> list[str]:
    waited_for = {each.after for each in ctx.session.breakpoints}
    lines: list[str] = []
    for each in ctx.session.breakpoints:
        name = each.name or (f"saved-{each.number}" if each.number in waited_for else "")
        lines.append(await _saved(ctx, each, name))
        held = ctx.on_hit.get(each.number)
        if held:
            lines += ["commands", *(f"  {text}" for text in held), "end"]
    lines += [f"display {'-changed ' * each.changed_only}{each.expression}" for each in ctx.displays.values()]
    lines += [f"alias {name} {text}" for name, text in ctx.aliases.items()]
    return lines


async def _saved(ctx: Context, each: Breakpoint, name: str) -> str:
    """The command that sets this breakpoint again."""
    after = next(
        (
            other.name or f"saved-{each.after}"
            for other in ctx.session.breakpoints
            if other.number == each.after
        ),
        "",
    )
    options = {
        "name": name,
        "hit": each.hit_condition or "",
        "log": each.log_message or "",
        "after": after,
        "text": await _text_of_line(ctx, each) if each.kind == "line" else "",
    }
    words = ["break", *(["-tmp"] if each.temporary else []), *([] if each.enabled else ["-disabled"])]
    words += [] if each.at == "call" else [f"-{each.at[0]}"]
    words += [f"-{key} {value!r}" for key, value in options.items() if value]
    column = f":{each.column}" if each.column is not None else ""
    words.append(each.function or f"{each.path}:{each.line}{column}")
    words += [f"{kind} {value!r}" for kind, value in (("thread", each.thread), ("task", each.task)) if value]
    return " ".join(words) + (f" if {each.condition}" if each.condition else "")


async def _text_of_line(ctx: Context, each: Breakpoint) -> str:
    """What stands on its line, where that can be seen."""
    local = ctx.session.sources.read(each.path) if each.in_copy else None
    text = local.text if local else None
    if text is None:
        with contextlib.suppress(ClientError):  # the session may be over, and what was shown is still known
            text = await ctx.session.text_at(each.bound_path or each.path)
    lines = split_source(text) if text else []
    return lines[each.line - 1].strip() if 0 < each.line <= len(lines) else ""


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
