"""Breakpoints as a person describes them, set. Runs on the event loop's thread."""

from __future__ import annotations

import ast
import glob
from typing import TYPE_CHECKING

from remora_client._errors import ClientError
from remora_client._finding._chosen import anchored, numbers_of
from remora_client._finding._places import resolve
from remora_client.locspec import FileLine

if TYPE_CHECKING:
    from remora_client._model import Breakpoint
    from remora_client._sessions._session import Session
    from remora_client.locspec import BreakSpec

__all__ = ["check_condition", "set_breakpoint"]

_SHOWN = 80  # characters of a condition that a refusal repeats


async def set_breakpoint(
    session: Session, spec: BreakSpec, shown: tuple[str, int] | None = None
) -> Breakpoint:
    """Set what was described; `shown` is the place that was looked at last, see `current_place`.

    Raises:
        ClientError: it cannot be there, or its condition is no Python; nothing is set then.
    """
    if spec.condition is not None:
        check_condition(spec.condition)
    place = await resolve(session, spec.location, shown)
    after = numbers_of(session, spec.after)[0] if spec.after else None
    line = place.line
    if spec.anchor is not None:
        line = await anchored(session, place.path, line, spec.anchor)
    made = await session.add_breakpoint(
        place.path,
        line,
        function=place.function,
        at=spec.at,
        column=place.column,
        condition=spec.condition,
        hit_condition=spec.hit,
        log_message=spec.log,
        temporary=spec.temporary,
        enabled=not spec.disabled,
        name=spec.name,
        thread=await _thread_pattern(session, spec.thread),
        task=f"Task-{spec.task}" if spec.task and spec.task.isdecimal() else spec.task,
        after=after,
        in_program=not isinstance(spec.location, FileLine),
    )
    if not made.verified and made.reason == "failed":
        await session.remove_breakpoints([made.number])
        raise ClientError(f"No breakpoint at {made.place()}: {made.message or 'refused by the server'}")
    return made


async def _thread_pattern(session: Session, text: str | None) -> str | None:
    """A pattern for names; a number is that of a thread, and means its name."""
    if text is None or not text.isdecimal():
        return text
    for each in await session.threads():
        if each.id == int(text):
            return glob.escape(each.name)
    raise ClientError(f"There is no thread {text}.", "threads lists them.")


def check_condition(text: str) -> None:
    """Refuse what cannot be a condition on any Python, before it goes anywhere. Raises `ClientError`."""
    try:
        ast.parse(text.replace("$retval", "_retval"), mode="eval")  # of the same length, so that places stay
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where, reason = "", str(error)
        if isinstance(error, SyntaxError):
            where, reason = _place_in(text, error), error.msg
        raise ClientError(
            f"The condition {_cut(text)!r} is no expression: {reason}{where}.", _remedy(text)
        ) from None


def _place_in(text: str, error: SyntaxError) -> str:
    """Where in the condition it goes wrong, by what stands there."""
    lines = text.splitlines()
    number = error.lineno or 1
    if not error.offset or number > len(lines):
        return ", at its end"
    rest = lines[number - 1][error.offset - 1 :].strip()
    return f", at {_cut(rest)!r}" if rest else ", at its end"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _remedy(text: str) -> str:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "Write what Python takes after if, as in: x > 3 and name == 'a'"
    if "=" in text:
        return "To compare, write ==. A condition is what Python takes after if."
    return "A statement is no condition. Write what Python takes after if."
