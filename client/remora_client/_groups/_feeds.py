"""Where a group's processes come from: a qualifier, this machine, or an engine that runs many workers.

A feed is asked again and again who is there now. It gives candidates; which of them are attached to, and what
becomes of them, is the group's affair. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from remora_client._connecting._connect import Link, connect, connect_local
from remora_client._errors import ClientError, ConnectError, NoSuchProcess
from remora_client._records import record
from remora_client._sessions._attach import choose_process
from remora_client._targets import local_processes, local_sockets, via
from remora_client.discovery import is_scheme, open_discovery
from remora_protocol import parse_qualifier

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from remora_client._options import ConnectOptions
    from remora_client.discovery import Discovery, Target
    from remora_protocol import ProcessInfo, Qualifier

__all__ = [
    "Candidate",
    "EngineFeed",
    "Feed",
    "LocalFeed",
    "QualifierFeed",
    "are_many",
    "feeds_for",
    "link_locally",
]


@record
class Candidate:
    """A process that could be attached to.

    Attributes:
        key: no other process of this feed ever has it.
        pid: None where the other end does not tell before we are in.
        link: makes a connection to where the process is.
        comes_back: when our session with it was lost and it is there again, it is attached to again.
        only_listed: it is told of, and not attached to.
    """

    key: str
    host: str
    pid: int | None
    name: str
    link: Callable[[], Awaitable[Link]]
    attached_by: str | None = None
    comes_back: bool = False
    only_listed: bool = False


class Feed(Protocol):
    """Somewhere to look for processes.

    Attributes:
        place: how it is shown.
        news: set when it is worth asking at once; None: there is no such sign.
    """

    place: str
    news: asyncio.Event | None

    @property
    def goes_on(self) -> bool:
        """Whether processes that come later are meant, too."""

    async def candidates(self) -> list[Candidate]:
        """Who is there now. Raises a `ClientError`."""

    async def close(self) -> None:
        """No more questions. Never raises."""


def feeds_for(
    targets: Sequence[str], options: ConnectOptions, *, name: str | None = None, everyone: bool = False
) -> list[Feed]:
    """A feed for each target: a qualifier, a process id, or an engine's address; none: this machine.

    Args:
        name: a glob; only processes with such a name.
        everyone: all processes behind each, present and to come. An engine's are always all meant.
    """
    if options.via is not None and not targets:
        return [QualifierFeed(via(options.via), options, name, everyone=everyone)]
    if not targets:
        return [LocalFeed(None, options, name, everyone=everyone)]
    found: list[Feed] = []
    for target in targets:
        if is_scheme(target):
            found.append(EngineFeed(target, open_discovery(target, options), name))
        elif target.isdecimal():
            found.append(LocalFeed(int(target), options, name, everyone=False))
        else:
            found.append(QualifierFeed(parse_qualifier(target), options, name, everyone=everyone))
    return found


def are_many(targets: Sequence[str], *, everyone: bool) -> bool:
    """Whether these may be several processes, and so are for a group."""
    return everyone or len(targets) > 1 or any(map(is_scheme, targets))


def _wanted(
    processes: Sequence[ProcessInfo], pid: int | None, name: str | None, *, everyone: bool
) -> list[ProcessInfo]:
    """Those that are meant: exactly one, or all that fit."""
    if not everyone:
        return [choose_process(processes, pid, name, None)]
    return [
        each
        for each in processes
        if (pid is None or each["pid"] == pid) and (name is None or fnmatch.fnmatchcase(each["name"], name))
    ]


class LocalFeed:
    """This user's processes on this machine."""

    news: asyncio.Event | None = None

    def __init__(self, pid: int | None, options: ConnectOptions, name: str | None, *, everyone: bool) -> None:
        self.options = options
        self.place = "this machine" if pid is None else f"process {pid}"
        self.goes_on = everyone
        self.pid, self._name = pid, name

    async def processes(self) -> list[ProcessInfo]:
        """All of them."""
        return await local_processes()

    async def candidates(self) -> list[Candidate]:
        """Those that answer through their sockets in the registry."""
        found = _wanted(await self.processes(), self.pid, self._name, everyone=self.goes_on)
        host = socket.gethostname()
        return [
            Candidate(
                f"{each['pid']} {each['started']}",
                host,
                each["pid"],
                each["name"],
                lambda pid=each["pid"]: link_locally(pid, self.options),  # type: ignore[misc]
                each["attachedBy"],
            )
            for each in found
        ]

    async def close(self) -> None:
        """Nothing is open between two questions."""


