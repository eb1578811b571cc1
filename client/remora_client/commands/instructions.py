"""Commands for the bytecode below the lines: stepi, nexti, disassemble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._finding._facts import code_of
from remora_client._text import visible
from remora_client.commands._table import Result, command
from remora_client.commands.running import count_of
from remora_client.render import value_line

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client.commands._context import Context

__all__: list[str] = []


@command(
    "stepi",
    "si",
    group="running",
    usage="[COUNT]",
    argument="count",
    repeats=True,
    needs="supportsSteppingGranularity",
)
async def stepi(ctx: Context, arguments: str) -> Result:
    """Run to the next instruction of the bytecode, into functions that are called."""
    await ctx.session.step_instruction(into=True, times=count_of(arguments, "stepi"))
    return Result(resumed=True)


@command(
    "nexti",
    "ni",
    group="running",
    usage="[COUNT]",
    argument="count",
    repeats=True,
    needs="supportsSteppingGranularity",
)
async def nexti(ctx: Context, arguments: str) -> Result:
    """Run to this function's next instruction of bytecode; calls on the way run through."""
    await ctx.session.step_instruction(into=False, times=count_of(arguments, "nexti"))
    return Result(resumed=True)


@command(
    "disassemble",
    "disass",
    group="sources",
    usage="[FUNCTION]",
    argument="expression",
    needs="remora/disassemble",
)
async def disassemble(ctx: Context, arguments: str) -> Result:
    """Show the bytecode of the selected frame's function, by lines, with an arrow at its instruction.

    Or that of any function, class or code that an expression gives: disassemble self.save
    """
    if arguments:
        listed = await code_of(ctx.session, arguments)
        return Result(listed.splitlines(), value_line(listed))
    rows, current = await ctx.session.disassembly(await ctx.frame())
    text: Fragments = []
    data = []
    before = None
    for index, row in enumerate(rows):
        line, offset = row.get("line"), _offset(row)
        here = index == current
        shown = f"{line:>5}" if isinstance(line, int) and line != before else " " * 5
        before = line if isinstance(line, int) else before
        arrow = ("class:stop.step", " → ") if here else ("", "   ")
        text += [("class:line", shown), arrow, ("class:dim", f"{'' if offset is None else offset:>5}  ")]
        text += [("class:current" if here else "", f"{visible(str(row.get('instruction', '')))}\n")]
        data.append({"offset": offset, "instruction": row.get("instruction"), "line": line, "current": here})
    return Result(data, text)


def _offset(row: dict[str, Any]) -> int | None:
    """How many bytes into its function's code an instruction is, by a server that may not say so."""
    ours = row.get("remora")
    offset = ours.get("offset") if isinstance(ours, dict) else None
    return offset if isinstance(offset, int) else None
