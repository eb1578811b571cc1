"""Commands about objects as such: what names they have, how large they are, who holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._finding._facts import names_of, referrers, size_of
from remora_client._fragments import table
from remora_client._text import visible
from remora_client.commands._table import CommandError, Result, command

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client.commands._context import Context

__all__: list[str] = []


@command("dir", group="data", usage="[-p] EXPR", argument="expression")
async def dir_(ctx: Context, arguments: str) -> Result:
    """List the names that an object has, without reading them; -p: also those that begin with _."""
    private = arguments.startswith("-p ")
    expression = arguments.removeprefix("-p ").strip()
    if not expression:
        raise CommandError("dir takes an expression.", "As in: dir self")
    names = await names_of(ctx.session, expression)
    shown = [name for name in names if private or not name.startswith("_")]
    return Result(shown, _columns(shown, ctx.width or 100))


def _columns(names: list[str], width: int) -> Fragments:
    if not names:
        return [("class:dim", "No names.\n")]
    size = max(map(len, names)) + 2
    count = max((width - 1) // size, 1)
    rows = [names[start : start + count] for start in range(0, len(names), count)]
    return table([[[("", visible(name).ljust(size - 2))] for name in row] for row in rows], indent=1)


@command("sizeof", group="data", usage="EXPR", argument="expression")
async def sizeof(ctx: Context, arguments: str) -> Result:
    """Show how many bytes an object takes, without what it refers to, and how many items it has."""
    if not arguments:
        raise CommandError("sizeof takes an expression.", "As in: sizeof cache")
    size = await size_of(ctx.session, arguments)
    data: dict[str, Any] = {"bytes": size.bytes}
    text = f"{size.bytes:,} bytes"
    if size.items is not None:
        data["items"] = size.items
        text += f", {size.items:,} item{'s' * (size.items != 1)}"
    return Result(data, [("", f"{text}\n")])


@command("refs", group="data", usage="EXPR", argument="expression")
async def refs(ctx: Context, arguments: str) -> Result:
    """List what refers to an object, and so keeps it alive: variables, and containers with the keys."""
    if not arguments:
        raise CommandError("refs takes an expression.", "As in: refs connection")
    found = await referrers(ctx.session, arguments)
    rows = [[[("class:type", visible(each.type))], [("", visible(each.names))]] for each in found]
    data = [{"type": each.type, "names": each.names} for each in found]
    return Result(data, table(rows, indent=1) or [("class:dim", "Nothing that can be seen refers to it.\n")])
