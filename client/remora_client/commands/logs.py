"""The command that shows the program's log records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._text import visible
from remora_client.commands._table import CommandError, Result, command

if TYPE_CHECKING:
    from remora_client.commands._context import Context

__all__: list[str] = []


@command("logs", group="data", usage="LEVEL | off", argument="option", needs="remora/logging")
async def logs(ctx: Context, arguments: str) -> Result:
    """Show what the program logs from a level up: `logs warning`, `logs 15`, `logs off`.

    Only what the program's own levels let through becomes a record at all.
    """
    level = arguments.strip()
    if not level or len(level.split()) > 1:
        raise CommandError("logs takes a level, or off.", "As in: logs info")
    await ctx.session.request("remora/logging", {} if level.lower() == "off" else {"level": level})
    if level.lower() == "off":
        return Result(None, [("class:dim", "Log records are not shown any more.\n")])
    return Result(None, [("class:dim", f"Log records from {visible(level.upper())} up are shown.\n")])
