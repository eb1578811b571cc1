"""From what a person typed (`locspec`) to a file and line, or a function, of the debuggee."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from remora_client._errors import ClientError
from remora_client._literal import read_literal
from remora_client._model import Source
from remora_client.commands._table import CommandError
from remora_client.locspec import (
    FileLine,
    FileText,
    Function,
    FunctionPattern,
    Line,
    Location,
    LocationError,
    ModuleLine,
    Offset,
    parse_location,
)
from remora_protocol import RequestFailed, match_by_name, near_matches, split_source

if TYPE_CHECKING:
    from remora_client.commands._context import Context

__all__ = [
    "Place",
    "current_path",
    "current_place",
    "find_source",
    "is_library",
    "parse",
    "resolve",
    "source_named",
    "source_place",
]


_STANDARD = re.compile(r"/lib(?:64)?[-/](?:python|pypy)\d", re.IGNORECASE)


class Place:
    """A line of a file, or a function when `function` is not empty."""

    def __init__(self, path: str = "", line: int = 0, column: int | None = None, function: str = "") -> None:
        self.path = path
        self.line = line
        self.column = column
        self.function = function


def parse(text: str) -> Location:
    """`parse_location`, with an error that commands may let through."""
    try:
        return parse_location(text)
    except LocationError as error:
        raise CommandError(str(error)) from None


async def resolve(ctx: Context, location: Location | None) -> Place:
    """Find the place; None is the current line. Raises `CommandError`."""
    match location:
        case None:
            path, line = await current_place(ctx)
            return Place(path, line)
        case Line(line, column, nth):
            path = await current_path(ctx)
            return Place(path, line, await _column(ctx, path, line, column, nth))
        case Offset(delta):
            path, line = await current_place(ctx)
            if line + delta < 1:
                raise CommandError(f"There is no line {line + delta}.")
            return Place(path, line + delta)
        case FileLine(path, line, column, nth):
            return Place(path, line, await _column(ctx, path, line, column, nth))
        case ModuleLine(module, line, column, nth):
            path = await _module_path(ctx, module)
            return Place(path, line, await _column(ctx, path, line, column, nth))
        case FileText(path, text):
            return Place(path, await _line_of(ctx, path, text))
        case Function(name):
            return Place(function=name)
        case FunctionPattern():
            raise CommandError("Only rbreak takes a pattern of functions.", f"Type: rbreak {location}")


async def source_place(ctx: Context, text: str) -> tuple[Source, int]:
    """The file and line that a text names; for a function or a class, where that begins."""
    place = await resolve(ctx, parse(text))
    if place.function:
        return await _function(ctx, place.function)
    if ctx.session.stop is not None:
        frame = await ctx.frame()
        if frame.path == place.path:
            return frame.source, place.line
    return await source_named(ctx, place.path), place.line


async def _function(ctx: Context, name: str) -> tuple[Source, int]:
    """Where a function or class is: by what the program says of the object, from the selected frame."""
    code = f"__import__('inspect').unwrap({name}).__code__"
    inspect = f"(lambda i: (i.getsourcefile({name}), i.getsourcelines({name})[1]))(__import__('inspect'))"
    for asked in (f"({code}.co_filename, {code}.co_firstlineno)", inspect):
        with contextlib.suppress(RequestFailed, ValueError):
            match read_literal((await ctx.session.evaluate(asked, None, "clipboard")).value):
                case (str(path), int(line)) if path:
                    return await source_named(ctx, path), line
    raise CommandError(
        f"No function or class {name} is known here, or it has no source.",
        "A line will do, too: app.py:12",
    )


async def current_place(ctx: Context) -> tuple[str, int]:
    """The file and line of the selected frame, or what `list` has shown last."""
    if ctx.session.stop is not None:
        frame = await ctx.frame()
        return frame.path, frame.line
    if ctx.listing is not None:
        return ctx.listing.source.path, ctx.listing.last
    raise CommandError("The program is running, so there is no current file.", "Name one, as in app.py:12")


async def _column(ctx: Context, path: str, line: int, column: int | None, nth: int | None) -> int | None:
    """The column of the nth place on a line; a column that is known already stays."""
    if nth is None:
        return column
    found = await ctx.session.columns(await source_named(ctx, path), line)
    if 1 <= nth <= len(found):
        return found[nth - 1]
    if found:
        told = ", ".join(map(str, found))
        raise CommandError(f"Line {line} has {len(found)} places that can stop, at the columns {told}.")
    raise CommandError(
        f"Line {line} of {path} has no several places that can stop.",
        "A file has to be loaded to tell them. What follows a semicolon is none: stepi goes on to it.",
    )


async def current_path(ctx: Context) -> str:
    """The file of the current place; with none, as a running program has, the program's own script."""
    try:
        return (await current_place(ctx))[0]
    except CommandError:
        process = ctx.session.process
        script = process["argv"][0] if process and process["argv"] else ""
        source = await find_source(ctx, script) if script.endswith(".py") else None
        if source is None:
            raise
        return source.path


async def source_named(ctx: Context, name: str) -> Source:
    """The loaded file of that name; where none is loaded, a file of that name as it is typed."""
    return await find_source(ctx, name) or Source(name.replace("\\", "/").rpartition("/")[2], name)


async def find_source(ctx: Context, name: str) -> Source | None:
    """The one loaded file that is meant by a path or its end. Raises `CommandError` when several are."""
    try:
        loaded = {each.path: each for each in await ctx.session.loaded_sources()}
    except RequestFailed:
        return None
    found = match_by_name(name, list(loaded))
    if len(found) > 1:
        raise CommandError(
            f"{name} may be any of {', '.join(sorted(found))}.", "Say more of the path, as in app/views.py:12"
        )
    return loaded[found[0]] if found else None


async def _module_path(ctx: Context, module: str) -> str:
    stem = module.replace(".", "/")
    try:
        loaded = [each.path for each in await ctx.session.loaded_sources()]
    except RequestFailed:
        loaded = []
    for candidate in (f"{stem}.py", f"{stem}/__init__.py"):
        found = [path for path in match_by_name(candidate, loaded) if _ends_with(path, candidate)]
        if found:
            return found[0] if len(found) == 1 else candidate
    literal = match_by_name(module, loaded)  # a file with a dot in its name, such as index.html
    return literal[0] if len(literal) == 1 else f"{stem}.py"


def _ends_with(path: str, tail: str) -> bool:
    return ("/" + path.replace("\\", "/")).endswith("/" + tail)


async def _line_of(ctx: Context, path: str, text: str) -> int:
    local = ctx.session.sources.find(path)
    try:
        source = await find_source(ctx, path)
        body = (await ctx.session.source_text(source)).text if source else local.text if local else None
    except ClientError:
        body = local.text if local else None
    if body is None:
        raise CommandError(f"No file {path} is loaded or at hand.", await _nearest(ctx, path))
    for number, line in enumerate(split_source(body), 1):
        if text in line:
            return number
    raise CommandError(f"No line of {path} holds {text!r}.")


def is_library(path: str) -> bool:
    """Is this the standard library's, an installed package's, or no file at all?"""
    slashed = path.replace("\\", "/")
    installed = "/site-packages/" in slashed or "/dist-packages/" in slashed
    return path.startswith("<") or installed or bool(_STANDARD.search(slashed))


async def _nearest(ctx: Context, path: str) -> str:
    try:
        near = near_matches(path, [each.path for each in await ctx.session.loaded_sources()])
    except RequestFailed:
        return ""
    return f"Did you mean {' or '.join(near[:3])}?" if near else ""
