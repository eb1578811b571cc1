"""Commands that set, change and list breakpoints."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from remora_client.commands._break_text import breakpoint_data, breakpoint_text, listed_data, placed_text
from remora_client.commands._catch import caught
from remora_client.commands._places import parse, resolve
from remora_client.commands._table import CommandError, Result, command, no_arguments
from remora_client.locspec import BreakSpec, Line, LocationError, parse_break
from remora_protocol import match_by_name

if TYPE_CHECKING:
    from remora_client._model import Breakpoint
    from remora_client.commands._context import Context

__all__: list[str] = []

_HIT_OPERATORS = ("==", ">=", "<=", "!=", ">", "<", "%", "=")


@command("break", "b", group="breakpoints", usage="[OPTIONS] [PLACE] [if EXPR]", argument="location")
async def break_(ctx: Context, arguments: str) -> Result:
    """Stop at a place, if a condition holds there. Without arguments, list the breakpoints.

    A place is 12, +3, app.py:12, pkg.mod:12, app.py:/text/, function or Class.method.
    Works while the program runs. A file that is not loaded yet is waited for.
    Options: -tmp once only; -hit '>= 3' by how often; -log 'x is {x}' tells and does not stop; -disabled.
    """
    if not arguments:
        return _list(ctx)
    return await _set(ctx, _read(arguments))


@command("tbreak", "tb", group="breakpoints", usage="[PLACE] [if EXPR]", argument="location")
async def tbreak(ctx: Context, arguments: str) -> Result:
    """Stop at a place once; the breakpoint goes away when it is hit."""
    return await _set(ctx, _read(arguments), temporary=True)


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
    return await _set(ctx, BreakSpec(parse(place), log=text))


def _place_and_text(arguments: str) -> tuple[str, str]:
    place, _, text = arguments.partition(" ")
    text = text.strip().removeprefix(",").strip()
    if not text:
        raise CommandError("trace needs a place and a text.", "As in: trace app.py:12 'x is {x}'")
    if text[0] in "'\"":
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            raise CommandError(f"{text} is no text in quotes.") from None
        text = str(value)
    return place, text


def _read(arguments: str) -> BreakSpec:
    try:
        return parse_break(arguments)
    except LocationError as error:
        raise CommandError(str(error)) from None


async def _set(ctx: Context, spec: BreakSpec, *, temporary: bool = False) -> Result:
    place = await resolve(ctx, spec.location)
    if spec.condition is not None:
        _check_expression(spec.condition)
    made = await ctx.session.add_breakpoint(
        place.path,
        place.line,
        function=place.function,
        column=place.column,
        condition=spec.condition,
        hit_condition=_hit(spec.hit),
        log_message=spec.log,
        temporary=spec.temporary or temporary,
        enabled=not spec.disabled,
    )
    if not made.verified and made.reason == "failed":
        await ctx.session.remove_breakpoints([made.number])
        raise CommandError(f"No breakpoint at {made.place()}: {made.message or 'refused by the server'}")
    return Result(breakpoint_data(made), placed_text(ctx, made))


def _check_expression(text: str) -> None:
    """Refuse what cannot be a condition on any Python, before it goes anywhere."""
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise CommandError(f"The condition {text!r} is no expression: {reason}.") from None


def _hit(text: str | None) -> str | None:
    """A hit condition as the server takes it: an operator and a number; a number alone means from then on."""
    if text is None:
        return None
    operator = next((each for each in _HIT_OPERATORS if text.startswith(each)), "")
    number = text[len(operator) :].strip()
    if not number.isdecimal():
        raise CommandError(f"{text!r} is no number of hits.", "As in: -hit '>= 3', '== 5' or '% 10'")
    return f"{operator or '>='} {number}"


@command("breakpoints", "bl", "bp", group="breakpoints")
async def breakpoints(ctx: Context, arguments: str) -> Result:
    """List the breakpoints: where they are, whether they are bound, how often they were hit."""
    no_arguments("breakpoints", arguments.removeprefix("-v"))
    return _list(ctx)


def _list(ctx: Context) -> Result:
    found = ctx.session.breakpoints
    text = breakpoint_text(ctx, found)
    modes = caught(ctx)
    if modes:
        text += [("class:dim", f" and at exceptions: {', '.join(modes)}\n")]
    if not text:
        text = [("class:dim", "No breakpoints. As in: break app.py:12\n")]
    return Result([listed_data(ctx, each) for each in found], text)


@command(
    "clear", "cl", "delete", "del", group="breakpoints", usage="NUMBER… | PLACE | -all", argument="breakpoint"
)
async def clear(ctx: Context, arguments: str) -> Result:
    """Remove breakpoints, by number or by place. `clear -all` removes all of them."""
    if arguments in ("", "-all"):
        count = len(ctx.session.breakpoints)
        if not arguments and ctx.confirm is None:
            raise CommandError("Which breakpoint?", "clear NUMBER, clear PLACE or clear -all")
        if count and not await ctx.agreed(
            "Remove the breakpoint?" if count == 1 else f"Remove all {count} breakpoints?"
        ):
            return Result([])
        gone = await ctx.session.remove_breakpoints()
    elif all(part.isdecimal() for part in arguments.replace(",", " ").split()):
        gone = await ctx.session.remove_breakpoints(_numbers(arguments))
    else:
        gone = await ctx.session.remove_breakpoints(await _at(ctx, arguments))
    for each in gone:
        ctx.on_hit.pop(each.number, None)
        ctx.hits.pop(each.number, None)
    told = ", ".join(str(each.number) for each in gone)
    text = f"Breakpoint{'s' * (len(gone) != 1)} {told} removed.\n" if gone else "There are no breakpoints.\n"
    return Result([breakpoint_data(each) for each in gone], [("", text)])


async def _at(ctx: Context, text: str) -> list[int]:
    location = parse(text)
    place = await resolve(ctx, location)
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


def _numbers(text: str) -> list[int]:
    parts = text.replace(",", " ").split()
    if not parts or not all(part.isdecimal() for part in parts):
        raise CommandError(f"Breakpoints have numbers, and {text!r} is none.", "breakpoints lists them.")
    return [int(part) for part in parts]


@command("enable", "en", group="breakpoints", usage="[NUMBER…]", argument="breakpoint")
async def enable(ctx: Context, arguments: str) -> Result:
    """Let breakpoints stop the program again; without numbers, all of them."""
    return await _switch(ctx, arguments, lambda each: True)


@command("disable", "dis", group="breakpoints", usage="[NUMBER…]", argument="breakpoint")
async def disable(ctx: Context, arguments: str) -> Result:
    """Keep breakpoints, and do not stop at them; without numbers, all of them."""
    return await _switch(ctx, arguments, lambda each: False)


@command("toggle", group="breakpoints", usage="[NUMBER…]", argument="breakpoint")
async def toggle(ctx: Context, arguments: str) -> Result:
    """Enable what is disabled, and the other way round."""
    return await _switch(ctx, arguments, lambda each: not each.enabled)


async def _switch(ctx: Context, arguments: str, wanted: Any) -> Result:
    numbers = _numbers(arguments) if arguments else [each.number for each in ctx.session.breakpoints]
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
    (number,) = _numbers(first)[:1]
    rest = rest.strip()
    if rest.startswith("-hit"):
        changed = await ctx.session.change_breakpoint(
            number, hit_condition=_hit(rest[4:].strip().strip("'\"") or None)
        )
    else:
        if rest:
            _check_expression(rest)
        changed = await ctx.session.change_breakpoint(number, condition=rest or None)
    return Result(listed_data(ctx, changed), breakpoint_text(ctx, [changed]))


@command("ignore", group="breakpoints", usage="NUMBER COUNT", argument="breakpoint")
async def ignore(ctx: Context, arguments: str) -> Result:
    """Pass a breakpoint COUNT times before it stops the program again."""
    numbers = _numbers(arguments)
    if len(numbers) != 2:
        raise CommandError("ignore takes a breakpoint and a number of times.", "As in: ignore 1 10")
    number, count = numbers
    changed = await ctx.session.change_breakpoint(number, hit_condition=f"> {count}" if count else None)
    return Result(listed_data(ctx, changed), breakpoint_text(ctx, [changed]))


@command("commands", "on", group="breakpoints", usage="NUMBER [COMMAND]", argument="breakpoint")
async def commands(ctx: Context, arguments: str) -> Result:
    """Run commands whenever a breakpoint is hit: on 1 print x. Several: on 1 print x ;; continue.

    Without a command, forget those of that breakpoint.
    """
    first, _, rest = arguments.partition(" ")
    (number,) = _numbers(first)[:1]
    each = ctx.session.breakpoint(number)
    if rest.strip():
        ctx.on_hit.setdefault(number, []).append(rest.strip())
    else:
        ctx.on_hit.pop(number, None)
    return Result({"id": number, "commands": ctx.on_hit.get(number, [])}, breakpoint_text(ctx, [each]))


@command("why", group="breakpoints", usage="NUMBER", argument="breakpoint")
async def why(ctx: Context, arguments: str) -> Result:
    """Explain a breakpoint: which file it found, where it was put, how often it was hit, why it waits."""
    (number,) = _numbers(arguments)[:1]
    each = ctx.session.breakpoint(number)
    told = [line async for line in _reasons(ctx, each)]
    text = [*breakpoint_text(ctx, [each]), ("", "".join(f"    {line}\n" for line in told))]
    return Result(listed_data(ctx, each) | {"reasons": told}, text)


async def _reasons(ctx: Context, each: Breakpoint) -> Any:
    if each.kind == "line":
        loaded = [source.path for source in await ctx.session.loaded_sources()]
        found = match_by_name(each.path, loaded)
        yield f"asked for {each.path}:{each.line}"
        if found:
            yield f"matches by name: {', '.join(found[:4])}"
        else:
            yield f"no loaded file matches that name ({len(loaded)} are loaded); it binds when one is"
    if each.verified and each.bound_line and each.kind == "line" and each.bound_line != each.line:
        yield f"line {each.line} cannot be stopped at; moved to {each.bound_line}"
    if not each.enabled:
        yield "it is disabled, so the server does not know of it"
    if each.condition:
        yield f"it stops only if {each.condition}"
    if each.hit_condition:
        yield f"it stops only when the number of hits is {each.hit_condition}"
    if each.log_message is not None:
        yield "it tells a text and never stops"
    count = ctx.hits.get(each.number, 0)
    yield f"it stopped the program {count} time{'s' * (count != 1)} in this session"
