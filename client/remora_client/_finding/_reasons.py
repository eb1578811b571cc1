"""Why a breakpoint stops the program where and when it does, or why not. Runs on the event loop's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._errors import ClientError
from remora_client._records import record
from remora_protocol import (
    REACHES_MAIN_AND_NEW_THREADS,
    REACHES_NEW_THREADS,
    RequestFailed,
    match_by_name,
    near_matches,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora_client._model import Breakpoint
    from remora_client._sessions._session import Session

__all__ = ["Explanation", "why"]


@record
class Explanation:
    """Why a breakpoint stops the program where and when it does, or why not."""

    breakpoint: Breakpoint
    hits: int  # how often it has stopped the program in this session
    reasons: tuple[str, ...]  # all that is known, as sentences
    files: tuple[str, ...] = ()  # the program's files that its name fits
    near: tuple[str, ...] = ()  # files with a name like it, where none fits
    spared: tuple[str, ...] = ()  # the names of threads that no breakpoint stops
    holds: bool | None = None  # the condition, in the selected frame; None: that cannot be told


async def why(session: Session, number: int) -> Explanation:
    """What is known of a breakpoint, as facts and as sentences. Raises `ClientError`: there is none such."""
    each = session.breakpoint(number)
    loaded = [source.path for source in await session.loaded_sources()] if each.kind == "line" else []
    files = match_by_name(each.path, loaded) if each.kind == "line" else []
    near = near_matches(each.path, loaded)[:3] if each.kind == "line" and not files else []
    holds, condition = await _condition_now(session, each) if each.condition else (None, "")
    spared = await _spared(session)
    hits = session.hits.get(number, 0)
    told = [
        *(_file(each, files, near, len(loaded)) if each.kind == "line" else _function(each)),
        *_moved(each),
        *_waiting(each),
        *_told_spared(spared),
        *_narrowed(each),
        *([condition] if condition else []),
        _counted(each, hits),
    ]
    if not hits and each.verified:
        told += [
            limit[0].lower() + limit[1:].rstrip(".")
            for limit in session.limits
            if limit in (REACHES_NEW_THREADS, REACHES_MAIN_AND_NEW_THREADS)
        ]
    return Explanation(each, hits, tuple(told), tuple(files), tuple(near), tuple(spared), holds)


def _function(each: Breakpoint) -> Iterator[str]:
    if not each.verified and each.active:
        yield f"no loaded module has a function {each.function}; it binds when one is defined and runs"


def _file(each: Breakpoint, found: list[str], near: list[str], loaded: int) -> Iterator[str]:
    yield f"asked for {each.path}:{each.line}"
    if not found:
        yield f"no loaded file matches that name ({loaded} are loaded); it binds when one is"
        if near:
            yield f"loaded files with a name like it: {', '.join(near)}"
        return
    yield f"matches by name: {', '.join(found[:4])}"
    if len(found) > 1:
        yield "the name fits several files, and it is set in each of them: more of the path tells them apart"
    if each.bound_sha256 is not None and each.sha256 is not None and each.bound_sha256 != each.sha256:
        yield "your copy is not the text that the program runs"
        if each.sent_line is not None:
            yield f"the statement of line {each.line} of your copy is on line {each.sent_line} there"


def _moved(each: Breakpoint) -> Iterator[str]:
    if each.verified and each.kind == "line" and each.bound_line:
        asked = each.sent_line or each.line
        if each.bound_line != asked:
            yield f"line {asked} cannot be stopped at; moved to {each.bound_line}"
        else:
            yield f"there is code on line {asked}"


def _waiting(each: Breakpoint) -> Iterator[str]:
    if not each.enabled:
        yield "it is disabled, so the server does not know of it"
    elif not each.active:
        yield f"it waits until breakpoint {each.after} is hit, so the server does not know of it"


async def _spared(session: Session) -> list[str]:
    """The names of the threads that no breakpoint stops."""
    try:
        return [each.name for each in await session.threads() if each.state == "untraced"]
    except RequestFailed:
        return []


def _told_spared(names: list[str]) -> Iterator[str]:
    if names:
        which = f"thread {names[0]}, which" if len(names) == 1 else f"threads {', '.join(names)}, which"
        yield f"it does not stop {which} the program wants left alone (remora.trace_this_thread)"


def _narrowed(each: Breakpoint) -> Iterator[str]:
    if each.hit_condition:
        yield f"it stops only when the number of hits is {each.hit_condition}"
    if each.ignore:
        yield f"it lets {each.ignore} hit{'s' * (each.ignore != 1)} pass first, from when that was said on"
    if each.thread:
        yield f"it stops only threads called {each.thread}"
    if each.task:
        yield f"it stops only tasks called {each.task}"
    if each.log_message is not None:
        yield "it tells a text and never stops"


async def _condition_now(session: Session, each: Breakpoint) -> tuple[bool | None, str]:
    """The condition, with its value where the program stands, when that is in the same file."""
    told = f"it stops only if {each.condition}"
    if session.stop is None:
        return None, told
    try:
        frame = await session.current_frame()
        if each.kind == "line" and frame.path != (each.bound_path or each.path):
            return None, told
        value = (await session.evaluate(f"bool({each.condition})")).value
    except (ClientError, RequestFailed) as error:
        return None, f"{told}; in the selected frame that fails: {error}"
    holds = {"True": True, "False": False}.get(value)
    return holds, f"{told}; in the selected frame that is {value} now"


def _counted(each: Breakpoint, count: int) -> str:
    if count or not (each.verified and each.active) or each.log_message is not None:
        return f"it stopped the program {count} time{'s' * (count != 1)} in this session"
    if each.condition or each.hit_condition or each.ignore or each.thread or each.task:
        return "it has not stopped the program yet: its line was not reached, or never as it asks for"
    return "its line has not been reached since it was set"
