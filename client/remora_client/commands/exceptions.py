"""Commands about exceptions: which ones stop the program, and the one it stands at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._fragments import broken_at_blanks
from remora_client._text import visible_block
from remora_client.commands._catch import caught, read_filters
from remora_client.commands._raised import raised_lines
from remora_client.commands._stopped import frame_lines
from remora_client.commands._table import CommandError, Result, command
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora_client.commands._context import Context

__all__: list[str] = []


@command("catch", "exc", group="breakpoints", usage="[MODE…] [TYPE…] [if EXPR] | -off", argument="text")
async def catch(ctx: Context, arguments: str) -> Result:
    """Stop at exceptions: raised, uncaught, or user (left by your own code).

    Types narrow it: catch raised ValueError,KeyError. So does a condition: catch raised if $exc.args.
    Without arguments, tell what is set; catch -off stops at none.
    """
    session = ctx.session
    offered = [str(each["filter"]) for each in session.exception_modes]
    if arguments:
        filters = [] if arguments in ("-off", "off", "none") else read_filters(arguments, offered)
        await session.set_exception_filters(filters)
        ctx.exceptions = tuple(
            ("user" if each.filter == "userUnhandled" else each.filter)
            + (f" {each.condition}" if each.condition else "")
            for each in filters
        )
    modes = caught(ctx)
    text = f"Stops at exceptions: {', '.join(modes)}.\n" if modes else "Stops at no exceptions.\n"
    return Result({"catch": list(modes)}, [("", visible_block(text))])


@command("exceptions", "ex", "exception", group="data", usage="[NUMBER | -full]", argument="number")
async def exceptions(ctx: Context, arguments: str) -> Result:
    """Show the exception that was raised, and what caused it; -full: where it came from.

    Of a chain or group each has a number: exceptions 2 looks at that one. where, up, locals and print are
    then about the frames that it came through, and $exc is that one; exceptions 1 goes back.
    """
    if arguments not in ("", "-full") and not arguments.isdecimal():
        raise CommandError(f"exceptions takes a number or -full, not {arguments!r}.")
    session = ctx.session
    was_raised = True
    try:
        if arguments.isdecimal():
            was_raised = await session.select_exception(int(arguments))
        info = await session.exception_info()
    except RequestFailed as error:
        if error.code == "not-found":
            raise CommandError(str(error)) from None
        raise CommandError(f"The program does not stand at an exception: {error}") from None
    text = broken_at_blanks(raised_lines(info, full=arguments == "-full"), ctx.width, hang=2)
    data: dict[str, Any] = {"type": info.type, "description": info.description, "mode": info.mode}
    data |= {"details": dict(info.details)} if info.details else {}
    if arguments.isdecimal():
        data["shown"] = info.shown
        if was_raised:
            text += await frame_lines(ctx, await ctx.frame())
        else:
            text.append(("class:dim", "It was never raised: the frames are those of the stop.\n"))
    return Result(data, text)
