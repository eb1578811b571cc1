"""Where the bridge may listen, and for whom."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from typing import Any

import pytest

from remora_client._bridge._editor import Editor
from remora_client._bridge._listen import listen, owner_of_peer, parse_listen
from remora_client._errors import UsageError


def test_places_of_this_machine() -> None:
    assert parse_listen("127.0.0.1:5679") == ("127.0.0.1", 5679)
    assert parse_listen("localhost:0") == ("127.0.0.1", 0)
    assert parse_listen("[::1]:5679") == ("::1", 5679)
    assert parse_listen(":5679") == ("127.0.0.1", 5679)


@pytest.mark.parametrize(
    "text", ["0.0.0.0:1", "example.org:1", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000"]
)
def test_other_places_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--listen"):
        parse_listen(text)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells whose a connection is")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_whose_a_connection_is(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        with socket.create_connection(server.getsockname()[:2]) as client:
            accepted, peer = server.accept()
            with accepted:
                assert owner_of_peer(peer, accepted.getsockname()) == os.getuid()
            assert owner_of_peer((host, 1), client.getsockname()) is None


class Serving:
    """`listen` with editors whose ends are noted, on a loop that is told of no mistake."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.mistakes: list[dict[str, Any]] = []
        self._came = asyncio.Event()
        self.place: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.mistakes.append(context))
        self.task = asyncio.create_task(
            listen(("127.0.0.1", 0), self._serve, self.place.set_result, trace=None)
        )

    async def editor(self) -> socket.socket:
        host, port = (await self.place).rsplit(":", 1)
        self._came.clear()
        found = await asyncio.to_thread(socket.create_connection, (host, int(port)), 10)
        await asyncio.wait_for(self._came.wait(), 10)
        return found

    async def _serve(self, editor: Editor) -> None:
        self._came.set()
        try:
            assert await editor.next_request() is None
            self.ended.append("left")
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise

    async def end(self) -> None:
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(self.task, 10)
        await asyncio.sleep(0)
        assert not self.mistakes


async def _interrupted() -> None:
    serving = Serving()
    with await serving.editor(), await serving.editor():
        await serving.end()
    assert serving.ended == ["cancelled", "cancelled"]


def test_an_interrupt_ends_it_while_editors_are_there() -> None:
    """Python's own server waits for them on 3.12 and 3.13, and on 3.11 it tells of each as of a mistake."""
    asyncio.run(_interrupted())


async def _killed() -> None:
    serving = Serving()
    with await serving.editor() as editor:
        editor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
    async with asyncio.timeout(10):
        while not serving.ended:
            await asyncio.sleep(0.01)
    assert serving.ended == ["left"]
    await serving.end()


def test_an_editor_that_was_killed_has_left() -> None:
    asyncio.run(_killed())
