"""From what a person typed (`locspec`) to a file and line, or a function, of the debuggee.

Runs on the event loop's thread.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remora_client._errors import ClientError
from remora_client._finding._facts import place_of
from remora_client._model import Source
from remora_client.locspec import (
    FileLine,
    FileText,
    Function,
    FunctionPattern,
    Line,
    Location,
    ModuleLine,
    Offset,
    parse_location,
)
from remora_protocol import RequestFailed, match_by_name, near_matches, split_source

if TYPE_CHECKING:
    from remora_client._sessions._session import Session

__all__ = [
    "Place",
    "current_path",
    "current_place",
    "find_source",
    "is_library",
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


async def resolve(session: Session, location: Location | None, shown: tuple[str, int] | None = None) -> Place:
    """Find the place; None is the current line, see `current_place`. Raises `ClientError`."""
    match location:
        case None:
            path, line = await current_place(session, shown)
            return Place(path, line)
        case Line(line, column, nth):
            path = await current_path(session, shown)
            return Place(path, line, await _column(session, path, line, column, nth))
        case Offset(delta):
            path, line = await current_place(session, shown)
            if line + delta < 1:
                raise ClientError(f"There is no line {line + delta}.")
            return Place(path, line + delta)
        case FileLine(path, line, column, nth):
            return Place(path, line, await _column(session, path, line, column, nth))
        case ModuleLine(module, line, column, nth):
            path = await _module_path(session, module)
            return Place(path, line, await _column(session, path, line, column, nth))
        case FileText(path, text):
            return Place(path, await _line_of(session, path, text))
        case Function(name):
            return Place(function=name)
        case FunctionPattern():
            raise ClientError(
                f"{location} is a pattern of functions, and a place is one of them.",
                f"break {location} takes all of them; in Python: session.break_at_functions",
            )


async def source_place(
    session: Session, text: str, shown: tuple[str, int] | None = None
) -> tuple[Source, int]:
    """The file and line that a text names; for a function or a class, where that begins."""
    place = await resolve(session, parse_location(text), shown)
    if place.function:
        return await _function(session, place.function)
    if session.stop is not None:
        frame = await session.current_frame()
        if frame.path == place.path:
            return frame.source, place.line
    return await source_named(session, place.path), place.line


async def _function(session: Session, name: str) -> tuple[Source, int]:
    """Where a function or class is, seen from the selected frame."""
    found = await place_of(session, name)
    if found is None:
        raise ClientError(
            f"No function or class {name} is known here, or it has no source.",
            "A line will do, too: app.py:12",
        )
    return await source_named(session, found[0]), found[1]


async def current_place(session: Session, shown: tuple[str, int] | None = None) -> tuple[str, int]:
    """The file and line of the selected frame; while the program runs, `shown`: what was looked at last."""
    if session.stop is not None:
        frame = await session.current_frame()
        return frame.path, frame.line
    if shown is not None:
        return shown
    raise ClientError("The program is running, so there is no current file.", "Name one, as in app.py:12")


async def _column(session: Session, path: str, line: int, column: int | None, nth: int | None) -> int | None:
    """The column of the nth place on a line; a column that is known already stays."""
    if nth is None:
        return column
    found = await session.columns(await source_named(session, path), line)
    if 1 <= nth <= len(found):
        return found[nth - 1]
    if found:
        told = ", ".join(map(str, found))
        raise ClientError(f"Line {line} has {len(found)} places that can stop, at the columns {told}.")
    raise ClientError(
        f"Line {line} of {path} has no several places that can stop.",
        "A file has to be loaded to tell them. What follows a semicolon is none: stepi goes on to it.",
    )


async def current_path(session: Session, shown: tuple[str, int] | None = None) -> str:
    """The file of the current place; with none, as a running program has, the program's own script."""
    try:
        return (await current_place(session, shown))[0]
    except ClientError:
        process = session.process
        script = process["argv"][0] if process and process["argv"] else ""
        source = await find_source(session, script) if script.endswith(".py") else None
        if source is None:
            raise
        return source.path


async def source_named(session: Session, name: str) -> Source:
    """The loaded file of that name; where none is loaded, a file of that name as it is typed."""
    return await find_source(session, name) or Source(name.replace("\\", "/").rpartition("/")[2], name)


async def find_source(session: Session, name: str) -> Source | None:
    """The one loaded file that is meant by a path or its end. Raises `ClientError` when several are."""
    try:
        loaded = {each.path: each for each in await session.loaded_sources()}
    except RequestFailed:
        return None
    found = match_by_name(name, list(loaded))
    if len(found) > 1:
        raise ClientError(
            f"{name} may be any of {', '.join(sorted(found))}.", "Say more of the path, as in app/views.py:12"
        )
    return loaded[found[0]] if found else None


async def _module_path(session: Session, module: str) -> str:
    stem = module.replace(".", "/")
    try:
        loaded = [each.path for each in await session.loaded_sources()]
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


async def _line_of(session: Session, path: str, text: str) -> int:
    local = session.sources.find(path)
    try:
        source = await find_source(session, path)
        body = (await session.source_text(source)).text if source else local.text if local else None
    except ClientError:
        body = local.text if local else None
    if body is None:
        raise ClientError(f"No file {path} is loaded or at hand.", await _nearest(session, path))
    for number, line in enumerate(split_source(body), 1):
        if text in line:
            return number
    raise ClientError(f"No line of {path} holds {text!r}.")


def is_library(path: str) -> bool:
    """Is this the standard library's, an installed package's, or no file at all?"""
    slashed = path.replace("\\", "/")
    installed = "/site-packages/" in slashed or "/dist-packages/" in slashed
    return path.startswith("<") or installed or bool(_STANDARD.search(slashed))


async def _nearest(session: Session, path: str) -> str:
    try:
        near = near_matches(path, [each.path for each in await session.loaded_sources()])
    except RequestFailed:
        return ""
    return f"Did you mean {' or '.join(near[:3])}?" if near else ""
