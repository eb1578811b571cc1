"""What a process says of itself in the answer to ``remora/processes``. Pure, for any thread."""

from __future__ import annotations

from typing import Any, List, Optional, TypedDict, cast  # noqa: UP035 - see below

from remora_protocol._errors import RemoteProtocolError

__all__ = ["ProcessInfo", "read_processes"]


class _MayBeMissing(TypedDict, total=False):
    ancestors: List[int]  # noqa: UP006 - see below


class ProcessInfo(_MayBeMissing):
    """One process.

    `started` is in epoch seconds; `state` is "running", "stopped", "waiting" (for a debugger,
    with one of its threads at least) or, from an agent, "unprepared". `ancestors` are the processes that it
    came of when it began, the nearest first: a shell between two Pythons, too. Earlier servers do not tell.
    """

    pid: int
    ppid: int
    name: str
    argv: List[str]  # noqa: UP006 - get_type_hints() evaluates these, on 3.9 too
    executable: str
    user: str
    implementation: str
    version: str
    platform: str
    cwd: str
    started: float
    state: str
    attachedBy: Optional[str]  # noqa: UP045 - None, or "user@host since 10:32"
    address: Optional[str]  # noqa: UP045 - "host:port" that it is reached through, which it may share


_TEXTS = ("name", "executable", "user", "implementation", "version", "platform", "cwd", "state")
_OPTIONAL_TEXTS = ("attachedBy", "address")


def read_processes(body: Any) -> list[ProcessInfo]:
    """The processes in a response's body, checked; keys that are not known here stay.

    Raises:
        RemoteProtocolError: "bad-request".
    """
    rows = body.get("processes") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(_is_process(row) for row in rows):
        raise RemoteProtocolError("bad-request", "The server's list of processes is malformed.")
    return cast("list[ProcessInfo]", rows)


def _is_process(row: Any) -> bool:
    if not isinstance(row, dict) or not row.keys() >= ProcessInfo.__required_keys__:
        return False
    numbers = [row["pid"], row["ppid"], row["started"]]
    argv, ancestors = row["argv"], row.get("ancestors", [])
    return (
        all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in numbers)
        and isinstance(row["pid"], int)
        and isinstance(row["ppid"], int)
        and all(isinstance(row[name], str) for name in _TEXTS)
        and all(isinstance(row[name], (str, type(None))) for name in _OPTIONAL_TEXTS)
        and isinstance(argv, list)
        and all(isinstance(item, str) for item in argv)
        and isinstance(ancestors, list)
        and all(type(item) is int for item in ancestors)
    )
