"""Which breakpoints a person means: by number, by name, and by the text of a line that has moved.

Runs on the event loop's thread.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remora_client._errors import ClientError
from remora_client._finding._places import find_source
from remora_client._source._linemap import nearest_like
from remora_client._text import visible

if TYPE_CHECKING:
    from remora_client._sessions._session import Session

__all__ = ["anchored", "is_name", "names_breakpoints", "numbers_of"]

_NAME = re.compile(r"[^\W\d][\w-]*\Z")


def is_name(text: str) -> bool:
    """Whether breakpoints may be called so."""
    return _NAME.match(text) is not None


def names_breakpoints(session: Session, text: str) -> bool:
    """Whether every word is a number, or the name of a breakpoint."""
    known = {each.name for each in session.breakpoints if each.name}
    words = text.replace(",", " ").split()
    return all(word.isdecimal() or word in known for word in words)


def numbers_of(session: Session, text: str) -> list[int]:
    """The numbers of the breakpoints that words name; the name of a group is all of it."""
    found: list[int] = []
    for word in text.replace(",", " ").split():
        if word.isdecimal():
            found.append(session.breakpoint(int(word)).number)
            continue
        named = [each.number for each in session.breakpoints if each.name and each.name == word]
        if not named:
            raise ClientError(
                f"Breakpoints have numbers or names, and {visible(word)!r} is none.",
                "breakpoints lists them.",
            )
        found += named
    if not found:
        raise ClientError("Which breakpoint? They have numbers.", "breakpoints lists them.")
    return list(dict.fromkeys(found))


async def anchored(session: Session, path: str, line: int, text: str) -> int:
    """The line nearest to `line` that has this text, in your copy or else in the program's; else `line`."""
    local = session.sources.find(path)
    body = local.text if local else None
    if body is None:
        try:
            source = await find_source(session, path)
            body = (await session.source_text(source)).text if source else None
        except ClientError:
            body = None
    found = nearest_like(body, text, line) if body is not None else None
    if body is not None and found is None:
        session.note(f"{path}:{line}: no line reads {text.strip()!r} any more; the number is taken.")
    return found or line