async def link_locally(pid: int, options: ConnectOptions) -> Link:
    """A connection to a process of this machine. Raises `NoSuchProcess`."""
    path = next((path for path, each in local_sockets() if each == pid), None)
    if path is None:
        raise NoSuchProcess(f"Process {pid} has gone.")
    try:
        return await connect_local(path, pid, options)
    except OSError as error:
        raise NoSuchProcess(f"Process {pid} does not answer: {error.strerror or error}.") from None


class QualifierFeed:
    """The processes behind one address. One connection stays open for the question."""

    news: asyncio.Event | None = None

    def __init__(
        self, qualifier: Qualifier, options: ConnectOptions, name: str | None, *, everyone: bool
    ) -> None:
        self.place = str(qualifier)
        self.goes_on = everyone
        self._qualifier, self._options, self._name = qualifier, options, name
        self._link: Link | None = None
        self._lent = False  # to the only process there is: another kind of server takes one client at a time

    async def candidates(self) -> list[Candidate]:
        """Those that it lists."""
        if self._lent:
            return [self._only()]
        link = self._link
        if link is None:
            link = self._link = await self.connect()
        if not link.is_remora:
            return [self._only()]
        try:
            processes = await link.processes()
        except ClientError:
            self._link = None
            await link.close()
            raise
        found = _wanted(processes, self._qualifier.pid, self._name, everyone=self.goes_on)
        return [
            Candidate(
                f"{each['pid']} {each['started']}",
                self._qualifier.host,
                each["pid"],
                each["name"],
                self.connect,
                each["attachedBy"],
            )
            for each in found
        ]

    def _only(self) -> Candidate:
        return Candidate(self.place, self._qualifier.host, None, self.place, self._lend)

    async def _lend(self) -> Link:
        if self._link is None:
            raise ConnectError(f"{self.place} has let its only client go.")
        link, self._link, self._lent = self._link, None, True
        return link

    @property
    def host(self) -> str:
        """The machine."""
        return self._qualifier.host

    @property
    def pid(self) -> int | None:
        """The process that the address names."""
        return self._qualifier.pid

    async def connect(self) -> Link:
        """The first time a person may be asked; what they said counts from then on."""
        link = await connect(self._qualifier, self._options)
        if link.secret is not None:
            self._qualifier = replace(self._qualifier, secret=link.secret.text)
        if link.certificate is not None and link.certificate_by_hand:
            from remora_client._credentials._certificates import fingerprint

            self._options = replace(self._options, fingerprint=fingerprint(link.certificate))
        self._options = replace(self._options, ask_secret=None, ask_certificate=None)
        return link

    async def close(self) -> None:
        """Hang up."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()


class EngineFeed:
    """The workers that an engine knows."""

    goes_on = True
    news: asyncio.Event | None = None

    def __init__(self, url: str, discovery: Discovery, name: str | None) -> None:
        self.place = url
        self._discovery = discovery
        self._name = name

    async def candidates(self) -> list[Candidate]:
        """Those that can be attached to."""
        found = [each async for each in self._discovery.targets()]
        return [
            Candidate(each.key, each.host, each.pid, each.name, lambda each=each: self._attach(each))  # type: ignore[misc]
            for each in found
            if each.can_attach and (self._name is None or fnmatch.fnmatchcase(each.name, self._name))
        ]

    async def _attach(self, target: Target) -> Link:
        return await self._discovery.attach(target)

    async def close(self) -> None:
        """Have switched off what was switched on."""
        with contextlib.suppress(Exception):
            await asyncio.shield(self._discovery.close())
