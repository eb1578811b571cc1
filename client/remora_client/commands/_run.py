"""Runs one line: a command of the table, or Python in the program. Scripts and the prompt come here."""

from __future__ import annotations

import difflib
import json
import keyword
import re
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from remora_client._errors import ClientError, Gone, NotStopped
from remora_client._fragments import plain
from remora_client._text import visible, visible_block
from remora_client.commands._classify import (
    CommandLine,
    PythonLine,
    classify_script,
    could_be_python,
    split_commands,
)
from remora_client.commands._own import rendered
from remora_client.commands._pipes import run_shell
from remora_client.commands._settings import Settings
from remora_client.commands._table import CommandError, Result, words
from remora_client.commands.data import numbered
from remora_client.render import value_line
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora_client._groups._group import Group, Member
    from remora_client._model import Stop, StopMode
    from remora_client.commands._classify import Line
    from remora_client.commands._context import Context
    from remora_client.commands._tail import Tail

__all__ = [
    "FAILURES",
    "commands_for",
    "error_text",
    "expanded",
    "run_line",
    "run_script_line",
    "wait_after",
]

# What a command may raise for the person to read. Anything else is a bug of ours.
FAILURES = (ClientError, RequestFailed, TimeoutError)
# A line that may be meant for a command: a word, and behind it what is no operator.
_AS_A_COMMAND = re.compile(r"(?P<word>[^\W\d]\w*)(?P<all>(?:\s+[\w'\"$/-].*)?\Z)?", re.DOTALL)
_PARAMETER = re.compile(r"%(\*|\d)")
_ALIAS_DEPTH = 10


async def run_line(ctx: Context, line: Line) -> Result:
    """Run what `classify` made of a line. Raises one of `FAILURES`."""
    if isinstance(line, CommandLine):
        member = ctx.member
        await _share_modes(ctx)
        try:
            result = await line.command.function(ctx, line.arguments)
        except RequestFailed as error:
            if ctx.session.observes and error.code == "not-supported":
                raise _only_looking(line.command.name) from None
            if line.command.offered(ctx.session):
                raise
            raise CommandError(f"This server has no {line.command.name!r}.") from None
        await _share_modes(ctx)
        if ctx.group is not None and member is not None:
            result = await _shared(ctx.group, member, result)
        return await _with_tail(result, line.tail) if line.tail else result
    return await _python(ctx, line)


async def _share_modes(ctx: Context) -> None:
    """Have the options that are the server's business hold in each process, present and new."""
    settings = ctx.settings
    members = ctx.group.members.values() if ctx.group is not None else ()
    for session in [member.session for member in members] or [ctx.session]:
        session.steps_alone = settings.step_mode == "one"
        if session.stop_mode == settings.stop_mode or session.state.over or session.left:
            continue
        try:
            await session.set_stop_mode(cast("StopMode", settings.stop_mode))
        except ClientError:
            settings.stop_mode = session.stop_mode  # said once
            raise


async def _shared(group: Group, member: Member, result: Result) -> Result:
    """What a command set in its process is set in all."""
    troubles = await group.shared.take_from(member)
    return replace(result, text=[*result.text, *(("class:warning", f"{each}\n") for each in troubles)])


async def _with_tail(result: Result, tail: Tail) -> Result:
    """What the command gave, as JSON, or through a program."""
    text = result.text
    if tail.as_json:
        text = [("", json.dumps(result.data, indent=2) + "\n")]
    if not tail.pipe:
        return replace(result, text=text)
    told, code = await run_shell(tail.pipe, plain(text))
    shown = visible_block(told.removesuffix("\n"))
    return replace(result, data={"output": told, "exitCode": code}, text=[("", f"{shown}\n")] if told else [])


async def run_script_line(ctx: Context, text: str) -> Result:
    """Run one line by the rule for scripts; an alias of this session counts as a word."""
    return await run_line(ctx, classify_script(_expand_alias(ctx, text)))


async def _python(ctx: Context, line: PythonLine) -> Result:
    if not line.text:
        raise CommandError("Python is missing after the !.")
    if line.text.startswith((":", "!!")):  # no Python begins so: it was to be a command
        word = line.text.lstrip(":!").split(maxsplit=1)[:1]
        what = (
            f"{visible(word[0])} is no command." if word else f"A command is missing after the {line.text}."
        )
        raise CommandError(what, "help lists the commands.")
    try:
        value = await ctx.session.evaluate(line.text, None, "repl", keep=True)
    except (NotStopped, RequestFailed) as error:
        if ctx.session.observes and error.code == "not-supported":
            raise _only_looking("Python") from None
        raise await _misspelled(ctx, line.text, error) or error from None
    data = {"value": value.value, "type": value.type}
    text = await rendered(ctx.session, value)
    return Result(data, numbered(ctx, value) + value_line(text) if text and text != "None" else [])


