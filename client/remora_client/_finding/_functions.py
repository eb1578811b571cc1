"""The functions that a program's files define, found by their names. Runs on the event loop's thread."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remora_client._errors import ClientError
from remora_client._finding._places import Place, is_library
from remora_client._finding._setting import check_condition, set_at
from remora_client._records import record
from remora_client._source._definitions import definitions
from remora_protocol import RequestFailed, match_by_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora_client._model import Breakpoint, Source
    from remora_client._sessions._session import Session
    from remora_client.locspec import BreakSpec

__all__ = ["Function", "break_in", "functions"]

_MOST_FILES = 500


@record
class Function:
    """A function that a file of the program defines."""

    name: str  # dotted
    source: Source
    line: int  # of its `def`
    body: int  # of its first statement


async def functions(session: Session, pattern: str) -> list[Function]:
    """Those of the program's own files whose dotted name a regular expression finds: `[FILE:]REGEX`."""
    file, colon, expression = pattern.strip().strip("/").rpartition(":")
    try:
        regex = re.compile(expression)
    except re.error as error:
        raise ClientError(f"{expression!r} is no regular expression: {error}.") from None
    loaded = {each.path: each for each in await session.loaded_sources()}

    def is_own(path: str) -> bool:
        return not (loaded[path].is_library or is_library(path))

    paths = match_by_name(file, list(loaded)) if colon else [*filter(is_own, loaded)]
    if colon and not paths:
        raise ClientError(f"No loaded file is called {file}.", "sources lists those there are.")
    found: list[Function] = []
    for path in sorted(paths)[:_MOST_FILES]:
        try:
            text = (await session.source_text(loaded[path])).text
        except RequestFailed:
            continue
        found += [
            Function(each.name, loaded[path], each.line, each.body)
            for each in definitions(text)
            if each.is_function and regex.search(each.name)
        ]
    return found


async def break_in(session: Session, found: Sequence[Function], spec: BreakSpec) -> list[Breakpoint]:
    """Stop at the first statement of each, as described: several get a name together, and all or none is set.

    Without a name of their own it is `rbreak-` and the first's number. Raises `ClientError`.
    """
    if spec.condition is not None:
        check_condition(spec.condition, session)
    made: list[Breakpoint] = []
    try:
        for each in found:
            place = Place(each.source.path, each.body)
            made.append(await set_at(session, spec, place, in_program=True))
    except ClientError:
        if made:
            await session.remove_breakpoints([each.number for each in made])
        raise
    if len(made) < 2 or spec.name:
        return made
    name = f"rbreak-{made[0].number}"
    return [await session.change_breakpoint(each.number, name=name) for each in made]
