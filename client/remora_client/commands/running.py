"""Commands that let the program run: continue, next, step, return, until, advance, jump, pause."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from remora_client._errors import NotStopped
from remora_client._finding._places import resolve
from remora_client._text import visible
from remora_client.commands._table import CommandError, Result, command, no_arguments
from remora_client.locspec import parse_location
from remora_client.render import value_line
from remora_protocol import split_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora_client._model import Breakpoint, Frame, Stop
    from remora_client._sessions._session import Session
    from remora_client.commands._context import Context
    from remora_client.locspec import Location

__all__: list[str] = []

_MOST = 100_000


def count_of(text: str, word: str) -> int:
    """Reads how many times; nothing is once."""
    if not text:
        return 1
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise CommandError(f"{word} takes a number of times, from 1 on, not {text!r}.")
    return int(text)


@command(
    "continue", "c", "cont", group="running", usage="[PLACE | COUNT | -thread | -all]", argument="location"
)
async def continue_(ctx: Context, arguments: str) -> Result:
    """Let the program run on, to the next breakpoint.

    With a place, run to there: a breakpoint that goes away once it is hit. With a count, pass the
    breakpoint that the program stands at so many times more. With -thread, only this thread runs; so it does
    where each is held for itself (set stop-mode one), and -all lets all threads run.
    While the program runs already, a script waits here for its next stop.
    Of several processes only this one runs on; with -all, every one that stands still.
    """
    session = ctx.session
    if arguments == "-all":
        if ctx.group is None:
            await session.resume()
        elif not await ctx.group.resume_all() and ctx.interactive:
            raise CommandError("No process stands still.")
        return Result(resumed=True, anyone=True)
    if session.stop is None or _not_yet_told(ctx):
        if ctx.interactive:
            raise CommandError("The program is running already.")
        return Result(resumed=True, anyone=True)
    if arguments == "-thread":
        await session.resume(session.stop.thread_id)
    elif arguments.isdecimal():
        return await _pass_by(ctx, session.stop, count_of(arguments, "continue"))
    elif arguments:
        await _temporary(ctx, parse_location(arguments))
        await go_on(session)
    else:
        await go_on(session)
    return Result(resumed=True, anyone=True)


async def go_on(session: Session) -> None:
    """Let run what stands still: all threads, or the one that is held for itself."""
    await session.resume(session.held_alone)


def _not_yet_told(ctx: Context) -> bool:
    """Has the program stopped by itself, and nobody was told? Then that stop is what a script waits for."""
    if ctx.interactive or ctx.session.link.is_snapshot:
        return False
    return ctx.session.state.stops > ctx.shown_stop


async def _ignore(ctx: Context, hit: Sequence[Breakpoint], times: int) -> Result:
    for each in hit:
        await ctx.session.change_breakpoint(each.number, ignore=times)
    await go_on(ctx.session)
    often = f"{times} time{'s' * (times != 1)}"
    told = "".join(f"Breakpoint {each.number} is passed {often}, as by ignore.\n" for each in hit)
    return Result(resumed=True, anyone=True, text=[("class:dim", told)])


async def _pass_by(ctx: Context, at: Stop, count: int) -> Result:
    if count > 1 and not at.hit_breakpoints:
        raise CommandError(
            f"The program stands at no breakpoint that could be passed {count} times.",
            f"To run to line {count}: until {count}, or continue FILE:{count}",
        )
    numbers = {each.number for each in at.hit(ctx.session.breakpoints)}
    hit = [each for each in ctx.session.breakpoints if each.number in numbers]  # as they are by now
    if ctx.interactive and count > 1 and hit and not any(each.hit_condition for each in hit):
        return await _ignore(ctx, hit, count - 1)  # the server counts, and the prompt is free meanwhile

    def passes(stop: Stop) -> bool:
        hit = {each.number for each in stop.hit(ctx.session.breakpoints)}
        return bool(numbers & hit) or bool(set(at.hit_breakpoints) & set(stop.hit_breakpoints))

    await ctx.session.resume(ctx.session.held_alone, times=count, passing=passes)
    return Result(resumed=True, anyone=True)


async def _temporary(ctx: Context, location: Location) -> Breakpoint:
    place = await resolve(ctx.session, location, ctx.shown_place)
    if place.function:
        made = await ctx.session.add_breakpoint(function=place.function, temporary=True)
    else:
        made = await ctx.session.add_breakpoint(place.path, place.line, temporary=True)
    if not made.verified:
        await ctx.session.remove_breakpoints([made.number])
        raise CommandError(f"The program cannot stop at {location}: {made.message or 'no such place'}")
    return made


@command("next", "n", "stepover", group="running", usage="[COUNT]", argument="count", repeats=True)
async def next_(ctx: Context, arguments: str) -> Result:
    """Run to the next line of this function; calls on the way run through.

    At the end of the function it stops in the caller, and shows what was returned. On CPython 3.12 and later
    it shows what the last call on the line returned, too, unless that is None.
    """
    await ctx.session.step_over(times=count_of(arguments, "next"))
    return Result(resumed=True)


@command(
    "step", "s", "stepin", group="running", usage="[COUNT] | ! | into NAME", argument="count", repeats=True
)
async def step(ctx: Context, arguments: str) -> Result:
    """Run to the next line, wherever it is: into the function that is called.

    `step into NAME` picks one of several calls on the line. Library code, and what `skip` names, is stepped
    over; step! (or s!) enters that, too.
    """
    if arguments == "!":
        if not ctx.session.has("remora/skip"):
            raise CommandError("This server enters what it enters: it knows no step!.")
        await ctx.session.step_in(everywhere=True)
        return Result(resumed=True)
    if arguments.startswith("into ") or arguments == "into":
        await _step_into(ctx, arguments[4:].strip())
        return Result(resumed=True)
    await ctx.session.step_in(times=count_of(arguments, "step"))
    return Result(resumed=True)


async def _step_into(ctx: Context, name: str) -> None:
    await ctx.session.step_in(target=await ctx.session.step_in_target(name))


@command(
    "return",
    "r",
    "finish",
    "fin",
    "stepout",
    "so",
    "out",
    group="running",
    usage="[EXPR]",
    argument="expression",
)
async def return_(ctx: Context, arguments: str) -> Result:
    """Run until this function returns, and stop there, still in it, with the value that it returns.

    At a stop of break -r, `return EXPR` gives the caller another value, and stops there. It asks first.
    CPython 3.9 to 3.11 lets that be done; other Pythons say that they cannot.
    """
    if arguments:
        if not await ctx.agreed(f"Have the caller get {arguments} in place of what was returned?"):
            return Result()
        await ctx.session.assign("$retval", arguments)
        await ctx.session.step_out()
        return Result(resumed=True)
    await ctx.session.step_return()
    return Result(resumed=True)


@command(
    "until", "unt", group="running", usage="[LINE]", argument="number", repeats=True, needs="remora/until"
)
async def until(ctx: Context, arguments: str) -> Result:
    """Run to a line below this one, which leaves loops, or to LINE or below; or to the function's return."""
    if arguments and not arguments.isdecimal():
        raise CommandError(f"until takes a line number, not {arguments!r}.", "advance takes any place.")
    await ctx.session.until(int(arguments) if arguments else None)
    return Result(resumed=True)


