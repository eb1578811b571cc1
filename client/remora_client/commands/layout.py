"""The command that opens and closes the full-screen panes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client.commands._table import CommandError, Result, command

if TYPE_CHECKING:
    from remora_client.commands._context import Context

__all__: list[str] = []

KINDS = ("src", "vars", "split", "off")


@command("layout", "tui", group="session", usage="[src | vars | split | off]", argument="option")
async def layout(ctx: Context, arguments: str) -> Result:
    """Show the program in panes around the prompt: source, stack, variables, breakpoints, output.

    src: source and output. vars: variables, stack and output. split, which is meant without a word: all
    of them. off: back to lines.

    Ctrl-X O or F6 goes from pane to pane, Escape back to the prompt. The page keys scroll, Ctrl-X with an
    arrow moves a border, Ctrl-X A leaves. In a pane, Enter acts on a row: it sets or clears a breakpoint,
    selects a frame, opens a value. A click does the same, unless set mouse off.
    """
    kind = arguments or "split"
    if kind not in KINDS:
        raise CommandError(f"There is no layout {kind!r}.", f"layout takes {', '.join(KINDS)}.")
    if ctx.layout is None:
        raise CommandError(
            "Panes need a terminal that can move its cursor, and this is none.",
            "All commands work in lines as well: list, where, locals.",
        )
    await ctx.layout(kind)
    return Result({"layout": kind})
