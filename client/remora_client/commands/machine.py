"""Commands that work on this machine and not in the program: its shell, Python, clipboard, history."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from typing import TYPE_CHECKING, Any

from remora_client._finding._facts import unquoted
from remora_client._text import visible, visible_block
from remora_client.commands._beside import beside
from remora_client.commands._pipes import default_shell, run_shell
from remora_client.commands._table import CommandError, Result, command, no_arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client.commands._context import Context

__all__: list[str] = []


@command("sh", "shell", group="session", usage="[COMMAND]", argument="text")
async def sh(ctx: Context, arguments: str) -> Result:
    """Run a line in the shell of this machine, not the program's; alone, a shell until you leave it."""
    if not ctx.interactive:
        if not arguments:
            raise CommandError("sh takes a line for the shell, as in: sh git diff")
        told, code = await run_shell(arguments, "")
        text = visible_block(told.removesuffix("\n"))
        return Result({"output": told, "exitCode": code}, [("", f"{text}\n")] if told else [])
    async with ctx.lend(bool(arguments)):
        _, code = await run_shell(arguments or default_shell())
    return Result({"exitCode": code}, [("class:dim", f"exit code {code}\n")] if code else [])


@command("py", "python", group="session", usage="CODE", argument="text")
async def py(ctx: Context, arguments: str) -> Result:
    """Run Python on this machine, with the scripting API's `session`: py len(session.stack()).

    Names that it sets are there the next time. What takes long, such as waiting for a stop, is ended by
    Ctrl-C. For Python in the program, type it as it is.
    """
    if not arguments:
        raise CommandError("py takes Python for this machine.", "As in: py session.evaluate('x').value")
    names = ctx.python
    if "session" not in names:
        names["session"] = _scripted(ctx)
    if ctx.interactive:
        ctx.session.told = ctx.session.state.stops  # a person sees each stop as it comes
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(told):
            value = await beside(_run_here, arguments, names)
    except Exception as error:
        raise CommandError(f"{type(error).__name__}: {error}") from None
    text = told.getvalue()
    if value is not None:
        text += f"{value!r}\n"
    shown = [("", visible_block(text))] if text else []
    return Result({"value": None if value is None else repr(value), "output": told.getvalue()}, shown)


def _scripted(ctx: Context) -> Any:
    """The session as scripts know it; its calls run on this very loop, and wait in `py`'s thread."""
    from remora_client import aio
    from remora_client._scripting._loop_thread import LoopThread
    from remora_client._scripting._sync import Session

    return Session(aio.Session(ctx.session), LoopThread.beside(asyncio.get_running_loop()))


def _run_here(text: str, names: dict[str, Any]) -> Any:
    """Runs on a thread of its own, so that the session goes on meanwhile."""
    run: Callable[..., Any] = exec
    try:
        code = compile(text, "<py>", "eval")
        run = eval
    except SyntaxError:
        code = compile(text, "<py>", "exec")
    return run(code, names)


@command("interact", group="session")
async def interact(ctx: Context, arguments: str) -> Result:
    """Take every line as Python for the program, whatever it begins with; Ctrl-D or exit() ends that."""
    no_arguments("interact", arguments)
    if not ctx.interactive:
        raise CommandError(
            "interact needs somebody who types.", "In a script: ! before a line makes it Python"
        )
    await ctx.frame()
    ctx.interacting = True
    return Result(text=[("class:dim", "Every line is Python now. Ctrl-D brings the commands back.\n")])


@command("tutorial", group="session")
async def tutorial(ctx: Context, arguments: str) -> Result:
    """Learn the debugger by using it, on a small game; you come back here when you leave it."""
    no_arguments("tutorial", arguments)
    if not ctx.interactive or not sys.stdin.isatty():
        raise CommandError("The tutorial needs somebody at a terminal.", "remora demo runs by itself.")
    async with ctx.lend(False):
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "remora_client", "tutorial")
        return Result({"exitCode": await process.wait()})


@command("history", group="session", usage="[COUNT | TEXT]", argument="text")
async def history(ctx: Context, arguments: str) -> Result:
    """Show the last 20 lines that were typed in this folder, COUNT of them, or those that hold a text."""
    lines = list(ctx.past())
    if arguments.isdecimal():
        lines = lines[-int(arguments) :] if int(arguments) else []
    elif arguments:
        lines = [line for line in lines if arguments in line]
    else:
        lines = lines[-20:]
    return Result(lines, [("", f"{visible_block(line)}\n") for line in lines])


@command("clipboard", "clip", group="data", usage="EXPR", argument="expression")
async def clipboard(ctx: Context, arguments: str) -> Result:
    """Put a value on the clipboard of your terminal, even through ssh: a text as it is, else its repr."""
    if not arguments:
        raise CommandError("clipboard takes an expression.", "As in: clipboard url")
    if ctx.copy is None:
        raise CommandError("There is no terminal here with a clipboard.", "save EXPR FILE writes a file.")
    text = unquoted((await ctx.session.evaluate(arguments, None, "clipboard")).value)
    ctx.copy(text)
    told = f"{len(text):,} characters are on the clipboard, if your terminal lets programs write to it.\n"
    return Result({"characters": len(text)}, [("class:dim", visible(told[:-1]) + "\n")])
