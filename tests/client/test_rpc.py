"""Requests and answers over one connection: who hears of what first, and who waits how long."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator

import pytest

from remora_client._transport._rpc import NoAnswer, Rpc
from remora_protocol import AFTER_LOGIN_LIMIT, Connection, Request

SECONDS = 10


class Peer:
    """The other end, which answers when the test says so."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._connection = Connection(AFTER_LOGIN_LIMIT)

    async def answer(self, *events: str) -> None:
        """Answer the next request, with events right behind the answer, all of it at once."""
        self._connection.receive_data(await asyncio.get_running_loop().sock_recv(self._sock, 65536))
        request = self._connection.next_message()
        assert isinstance(request, Request)
        behind = b"".join(self._connection.event(each, {}) for each in events)
        self._sock.sendall(self._connection.respond(request, {}) + behind)


@contextlib.asynccontextmanager
async def pair() -> AsyncIterator[tuple[Rpc, Peer]]:
    """A connection, and who is at its other end."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    rpc = Rpc(*await asyncio.open_connection(sock=ours), peer="a test")
    rpc.lift_limits(AFTER_LOGIN_LIMIT)
    try:
        async with asyncio.timeout(SECONDS):
            yield rpc, Peer(theirs)
    finally:
        await rpc.close()
        theirs.close()


def test_who_is_cancelled_while_closing_a_connection_is() -> None:
    async def play() -> None:
        async with pair() as (rpc, _):
            went_on = False

            async def closes() -> None:
                nonlocal went_on
                await rpc.close()
                went_on = True

            closing = asyncio.ensure_future(closes())
            await asyncio.sleep(0)  # it waits for the reading task's end
            closing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await closing
            assert closing.cancelled()
            assert not went_on

    asyncio.run(play())


@pytest.mark.parametrize("timeout", [None, SECONDS])
def test_who_asked_hears_of_the_answer_before_the_events_behind_it(timeout: float | None) -> None:
    async def play() -> None:
        async with pair() as (rpc, peer):
            heard: list[str] = []
            rpc.on_event = lambda name, _: heard.append(name)

            async def ask() -> None:
                await rpc.request("pause", {}, timeout)
                heard.append("the answer")
                await rpc.caught_up()
                heard.append("caught up")

            asking = asyncio.ensure_future(ask())
            await peer.answer("thread", "stopped")
            await asking
            assert heard == ["the answer", "thread", "stopped", "caught up"]

    asyncio.run(play())


def test_an_answer_that_is_here_counts_however_late_we_look() -> None:
    async def play() -> None:
        async with pair() as (rpc, peer):
            asking = asyncio.ensure_future(rpc.request("pause", {}, 0.2))
            await peer.answer()
            time.sleep(0.3)  # the loop is busy with others
            assert await asking == {}

    asyncio.run(play())


def test_who_gets_no_answer_is_told_how_long_was_waited() -> None:
    async def play() -> None:
        async with pair() as (rpc, peer):
            with pytest.raises(NoAnswer, match=r"No answer to 'pause' from a test within 0\.01 s\."):
                await rpc.request("pause", {}, 0.01)
            await peer.answer()  # too late, and no harm
            asking = asyncio.ensure_future(rpc.request("threads", {}, SECONDS))
            await peer.answer()
            assert await asking == {}

    asyncio.run(play())