@command("advance", "adv", group="running", usage="PLACE", argument="location")
async def advance(ctx: Context, arguments: str) -> Result:
    """Run to a place, wherever that is. Where a breakpoint stops it on the way, it goes no further."""
    await ctx.frame()
    ctx.session.aims.add((await _temporary(ctx, parse_location(arguments))).number)
    await go_on(ctx.session)
    return Result(resumed=True)


@command(
    "jump",
    "j",
    group="running",
    usage="LINE | -list",
    argument="location",
    needs="supportsGotoTargetsRequest",
)
async def jump(ctx: Context, arguments: str) -> Result:
    """Make LINE the next to run, without running what is between. Python refuses some, as into a loop.

    `jump -list` lists the lines of this function that can be named.
    """
    frame = await ctx.frame()
    if arguments == "-list":
        return await _jump_targets(ctx, frame)
    place = await resolve(ctx.session, parse_location(arguments), ctx.shown_place)
    if place.function or place.path != frame.path:
        raise CommandError(
            "A jump stays within the function that is running.", "Give a line number, as jump 12"
        )
    if not await ctx.session.goto_targets(place.line, frame):
        raise CommandError(
            f"Line {place.line} cannot be jumped to from here.", "jump -list shows the lines that can be."
        )
    await ctx.session.goto(place.line, frame)
    return Result(resumed=True)


