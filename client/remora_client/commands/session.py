"""Commands about the session itself: help, alias, command files, transcript, detach, quit, connect, kill."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError, Gone
from remora_client._finding._places import current_place, source_named
from remora_client._fragments import hanging, table
from remora_client._text import visible
from remora_client.commands._classify import classify_script
from remora_client.commands._files import read_commands, unquoted
from remora_client.commands._help import command_help, overview, search
from remora_client.commands._run import FAILURES, error_text, expanded, run_line, wait_after
from remora_client.commands._stopped import stop_data, stop_lines
from remora_client.commands._table import COMMANDS, CommandError, Result, command, lookup, no_arguments
from remora_client.render import line_count
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client._sessions._session import Session
    from remora_client.commands._context import Context

__all__: list[str] = []

_DEPTH = 8
_READ_SECONDS = 0.0625  # between looks whether a line was read
_PATIENCE = 5.0  # then it is said that it is waited for
_ABOUT = {
    "b": "breakpoints",
    "break": "breakpoints",
    "breakpoints": "breakpoints",
    "threads": "threads",
    "thread": "thread",
    "locals": "locals",
    "args": "args",
    "frame": "frame",
    "stack": "where",
    "line": "list",
    "sources": "sources",
    "modules": "modules",
    "display": "display",
    "exceptions": "exceptions",
    "program": "status",
    "status": "status",
}


@command("help", "h", group="session", usage="[COMMAND | WORD]", argument="command")
async def help_(ctx: Context, arguments: str) -> Result:
    """List the commands, explain one, or find those whose help has a word in it."""
    if not arguments:
        offered = [each for each in COMMANDS.values() if each.offered(ctx.session)]
        data: Any = {each.name: each.summary for each in offered}
        return Result(data, overview(ctx.width or 100, offered))
    found = lookup(arguments.split(maxsplit=1)[0])
    if found is not None:
        return Result(
            {"name": found.name, "aliases": list(found.aliases), "help": found.help},
            command_help(found, min(ctx.width or 100, 100)),
        )
    return await apropos(ctx, arguments)


@command("apropos", group="session", usage="TEXT", argument="text")
async def apropos(ctx: Context, arguments: str) -> Result:
    """Find the commands whose name or help has a text in it: apropos thread."""
    if not arguments:
        raise CommandError("apropos finds the commands that speak of a text.", "As in: apropos thread")
    several = [each for each in search(arguments) if each.offered(ctx.session)]
    if not several:
        raise CommandError(f"No command is called {arguments!r} or speaks of it.", "help lists all of them.")
    rows = [[[("class:command", each.name)], [("", each.summary)]] for each in several]
    text = hanging(table(rows, indent=1), ctx.width)
    return Result({each.name: each.summary for each in several}, text)


@command("status", group="session")
async def status(ctx: Context, arguments: str) -> Result:
    """Tell what is being debugged, from where, and what it does now."""
    no_arguments("status", arguments)
    session = ctx.session
    process = session.process
    data: dict[str, Any] = {
        "address": session.link.address,
        "phase": session.state.phase,
        "pid": process["pid"] if process else None,
        "name": process["name"] if process else None,
        "breakpoints": len(session.breakpoints),
    }
    if session.stop is not None:
        data["stop"] = stop_data(session, session.stop)
    if session.state.waiting:
        data["alsoStopped"] = [each.thread_id for each in session.state.waiting]
    rows = [
        [[("class:name", key)], [("", visible(str(value)))]] for key, value in data.items() if key != "stop"
    ]
    return Result(data, table(rows, indent=1))


@command("info", group="session", usage="WHAT", argument="option")
async def info(ctx: Context, arguments: str) -> Result:
    """gdb's way to ask: info breakpoints, threads, locals, args, frame, stack, line, source, display."""
    word, _, rest = arguments.partition(" ")
    if word == "source":
        return await _about_source(ctx)
    found = lookup(_ABOUT.get(word, ""))
    if found is None:
        what = f"info knows nothing of {word!r}." if word else "info of what?"
        raise CommandError(what, f"It knows: {', '.join(_ABOUT)}, source.")
    return await found.function(ctx, rest)


async def _about_source(ctx: Context) -> Result:
    """The file that is looked at: its path there, your copy, and whether they are the same."""
    path, line = await current_place(ctx.session, ctx.shown_place)
    data: dict[str, Any] = {"path": path, "line": line}
    try:
        found = await ctx.session.source_text(await source_named(ctx.session, path))
    except (ClientError, RequestFailed):
        data["copy"] = "no text here or there"
    else:
        data["lines"] = line_count(found.text)
        data["copy"] = found.local_path or ("yours is another text" if found.differs else "none here")
    rows = [[[("class:name", key)], [("", visible(str(value)))]] for key, value in data.items()]
    return Result(data, table(rows, indent=1))


