"""Commands about objects as such: what names they have, how large they are, who holds them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from remora_client._fragments import table
from remora_client._literal import read_literal
from remora_client._text import visible
from remora_client.commands._table import CommandError, Result, command

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._fragments import Fragments
    from remora_client.commands._context import Context

__all__: list[str] = []

_MOST_HOLDERS = 50
# Called with what refers to the object, the frame's names, its module's, and the object itself. Its names are
# its own, so that no variable of the program is taken for one of them.
_DESCRIBE = (
    "(lambda _r_found, _r_here, _r_module, _r_it: "
    "[('local variable', _r_key) for _r_key in _r_here"
    " if _r_here is not _r_module and _r_here[_r_key] is _r_it]"
    " + [(type(_r_one).__name__, ', '.join([str(_r_key) for _r_key in list(_r_one)"
    " if _r_one[_r_key] is _r_it][:5]) if type(_r_one) is dict else '')"
    " for _r_one in _r_found if not (type(_r_one) is dict and _r_one is not _r_module"
    " and _r_one.keys() == _r_here.keys()) and type(_r_one).__name__ not in ('frame', 'list_iterator')"
    " and not str(type(_r_one).__module__).startswith('remora.')]"  # what we hold ourselves, to show it
    f"[:{_MOST_HOLDERS}])"
)


@command("dir", group="data", usage="[-p] EXPR", argument="expression")
async def dir_(ctx: Context, arguments: str) -> Result:
    """List the names that an object has, without reading them; -p: also those that begin with _."""
    private = arguments.startswith("-p ")
    expression = arguments.removeprefix("-p ").strip()
    if not expression:
        raise CommandError("dir takes an expression.", "As in: dir self")
    listed = await _asked(ctx, f"dir({expression})", lambda found: isinstance(found, list))
    names = [str(name) for name in listed]
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
    size = await _asked(ctx, f"__import__('sys').getsizeof({arguments})", _is_count)
    data: dict[str, Any] = {"bytes": size}
    asked = f"len({arguments}) if hasattr(type({arguments}), '__len__') else None"
    length = await _asked(ctx, asked, lambda found: found is None or _is_count(found))
    text = f"{size:,} bytes"
    if length is not None:
        data["items"] = length
        text += f", {length:,} item{'s' * (length != 1)}"
    return Result(data, [("", f"{text}\n")])


@command("refs", group="data", usage="EXPR", argument="expression")
async def refs(ctx: Context, arguments: str) -> Result:
    """List what refers to an object, and so keeps it alive: variables, and containers with the keys."""
    if not arguments:
        raise CommandError("refs takes an expression.", "As in: refs connection")
    holders = await _asked(
        ctx,
        f"{_DESCRIBE}(__import__('gc').get_referrers({arguments}), locals(), globals(), ({arguments}))",
        _is_pairs,
    )
    rows = [[[("class:type", visible(str(kind)))], [("", visible(str(names)))]] for kind, names in holders]
    data = [{"type": kind, "names": names} for kind, names in holders]
    return Result(data, table(rows, indent=1) or [("class:dim", "Nothing that can be seen refers to it.\n")])


def _is_count(found: object) -> bool:
    return isinstance(found, int)


def _is_pairs(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(each, tuple) and len(each) == 2 for each in found)


async def _asked(ctx: Context, expression: str, is_right: Callable[[object], bool]) -> Any:
    """The value of an expression of ours, whose answer is plain data of a kind that `is_right` knows."""
    value = await ctx.session.evaluate(expression, None, "clipboard")
    with contextlib.suppress(ValueError):
        found = read_literal(value.value)
        if is_right(found):
            return found
    raise CommandError(f"The program answers {visible(value.value)[:200]}")
