"""Which exceptions stop the program: what `catch` takes, read into filters."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from remora_client._model import ExceptionFilter
from remora_client.commands._table import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora_client.commands._context import Context

__all__ = ["caught", "read_filters"]

_WORDS = {
    "raised": "raised",
    "uncaught": "uncaught",
    "user": "userUnhandled",
    "userUnhandled": "userUnhandled",
}
_TYPE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*\Z")


def caught(ctx: Context) -> tuple[str, ...]:
    """What stops the program now, as words."""
    if ctx.exceptions is not None:
        return ctx.exceptions
    return tuple(_word(str(each["filter"])) for each in ctx.session.exception_modes if each.get("default"))


def read_filters(text: str, offered: Sequence[str]) -> list[ExceptionFilter]:
    """Read ``raised ValueError,KeyError if EXPR``. Raises `CommandError`."""
    head, *conditions = re.split(r"(?:^|\s+)if(?:\s+|$)", text, maxsplit=1)
    condition = conditions[0].strip() if conditions else ""
    if conditions and not condition:
        raise CommandError("The condition is missing after if.")
    words = head.replace(",", " ").split()
    modes = [_WORDS[word] for word in words if word in _WORDS]
    types = [word for word in words if word not in _WORDS]
    for word in types:
        if near := difflib.get_close_matches(word, _WORDS, n=1, cutoff=0.75):
            raise CommandError(f"{word} is no exception type.", f"Did you mean {near[0]}?")
        if not _TYPE.match(word):
            raise CommandError(
                f"{word!r} is no mode and no exception type.", f"Modes: {', '.join(_known(offered))}."
            )
    if not modes:
        modes = ["raised"]
    for mode in modes:
        if mode not in offered:
            raise CommandError(
                f"This server has no mode {_word(mode)}.", f"It has: {', '.join(_known(offered))}."
            )
    narrowed = _condition(types, condition)
    return [ExceptionFilter(mode, narrowed) for mode in dict.fromkeys(modes)]


def _condition(types: Sequence[str], condition: str) -> str | None:
    names = ", ".join(types)
    if names and condition:
        return f"isinstance($exc, ({names},)) and ({condition})"
    return names or condition or None


def _word(mode: str) -> str:
    return "user" if mode == "userUnhandled" else mode


def _known(offered: Sequence[str]) -> list[str]:
    return [_word(mode) for mode in offered]
