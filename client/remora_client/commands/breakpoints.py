"""Commands that set, change and list breakpoints."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._finding._chosen import is_name, names_breakpoints, numbers_of
from remora_client._finding._places import resolve
from remora_client._finding._setting import change_condition, set_breakpoint
from remora_client._literal import read_literal
from remora_client._text import visible
from remora_client.commands._break_at_all import break_at_all
from remora_client.commands._break_text import breakpoint_data, breakpoint_text, listed_data, placed_text
from remora_client.commands._catch import caught
from remora_client.commands._table import CommandError, Result, command, no_arguments
from remora_client.locspec import (
    BreakSpec,
    FunctionPattern,
    Line,
    parse_break,
    parse_hit,
    parse_location,
    split_place,
)
from remora_protocol import match_by_name

if TYPE_CHECKING:
    from remora_client._model import Breakpoint
    from remora_client.commands._context import Context

__all__: list[str] = []


@command("break", "b", group="breakpoints", usage="[OPTIONS] [PLACE] [if EXPR]", argument="location")
async def break_(ctx: Context, arguments: str) -> Result:
    """Stop at a place, if a condition holds there. Without arguments, list the breakpoints.

    A place is 12, +3, app.py:12, pkg.mod:12, app.py:/text/, function or Class.method. Where a line has
    several lambdas, app.py:12#3 is the third place on it, and app.py:12:40 the one at column 40.
    A file's name may stand in quotes: 'my app.py':12. /REGEX/ is every function that rbreak would find.
    Works while the program runs. A file that is not loaded yet is waited for.
    Options, before the place or behind it: -r where the function returns, -y where it yields, with the value
    in $retval; -tmp once only; -hit '>= 3' by how often; -log 'x is {x}' tells and does not stop; -disabled;
    -name NAME for it, or for a group of them; -after 2 only once breakpoint 2 was hit.

    After the place, thread PATTERN and task PATTERN keep it to those of that name or number:
    break app.py:12 thread worker-* if x > 3
    """
    if not arguments:
        return _list(ctx)
    return await _set(ctx, parse_break(arguments))


@command("tbreak", "tb", group="breakpoints", usage="[PLACE] [if EXPR]", argument="location")
async def tbreak(ctx: Context, arguments: str) -> Result:
    """Stop at a place once; the breakpoint goes away when it is hit."""
    return await _set(ctx, replace(parse_break(arguments), temporary=True))


@command(
    "trace",
    "tp",
    "logpoint",
    "dprintf",
    group="breakpoints",
    usage="PLACE 'TEXT {expr}'",
    argument="location",
)
async def trace(ctx: Context, arguments: str) -> Result:
    """Tell a text whenever a place is reached, and run on. In braces: expressions, evaluated there."""
    place, text = _place_and_text(arguments)
    return await _set(ctx, BreakSpec(parse_location(place), log=text))


def _place_and_text(arguments: str) -> tuple[str, str]:
    place, text = split_place(arguments)
    text = text.removeprefix(",").strip()
    if not text:
        raise CommandError("trace needs a place and a text.", "As in: trace app.py:12 'x is {x}'")
    if text[0] in "'\"":
        try:
            value = read_literal(text)
        except ValueError:
            raise CommandError(f"{text} is no text in quotes.") from None
        text = str(value)
    return place, text


async def _set(ctx: Context, spec: BreakSpec) -> Result:
    if isinstance(spec.location, FunctionPattern):
        if spec.at != "call":
            raise CommandError(f"-r and -y take one function, and {spec.location} may be several.")
        return await break_at_all(ctx, spec.location.pattern, spec)
    made = await set_breakpoint(ctx.session, spec, ctx.shown_place)
    return Result(breakpoint_data(made), placed_text(ctx, made))


@command("watch", "wa", group="breakpoints", usage="EXPR", argument="expression")
async def watch(ctx: Context, arguments: str) -> Result:
    """Stop when a value changes: not possible yet. A breakpoint with a condition may do instead.

    To see a value at every stop, display it; to be told of it whenever a line is reached, trace the line.
    """
    name = re.sub(r"^(-rw?\s+)?|\s+if\s.*$", "", arguments) or "x"
    raise CommandError(
        "A change of a value cannot stop the program yet.",
        f"A condition may do: break PLACE if {name} != 0. To see it change: display -changed {name}",
    )


@command("breakpoints", "bl", "bp", group="breakpoints", usage="[-v]", argument="option")
async def breakpoints(ctx: Context, arguments: str) -> Result:
    """List the breakpoints: where they are, whether they are bound, how often they were hit.

    With -v, with the whole paths, yours and the program's.
    """
    result = _list(ctx)
    if arguments != "-v":
        no_arguments("breakpoints", arguments)
        return result
    for each in ctx.session.breakpoints:
        if each.kind == "line":
            result.text.append(("class:dim", f"{each.number:>2}: {visible(each.path)}:{each.line}"))
            there = f" is {visible(each.place())}" if each.bound_path else " waits for its file"
            result.text.append(("class:dim", f"{there}\n"))
    return result


def _list(ctx: Context) -> Result:
    found = ctx.session.breakpoints
    if ctx.session.observes:
        told = "The breakpoints are those of who debugs the program, and not shown to who looks on.\n"
        return Result([], [("class:dim", told)])
    text = breakpoint_text(ctx, found)
    modes = caught(ctx)
    if modes:
        also = " and at" if text else "No breakpoints, but stops at"
        text += [("class:dim", f"{also} exceptions: {', '.join(modes)}\n")]
    if not text:
        text = [("class:dim", "No breakpoints. As in: break app.py:12\n")]
    return Result([listed_data(ctx, each) for each in found], text)


@command(
    "clear",
    "cl",
    "delete",
    "del",
    group="breakpoints",
    usage="NUMBER… | NAME | PLACE | -all",
    argument="breakpoint",
)
async def clear(ctx: Context, arguments: str) -> Result:
    """Remove breakpoints, by number, name or place. `clear -all` removes all of them."""
    if arguments in ("", "-all"):
        count = len(ctx.session.breakpoints)
        if not arguments and ctx.confirm is None:
            raise CommandError("Which breakpoint?", "clear NUMBER, clear PLACE or clear -all")
        if count and not await ctx.agreed(
            "Remove the breakpoint?" if count == 1 else f"Remove all {count} breakpoints?"
        ):
            return Result([])
        gone = await ctx.session.remove_breakpoints()
    elif names_breakpoints(ctx.session, arguments):
        gone = await ctx.session.remove_breakpoints(numbers_of(ctx.session, arguments))
    else:
        gone = await ctx.session.remove_breakpoints(await _at(ctx, arguments))
    for each in gone:
        ctx.on_hit.pop(each.number, None)
    told = ", ".join(str(each.number) for each in gone)
    text = f"Breakpoint{'s' * (len(gone) != 1)} {told} removed.\n" if gone else "There are no breakpoints.\n"
    return Result([breakpoint_data(each) for each in gone], [("", text)])


async def _at(ctx: Context, text: str) -> list[int]:
    location = parse_location(text)
    place = await resolve(ctx.session, location, ctx.shown_place)
    found = [
        each.number
        for each in ctx.session.breakpoints
        if _is_at(each, place.path, place.line, place.function)
    ]
    if not found:
        hint = f"clear {text} by number: see breakpoints." if isinstance(location, Line) else ""
        raise CommandError(f"There is no breakpoint at {text}.", hint)
    return found


def _is_at(each: Breakpoint, path: str, line: int, function: str) -> bool:
    if function:
        return each.function == function
    if line not in (each.line, each.bound_line):
        return False
    return bool(match_by_name(path, [name for name in (each.path, each.bound_path) if name]))


@command("enable", "en", group="breakpoints", usage="[NUMBER… | NAME…]", argument="breakpoint")
async def enable(ctx: Context, arguments: str) -> Result:
    """Let breakpoints stop the program again. Without numbers, all of them."""
    return await _switch(ctx, arguments, lambda each: True)


@command("disable", "dis", group="breakpoints", usage="[NUMBER… | NAME…]", argument="breakpoint")
async def disable(ctx: Context, arguments: str) -> Result:
    """Keep breakpoints, and do not stop at them. Without numbers, all of them."""
    return await _switch(ctx, arguments, lambda each: False)


@command("toggle", group="breakpoints", usage="[NUMBER… | NAME…]", argument="breakpoint")
async def toggle(ctx: Context, arguments: str) -> Result:
    """Enable what is disabled, and the other way round."""
    return await _switch(ctx, arguments, lambda each: not each.enabled)


async def _switch(ctx: Context, arguments: str, wanted: Any) -> Result:
    numbers = (
        numbers_of(ctx.session, arguments) if arguments else [each.number for each in ctx.session.breakpoints]
    )
    before = [ctx.session.breakpoint(number) for number in numbers]
    changed = [await ctx.session.change_breakpoint(each.number, enabled=wanted(each)) for each in before]
    return Result([listed_data(ctx, each) for each in changed], breakpoint_text(ctx, changed))


@command(
    "condition", "cond", group="breakpoints", usage="NUMBER [EXPR | -hit OP COUNT]", argument="breakpoint"
)
async def condition(ctx: Context, arguments: str) -> Result:
    """Stop at a breakpoint only if EXPR is true there; without EXPR, always again.

    With -hit, by how often it was reached: condition 1 -hit '>= 3'.
    """
    first, _, rest = arguments.partition(" ")
    number = numbers_of(ctx.session, first)[0]
    rest = rest.strip()
    if rest.startswith("-hit"):
        often = rest[4:].strip().strip("'\"")
        changed = await ctx.session.change_breakpoint(
            number, hit_condition=parse_hit(often) if often else None
        )
    else:
        changed = await change_condition(ctx.session, number, rest or None)
    return Result(listed_data(ctx, changed), breakpoint_text(ctx, [changed]))


@command("ignore", group="breakpoints", usage="NUMBER COUNT", argument="breakpoint")
async def ignore(ctx: Context, arguments: str) -> Result:
    """Have a breakpoint not stop the next COUNT times. 0: stop again from now on.

    The list says so until it has stopped. Of several processes, in the one that is looked at.
    """
    first, _, rest = arguments.partition(" ")
    if not rest.strip().isdecimal():
        raise CommandError("ignore takes a breakpoint and a number of times.", "As in: ignore 1 10")
    number, count = numbers_of(ctx.session, first)[0], int(rest)
    changed = await ctx.session.change_breakpoint(number, ignore=count)
    return Result(listed_data(ctx, changed), breakpoint_text(ctx, [changed]))


@command("commands", "on", group="breakpoints", usage="[NUMBER [COMMAND]]", argument="breakpoint")
async def commands(ctx: Context, arguments: str) -> Result:
    """Run commands whenever a breakpoint is hit: on 1 print x. Several: on 1 print x ;; continue.

    Or a line each, as pdb has it, and `end` after the last. The word silent among them keeps the stop itself
    from being shown. Without a number, the breakpoint that was set last is meant; without a command, forget
    those of that breakpoint.
    """
    first, _, rest = arguments.partition("\n" if "\n" in arguments else " ")
    if rest and "\n" in arguments and not names_breakpoints(ctx.session, first):
        first, rest = "", arguments
    if first.strip():
        number = numbers_of(ctx.session, first)[0]
    elif ctx.session.breakpoints:
        number = ctx.session.breakpoints[-1].number
    else:
        raise CommandError("There are no breakpoints yet.", "break sets one.")
    each = ctx.session.breakpoint(number)
    lines = [line.strip() for line in rest.splitlines() if line.strip() not in ("", "end")]
    if lines:
        ctx.on_hit.setdefault(number, []).extend(lines)
    else:
        ctx.on_hit.pop(number, None)
    return Result({"id": number, "commands": ctx.on_hit.get(number, [])}, breakpoint_text(ctx, [each]))


@command("group", group="breakpoints", usage="[NAME NUMBER…]", argument="breakpoint")
async def group(ctx: Context, arguments: str) -> Result:
    """Give breakpoints a name; those of one name are a group: group io 2 3, then disable io.

    `group -none 2` takes the name away. Without arguments, list the groups.
    """
    name, _, rest = arguments.partition(" ")
    if name:
        if not rest.strip() or not (name == "-none" or is_name(name)):
            raise CommandError("group takes a name and breakpoints.", "As in: group io 2 3")
        for number in numbers_of(ctx.session, rest):
            await ctx.session.change_breakpoint(number, name="" if name == "-none" else name)
    groups: dict[str, list[int]] = {}
    for each in ctx.session.breakpoints:
        if each.name:
            groups.setdefault(each.name, []).append(each.number)
    text = [("", f" {visible(key)}: {', '.join(map(str, found))}\n") for key, found in groups.items()]
    return Result(groups, text or [("class:dim", "No groups.\n")])
