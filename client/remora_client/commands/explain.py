"""The command that explains a breakpoint: why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._finding import _reasons
from remora_client._finding._chosen import numbers_of
from remora_client._fragments import broken_at_blanks
from remora_client._text import visible
from remora_client.commands._break_text import breakpoint_text, listed_data
from remora_client.commands._table import Result, command

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client.commands._context import Context

__all__: list[str] = []


@command("why", group="breakpoints", usage="NUMBER", argument="breakpoint")
async def why(ctx: Context, arguments: str) -> Result:
    """Explain a breakpoint: which file it found, where it was put, how often it was hit, why it waits."""
    found = await _reasons.why(ctx.session, numbers_of(ctx.session, arguments)[0])
    told = "".join(f"    {visible(line)}\n" for line in found.reasons)
    reasons: Fragments = [("", told)]
    text = [*breakpoint_text(ctx, [found.breakpoint]), *broken_at_blanks(reasons, ctx.width)]
    return Result(listed_data(ctx, found.breakpoint) | {"reasons": list(found.reasons)}, text)
