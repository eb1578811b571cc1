"""Asking many endpoints and engines at once which processes are there. Runs on the event loop's thread.

All are asked together, up to a limit; each answer comes as soon as it is there, and a failure is an answer,
too. All connections are made first, so that those that say nothing have used up their time while the others
log in, a few at a time: the hashing is most of the work.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import field, replace
from typing import TYPE_CHECKING

from remora_client._connecting._connect import connect
from remora_client._connecting._foreign import foreign_name
from remora_client._errors import ClientError, NotARemora
from remora_client._records import record
from remora_client._transport import _met
from remora_client._transport._deadline import Deadline
from remora_client.discovery import open_discovery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from remora_client._options import ConnectOptions
    from remora_client.discovery import Target
    from remora_protocol import ProcessInfo, Qualifier

    Question = Qualifier | str  # a str is an engine's address

__all__ = ["Answer", "ask_all", "place_of"]

#: How many endpoints are asked at the same time. Each costs a descriptor, two at times.
_MOST_AT_ONCE = 1000
_SPARE_DESCRIPTORS = 64
# How many log in at the same time. With all of them at it together, each would take as long as all do.
_LOGINS = 32


@record
class Answer:
    """What came of one endpoint, or engine."""

    place: str
    processes: list[ProcessInfo] = field(default_factory=list)
    targets: list[Target] | None = None  # of an engine, instead
    error: ClientError | None = None
    server: str = ""  # a known debug adapter that is no Remora


async def ask_all(
    questions: Sequence[Question], options: ConnectOptions
) -> AsyncIterator[tuple[int, Answer]]:
    """An answer for each question, with its place in the order, as they come.

    Each is given `options.timeout` seconds for all of it.
    """
    gate = asyncio.Semaphore(_at_once())
    logins = asyncio.Semaphore(_LOGINS)

    async def ask(number: int, question: Question) -> tuple[int, Answer]:
        async with gate:
            if isinstance(question, str):
                return number, await _ask_engine(question, options)
            return number, await _ask(question, options, logins)

    with _met.remembering():
        tasks = [asyncio.ensure_future(ask(number, each)) for number, each in enumerate(questions)]
        try:
            for task in asyncio.as_completed(tasks):
                yield await task
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def place_of(question: Question) -> str:
    """How an endpoint is shown: without its secret, and without a process."""
    return question if isinstance(question, str) else str(replace(question, pid=None))


async def _ask_engine(url: str, options: ConnectOptions) -> Answer:
    try:
        discovery = open_discovery(url, options)
        try:
            targets = [each async for each in discovery.targets()]
        finally:
            await discovery.close()
    except ClientError as error:
        return Answer(url, error=error)
    return Answer(url, targets=sorted(targets, key=lambda each: (each.host, each.pid or 0)))


async def _ask(qualifier: Qualifier, options: ConnectOptions, logins: asyncio.Semaphore) -> Answer:
    place = place_of(qualifier)
    try:
        return await _listed(qualifier, place, replace(options, deadline=Deadline(options.timeout, logins)))
    except ClientError as error:
        return Answer(place, error=error)


async def _listed(qualifier: Qualifier, place: str, options: ConnectOptions) -> Answer:
    link = await connect(qualifier, options)
    try:
        server = foreign_name(link.rpc.head)
        if not link.is_remora and server:
            return Answer(place, server=server)
        if not link.is_remora:
            raise NotARemora(
                f"{place} is a debug adapter, but no Remora: it has no list of processes.",
                "It may still be attached to: remora attach " + place,
            )
        processes = await link.processes()
    finally:
        await link.close()
    if qualifier.pid is not None:
        processes = [each for each in processes if each["pid"] == qualifier.pid]
    return Answer(place, sorted(processes, key=lambda each: each["pid"]))


def _at_once() -> int:
    """How many connections this process can have; its own limit is raised where the system lets us."""
    try:
        import resource
    except ImportError:  # Windows: no such limit on sockets
        return _MOST_AT_ONCE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * _MOST_AT_ONCE + _SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    if soft == resource.RLIM_INFINITY:
        return _MOST_AT_ONCE
    return max(1, min(_MOST_AT_ONCE, (soft - _SPARE_DESCRIPTORS) // 2))
