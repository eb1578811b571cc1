"""Commands about threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client.commands._stopped import frame_lines
from remora_client.commands._table import CommandError, Result, command, no_arguments
from remora_client.render import thread_lines
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client._model import Frame, Thread
    from remora_client.commands._context import Context

__all__: list[str] = []


@command("threads", "ths", group="threads")
async def threads(ctx: Context, arguments: str) -> Result:
    """List the threads: what each does and where it is. Works while the program runs, too."""
    no_arguments("threads", arguments)
    session = ctx.session
    found = await session.threads()
    rows: list[tuple[Thread, Frame | None]] = []
    data: list[dict[str, Any]] = []
    for each in found:
        frame = await _newest(ctx, each.id)
        rows.append((each, frame))
        row: dict[str, Any] = {"id": each.id, "name": each.name, "state": each.state or _state(ctx)}
        if frame is not None:
            row["frame"] = {"name": frame.name, "path": frame.path, "line": frame.line}
        data.append(row)
    current = session.stop.thread_id if session.stop else None
    return Result(data, thread_lines(rows, current=current, width=ctx.width))


def _state(ctx: Context) -> str:
    return "stopped" if ctx.session.stop else "running"


async def _newest(ctx: Context, thread: int) -> Frame | None:
    """The newest frame of the user's own code, else the newest."""
    try:
        frames = await ctx.session.stack(thread, count=20)
    except RequestFailed:
        return None
    return next((frame for frame in frames if not frame.subtle), frames[0] if frames else None)


@command("thread", "th", group="threads", usage="[N [COMMAND] | apply all COMMAND]", argument="thread")
async def thread(ctx: Context, arguments: str) -> Result:
    """Look at thread N, or show the one you look at.

    With a command, run it there and come back: thread 2 where. For every thread: thread apply all where.
    """
    first, _, rest = arguments.partition(" ")
    rest = rest.strip()
    if first == "apply":
        return await _apply(ctx, rest)
    if first and not first.isdecimal():
        raise CommandError(f"Threads have numbers, and {first!r} is none.", "threads lists them.")
    before = await ctx.frame()
    stop = ctx.session.stop
    assert stop is not None
    result = await _select(ctx, int(first) if first else stop.thread_id, keep=None if first else before)
    if not rest:
        return result
    from remora_client.commands._run import run_script_line

    try:
        return await run_script_line(ctx, rest)
    finally:
        await _back(ctx, stop.thread_id, before)


async def _select(ctx: Context, ident: int, keep: Frame | None = None) -> Result:
    known = {each.id: each for each in await ctx.session.threads()}
    if ident not in known:
        raise CommandError(
            f"There is no thread {ident}.", f"There are: {', '.join(map(str, sorted(known)))}."
        )
    frame = keep or await ctx.session.select_thread(ident)
    ctx.listing = None
    each = known[ident]
    data = {"id": each.id, "name": each.name, "state": each.state or _state(ctx)}
    data["frame"] = {"name": frame.name, "path": frame.path, "line": frame.line}
    return Result(data, thread_lines([(each, frame)], current=ident) + await frame_lines(ctx, frame))


async def _back(ctx: Context, thread: int, frame: Frame) -> None:
    if ctx.session.stop is not None:  # else the command let the program run
        await ctx.session.select_thread(thread)
        ctx.session.select_frame(frame)


async def _apply(ctx: Context, rest: str) -> Result:
    from remora_client.commands._run import run_script_line

    which, _, line = rest.partition(" ")
    if which != "all" or not line.strip():
        raise CommandError("thread apply takes all and a command.", "As in: thread apply all where")
    before = await ctx.frame()
    stop = ctx.session.stop
    assert stop is not None
    data: list[dict[str, Any]] = []
    text: Fragments = []
    try:
        for each in await ctx.session.threads():
            try:
                await ctx.session.select_thread(each.id)
                result = await run_script_line(ctx, line)
            except (CommandError, RequestFailed) as error:
                data.append({"id": each.id, "name": each.name, "error": str(error)})
                text += [*thread_lines([(each, None)]), ("class:error", f"  {error}\n")]
                continue
            if result.resumed or result.left:
                return result
            data.append({"id": each.id, "name": each.name, "result": result.data})
            text += [*thread_lines([(each, None)], current=stop.thread_id), *result.text]
    finally:
        await _back(ctx, stop.thread_id, before)
    return Result(data, text)
