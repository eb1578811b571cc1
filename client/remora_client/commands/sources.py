"""Commands that show source text, and which files and modules the program has loaded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remora_client._finding._places import current_path, is_library, source_named, source_place
from remora_client._fragments import table
from remora_client._source._definitions import function_range
from remora_client._text import visible
from remora_client.commands._context import Listing
from remora_client.commands._stopped import marks
from remora_client.commands._table import CommandError, Result, command, no_arguments
from remora_client.render import source_lines
from remora_protocol import split_source

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client._model import Source
    from remora_client.commands._context import Context

__all__: list[str] = []

_RANGE = re.compile(r"(?P<first>\d+)\s*,\s*(?P<last>\d+)\Z")


@command(
    "list", "l", "ls", group="sources", usage="[PLACE | FIRST, LAST | .]", argument="location", repeats=True
)
async def list_(ctx: Context, arguments: str) -> Result:
    """Show source around the current line, and further on each time. `list .` starts over at the line.

    While the program runs, its own script is shown from the beginning.
    A place shows the source around that: list app.py:30, list play. `list 5, 20` shows these lines.
    """
    size = ctx.settings.context
    if not arguments and _goes_on(ctx) and ctx.listing is not None:
        return await _show(ctx, ctx.listing.source, ctx.listing.last + 1, ctx.listing.last + size)
    if not arguments and ctx.session.stop is None:
        return await _show(ctx, await _current_source(ctx), 1, size)
    if arguments in ("", "."):
        frame = await ctx.frame()
        first = max(1, frame.line - size // 2)
        return await _show(ctx, frame.source, first, first + size - 1)
    if match := _RANGE.match(arguments):
        first, last = int(match["first"]), int(match["last"])
        last = first + last if last < first else last  # pdb: a count, when it is less than the line
        return await _show(ctx, await _current_source(ctx), first, last)
    source, line = await source_place(ctx.session, arguments, ctx.shown_place)
    first = max(1, line - size // 2)
    return await _show(ctx, source, first, first + size - 1)


def _goes_on(ctx: Context) -> bool:
    """Has `list` shown something at this very stop? Then it goes on behind that."""
    return ctx.listing is not None and ctx.listing.stops == ctx.session.state.stops


async def _current_source(ctx: Context) -> Source:
    if ctx.session.stop is None:
        if ctx.listing:
            return ctx.listing.source
        return await source_named(ctx.session, await current_path(ctx.session))
    return (await ctx.frame()).source


async def _show(ctx: Context, source: Source, first: int, last: int) -> Result:
    found = await ctx.session.source_text(source)
    total = len(split_source(found.text))
    if first > total:
        raise CommandError(f"{source.name} ends at line {total}.")
    last = min(last, total)
    ctx.listing = Listing(source, first, last, ctx.session.state.stops)
    current = await _line_in(ctx, source.path)
    text = source_lines(
        found.text, first, last, current=current, breakpoints=marks(ctx, source.path), width=ctx.width
    )
    lines = split_source(found.text)[first - 1 : last]
    data = {"path": source.path, "first": first, "last": last, "current": current, "lines": lines}
    if found.differs and source.sha256:
        text = [("class:warning", " the program's own text: your copy differs\n"), *text]
    return Result(data, [] if ctx.sees_source else text)


async def _line_in(ctx: Context, path: str) -> int | None:
    if ctx.session.stop is None:
        return None
    frame = await ctx.frame()
    return frame.line if frame.path == path else None


@command("longlist", "ll", group="sources")
async def longlist(ctx: Context, arguments: str) -> Result:
    """Show the whole function that runs now, or the whole file outside of functions."""
    no_arguments("longlist", arguments)
    frame = await ctx.frame()
    found = await ctx.session.source_text(frame.source)
    first, last = function_range(found.text, frame.line)
    return await _show(ctx, frame.source, first, last)


@command("sticky", group="sources", usage="[on | off]", argument="option")
async def sticky(ctx: Context, arguments: str) -> Result:
    """Show the whole function at each stop, and not only the lines around; again, and it is as before."""
    ctx.settings.change("sticky", arguments or ("off" if ctx.settings.sticky == "on" else "on"))
    told = "the whole function" if ctx.settings.sticky == "on" else f"{ctx.settings.context} lines"
    return Result({"option": "sticky", "value": ctx.settings.sticky}, [("", f"Stops show {told}.\n")])


@command("modules", group="sources", usage="[REGEX]", argument="regex")
async def modules(ctx: Context, arguments: str) -> Result:
    """List the modules that the program has imported; with REGEX, those whose name matches."""
    regex = _regex(arguments)
    found = [each for each in await ctx.session.modules() if regex.search(str(each.get("name", "")))]
    data = [{key: each[key] for key in ("name", "path", "version") if each.get(key)} for each in found]
    rows = [
        [
            [("class:name", visible(str(each.get("name", ""))))],
            [("class:dim", visible(str(each.get("version") or "")))],
            [("class:path", visible(str(each.get("path") or "")))],
        ]
        for each in found
    ]
    return Result(data, _listed(rows, f"No module matches {visible(arguments)}."))


@command("sources", "files", group="sources", usage="[REGEX]", argument="regex")
async def sources(ctx: Context, arguments: str) -> Result:
    """List the files that the program has loaded, its own first, and which are on this machine, too."""
    regex = _regex(arguments)
    found = [each for each in await ctx.session.loaded_sources() if regex.search(each.path)]
    data, rows = [], []
    for each in sorted(found, key=lambda one: (one.is_library or is_library(one.path), one.path)):
        local = ctx.session.sources.match(each.path, each.sha256)
        state = "" if local is None else _comparison(each, same=local.same)
        data.append({"name": each.name, "path": each.path, "local": local.path if local else None})
        rows.append([[("class:dim", state)], [("class:path", visible(each.path))]])
    return Result(data, _listed(rows, f"No file matches {visible(arguments)}."))


def _listed(rows: list[list[Fragments]], none: str) -> Fragments:
    return table(rows, indent=1) if rows else [("class:dim", f"{none}\n")]


def _comparison(source: Source, *, same: bool) -> str:
    if source.sha256 is None:
        return "here, too"
    return "the same here" if same else "differs here"


def _regex(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise CommandError(f"{pattern!r} is no regular expression: {error}.") from None
