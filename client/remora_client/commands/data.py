"""Commands that look at data and change it: print, pp, whatis, args, locals, globals, set, display."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._finding._facts import inspect, source_of, unquoted
from remora_client._fragments import clip, table
from remora_client._text import visible
from remora_client.commands._context import Display
from remora_client.commands._own import own_text, rendered
from remora_client.commands._pretty import pretty
from remora_client.commands._settings import Settings
from remora_client.commands._stopped import show_display
from remora_client.commands._table import CommandError, Result, command, no_arguments
from remora_client.commands.settings import options
from remora_client.render import value_line, variable_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora_client._fragments import Fragments
    from remora_client._model import Value, Variable
    from remora_client.commands._context import Context

__all__: list[str] = []

_FORMATS = {
    "x": "hex({})",
    "b": "bin({})",
    "o": "oct({})",
    "r": "repr({})",
    "s": "str({})",
    "j": "__import__('json').dumps({}, indent=2, default=repr, ensure_ascii=False)",
}
_SLASHED = re.compile(r"/(?P<format>[a-z]+)(?:\s+|$)")


@command("print", "p", group="data", usage="[/FORMAT] [-a] EXPR", argument="expression")
async def print_(ctx: Context, arguments: str) -> Result:
    """Show the value of an expression, as the program would compute it in the selected frame.

    /x /b /o: a number in another base; /s: str(); /r: repr(); /j: JSON. -a: all of it, nothing cut.
    What was printed is $1, $2 and so on in later expressions, and $_ or _ is the last: print _ + 1.
    """
    expression, form, whole = _expression("print", arguments)
    value = await ctx.session.evaluate(
        form.format(expression),
        None,
        "clipboard" if whole or form != "{}" else "watch",
        keep=form == "{}",
    )
    text = unquoted(value.value) if form != "{}" else value.value
    shown = await rendered(ctx.session, value) if form == "{}" and not whole else text
    return Result({"value": text, "type": value.type}, numbered(ctx, value) + value_line(shown))


def numbered(ctx: Context, value: Value) -> Fragments:
    """By which number the value can be named again, where that is to be shown."""
    if ctx.settings.numbers == "off" or not value.number:
        return []
    return [("class:dim", f"${value.number} = ")]


def _expression(word: str, arguments: str) -> tuple[str, str, bool]:
    """Splits off the options: the expression, how to wrap it, and whether all of it is wanted."""
    form, whole = "{}", False
    if match := _SLASHED.match(arguments):
        if match["format"] not in _FORMATS:
            raise CommandError(f"/{match['format']} is no format.", f"Formats: /{' /'.join(_FORMATS)}")
        form, arguments = _FORMATS[match["format"]], arguments[match.end() :]
        form = form.replace("{}", "({})") if "({}" not in form else form
    if re.match(r"-a\s", arguments):
        whole, arguments = True, arguments[3:]
    arguments = arguments.strip()
    if not arguments:
        raise CommandError(f"{word} takes an expression.", f"As in: {word} x + 1")
    return arguments, form, whole


@command("pp", group="data", usage="EXPR", argument="expression")
async def pp(ctx: Context, arguments: str) -> Result:
    """Show a value spread over lines, a child a line, as far down as a screen holds."""
    expression, form, _ = _expression("pp", arguments)
    value = await ctx.session.evaluate(form.format(expression))
    width = ctx.width or 100
    data = {"value": await pretty(ctx.session, value, width), "type": value.type}
    return Result(data, value_line(await pretty(ctx.session, value, width, own_text)))


@command("whatis", group="data", usage="EXPR", argument="expression")
async def whatis(ctx: Context, arguments: str) -> Result:
    """Show the type of a value."""
    expression, form, _ = _expression("whatis", arguments)
    value = await ctx.session.evaluate(form.format(expression))
    text = value.type or "?"
    return Result({"type": value.type}, [("class:type", visible(text)), ("", "\n")])


def variable_data(each: Variable) -> dict[str, Any]:
    """The JSON form of a variable."""
    return {"name": each.name, "value": each.value, "type": each.type}


async def _listed(ctx: Context, found: Sequence[Variable], none: str) -> Result:
    shown = [replace(each, value=await rendered(ctx.session, each)) for each in found]
    text = variable_lines(shown, width=ctx.width) or [("class:dim", f"{none}\n")]
    return Result([variable_data(each) for each in found], text)


async def _folded(ctx: Context, found: Sequence[Variable], arguments: str, none: str) -> Result:
    """All of them as data; as text without what is seldom looked for."""
    words = arguments.split()
    pattern = " ".join(word for word in words if word != "-v")
    found = _matching(found, pattern)
    if pattern or "-v" in words:
        return await _listed(ctx, found, f"No name here matches {visible(pattern)}." if pattern else none)
    shown = [each for each in found if not is_furniture(each)]
    result = await _listed(ctx, shown, none)
    hidden = len(found) - len(shown)
    if hidden:
        folded = sorted((each.name for each in found if is_furniture(each)), key=_is_dunder)
        names = ", ".join(map(visible, folded))
        note = f" {hidden} more with -v: {names}"
        result.text.append(("class:dim", clip(note, ctx.width or 100) + "\n"))
    return Result([variable_data(each) for each in found], result.text)


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def is_furniture(each: Variable) -> bool:
    """What stands around in every frame, and is shown only to who asks for it."""
    return _is_dunder(each.name) or each.is_code


def _matching(found: Sequence[Variable], pattern: str) -> list[Variable]:
    if not pattern:
        return list(found)
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise CommandError(f"{pattern!r} is no regular expression: {error}.") from None
    return [each for each in found if regex.search(each.name)]


@command("locals", "lo", group="data", usage="[-v] [REGEX]", argument="regex")
async def locals_(ctx: Context, arguments: str) -> Result:
    """Show the arguments and locals of the selected frame; with REGEX, those whose name matches.

    Modules, functions, classes and names like __this__ are folded, except with -v.
    """
    return await _folded(ctx, await ctx.session.locals(), arguments, "No local variables.")


@command("args", "a", group="data")
async def args(ctx: Context, arguments: str) -> Result:
    """Show the arguments of the selected function, as they are now."""
    no_arguments("args", arguments)
    return await _listed(ctx, await ctx.session.arguments(), "No arguments.")


@command("globals", "gl", group="data", usage="[-v] [REGEX]", argument="regex")
async def globals_(ctx: Context, arguments: str) -> Result:
    """Show the globals of the selected frame's module; with REGEX, those whose name matches.

    Modules, functions, classes and names like __this__ are folded, except with -v.
    """
    return await _folded(ctx, await ctx.session.globals(), arguments, "No global variables.")


@command("vars", "scopes", group="data", usage="[-v] [REGEX]", argument="regex")
async def vars_(ctx: Context, arguments: str) -> Result:
    """Show all variables of the selected frame, each scope apart: locals, closure, globals.

    With REGEX, those whose name matches. Modules, functions, classes and names like __this__ are folded,
    except with -v.
    """
    data: dict[str, Any] = {}
    text: Fragments = []
    for scope in await ctx.session.scopes():
        found = await ctx.session.variables(scope.reference)
        listed = await _folded(ctx, found, arguments, "None.")
        if listed.data:
            data[scope.name] = listed.data
            text += [("class:heading", f"{visible(scope.name)}\n"), *listed.text]
    return Result(data, text or [("class:dim", "No variables.\n")])


@command("retval", "rv", group="data", needs="remora/return")
async def retval(ctx: Context, arguments: str) -> Result:
    """Show what the last call returned, after return, next or step."""
    no_arguments("retval", arguments)
    value = await ctx.session.return_value()
    if value is None:
        raise CommandError("No call has just returned.")
    data = {"value": value.value, "type": value.type, "name": value.name}
    return Result(data, value_line(await rendered(ctx.session, value)))


@command("set", group="data", usage="NAME = EXPR | OPTION VALUE", argument="option")
async def set_(ctx: Context, arguments: str) -> Result:
    """Change a variable, attribute or item of the program, or an option of this session.

    set x = 1, set self.count = 0, set items[3] = None; set context 15. Without arguments: the options.
    """
    if not arguments:
        return options(ctx)
    parts = _assignment(arguments)
    if parts is not None:
        value = await ctx.session.assign(*parts)
        return _assigned(parts[0], value)
    name, _, rest = arguments.partition(" ")
    if name not in Settings.names():
        raise CommandError(
            f"{arguments!r} sets nothing.", f"As in: set x = 1. Options: {', '.join(Settings.names())}."
        )
    if rest.strip():
        ctx.settings.change(name, rest.strip())
    row = next(row for row in ctx.settings.rows() if row[0] == name)
    return Result({"option": row[0], "value": row[1]}, [("class:name", row[0]), ("", f" is {row[1]}\n")])


def _assignment(text: str) -> tuple[str, str] | None:
    """`target = value` as two texts; None if it is something else."""
    try:
        tree = ast.parse(text.replace("$", "_"))  # of the same length, so that places stay
    except (SyntaxError, ValueError):
        return None
    if len(tree.body) != 1:
        return None
    match tree.body[0]:
        case ast.Assign(targets=[target], value=value):
            pass
        case ast.AugAssign(target=target):
            return _augmented(text, ast.get_source_segment(text, target) or "")
        case _:
            return None
    name, given = ast.get_source_segment(text, target), ast.get_source_segment(text, value)
    return (name, text.split("=", 1)[1].strip()) if name and given else None


def _augmented(text: str, name: str) -> tuple[str, str]:
    """`x += 1` as `x = x + (1)`."""
    operator, _, value = text[len(name) :].partition("=")
    return name, f"{name} {operator.strip()} ({value.strip()})"


def _assigned(name: str, value: Value) -> Result:
    text = [("class:name", visible(name)), ("class:punctuation", " = "), *value_line(value.value)]
    return Result({"value": value.value, "type": value.type}, text)


@command("display", "disp", group="data", usage="[-changed] EXPR | -d NUMBER", argument="expression")
async def display(ctx: Context, arguments: str) -> Result:
    """Show an expression at every stop; with -changed, only when it has changed.

    display /x n shows it in the format that print /x n has. Without arguments, list what is displayed;
    -d NUMBER takes one away, as undisplay does.
    """
    if re.match(r"-d(\s|$)", arguments):
        return await undisplay(ctx, arguments[2:].strip())
    changed = bool(re.match(r"-changed(\s|$)", arguments))
    expression = arguments.removeprefix("-changed").strip() if changed else arguments
    if re.match(r"-a\s", expression):  # Delve's way to add one
        expression = expression[2:].strip()
    if not expression:
        return _displays(ctx)
    form = "{}"
    if expression.startswith("/"):
        python, form, _ = _expression("display", expression)
        expression = f"{expression.split()[0]} {python}"
    each = Display(max(ctx.displays, default=0) + 1, expression, changed, form)
    if ctx.session.stop is not None:
        text = await show_display(ctx, each)
        for style, part in text:
            if style == "class:error" and part.startswith("SyntaxError"):
                raise CommandError(part)  # it would not be otherwise at the next stop
    else:
        text = [("class:dim", f"  {each.number}: {visible(expression)} is shown at each stop.\n")]
    ctx.displays[each.number] = each
    return Result({"id": each.number, "expression": expression, "value": each.last}, text)


@command("undisplay", group="data", usage="[NUMBER…]", argument="number")
async def undisplay(ctx: Context, arguments: str) -> Result:
    """Show a displayed expression no more, by number or by its text; without arguments, none of them."""
    if not arguments:
        ctx.displays.clear()
    elif all(part.isdecimal() for part in arguments.split()):
        for part in arguments.split():
            if ctx.displays.pop(int(part), None) is None:
                raise CommandError(f"There is no display {part}.", "display lists them.")
    else:
        same = [each.number for each in ctx.displays.values() if each.expression == arguments]
        if not same:
            raise CommandError(f"{arguments} is not displayed.", "display lists what is.")
        for number in same:
            del ctx.displays[number]
    return _displays(ctx)


def _displays(ctx: Context) -> Result:
    found = list(ctx.displays.values())
    data = [{"id": each.number, "expression": each.expression, "value": each.last} for each in found]
    text = table([[[("class:dim", f"  {each.number}:")], [("", visible(each.expression))]] for each in found])
    return Result(data, text or [("class:dim", "Nothing is displayed. As in: display x\n")])


@command("src", "psource", group="data", usage="OBJECT", argument="expression")
async def src(ctx: Context, arguments: str) -> Result:
    """Show the source of a function, class or module of the program."""
    expression, _, _ = _expression("src", arguments)
    text = await source_of(ctx.session, expression)
    return Result({"value": text, "type": "str"}, value_line(text))


@command("inspect", "pinfo", group="data", usage="EXPR", argument="expression")
async def inspect_(ctx: Context, arguments: str) -> Result:
    """Show what an object is: its type, value, signature and documentation."""
    expression, _, _ = _expression("inspect", arguments)
    found = await inspect(ctx.session, expression)
    facts = {"type": found.type, "value": found.value}
    more = {"signature": found.signature, "file": found.file, "doc": found.doc}
    facts |= {name: told for name, told in more.items() if told}
    rows = [[[("class:name", key)], value_line(text)[:-1]] for key, text in facts.items() if "\n" not in text]
    text = table(rows)
    text += [
        item
        for key, body in facts.items()
        if "\n" in body
        for item in (("class:name", f"{key}\n"), *value_line(body))
    ]
    return Result(facts, text)


@command("completions", group="data", usage="TEXT", argument="expression")
async def completions(ctx: Context, arguments: str) -> Result:
    """List how a piece of Python may go on, as completion at the prompt does."""
    found = await ctx.session.completions(arguments)
    labels = [str(each.get("text") or each.get("label") or "") for each in found]
    return Result(labels, [("", visible(label) + "\n") for label in labels])
