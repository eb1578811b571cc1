"""Breakpoints as a person describes them, set. Runs on the event loop's thread."""

from __future__ import annotations

import ast
import glob
import sys
from typing import TYPE_CHECKING

from remora_client._errors import ClientError
from remora_client._finding._chosen import anchored, numbers_of
from remora_client._finding._places import resolve
from remora_client.locspec import FileLine

if TYPE_CHECKING:
    from remora_client._finding._places import Place
    from remora_client._model import Breakpoint
    from remora_client._sessions._session import Session
    from remora_client.locspec import BreakSpec

__all__ = ["change_condition", "check_condition", "set_at", "set_breakpoint"]

_SHOWN = 80  # characters of a condition that a refusal repeats


async def set_breakpoint(
    session: Session, spec: BreakSpec, shown: tuple[str, int] | None = None
) -> Breakpoint:
    """Set what was described; `shown` is the place that was looked at last, see `current_place`.

    Raises:
        ClientError: it cannot be there, or its condition is no Python; nothing is set then.
    """
    if spec.condition is not None:
        check_condition(spec.condition, session)
    place = await resolve(session, spec.location, shown)
    return await set_at(session, spec, place, in_program=not isinstance(spec.location, FileLine))


async def set_at(session: Session, spec: BreakSpec, place: Place, *, in_program: bool) -> Breakpoint:
    """Set what was described at a place that is found; the rest as for `set_breakpoint`.

    `in_program`: its line is one of the text that the program runs.
    """
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
        in_program=in_program,
    )
    if not made.verified and made.reason == "failed":
        await session.remove_breakpoints([made.number])
        raise _refused(made, f"No breakpoint at {made.place()}")
    return made


async def change_condition(session: Session, number: int, condition: str | None) -> Breakpoint:
    """Give a breakpoint another condition, or none. Raises `ClientError`: it is none; nothing has changed."""
    if condition:
        check_condition(condition, session)
    before = session.breakpoint(number).condition
    changed = await session.change_breakpoint(number, condition=condition or None)
    if changed.condition and not changed.verified and changed.reason == "failed":
        await session.change_breakpoint(number, condition=before)
        raise _refused(changed, f"Breakpoint {number} is as before")
    return changed


async def _thread_pattern(session: Session, text: str | None) -> str | None:
    """A pattern for names; a number is that of a thread, and means its name."""
    if text is None or not text.isdecimal():
        return text
    for each in await session.threads():
        if each.id == int(text):
            return glob.escape(each.name)
    raise ClientError(f"There is no thread {text}.", "threads lists them.")


def _refused(made: Breakpoint, start: str) -> ClientError:
    """The server's refusal; of a condition that is wrong here as well, with where and what to do."""
    reason = made.message or "refused by the server"
    explained = _refusal(made.condition) if made.condition and "is no expression" in reason else None
    return explained or ClientError(f"{start}: {reason}")


def check_condition(text: str, *sessions: Session) -> None:
    """Refuse what cannot be a condition, before it goes anywhere. Raises `ClientError`.

    Where a newer Python runs a program than this one, which may take more than this one knows, it judges.
    """
    refusal = _refusal(text)
    if refusal is not None and not any(map(_is_newer, sessions)):
        raise refusal


def _refusal(text: str) -> ClientError | None:
    try:
        ast.parse(text.replace("$retval", "_retval"), mode="eval")  # of the same length, so that places stay
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where, reason = "", str(error)
        if isinstance(error, SyntaxError):
            where, reason = _place_in(text, error), error.msg
        return ClientError(f"The condition {_cut(text)!r} is no expression: {reason}{where}.", _remedy(text))
    return None


def _is_newer(session: Session) -> bool:
    version = "" if session.process is None else session.process["version"]
    numbers = version.split(".")[:2]
    return all(each.isdecimal() for each in numbers) and tuple(map(int, numbers)) > sys.version_info[:2]


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
