"""Commands about the tasks of event loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client.commands._table import CommandError, Result, command, no_arguments
from remora_client.render import stack_lines, task_lines

if TYPE_CHECKING:
    from remora_client._model import Task
    from remora_client.commands._context import Context

__all__: list[str] = []


@command("tasks", group="threads", needs="remora/tasks")
async def tasks(ctx: Context, arguments: str) -> Result:
    """List the tasks of the event loops: what each waits for, and where. Works while it runs, too."""
    no_arguments("tasks", arguments)
    found = await ctx.session.tasks()
    return Result([_data(each) for each in found], task_lines(found, width=ctx.width))


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