def _only_looking(what: str) -> CommandError:
    """The refusal of what an observer asked for, in the words of the prompt."""
    return CommandError(
        f"An observer may only look, and {what} may change the program or run code in it.",
        "locals, where, threads and list look. To do more, attach without --observe.",
    )


async def _misspelled(ctx: Context, text: str, error: NotStopped | RequestFailed) -> ClientError | None:
    """The same failure with a hint, when the line looks like a command with a slip in it."""
    reason, match = error.text, _AS_A_COMMAND.match(text)
    if match is None:
        return None
    word, hint = match["word"], _meant(text)
    if error.code == "not-stopped":
        if not hint and match["all"] and not could_be_python(text):  # so it would not run at a stop, either
            hint = f"{word} is no command: help lists the commands."
        elif not hint and word == text:
            hint = f"{word} is no command, and Python waits for a stop: pause."
        return NotStopped(visible(reason), hint) if hint else None
    if not reason.startswith(("SyntaxError", f"NameError: name '{word}'")):
        return None
    if not hint and match["all"] is not None and not await _is_name(ctx, word):
        hint = f"{word} is no command, and no variable here: help lists the commands."
    return CommandError(visible(reason), hint) if hint else None


def _meant(text: str) -> str:
    """What was meant perhaps, by a line that is no Python as it stands; "" when nobody can tell."""
    option = re.fullmatch(r"([\w-]+)(\s+[\w-]+)?", text)
    if option is not None and option[1] in Settings.names():
        return f"Is the option meant? set {option[1]} VALUE"
    match = _AS_A_COMMAND.match(text)
    if match is None or len(match["word"]) < 3:
        return ""
    near = difflib.get_close_matches(match["word"], list(words()), n=1, cutoff=0.75)
    return f"Did you mean the command {near[0]}?" if near else ""


async def _is_name(ctx: Context, word: str) -> bool:
    """Whether Python knows it, where the program stands."""
    if keyword.iskeyword(word):
        return True
    try:
        return any(each.get("label") == word for each in await ctx.session.completions(word))
    except FAILURES:
        return False


def expanded(ctx: Context, text: str) -> list[str]:
    """What a line stands for that begins with an alias: one command, or several. Raises `CommandError`."""
    return split_commands(_expand_alias(ctx, text)) or [text]


def _expand_alias(ctx: Context, text: str) -> str:
    """Replace a first word that is an alias, pdb's way: %1 … %9 are its words, %* all of them."""
    for _ in range(_ALIAS_DEPTH):
        word, _, rest = text.strip().partition(" ")
        if word not in ctx.aliases:
            return text
        text = _filled(ctx.aliases[word], rest.strip())
        if text.strip().partition(" ")[0] == word:  # alias l list -full: itself, once
            return text
    raise CommandError(f"The alias {text.split()[0]} goes round in circles.")


def _filled(body: str, rest: str) -> str:
    words = rest.split()
    used: set[int] = set()

    def fill(match: re.Match[str]) -> str:
        if match[1] == "*":
            used.update(range(len(words)))
            return rest
        index = int(match[1]) - 1
        used.add(index)
        return words[index] if 0 <= index < len(words) else ""

    text = _PARAMETER.sub(fill, body)
    left = [word for index, word in enumerate(words) if index not in used]
    return " ".join([text, *left]) if left and not _PARAMETER.search(body) else text


async def wait_after(ctx: Context, result: Result) -> Stop | None:
    """After a command that let the program run: wait for the next stop. None: it ended."""
    assert result.resumed
    try:
        stop = await (_next_of_all(ctx) if result.anyone else ctx.session.wait_for_stop(ctx.timeout))
    except TimeoutError:
        raise CommandError(f"No stop within {ctx.timeout:.3g} s; the program runs on.") from None
    if stop is not None:
        ctx.shown_stop = ctx.session.state.stops
    return stop


async def _next_of_all(ctx: Context) -> Stop | None:
    """The next stop of any process; that one is looked at then."""
    if ctx.group is None:
        return await ctx.session.wait_for_stop(ctx.timeout)
    found = await ctx.group.next_stop(ctx.timeout)
    if found is None:
        return None
    ctx.choose(found[0])
    return found[1]


def commands_for(ctx: Context, stop: Stop) -> list[str]:
    """The commands that were left for the breakpoints that were hit."""
    hit = stop.hit(ctx.session.breakpoints)
    lines = [text for each in hit for text in ctx.on_hit.get(each.number, ()) if text != "silent"]
    return [each for text in lines for part in split_commands(text) for each in expanded(ctx, part)]


def error_text(error: BaseException) -> str:
    """What a failure says, safe for a terminal. What is none of `FAILURES` is a bug, and said to be one."""
    if isinstance(error, Gone):
        return visible_block(f"The debuggee went away: {error.text}")
    if isinstance(error, TimeoutError):
        return "No answer in time."
    if isinstance(error, ClientError):
        return visible_block(str(error))
    if isinstance(error, RequestFailed):
        return visible(str(error)) or error.code
    return visible(f"A bug in Remora, please report it: {type(error).__name__}: {error}")
