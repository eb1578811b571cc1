"""Commands about the tasks of event loops."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from remora_client._errors import NotStopped
from remora_client._fragments import clip, table
from remora_client._text import visible
from remora_client.commands._run import FAILURES, error_text, run_script_line
from remora_client.commands._table import CommandError, Result, command, lookup
from remora_client.render import stack_lines, task_lines

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client._model import Task
    from remora_client.commands._context import Context

__all__: list[str] = []


_MOST = 1000  # tasks that a command is run for
_OPTION = re.compile(r"-(?P<name>with|group|t)\b\s*(?P<kind>user\b|cur\b|loc\b)?\s*(?P<text>[^\s-]\S*)?\s*")


@command(
    "tasks",
    group="threads",
    usage="[-with [user | cur] REGEX] [-group [user | cur]] [-t] [-exec COMMAND]",
    argument="option",
    needs="remora/tasks",
)
async def tasks(ctx: Context, arguments: str) -> Result:
    """List the tasks of the event loops: what each waits for, and where. Works while it runs, too.

    -with REGEX: those whose name matches; -with user REGEX: whose place in your own code does (file.py:12
    function), -with cur REGEX: whose innermost place does. -group counts them by their place. -t shows the
    chain of awaits of each. -exec runs a command in each, as task N COMMAND does: tasks -exec locals
    """
    chosen, by, chains = await ctx.session.tasks(), "", False
    left, _, line = arguments.partition("-exec ")
    while match := _OPTION.match(left):
        left = left[match.end() :]
        if match["name"] == "with":
            chosen = _with(chosen, match["kind"] or "", match["text"] or "")
        elif match["name"] == "group":
            by = "cur" if match["kind"] == "cur" else "user"
        else:
            chains = True
    if left:
        raise CommandError(f"tasks has no {left!r}.", "-with REGEX, -group, -t or -exec COMMAND")
    if line.strip():
        return await _in_each(ctx, chosen[:_MOST], line.strip())
    if by:
        return _grouped(chosen, by)
    if not chosen:
        note = "No such task." if arguments else "No event loop has tasks now."
        return Result([], [("class:dim", f"{note}\n")])
    text = _lines(ctx, chosen)
    if chains:
        text = [
            part
            for each in chosen
            for part in (*_lines(ctx, [each]), *stack_lines(each.frames, width=ctx.width))
        ]
    return Result([_data(each) for each in chosen], text)


def _lines(ctx: Context, found: list[Task]) -> Fragments:
    """The tasks, with a mark at the one that is looked at: chosen by `task`, or run by the thread."""
    session = ctx.session
    selected, thread = session.task, session.stop.thread_id if session.stop else None
    current = next(
        (
            each.id
            for each in found
            if (each.id == selected.id if selected else each.state == "running" and each.thread_id == thread)
        ),
        None,
    )
    return task_lines(found, current=current, width=ctx.width)


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


@command("task", group="threads", usage="N | NAME [COMMAND]", argument="number", needs="remora/tasks")
async def task(ctx: Context, arguments: str) -> Result:
    """Look at a task in place of a thread: its chain of awaits, the innermost on top, whether it runs or not.

    If the thread of its loop stands still, where, up, locals and print are about the task then; thread N
    leads back. With a command, run it there and come back: task 7 locals.
    """
    word, _, line = arguments.partition(" ")
    chosen = _named(await ctx.session.tasks(), word)
    if line.strip():
        return await _in(ctx, chosen, line.strip())
    if ctx.session.stop is not None:
        with contextlib.suppress(NotStopped):
            ctx.session.select_task(chosen)
            ctx.listing = None
    return Result(_data(chosen), [*_lines(ctx, [chosen]), *_chain(ctx, chosen)])


def _chain(ctx: Context, task: Task) -> Fragments:
    selected = ctx.session.selected
    current = selected.index if selected is not None and selected in task.frames else 0
    return stack_lines(task.frames, current=current, width=ctx.width)


def _named(found: list[Task], word: str) -> Task:
    """By number, else by name where only one has it."""
    if not word:
        raise CommandError("task takes the number or the name of a task.", "tasks lists them.")
    same = [each for each in found if str(each.id) == word] or [each for each in found if each.name == word]
    if len(same) > 1:
        numbers = ", ".join(str(each.id) for each in same)
        raise CommandError(f"{len(same)} tasks are called {visible(word)}.", f"Their numbers: {numbers}.")
    if not same:
        raise CommandError(f"There is no task {visible(word)}; it may have ended.", "tasks lists them.")
    return same[0]


async def _in(ctx: Context, chosen: Task, line: str) -> Result:
    """Run a command with a task in place of the thread, and look again at what was looked at."""
    entry = lookup(line.split(maxsplit=1)[0])
    if entry is not None and entry.name == "where":  # that is known also while it runs
        return Result(_data(chosen)["frames"], _chain(ctx, chosen))
    before, looked_at = await ctx.frame(), ctx.session.task
    ctx.session.select_task(chosen)
    try:
        return await run_script_line(ctx, line)
    finally:
        if ctx.session.stop is not None:
            ctx.session.look_back(looked_at, before)


async def _in_each(ctx: Context, chosen: list[Task], line: str) -> Result:
    data: list[dict[str, Any]] = []
    text: Fragments = []
    for each in chosen:
        text += _lines(ctx, [each])
        row: dict[str, Any] = {"id": each.id, "name": each.name}
        try:
            result = await _in(ctx, each, line)
        except FAILURES as error:
            data.append({**row, "error": error_text(error)})
            text.append(("class:error", f"  {error_text(error)}\n"))
            continue
        if result.resumed or result.left:
            return result
        data.append({**row, "result": result.data})
        text += result.text
    return Result(data, text)


def _data(task: Task) -> dict[str, Any]:
    data: dict[str, Any] = {"id": task.id, "name": task.name, "state": task.state, "thread": task.thread_id}
    if task.waits_for:
        data["waitsFor"] = task.waits_for
    data["frames"] = [{"name": each.name, "path": each.path, "line": each.line} for each in task.frames]
    return data
