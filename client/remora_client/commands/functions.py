"""Commands about the functions that the program's own files define: funcs, rbreak, edit."""

from __future__ import annotations

import asyncio
import os
import shlex
from typing import TYPE_CHECKING

from remora_client._finding._functions import functions
from remora_client._finding._places import current_place, source_place
from remora_client._fragments import table
from remora_client._text import visible
from remora_client.commands._break_at_all import break_at_all
from remora_client.commands._table import CommandError, Result, command
from remora_client.locspec import BreakSpec

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client.commands._context import Context

__all__: list[str] = []


@command("funcs", "functions", group="sources", usage="[FILE:]REGEX", argument="regex")
async def funcs(ctx: Context, arguments: str) -> Result:
    """List the program's own functions by dotted name."""
    found = await functions(ctx.session, arguments)
    rows: list[list[Fragments]] = [
        [
            [("class:function", visible(each.name))],
            [
                ("class:path", visible(each.source.name)),
                ("class:punctuation", ":"),
                ("class:line", str(each.line)),
            ],
        ]
        for each in found
    ]
    data = [{"name": each.name, "path": each.source.path, "line": each.line} for each in found]
    return Result(data, table(rows, indent=1) or [("class:dim", "No function matches.\n")])


@command("rbreak", "rb", group="breakpoints", usage="[FILE:]REGEX", argument="regex")
async def rbreak(ctx: Context, arguments: str) -> Result:
    """Stop in every function whose dotted name matches, in the program's own files: rbreak ^handle_"""
    if not arguments:
        raise CommandError(
            "rbreak takes a regular expression.", "As in: rbreak ^handle_, rbreak app.py:^handle_"
        )
    return await break_at_all(ctx, arguments, BreakSpec(None))


@command("edit", "ed", group="sources", usage="[PLACE]", argument="location")
async def edit(ctx: Context, arguments: str) -> Result:
    """Open your copy of a file in $VISUAL or $EDITOR, at the current line or at a place."""
    if not ctx.interactive:
        raise CommandError("edit needs somebody at a terminal.", "In a script: list or src shows the text")
    if arguments:
        source, line = await source_place(ctx.session, arguments, ctx.shown_place)
        path = source.path
    else:
        path, line = await current_place(ctx.session, ctx.shown_place)
    local = ctx.session.sources.match(path, None) or ctx.session.sources.find(path)
    if local is None:
        raise CommandError(
            f"There is no copy of {path} here.", "Say where the files are: remora attach --source DIR"
        )
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        async with ctx.lend(False):
            process = await asyncio.create_subprocess_exec(*shlex.split(editor), f"+{line}", local.path)
            code = await process.wait()
    except (OSError, ValueError) as error:
        raise CommandError(f"The editor {editor!r} does not start: {error}.", "Set EDITOR.") from None
    return Result({"path": local.path, "line": line, "exitCode": code})