async def _jump_targets(ctx: Context, frame: Frame) -> Result:
    lines = await ctx.session.goto_lines(frame)
    source = split_source((await ctx.session.source_text(frame.source)).text)
    rows = [("", f"{line:5}  {visible(source[line - 1])}\n") for line in lines if line <= len(source)]
    return Result([{"line": line} for line in lines], rows)


@command("restartframe", "rf", "rerun", group="running", needs="supportsRestartFrame")
async def restartframe(ctx: Context, arguments: str) -> Result:
    """Run the current call again from its first line. What it has done so far stays done.

    Its variables stay as they are, arguments too: set NAME = VALUE gives them back what they were.
    """
    no_arguments("restartframe", arguments)
    if not ctx.session.supports("supportsRestartFrame"):
        raise CommandError(
            "This server cannot run a call again.", "jump to the function's first line may do."
        )
    await ctx.session.restart_frame()
    return Result(resumed=True)


@command("call", "debug", group="running", usage="EXPR", argument="expression")
async def call(ctx: Context, arguments: str) -> Result:
    """Call a function of the program: call save(order). Breakpoints in it stop the program there.

    The prompt then says how deep you are. continue leads to the end of the call, which tells what it gave,
    and then the program stands where it stood before. print save(order) runs through all breakpoints.
    """
    if not arguments:
        raise CommandError("call takes a call.", "As in: call save(order)")
    value = await ctx.session.call(arguments)
    if value is None:
        told = f"Inside {visible(arguments)}: continue leads back.\n"
        return Result({"depth": ctx.session.depth}, [("class:dim", told)], resumed=True)
    return Result({"value": value.value, "type": value.type}, value_line(value.value) if value.value else [])


@command("restart", "run", group="running", usage="[ARGUMENTS]", argument="text")
async def restart(ctx: Context, arguments: str) -> Result:
    """Start the program again with the same breakpoints, where this client has started it: in remora demo.

    With arguments, it gets these in sys.argv.
    """
    if ctx.launch is None:
        raise CommandError(
            "Only who started this program can start it again.",
            "restartframe runs the current call again; kill ends the program.",
        )
    if not await ctx.agreed("Start the program again from its beginning?"):
        return Result()
    ctx.following = await ctx.launch(arguments, ctx.session.breakpoints)
    await ctx.session.detach()
    return Result({"arguments": arguments}, left=True)


@command("pause", "interrupt", "halt", group="running", usage="[THREAD]", argument="thread")
async def pause(ctx: Context, arguments: str) -> Result:
    """Stop the running program at its next line. At the prompt, Ctrl-C does the same.

    Where each thread is held for itself (set stop-mode one), only THREAD is stopped, by default the first.
    """
    session = ctx.session
    text = arguments.removeprefix("thread").strip()
    if text and text != "all" and not text.isdecimal():
        raise CommandError(f"pause takes the number of a thread, not {arguments!r}.", "threads lists them.")
    if session.stop is None:
        await session.pause(int(text) if text.isdecimal() else None)
        return Result(resumed=True)
    if text.isdecimal() and session.held_alone is not None:
        await session.pause_beside(int(text), ctx.timeout)
        return Result()
    if ctx.interactive:
        raise CommandError("The program stands still already.")
    return Result(resumed=True)


@command("wait", group="running", usage="[SECONDS]", argument="number")
async def wait(ctx: Context, arguments: str) -> Result:
    """Wait until the running program stops. For scripts: at the prompt a stop is shown when it comes."""
    try:
        seconds = float(arguments) if arguments else ctx.timeout
    except ValueError:
        raise CommandError(f"wait takes a number of seconds, not {arguments!r}.") from None
    session = ctx.session
    if session.stop is not None and not _not_yet_told(ctx):
        raise NotRunning("The program stands still already.", "continue lets it run.")
    try:
        await asyncio.wait_for(session.wait_for_stop(), seconds)
    except TimeoutError:
        raise NotStopped(f"No stop within {seconds:g} s; the program runs on.") from None
    return Result(resumed=True)


class NotRunning(CommandError):
    """What was asked for needs a program that runs."""

    code = "not-running"
