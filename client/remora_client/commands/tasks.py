"""Commands about the tasks of event loops."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from remora_client._fragments import clip, table
from remora_client._text import visible
from remora_client.commands._table import CommandError, Result, command
from remora_client.render import stack_lines, task_lines

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client._model import Task
    from remora_client.commands._context import Context

__all__: list[str] = []


_OPTION = re.compile(r"-(?P<name>with|group|t)\b\s*(?P<kind>user\b|cur\b|loc\b)?\s*(?P<text>[^\s-]\S*)?\s*")


@command(
    "tasks",
    group="threads",
    usage="[-with [user | cur] REGEX] [-group [user | cur]] [-t]",
    argument="option",
    needs="remora/tasks",
)
async def tasks(ctx: Context, arguments: str) -> Result:
    """List the tasks of the event loops: what each waits for, and where. Works while it runs, too.

    -with REGEX: those whose name matches; -with user REGEX: whose place in your own code does (file.py:12
    function), -with cur REGEX: whose innermost place does. -group counts them by their place. -t shows the
    chain of awaits of each.
    """
    chosen, by, chains = await ctx.session.tasks(), "", False
    left = arguments
    while match := _OPTION.match(left):
        left = left[match.end() :]
        if match["name"] == "with":
            chosen = _with(chosen, match["kind"] or "", match["text"] or "")
        elif match["name"] == "group":
            by = "cur" if match["kind"] == "cur" else "user"
        else:
            chains = True
    if left:
        raise CommandError(f"tasks has no {left!r}.", "-with REGEX, -group or -t")
    if by:
        return _grouped(chosen, by)
    text = task_lines(chosen, width=ctx.width)
    if chains:
        text = [
            part
            for each in chosen
            for part in (*task_lines([each], width=ctx.width), *stack_lines(each.frames, width=ctx.width))
        ]
    return Result([_data(each) for each in chosen], text)


def _place(task: Task, kind: str) -> str:
    """Where a task is: its innermost frame, or the innermost one of the person's own code."""
    frames = (
        task.frames if kind == "cur" else [each for each in task.frames if not each.subtle] or task.frames
    )
    return f"{frames[0].source.name}:{frames[0].line} {frames[0].name}" if frames else "nowhere"


def _with(found: list[Task], kind: str, pattern: str) -> list[Task]:
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise CommandError(f"{pattern!r} is no regular expression: {error}.") from None
    return [each for each in found if regex.search(_place(each, kind) if kind else each.name)]


def _grouped(found: list[Task], kind: str) -> Result:
    groups: dict[str, list[Task]] = {}
    for each in found:
        groups.setdefault(_place(each, kind), []).append(each)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    rows: list[list[Fragments]] = [
        [
            [("class:line", str(len(members)))],
            [("class:path", visible(place))],
            [("class:dim", visible(clip(", ".join(each.name for each in members), 60)))],
        ]
        for place, members in ordered
    ]
    data = [
        {"place": place, "count": len(members), "tasks": [each.id for each in members]}
        for place, members in ordered
    ]
    return Result(data, table(rows, indent=1))


@command("task", group="threads", usage="N", argument="number", needs="remora/tasks")
async def task(ctx: Context, arguments: str) -> Result:
    """Show the chain of awaits of task N, the innermost on top, whether it runs or not."""
    if not arguments.isdecimal():
        raise CommandError("task takes the number of a task.", "tasks lists them.")
    found = {each.id: each for each in await ctx.session.tasks()}
    chosen = found.get(int(arguments))
    if chosen is None:
        raise CommandError(f"There is no task {arguments}; it may have ended.", "tasks lists them.")
    text = [*task_lines([chosen], width=ctx.width), *stack_lines(chosen.frames, width=ctx.width)]
    return Result(_data(chosen), text)


def _data(task: Task) -> dict[str, Any]:
    data: dict[str, Any] = {"id": task.id, "name": task.name, "state": task.state, "thread": task.thread_id}
    if task.waits_for:
        data["waitsFor"] = task.waits_for
    data["frames"] = [{"name": each.name, "path": each.path, "line": each.line} for each in task.frames]
    return data