@command("alias", group="session", usage="[NAME [TEXT]]", argument="text")
async def alias(ctx: Context, arguments: str) -> Result:
    """Give a text a short name: alias pl print len(%1). %1 to %9 are words, %* is all that follows."""
    name, _, text = arguments.partition(" ")
    if text.strip():
        if not name.isidentifier():
            raise CommandError(f"{name!r} cannot be a command's name.", "Letters, digits and _ make one.")
        ctx.aliases[name] = text.strip()
    elif name and name not in ctx.aliases:
        raise CommandError(f"There is no alias {name}.")
    shown = {name: ctx.aliases[name]} if name else dict(ctx.aliases)
    rows = [[[("class:command", each)], [("", visible(body))]] for each, body in shown.items()]
    return Result(
        shown, table(rows, indent=1) or [("class:dim", "No aliases. As in: alias pl print len(%1)\n")]
    )


@command("unalias", group="session", usage="NAME", argument="text")
async def unalias(ctx: Context, arguments: str) -> Result:
    """Forget an alias."""
    if ctx.aliases.pop(arguments, None) is None:
        what = f"There is no alias {arguments}." if arguments else "unalias takes the name of an alias."
        raise CommandError(what, "alias lists them.")
    return Result()


@command("source", group="session", usage="FILE", argument="file")
async def source(ctx: Context, arguments: str) -> Result:
    """Run the commands in a file, a line each; # begins a comment. The first failure ends it.

    To see the source of an object, type src NAME.
    """
    if not arguments:
        raise CommandError("source runs the commands in a file, and none is named.", "For source: list, src.")
    arguments = unquoted(arguments)
    if arguments.isidentifier() and not os.path.exists(arguments):
        raise CommandError(f"There is no file {arguments}.", f"For the source of an object: src {arguments}")
    lines = read_commands(arguments)
    if ctx.depth >= _DEPTH:
        raise CommandError(f"{arguments}: command files call each other {_DEPTH} deep.")
    ctx.depth += 1
    text: Fragments = []
    data: list[Any] = []
    try:
        for number, line in lines:
            try:
                for part in expanded(ctx, line):
                    result = await run_line(ctx, classify_script(part))
                    data.append(result.data)
                    if ctx.show is not None:
                        await ctx.show(result)
                    else:
                        text += await _with_stop(ctx, result)
                    if result.left or (result.resumed and ctx.session.state.over):
                        return Result(data, text, left=result.left)
            except FAILURES as error:
                raise CommandError(f"{os.path.basename(arguments)}:{number}: {error_text(error)}") from None
    finally:
        ctx.depth -= 1
    return Result(data, text)


async def _with_stop(ctx: Context, result: Result) -> Fragments:
    if not result.resumed:
        return result.text
    stop = await wait_after(ctx, result)
    shown = [("class:dim", "The program ended.\n")] if stop is None else await stop_lines(ctx, stop)
    return [*result.text, *shown]


@command("transcript", group="session", usage="[FILE | -off]", argument="file")
async def transcript(ctx: Context, arguments: str) -> Result:
    """Copy what is shown to the end of a file, from now on, without colours."""
    if arguments in ("-off", "off"):
        ctx.transcript = None
    elif arguments:
        path = os.path.abspath(os.path.expanduser(unquoted(arguments)))
        try:
            with open(path, "a", encoding="utf-8"):
                pass
        except OSError as error:
            raise CommandError(f"{arguments} cannot be written: {error.strerror}") from None
        ctx.transcript = path
    text = (
        f"What is shown goes to {ctx.transcript}, too.\n"
        if ctx.transcript
        else "No transcript is kept. As in: transcript session.txt\n"
    )
    return Result({"file": ctx.transcript}, [("", text)])


@command("snapshot", group="session", usage="FILE", argument="file")
async def snapshot(ctx: Context, arguments: str) -> Result:
    """Write all stacks, what is in them, and the source to a file; remora open FILE looks at it later.

    The file holds the values of variables, passwords among them: only you may read it.
    """
    if not arguments:
        raise CommandError("snapshot takes the name of a file.", "As in: snapshot crash.remora")
    from remora_client._snapshot._file import write_snapshot
    from remora_client._snapshot._taking import take_snapshot

    await ctx.frame()
    path = os.path.expanduser(unquoted(arguments))
    taken = await take_snapshot(ctx.session)
    size = write_snapshot(path, taken)
    data = {"file": path, "bytes": size, "threads": len(taken.document["threads"])}
    return Result(data, [("", f"{visible(path)}: {size:,} bytes\n")])


