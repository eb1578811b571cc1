"""Tasks of event loops, which DAP does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._handlers._places import describe_source
from remora._handlers._table import handles
from remora._inspection._tasks import find_tasks
from remora._owner._spared import spared

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._inspection._tasks import Task
    from remora._interpreter._frames import Frame
    from remora._sessions._session import Session

__all__ = ["tasks"]


@handles("remora/tasks", looks_only=True)
def tasks(session: Session, _arguments: Arguments) -> dict[str, Any]:
    """Every task that is not done, with the frames of its chain of awaits, newest first."""
    debugger = session.server.debugger
    threads = {info.ident: info.id for info in debugger.threads()}
    found = find_tasks(debugger.own_threads - spared.idents, debugger.task_numbers)
    return {"tasks": [_describe(session, task, threads.get(task.ident, 0)) for task in found]}


def _describe(session: Session, task: Task, thread: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": task.number,
        "name": task.name,
        "threadId": thread,
        "state": task.state,
        "frames": [
            _frame(session, frame) for frame in session.server.debugger.task_frames(task.ident, task.frames)
        ],
    }
    if task.waits_for:
        body["waitsFor"] = task.waits_for
    return body


def _frame(session: Session, frame: Frame) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": frame.name,
        "line": frame.line,
        "source": describe_source(session.server.sources, frame.filename),
    }
    stop = session.server.debugger.stop_info(frame.thread_id)
    if stop is not None and stop.frame is not None:
        body["id"] = frame.id
    if frame.subtle:
        body["presentationHint"] = "subtle"
    return body
