"""Tasks of event loops, which DAP does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._handlers._places import describe_source
from remora._handlers._table import handles
from remora._tasks import find_tasks

if TYPE_CHECKING:
    from types import FrameType

    from remora._handlers._arguments import Arguments
    from remora._session import Session
    from remora._tasks import Task

__all__ = ["tasks"]


@handles("remora/tasks", looks_only=True)
def tasks(session: Session, _arguments: Arguments) -> dict[str, Any]:
    """Every task that is not done, with the frames of its chain of awaits, newest first."""
    debugger = session.server.debugger
    threads = {info.ident: info.id for info in debugger.threads()}
    found = find_tasks(debugger.own_threads)
    return {"tasks": [_describe(session, task, threads.get(task.ident, 0)) for task in found]}


def _describe(session: Session, task: Task, thread: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": task.number,
        "name": task.name,
        "threadId": thread,
        "state": task.state,
        "frames": [
            _frame(session, frame, line)
            for frame, line in task.frames
            if not session.server.debugger.filters.is_own(frame)
        ],
    }
    if task.waits_for:
        body["waitsFor"] = task.waits_for
    return body


def _frame(session: Session, frame: FrameType, line: int) -> dict[str, Any]:
    code = frame.f_code
    name = getattr(code, "co_qualname", code.co_name)
    source = describe_source(session.server.sources, code.co_filename)
    body = {"name": name, "line": line, "source": source}
    if not session.server.debugger.filters.is_user(frame):
        body["presentationHint"] = "subtle"
    return body
