"""A process and what comes of it, for a group: its children of every kind, and what replaces them.

The owner of the port is asked over one connection. It tells at once when a process comes, and has what comes
of those we follow wait a moment for us. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from remora_client._errors import ClientError, Gone, UsageError
from remora_client._groups._family import Family
from remora_client._groups._feeds import Candidate, LocalFeed, QualifierFeed, link_locally
from remora_client._sessions._attach import choose_process
from remora_client._text import visible
from remora_protocol import RemoteProtocolError, RequestFailed, read_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from remora_client._connecting._connect import Link
    from remora_protocol import ProcessInfo

    Choose = Callable[[Sequence[ProcessInfo]], int]

__all__ = ["FollowingFeed", "Mode"]

Mode = Literal["off", "list", "attach"]


# A reload may take a moment in which nobody is there.
_PATIENCE = 10.0


class FollowingFeed:
    """One process, chosen when first asked, and its family. Ends when for a while nobody of it is there.

    Args:
        feed: where it is.
        mode: what is done with its family: "list" only tells who is there.
    """

    def __init__(
        self,
        feed: QualifierFeed | LocalFeed,
        mode: Mode,
        pid: int | None = None,
        name: str | None = None,
        choose: Choose | None = None,
    ) -> None:
        self.place = feed.place
        self.news: asyncio.Event | None = asyncio.Event()
        self._feed = feed
        self._mode = mode
        self._pid = pid if pid is not None else feed.pid
        self._name, self._choose = name, choose
        self._link: Link | None = None
        self._family: Family | None = None
        self._seen = 0.0

    @property
    def goes_on(self) -> bool:
        """Whether more of it may come."""
        return self._family is None or asyncio.get_running_loop().time() < self._seen + _PATIENCE

    async def candidates(self) -> list[Candidate]:
        """The family as it is now. Raises a `ClientError`."""
        try:
            processes = await self._ask()
        except ClientError:
            await self._hang_up()
            if self._family is None:
                raise
            # Its owner has ended, and the next one is found by a new connection.
            try:
                processes = await self._ask()
            except ClientError:
                await self._hang_up()
                return []  # perhaps nobody is left, perhaps in a moment there is: a reload, say
        if self._family is None:
            chosen = choose_process(processes, self._pid, self._name, self._choose)
            self._family = Family(chosen)
            self._pid = chosen["pid"]
            processes = await self._ask()  # and now the owner knows whom we follow
        family = self._family.take(processes)
        if family:
            self._seen = asyncio.get_running_loop().time()
        return [self._candidate(each) for each in family]

    def _candidate(self, process: ProcessInfo) -> Candidate:
        pid = process["pid"]
        return Candidate(
            f"{pid} {process['started']}",
            self._feed.host if isinstance(self._feed, QualifierFeed) else socket.gethostname(),
            pid,
            process["name"],
            lambda: self._connect(pid),
            process["attachedBy"],
            comes_back=True,
            only_listed=self._mode == "list" and pid != self._pid,
        )

    async def _connect(self, pid: int) -> Link:
        """For a session."""
        if isinstance(self._feed, QualifierFeed):
            link = await self._feed.connect()
        else:
            link = await link_locally(pid, self._feed.options)
        link.options = replace(link.options, follow=self._mode == "attach")
        return link

    async def _ask(self) -> list[ProcessInfo]:
        if self._link is None:
            self._link = await self._connect_to_owner()
            self._link.rpc.on_event = self._take_event
        followed = self._family.pids if self._family is not None and self._mode == "attach" else set()
        return (await _watch(self._link, followed))[0]

    async def _connect_to_owner(self) -> Link:
        if isinstance(self._feed, QualifierFeed):
            link = await self._feed.connect()
            if not link.is_remora:
                await link.close()
                raise UsageError(f"{self.place} is no Remora: children cannot be followed there.")
            return link
        pid = self._pid
        if pid is None:
            pid = choose_process(await self._feed.processes(), None, self._name, self._choose)["pid"]
            self._pid = pid
        for each in dict.fromkeys([pid, *(self._family.pids if self._family is not None else ())]):
            try:
                link = await link_locally(each, self._feed.options)
            except ClientError:
                continue
            try:
                _, owner = await _watch(link, ())
            except BaseException:
                await link.close()
                raise
            if owner is None:
                return link
            await link.close()
            return await link_locally(owner, self._feed.options)
        return await link_locally(pid, self._feed.options)  # which says what is wrong

    def _take_event(self, name: str, body: dict[str, Any]) -> None:
        if name == "remora/process" and body.get("reason") != "changed" and self.news is not None:
            self.news.set()

    async def _hang_up(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def close(self) -> None:
        """Hang up."""
        await self._hang_up()
        await self._feed.close()


async def _watch(link: Link, followed: Iterable[int]) -> tuple[list[ProcessInfo], int | None]:
    """Who is there; from here on we are told who comes. And whose the port is, if not the asked one's.

    What comes of the processes in `followed` waits a moment for us.
    """
    try:
        body = await link.rpc.request("remora/watch", {"follow": sorted(followed)}, link.options.timeout)
        owner = body.get("owner")
        return read_processes(body), owner if isinstance(owner, int) else None
    except RemoteProtocolError as error:
        raise Gone(f"{link.address} does not keep to the protocol: {visible(str(error))}") from None
    except RequestFailed as error:
        if error.code != "unknown-command":  # as earlier servers say
            raise Gone(f"{link.address} refused to be watched: {visible(str(error))}") from None
    return await link.processes(), None