@command("stdin", group="session", usage="TEXT | -take | -own", argument="text")
async def stdin(ctx: Context, arguments: str) -> Result:
    """Give the program a line to read, before what its own standard input has for it.

    It is for the next read of sys.stdin or input(); one that waits already gets its line where it waits.
    With -take, the program reads from here alone, and says so when it waits for a line; -own gives it back.
    Leaving gives it back, too, and takes back lines that were not read. A script waits until a running
    program has read its line, or stops. In remora demo the line is typed into the game.
    """
    if ctx.feed is not None:
        await ctx.feed(arguments)
        return Result()
    if not ctx.session.has("remora/input"):
        raise CommandError(
            "The program reads its own input, where it was started.", "Type there, or in its pipe."
        )
    if arguments == "-own":
        await ctx.session.request("remora/input", {"from": "program"})
        return Result(None, [("class:dim", "The program reads its own input.\n")])
    if arguments == "-take":
        await ctx.session.request("remora/input", {"from": "client"})
        return Result(None, [("class:dim", "The program reads what stdin gives it, and nothing else.\n")])
    await ctx.session.give_input(arguments)
    return Result() if ctx.interactive else await _until_read(ctx.session)


async def _until_read(session: Session) -> Result:
    """Wait until the program has read what it was given, unless it stands still. Says whether it has."""
    unread, looks = 1, 0
    try:
        while (unread := await session.unread_input()) and session.state.phase == "running":
            await asyncio.sleep(_READ_SECONDS)
            looks += 1
            if looks * _READ_SECONDS == _PATIENCE:
                session.note("The program has not read the line yet; --timeout or Ctrl-C ends the waiting.")
    except Gone:
        if session.state.phase != "ended":
            raise
    ended = session.state.phase == "ended"
    return Result(None if ended else {"read": not unread}, resumed=ended)


@command("detach", "det", group="session", usage="[-stopped]", argument="option")
async def detach(ctx: Context, arguments: str) -> Result:
    """Leave: breakpoints go away, and the program runs on.

    With -stopped it goes on standing still, for whoever attaches next.
    """
    if arguments not in ("", "-stopped"):
        raise CommandError(f"detach takes -stopped or nothing, not {arguments!r}.")
    if arguments and ctx.session.stop is None:
        raise CommandError(
            "The program is running; only what stands still can be left so.", "pause stops it."
        )
    await ctx.session.detach(keep_stopped=bool(arguments))
    return Result(left=True)


@command("quit", "q", "exit", group="session", usage="[-c | -k | -stopped]", argument="option")
async def quit_(ctx: Context, arguments: str) -> Result:
    """Leave, and let the program run on. While it stands still, you are asked; Ctrl-D leaves unasked.

    With -c, it continues and nobody is asked; with -k, end it; with -stopped, let it go on standing still.
    """
    if arguments not in ("", "-c", "-k", "-stopped"):
        raise CommandError(f"quit takes -c, -k, -stopped or nothing, not {arguments!r}.")
    if ctx.interacting:
        ctx.interacting = False
        return Result(text=[("class:dim", "Commands again.\n")])
    if arguments == "-k":
        return await kill(ctx, "")
    if not arguments and not await _may_leave(ctx):
        return Result()
    return await detach(ctx, arguments if arguments == "-stopped" else "")


async def _may_leave(ctx: Context) -> bool:
    """Ask, where leaving does more to the program than nothing."""
    if ctx.feed is not None:
        return await ctx.agreed("This session started the program, and ends it. Leave?")
    sessions = [ctx.session] if ctx.group is None else [each.session for each in ctx.group.members.values()]
    if all(each.stop is None or each.observes for each in sessions):
        return True
    return await ctx.agreed("The program stands still. Leave, and let it run on?")


@command("connect", "attach", "target", group="session", usage="QUALIFIER | PID", argument="text")
async def connect(ctx: Context, arguments: str) -> Result:
    """Debug another program, and leave this one to run on. Breakpoints, displays and aliases come along.

    It is given as to remora attach: connect host:5679, connect 4711. When it cannot be reached, you stay.
    """
    if ctx.reach is None or ctx.group is not None:
        raise CommandError(
            "A script, and a session with several processes, stay with what they were started for.",
            f"Leave with quit, or in another terminal: remora attach {arguments or 'QUALIFIER'}",
        )
    if not arguments:
        raise CommandError("connect takes what remora attach does.", "As in: connect host:5679, connect 4711")
    if not await _may_leave(ctx):
        return Result()
    ctx.following = await ctx.reach(arguments, ctx.session.breakpoints)
    await ctx.session.detach()
    return Result({"address": ctx.following.link.address}, left=True)


@command("kill", group="session", usage="[-9]", argument="option")
async def kill(ctx: Context, arguments: str) -> Result:
    """End the program: softly, as Ctrl-C in its terminal would; with -9 at once. You are always asked."""
    if arguments not in ("", "-9"):
        raise CommandError(f"kill takes -9 or nothing, not {arguments!r}.")
    if not await ctx.agreed("End the program?"):
        return Result()
    await ctx.session.terminate(force=arguments == "-9")
    return Result(resumed=True)
