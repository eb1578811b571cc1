"""Breakpoints in every function whose name matches, as `rbreak` and `break /REGEX/` set them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from remora_client._finding._functions import break_in, functions
from remora_client.commands._break_text import breakpoint_data, placed_text
from remora_client.commands._table import CommandError, Result

if TYPE_CHECKING:
    from remora_client.commands._context import Context
    from remora_client.locspec import BreakSpec

__all__ = ["break_at_all"]

_UNASKED = 50  # breakpoints that are set without asking


async def break_at_all(ctx: Context, pattern: str, spec: BreakSpec) -> Result:
    """Stop in every function whose name matches, as described otherwise."""
    found = await functions(ctx.session, pattern)
    if not found:
        raise CommandError(f"No function's name matches {pattern}.", "funcs lists the functions there are.")
    if len(found) > _UNASKED and not await ctx.agreed(f"Set {len(found)} breakpoints?"):
        return Result([])
    made = await break_in(ctx.session, found, spec)
    text = [part for each in made for part in placed_text(ctx, replace(each, name=""))]
    if len(made) > 1:
        name = made[0].name
        text.append(("class:dim", f"Together they are called {name}: disable {name}\n"))
    return Result([breakpoint_data(each) for each in made], text)
