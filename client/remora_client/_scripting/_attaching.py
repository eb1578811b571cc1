"""Attaching: from what a script says to a session of it. Everything runs on the caller's event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._connecting._connect import connect
from remora_client._groups._feeds import feeds_for
from remora_client._groups._group import Group
from remora_client._options import AttachOptions, ConnectOptions
from remora_client._scripting._session import Session
from remora_client._scripting._sessions import Sessions
from remora_client._targets import local_processes, open_session, via
from remora_protocol import parse_qualifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from remora_client._model import StopMode
    from remora_protocol import ProcessInfo

__all__ = ["attach", "attach_all", "processes"]


async def attach(
    target: str | int | None = None,
    *,
    pid: int | None = None,
    name: str | None = None,
    source: Sequence[str] = (),
    force: bool = False,
    just_my_code: bool = True,
    redirect_output: bool = True,
    stop_mode: StopMode = "all",
    stop_on_entry: bool = False,
    options: ConnectOptions | None = None,
) -> Session:
    """Attach to a running program.

    Args:
        target: a qualifier such as "tcps://my_secret@host:5678", the id of a process of this machine, or a
            snapshot's file; None: the only process there is on this machine.
        pid: which process, where there are several behind the qualifier.
        name: a glob for its name, instead.
        source: folders on this machine with the program's files.
        force: take over from whoever is attached now.
        just_my_code: have steps pass by library code.
        redirect_output: have what the program prints come as "output" events, too.
        stop_mode: whether a stop holds all threads, or only the one that makes it.
        stop_on_entry: have a program that waits for a client stop where it goes on, and pause any other, so
            that there is time to say where else to stop.
        options: secret, certificates and time-outs. Nobody is asked for anything unless they say so.

    Raises:
        ConnectError: and what to do about it.
    """
    core = await open_session(
        None if target is None else str(target),
        options or ConnectOptions(),
        AttachOptions(source, force, just_my_code, redirect_output, stop_mode, stop_on_entry),
        pid=pid,
        name=name,
    )
    if core.stop is not None and (core.stop.was_there or core.link.is_snapshot or not core.link.is_remora):
        core.told = core.state.stops  # a stop that was there before us is none to wait for
    return Session(core)


async def attach_all(
    targets: Iterable[str | int] = (),
    *,
    everyone: bool = False,
    name: str | None = None,
    source: Sequence[str] = (),
    force: bool = False,
    just_my_code: bool = True,
    redirect_output: bool = True,
    stop_mode: StopMode = "all",
    stop_on_entry: bool = False,
    options: ConnectOptions | None = None,
) -> Sessions:
    """Attach to several programs at once.

    Args:
        targets: qualifiers (`tcp://host:5678#PID` says which process behind a port), process ids, or the
            addresses of engines such as "dask://scheduler:8786"; none: this machine.
        everyone: all processes behind each target, present and to come; what cannot be attached to is left
            out. Otherwise it is one behind each, and all of them or none. An engine's are always all meant.
        name: a glob; only processes with such a name.

    The rest is as `attach` takes it.

    Raises:
        ConnectError: of the first that failed. Those attached to by then were left again.
    """
    feeds = feeds_for(
        [str(each) for each in targets], options or ConnectOptions(), name=name, everyone=everyone
    )
    how = AttachOptions(source, force, just_my_code, redirect_output, stop_mode, stop_on_entry)
    core = Group(feeds, how)
    await core.start(all_or_none=not everyone)
    return Sessions(core)


async def processes(target: str | None = None, options: ConnectOptions | None = None) -> list[ProcessInfo]:
    """The processes behind a qualifier, or this user's on this machine."""
    options = options or ConnectOptions()
    if target is None and options.via is None:
        return await local_processes()
    way = via(options.via) if options.via is not None else parse_qualifier(target or "")
    link = await connect(way, options)
    try:
        return await link.processes()
    finally:
        await link.close()
