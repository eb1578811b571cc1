"""Commands that show the stack and move on it: where, up, down, frame, top, bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._text import visible
from remora_client.commands._stopped import frame_lines, line_texts
from remora_client.commands._table import CommandError, Result, command, lookup
from remora_client.commands.data import is_furniture, variable_data
from remora_client.render import stack_lines, variable_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remora_client._fragments import Fragments
    from remora_client._model import Frame
    from remora_client.commands._context import Context

__all__: list[str] = []

_WITH_CODE = 60  # deeper stacks are shown without the text of their lines
_WITH_LOCALS = 50  # and no more frames than that with their variables


def frame_data(frame: Frame) -> dict[str, Any]:
    """The JSON form of a frame."""
    return {"name": frame.name, "path": frame.path, "line": frame.line}


@command(
    "where",
    "w",
    "bt",
    "stack",
    "backtrace",
    group="stack",
    usage="[N | -N] [full | -full | all]",
    argument="option",
)
async def where(ctx: Context, arguments: str) -> Result:
    """Show the stack, the newest call last; the arrow marks the frame you look at.

    With a number, only so many of the newest frames; with a negative one, of the oldest. Library calls
    are folded, except with -full. `where full` shows the local variables of each as well, `where all` every
    thread's stack.
    """
    words = arguments.split()
    if "all" in words:
        everywhere = lookup("thread")
        assert everywhere is not None
        return await everywhere.function(ctx, "apply all where")
    full = "-full" in words
    numbers = [word for word in words if word not in ("-full", "full")]
    current = await _current(ctx)
    frames = await ctx.session.stack()
    shown = _some(frames, numbers)
    code = await line_texts(ctx, shown) if len(shown) <= _WITH_CODE else {}
    if "full" in words:
        return await _with_locals(ctx, shown, current, code)
    text = stack_lines(
        shown,
        current=current,
        code=code,
        newest_last=ctx.settings.bt_order == "newest-last",
        fold=not full,
        width=ctx.width,
    )
    return Result([frame_data(frame) for frame in shown], text)


async def _with_locals(ctx: Context, frames: list[Frame], current: int, code: Mapping[int, str]) -> Result:
    """Each frame with its variables beneath it."""
    data: list[dict[str, Any]] = []
    texts: list[Fragments] = []
    for frame in frames[:_WITH_LOCALS]:
        found = await ctx.session.locals(frame)
        data.append(frame_data(frame) | {"locals": [variable_data(each) for each in found]})
        own = [each for each in found if not is_furniture(each)]
        line = stack_lines([frame], current=current, code=code, fold=False, width=ctx.width)
        texts.append([*line, *variable_lines(own, width=ctx.width, indent=8)])
    if ctx.settings.bt_order == "newest-last":
        texts.reverse()
    text = [part for each in texts for part in each]
    left = len(frames) - len(data)
    if left:
        text.append(("class:dim", f" {left:,} more frames, without variables\n"))
    return Result(data, text)


def _some(frames: list[Frame], numbers: list[str]) -> list[Frame]:
    if not numbers:
        return frames
    try:
        (count,) = map(int, numbers)
    except ValueError:
        raise CommandError(f"where takes a number of frames, not {' '.join(numbers)!r}.") from None
    return frames[:count] if count >= 0 else frames[count:]


async def _current(ctx: Context) -> int:
    return (await ctx.frame()).index


@command("up", "u", group="stack", usage="[COUNT]", argument="count", repeats=True)
async def up(ctx: Context, arguments: str) -> Result:
    """Look at the caller: an older frame."""
    return await _move(ctx, _steps(arguments, "up"))


@command("down", "d", group="stack", usage="[COUNT]", argument="count", repeats=True)
async def down(ctx: Context, arguments: str) -> Result:
    """Look at what was called: a newer frame."""
    return await _move(ctx, -_steps(arguments, "down"))


@command("top", group="stack")
async def top(ctx: Context, arguments: str) -> Result:
    """Look at the oldest frame, where `up` leads in the end."""
    await ctx.frame()
    return await _select(ctx, (await ctx.session.stack())[-1])


@command("bottom", group="stack")
async def bottom(ctx: Context, arguments: str) -> Result:
    """Look at the newest frame, the one that runs next."""
    return await _select(ctx, (await ctx.session.stack(count=1))[0])


@command("frame", "f", group="stack", usage="[N [COMMAND] | apply all COMMAND]", argument="number")
async def frame(ctx: Context, arguments: str) -> Result:
    """Look at frame N (0 is the newest), or show the one you look at.

    With a command, run it in that frame and stay where you are: frame 2 locals.
    In each of the frames, the oldest first: frame apply all print self.
    """
    number, _, rest = arguments.partition(" ")
    if number == "apply":
        return await _apply(ctx, rest)
    if not number:
        return await _select(ctx, await ctx.frame())
    if not number.isdecimal():
        raise CommandError(f"Frames have numbers, and {number!r} is none.", "where lists them.")
    before = await ctx.frame()
    result = await _select(ctx, await _frame(ctx, int(number)))
    if not rest.strip():
        return result
    from remora_client.commands._run import run_script_line

    try:
        return await run_script_line(ctx, rest)
    finally:
        ctx.session.select_frame(before)


async def _apply(ctx: Context, rest: str) -> Result:
    from remora_client.commands._run import FAILURES, error_text, run_script_line

    which, _, line = rest.partition(" ")
    if not line.strip() or not (which == "all" or which.isdecimal()):
        raise CommandError("frame apply takes all or a number, and a command.", "As in: frame apply all p x")
    before = await ctx.frame()
    frames = await ctx.session.stack()
    data: list[dict[str, Any]] = []
    text: Fragments = []
    try:
        for each in reversed(frames if which == "all" else frames[: int(which)]):
            ctx.session.select_frame(each)
            text += [("class:dim", f"#{each.index}  "), ("class:function", visible(each.name)), ("", "\n")]
            try:
                result = await run_script_line(ctx, line)
            except FAILURES as error:
                data.append(frame_data(each) | {"error": error_text(error)})
                text.append(("class:error", f"  {error_text(error)}\n"))
                continue
            if result.resumed or result.left:
                return result
            data.append(frame_data(each) | {"result": result.data})
            text += result.text
    finally:
        if ctx.session.stop is not None:
            ctx.session.select_frame(before)
    return Result(data, text)


async def _frame(ctx: Context, index: int) -> Frame:
    frames = await ctx.session.stack()
    if not 0 <= index < len(frames):
        raise CommandError(f"There is no frame {index}: they go from 0 to {len(frames) - 1}.")
    return frames[index]


def _steps(text: str, word: str) -> int:
    if text and not text.isdecimal():
        raise CommandError(f"{word} takes a number of frames, not {text!r}.")
    return int(text or 1)


async def _move(ctx: Context, steps: int) -> Result:
    current = (await ctx.frame()).index
    frames = await ctx.session.stack()
    target = min(max(current + steps, 0), len(frames) - 1)
    if target == current:
        raise CommandError("This is the oldest frame." if steps > 0 else "This is the newest frame.")
    return await _select(ctx, frames[target])


async def _select(ctx: Context, chosen: Frame) -> Result:
    ctx.session.select_frame(chosen)
    ctx.listing = None
    return Result(frame_data(chosen) | {"index": chosen.index}, await frame_lines(ctx, chosen))
