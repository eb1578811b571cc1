"""Commands that say what steps pass by: skip and jmc."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._finding._places import current_place
from remora_client._fragments import table
from remora_client._text import visible
from remora_client.commands._table import CommandError, Result, command

if TYPE_CHECKING:
    from remora_client.commands._context import Context

__all__: list[str] = []

_KINDS = ("file", "function", "module")
_SHORT = {"func": "function"}


@command(
    "skip",
    group="running",
    usage="[file | func | module [PATTERN] | -list | -d NUMBER | -all]",
    argument="text",
    needs="remora/skip",
)
async def skip(ctx: Context, arguments: str) -> Result:
    """Have steps pass by files, functions or modules: skip file generated_*.py, skip func __init__.

    Without a pattern, those of the selected frame. -d takes one out by its number, -all all of them.
    Breakpoints in what is skipped stop as ever, and step! enters it.
    """
    word, _, rest = arguments.partition(" ")
    kind, rest = _SHORT.get(word, word), rest.strip()
    if word in ("", "-list"):
        return _listed(ctx)
    if word == "-all":
        ctx.skips.clear()
    elif word == "-d":
        if not rest.isdecimal() or not 1 <= int(rest) <= len(ctx.skips):
            raise CommandError(f"There is no skip {visible(rest)}.", "skip lists them.")
        del ctx.skips[int(rest) - 1]
    elif kind in _KINDS:
        pattern = rest or await _here(ctx, kind)
        if (kind, pattern) not in ctx.skips:
            ctx.skips.append((kind, pattern))
    else:
        raise CommandError(
            f"skip takes file, func or module, not {visible(word)}.", "As in: skip func __init__"
        )
    await _send(ctx)
    return _listed(ctx)


async def _here(ctx: Context, kind: str) -> str:
    """The pattern that fits the selected frame."""
    if kind == "file":
        return (await current_place(ctx.session, ctx.shown_place))[0]
    if kind == "function":
        return (await ctx.frame()).name
    return (await ctx.session.evaluate("__name__", None, "clipboard")).value.strip("'\"")


def _listed(ctx: Context) -> Result:
    rows = [
        [[("class:dim", f" {number}:")], [("", kind)], [("class:path", visible(pattern))]]
        for number, (kind, pattern) in enumerate(ctx.skips, 1)
    ]
    data = [{"kind": kind, "pattern": pattern} for kind, pattern in ctx.skips]
    told = "library code" if ctx.just_my_code else "nothing"
    return Result(
        data, [*table(rows), ("class:dim", f"Steps pass by {told}{' and these' if rows else ''}.\n")]
    )


@command("jmc", group="running", usage="[on | off]", argument="option", needs="remora/skip")
async def jmc(ctx: Context, arguments: str) -> Result:
    """Have steps pass by library code: on, as it comes; or enter it as well: off. Just my code, that is."""
    if arguments not in ("", "on", "off"):
        raise CommandError(f"jmc is on or off, not {visible(arguments)}.")
    if arguments:
        ctx.just_my_code = arguments == "on"
        await _send(ctx)
    state = "on" if ctx.just_my_code else "off"
    return Result({"justMyCode": ctx.just_my_code}, [("", f"Just my code is {state}.\n")])


async def _send(ctx: Context) -> None:
    await ctx.session.skip(ctx.skips, just_my_code=ctx.just_my_code)
