"""Filling a snapshot: what a stopped program's stacks hold, within limits. Runs on the event loop's thread.

The program stands still meanwhile, so there is a limit in time as well as in size. The thread that stopped
comes first; of library frames only the names are recorded, of the person's own what is in them, too.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError
from remora_client._model import records
from remora_client._snapshot._file import FORMAT, VERSION, Snapshot
from remora_protocol import RequestFailed, __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora_client._model import Frame, Scope, Thread, Variable
    from remora_client._sessions._session import Session

__all__ = ["take_snapshot"]

_SECONDS = 10.0
_MOST_VALUES = 20_000
_MOST_FRAMES = 100  # of one thread
_MOST_SOURCES = 500
_CHILDREN = 50  # of one value
_NAMES = 200  # of one scope
_DEPTH = 4
_TEXT = 4_000
_FAILURES = (ClientError, RequestFailed)


async def take_snapshot(session: Session) -> Snapshot:
    """Record what there is. Raises a `ClientError` when the program is gone."""
    taking = _Taking(session)
    threads = sorted(await session.threads(), key=lambda each: each.id != taking.stopped_thread)
    stacks = [(each, await taking.stack(each)) for each in threads]
    rows = [await taking.thread(each, frames) for each, frames in stacks]
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "remora": __version__,
        "process": _process(session),
        "stop": taking.stop(),
        "exception": await taking.exception(),
        "threads": sorted(rows, key=lambda row: int(row["id"])),
        "tasks": await taking.tasks(),
        "globals": taking.globals,
        "sources": taking.sources,
        "complete": not taking.cut,
    }
    return Snapshot(document, await taking.texts())


def _process(session: Session) -> dict[str, Any]:
    if session.process is not None:
        return dict(session.process)
    address = session.link.address
    blank = dict.fromkeys(("executable", "user", "implementation", "version", "platform", "cwd"), "")
    own = {"pid": 0, "ppid": 0, "name": address, "argv": [], "started": 0.0, "state": "stopped"}
    return {**blank, **own, "attachedBy": None, "address": address}


@dataclass
class _Taking:
    """What has been recorded so far, and what is left of the limits."""

    session: Session
    values: int = 0
    cut: bool = False
    sources: list[dict[str, Any]] = field(default_factory=list)
    globals: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _frames: dict[int, Frame] = field(default_factory=dict)  # one of each source
    _end: float = 0.0

    def __post_init__(self) -> None:
        self._end = asyncio.get_running_loop().time() + _SECONDS

    @property
    def stopped_thread(self) -> int:
        """The thread that the stop is about; 0 while the program runs."""
        stop = self.session.stop
        return stop.thread_id if stop is not None else 0

    def _is_full(self) -> bool:
        if self.values < _MOST_VALUES and asyncio.get_running_loop().time() < self._end:
            return False
        self.cut = True
        return True

    def stop(self) -> dict[str, Any] | None:
        """Why the program stood still."""
        stop = self.session.stop
        if stop is None:
            return None
        told = {"reason": stop.reason, "thread": stop.thread_id}
        return told | {key: getattr(stop, key) for key in ("text", "description") if getattr(stop, key)}

    async def exception(self) -> dict[str, Any] | None:
        """DAP's answer to `exceptionInfo`, where there is one."""
        stop = self.session.stop
        if stop is None:
            return None
        try:
            return await self.session.exception_body(stop.thread_id, _SECONDS)
        except _FAILURES:
            return None

    async def tasks(self) -> list[dict[str, Any]]:
        """The tasks of event loops, as the server tells them."""
        if not self.session.has("remora/tasks"):
            return []
        try:
            found = await self.session.request("remora/tasks", {}, _SECONDS)
        except _FAILURES:
            return []
        return records(found, "tasks")

    # -- stacks

    async def stack(self, thread: Thread) -> list[Frame]:
        """The newest frames of a thread. All stacks are asked for before any value is."""
        try:
            return await self.session.stack(thread.id, count=_MOST_FRAMES)
        except _FAILURES:
            return []

    async def thread(self, thread: Thread, frames: Sequence[Frame]) -> dict[str, Any]:
        """One thread, with what is in its frames."""
        rows = []
        for frame in frames:
            source = self._source(frame)
            row: dict[str, Any] = {
                "name": frame.name,
                "line": frame.line,
                "column": frame.column,
                "source": source,
            }
            if frame.subtle:
                row["subtle"] = True
            row["scopes"] = [] if self.session.stop is None else await self._scopes(frame, source)
            rows.append(row)
        return {"id": thread.id, "name": thread.name, "state": thread.state, "frames": rows}

    def _source(self, frame: Frame) -> int:
        for index, each in enumerate(self.sources):
            if (each["path"], each["name"]) == (frame.source.path, frame.source.name):
                return index
        told = {"name": frame.source.name, "path": frame.source.path}
        self.sources.append(told | ({"sha256": frame.source.sha256} if frame.source.sha256 else {}))
        self._frames[len(self.sources) - 1] = frame
        return len(self.sources) - 1

    async def texts(self) -> dict[int, str]:
        """The text of each file, as the program has loaded it."""
        found: dict[int, str] = {}
        for index, frame in list(self._frames.items())[:_MOST_SOURCES]:
            try:
                found[index] = (await self.session.source_text(frame.source)).text
            except _FAILURES:
                continue
        return found

    # -- values

    async def _scopes(self, frame: Frame, source: int) -> list[dict[str, Any]]:
        if self._is_full():
            return []
        rows = []
        try:
            for scope in await self.session.scopes(frame):
                if scope.hint == "globals" or scope.name == "Globals":
                    if not frame.subtle and str(source) not in self.globals:
                        self.globals[str(source)] = await self._globals(scope)
                    continue
                depth = 0 if frame.subtle else _DEPTH
                found = await self._children(scope.reference, _NAMES, depth)
                rows.append({"name": scope.name, "hint": scope.hint, "variables": found})
        except _FAILURES:
            self.cut = True  # the thread runs after all, or is in C code
        return rows

    async def _globals(self, scope: Scope) -> list[dict[str, Any]]:
        """A module's own data: what it has imported and defined is in its source."""
        found = await self.session.variables(scope.reference, 0, _NAMES)
        own = [each for each in found if not each.is_code and not each.name.startswith("__")]
        return [await self._value(each, 1) for each in own]

    async def _children(self, reference: int, most: int, depth: int) -> list[dict[str, Any]]:
        found = await self.session.variables(reference, 0, most)
        return [await self._value(each, depth) for each in found[:most]]

    async def _value(self, value: Variable, depth: int) -> dict[str, Any]:
        self.values += 1
        row: dict[str, Any] = {"name": value.name, "value": value.value[:_TEXT], "type": value.type}
        for name in ("named", "indexed"):
            if getattr(value, name):
                row[name] = getattr(value, name)
        if value.evaluate_name and value.evaluate_name != value.name:
            row["expression"] = value.evaluate_name
        if not value.reference:
            return row
        # To open a lazy one would run the program's code.
        if depth > 0 and not value.lazy and not value.is_code and not self._is_full():
            try:
                row["children"] = await self._children(value.reference, _CHILDREN, depth - 1)
            except _FAILURES:
                row["opens"] = True
        else:
            row["opens"] = True
        return row
