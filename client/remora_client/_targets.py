"""From what a person typed as a target to a link: a qualifier, a process id, or nothing at all.

Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from remora_client._connecting._connect import Link, connect, connect_local
from remora_client._errors import ClientError, Gone, NoSuchProcess, Silent, UsageError
from remora_client._options import AttachOptions, ConnectOptions
from remora_client._sessions._attach import choose_process
from remora_client._sessions._session import Session
from remora_client._snapshot import is_snapshot
from remora_client._text import visible
from remora_protocol import (
    ProcessInfo,
    Qualifier,
    QualifierError,
    is_private_folder,
    parse_qualifier,
    pid_of_socket,
    registry_folders,
    socket_path,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from remora_client._model import Breakpoint

__all__ = [
    "Local",
    "choose_local",
    "link_to",
    "local_processes",
    "local_sockets",
    "open_session",
    "shown",
    "via",
]

_DEFAULT = AttachOptions()
_LOCAL_SECONDS = 5.0
# A process that is stopped by a signal does not answer; the others must not wait for it one by one.
_AT_ONCE = 64

Local = tuple[str, int]  # path of the socket, process id


def local_sockets() -> list[Local]:
    """The sockets of this user's processes on this machine, alive or not."""
    found: dict[int, Local] = {}
    for folder in registry_folders():
        if is_private_folder(folder):
            with contextlib.suppress(OSError):
                for name in os.listdir(folder):
                    pid = pid_of_socket(name)
                    if pid is not None:
                        found.setdefault(pid, (socket_path(folder, pid), pid))
    return [found[pid] for pid in sorted(found)]


async def local_processes(
    timeout: float = _LOCAL_SECONDS, silent: Callable[[int, str], None] | None = None
) -> list[ProcessInfo]:
    """What this user's processes on this machine say of themselves. A dead one's socket is removed.

    `silent` is told of those that are there and do not answer, and why.
    """
    gate = asyncio.Semaphore(_AT_ONCE)
    complain = silent or (lambda pid, why: None)

    async def ask(local: Local) -> ProcessInfo | None:
        path, pid = local
        async with gate:
            try:
                link = await connect_local(path, pid, ConnectOptions(timeout=timeout).begin())
            except (ConnectionRefusedError, FileNotFoundError):
                with contextlib.suppress(OSError):
                    os.unlink(path)
                return None
            except OSError as error:
                complain(pid, error.strerror or str(error))
                return None
            except ClientError as error:
                complain(pid, str(error))
                return None
            try:
                processes = await link.processes()
            except ClientError as error:
                complain(pid, str(error))
                return None
            finally:
                await link.close()
        return next((each for each in processes if each["pid"] == pid), None)

    answers = await asyncio.gather(*map(ask, local_sockets()))
    return [each for each in answers if each is not None]


async def link_to(target: str, options: ConnectOptions) -> tuple[Link, int | None]:
    """A link, and the process that the target itself names. Raises a `ClientError`."""
    if options.via is not None:
        pid = _pid_beyond(target)
        return await connect(via(options.via), options), pid
    if target.isdecimal():
        return await _local(int(target), options), int(target)
    if is_snapshot(target):
        from remora_client._snapshot._door import link_to_snapshot

        return await link_to_snapshot(target, options.trace), None
    qualifier = parse_qualifier(target)
    return await connect(qualifier, options), qualifier.pid


def shown(target: str) -> str:
    """A target for messages: without its secret."""
    try:
        return visible(str(replace(parse_qualifier(target), secret=None)))
    except QualifierError:
        return visible(target)


def via(command: str) -> Qualifier:
    """What is at the other end of a command."""
    return Qualifier("via", "", 0, path=command)


def _pid_beyond(target: str) -> int | None:
    """With --via the way is known, and only the process is left to be named."""
    if target and not target.isdecimal():
        raise UsageError("With --via the target is the number of a process at its other end, or nothing.")
    return int(target) if target else None


async def open_session(
    target: str | None,
    options: ConnectOptions,
    how: AttachOptions = _DEFAULT,
    *,
    pid: int | None = None,
    name: str | None = None,
    choose: Callable[[Sequence[ProcessInfo]], int] | None = None,
    breakpoints: Iterable[Breakpoint] = (),
) -> Session:
    """Connect and attach, in one. What cannot be is closed again."""
    if target is None and options.via is not None:
        target = ""
    elif target is None:
        pid = await choose_local(pid, name, choose)
        target = str(pid)
    link, named = await link_to(target, options)
    try:
        return await Session.attach(
            link,
            pid if pid is not None else named,
            how,
            name=name,
            choose=choose,
            breakpoints=breakpoints,
        )
    except BaseException:
        await link.close()
        raise


async def choose_local(
    pid: int | None, name: str | None, choose: Callable[[Sequence[ProcessInfo]], int] | None
) -> int:
    """The id of the one process of this machine that is meant. Raises a `ClientError`."""
    processes = await local_processes()
    if not processes:
        raise NoSuchProcess(
            "None of your processes on this machine can be debugged.",
            "Say where the program is (remora attach HOST), or start it with: python -m remora SCRIPT",
        )
    return choose_process(processes, pid, name, choose)["pid"]


async def _local(pid: int, given: ConnectOptions) -> Link:
    """No secret is needed, and no certificate; the other options count."""
    options = replace(given, timeout=min(given.timeout, _LOCAL_SECONDS))
    door = _door(pid)
    if door is not None:
        try:
            return await connect_local(door, pid, options)
        except (ConnectionRefusedError, FileNotFoundError):
            with contextlib.suppress(OSError):
                os.unlink(door)  # nobody is behind it
        except OSError as error:
            raise Silent(
                f"Process {pid} is there, and does not answer: {error.strerror or error}.",
                f"It may be stopped by a signal; kill -CONT {pid} lets it run on.",
            ) from None
    if sys.platform == "win32":
        raise NoSuchProcess(
            "A process cannot be attached to by its number here.",
            "On Windows each process has a port of its own: remora attach localhost:PORT",
        )
    try:
        from remora_client._inject import start_server_in

        return await connect_local(await start_server_in(pid), pid, options)
    except OSError as error:
        raise Gone(f"Process {pid} started the server, and cannot be reached: {error}.") from None


def _door(pid: int) -> str | None:
    return next((path for path, each in local_sockets() if each == pid), None)
