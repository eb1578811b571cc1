"""Commands about the processes of a group: ps, proc."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._fragments import table
from remora_client._text import visible
from remora_client.commands._run import FAILURES, error_text, run_script_line
from remora_client.commands._stopped import stop_data
from remora_client.commands._table import CommandError, Result, command, no_arguments

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client._groups._group import Group, Member
    from remora_client._sessions._session import Session
    from remora_client.commands._context import Context

__all__: list[str] = []


@command("ps", "procs", "targets", group="processes")
async def ps(ctx: Context, arguments: str) -> Result:
    """List the processes that are being debugged: number, pid, host, name, and what each does."""
    no_arguments("ps", arguments)
    members = [_alone(ctx.session)] if ctx.group is None else [*ctx.group.members.values()]
    rows: list[list[Fragments]] = []
    for each in members:
        mark = "▸ " if _is_current(ctx, each) else "  "
        rows.append(
            [
                [("class:current" if _is_current(ctx, each) else "", f"{mark}{each.number}")],
                [("class:number", str(each.pid))],
                [("class:path", visible(each.host))],
                [("class:name", visible(each.name))],
                [("", _state(each))],
            ]
        )
    return Result([_data(ctx, each) for each in members], table(rows))


@command("proc", group="processes", usage="[N | PID | all] [COMMAND]", argument="process")
async def proc(ctx: Context, arguments: str) -> Result:
    """Look at process N of `ps`, or show the one you look at; a pid does as well.

    With a command, run it there and come back: proc 2 where. In every process: proc all where.
    """
    group = _group(ctx)
    first, _, rest = arguments.partition(" ")
    rest = rest.strip()
    if first == "all":
        return await _apply(ctx, group, rest)
    if not first:
        if ctx.member is None:
            raise CommandError("There is no process.", "ps lists those there are.")
        return _shown(ctx, ctx.member)
    wanted, before = _find(group, first), ctx.member
    ctx.choose(wanted)
    if not rest:
        return _shown(ctx, wanted)
    try:
        return await run_script_line(ctx, rest)
    finally:
        if before is not None and before.number in group.members:
            ctx.choose(before)


def _alone(session: Session) -> Member:
    """The only process of a session, as a member of a group would be."""
    from remora_client._groups._group import Member  # what a session with one process does without

    process, (_, _, host) = session.process, session.link.address.rpartition("://")
    pid, name = (process["pid"], process["name"]) if process else (None, "")
    return Member(1, host, pid, name, session)


def _is_current(ctx: Context, member: Member) -> bool:
    return member.session is ctx.session


def _group(ctx: Context) -> Group:
    if ctx.group is None:
        raise CommandError(
            "Only one process is debugged here.", "For more: remora attach with --all, or several qualifiers."
        )
    return ctx.group


def _find(group: Group, text: str) -> Member:
    """By number, or by pid where that is the only one of it."""
    if text.isdecimal():
        if int(text) in group.members:
            return group.members[int(text)]
        same = [each for each in group.members.values() if each.pid == int(text)]
        if len(same) == 1:
            return same[0]
        if same:
            numbers = ", ".join(str(each.number) for each in same)
            raise CommandError(f"Several hosts have a process {text}.", f"Say its number: {numbers}.")
    raise CommandError(f"There is no process {text!r}.", "ps lists those there are.")


def _state(member: Member) -> str:
    stop = member.session.stop
    if stop is None:
        return "running"
    if stop.frame is None:
        return f"stopped ({visible(stop.reason)})"
    return f"stopped in {visible(stop.frame.name)}, {visible(stop.frame.source.name)}:{stop.frame.line}"


def _data(ctx: Context, member: Member) -> dict[str, Any]:
    stop = member.session.stop
    data: dict[str, Any] = {
        "number": member.number,
        "pid": member.pid,
        "host": member.host,
        "name": member.name,
        "state": "running" if stop is None else "stopped",
        "current": _is_current(ctx, member),
    }
    return data if stop is None else {**data, "stop": stop_data(member.session, stop)}


def _shown(ctx: Context, member: Member) -> Result:
    text = f"Process {member.number}: {member}, {_state(member)}\n"
    return Result(_data(ctx, member), [("class:heading", text)])


async def _apply(ctx: Context, group: Group, line: str) -> Result:
    if not line:
        raise CommandError("proc all takes a command.", "As in: proc all where")
    before = ctx.member
    data: list[dict[str, Any]] = []
    text: Fragments = []
    resumed = False
    for each in [*group.members.values()]:
        ctx.choose(each)
        text.append(("class:heading", f"Process {each.number}: {each}\n"))
        row: dict[str, Any] = {"number": each.number, "pid": each.pid, "host": each.host}
        try:
            result = await run_script_line(ctx, line)
        except FAILURES as error:
            data.append({**row, "error": error_text(error)})
            text.append(("class:error", f"  {error_text(error)}\n"))
            continue
        if result.left:
            return result
        resumed = resumed or result.resumed
        data.append({**row, "result": result.data})
        text += result.text
    if before is not None and before.number in group.members:
        ctx.choose(before)
    return Result(data, text, resumed=resumed, anyone=resumed)
