"""The command that explains a breakpoint: why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._errors import ClientError
from remora_client._fragments import broken_at_blanks
from remora_client._text import visible
from remora_client.commands._break_text import breakpoint_text, listed_data
from remora_client.commands._chosen import numbers_of
from remora_client.commands._table import Result, command
from remora_protocol import (
    REACHES_MAIN_AND_NEW_THREADS,
    REACHES_NEW_THREADS,
    RequestFailed,
    match_by_name,
    near_matches,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from remora_client._fragments import Fragments
    from remora_client._model import Breakpoint
    from remora_client.commands._context import Context

__all__: list[str] = []


@command("why", group="breakpoints", usage="NUMBER", argument="breakpoint")
async def why(ctx: Context, arguments: str) -> Result:
    """Explain a breakpoint: which file it found, where it was put, how often it was hit, why it waits."""
    number = (await numbers_of(ctx, arguments))[0]
    each = ctx.session.breakpoint(number)
    told = [line async for line in _reasons(ctx, each)]
    reasons: Fragments = [("", "".join(f"    {visible(line)}\n" for line in told))]
    text = [*breakpoint_text(ctx, [each]), *broken_at_blanks(reasons, ctx.width)]
    return Result(listed_data(ctx, each) | {"reasons": told}, text)


async def _reasons(ctx: Context, each: Breakpoint) -> AsyncIterator[str]:
    if each.kind == "line":
        for line in await _file(ctx, each):
            yield line
    elif not each.verified and each.active:
        yield f"no loaded module has a function {each.function}; it binds when one is defined and runs"
    if each.verified and each.kind == "line" and each.bound_line:
        asked = each.sent_line or each.line
        if each.bound_line != asked:
            yield f"line {asked} cannot be stopped at; moved to {each.bound_line}"
        else:
            yield f"there is code on line {asked}"
    for line in _waiting(each):
        yield line
    for line in await _spared(ctx):
        yield line
    for line in _narrowed(each):
        yield line
    if each.condition:
        yield await _condition_now(ctx, each)
    count = ctx.hits.get(each.number, 0)
    times = f"{count} time{'s' * (count != 1)}"
    if count or not (each.verified and each.active) or each.log_message is not None:
        yield f"it stopped the program {times} in this session"
    elif each.condition or each.hit_condition or each.thread or each.task:
        yield "it has not stopped the program yet: its line was not reached, or never as it asks for"
    else:
        yield "its line has not been reached since it was set"
    if not count and each.verified:
        for limit in ctx.session.limits:
            if limit in (REACHES_NEW_THREADS, REACHES_MAIN_AND_NEW_THREADS):
                yield limit[0].lower() + limit[1:].rstrip(".")


async def _file(ctx: Context, each: Breakpoint) -> list[str]:
    loaded = [source.path for source in await ctx.session.loaded_sources()]
    found = match_by_name(each.path, loaded)
    told = [f"asked for {each.path}:{each.line}"]
    if not found:
        told.append(f"no loaded file matches that name ({len(loaded)} are loaded); it binds when one is")
        near = near_matches(each.path, loaded)[:3]
        if near:
            told.append(f"loaded files with a name like it: {', '.join(near)}")
        return told
    told.append(f"matches by name: {', '.join(found[:4])}")
    if len(found) > 1:
        told.append(
            "the name fits several files, and it is set in each of them: more of the path tells them apart"
        )
    if each.bound_sha256 is not None and each.sha256 is not None and each.bound_sha256 != each.sha256:
        told.append("your copy is not the text that the program runs")
        if each.sent_line is not None:
            told.append(f"the statement of line {each.line} of your copy is on line {each.sent_line} there")
    return told


async def _spared(ctx: Context) -> list[str]:
    """The threads that no breakpoint stops, if there are any."""
    try:
        names = [each.name for each in await ctx.session.threads() if each.state == "untraced"]
    except RequestFailed:
        return []
    if not names:
        return []
    which = f"thread {names[0]}, which" if len(names) == 1 else f"threads {', '.join(names)}, which"
    return [f"it does not stop {which} the program wants left alone (remora.trace_this_thread)"]


def _waiting(each: Breakpoint) -> Iterator[str]:
    if not each.enabled:
        yield "it is disabled, so the server does not know of it"
    elif not each.active:
        yield f"it waits until breakpoint {each.after} is hit, so the server does not know of it"


def _narrowed(each: Breakpoint) -> Iterator[str]:
    if each.hit_condition:
        yield f"it stops only when the number of hits is {each.hit_condition}"
    if each.thread:
        yield f"it stops only threads called {each.thread}"
    if each.task:
        yield f"it stops only tasks called {each.task}"
    if each.log_message is not None:
        yield "it tells a text and never stops"


async def _condition_now(ctx: Context, each: Breakpoint) -> str:
    """The condition, with its value where the program stands, when that is in the same file."""
    told = f"it stops only if {each.condition}"
    if ctx.session.stop is None or each.condition is None:
        return told
    try:
        frame = await ctx.frame()
        if each.kind == "line" and frame.path != (each.bound_path or each.path):
            return told
        value = await ctx.session.evaluate(f"bool({each.condition})")
    except (ClientError, RequestFailed) as error:
        return f"{told}; in the selected frame that fails: {error}"
    return f"{told}; in the selected frame that is {value.value} now"
