"""Requests and events over one connection: asyncio streams on one side, `Connection` on the other.

The client's only I/O after connecting. Everything runs on the event loop's thread. One task reads; it
never waits for a consumer: events go to a callback that must return at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError, Gone
from remora_client._text import visible
from remora_protocol import (
    BEFORE_LOGIN_LIMIT,
    Connection,
    Event,
    LocalProtocolError,
    Message,
    RemoteProtocolError,
    Request,
    RequestFailed,
    Response,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["NoAnswer", "Rpc"]

_CHUNK = 64 * 1024
_HEAD = 512
_LAST_LOOKS = 6
# A server that is not logged in to has no business sending events; a few are debugpy's greeting.
_EVENTS_BEFORE_LOGIN = 32


class NoAnswer(ClientError):
    """A request was not answered in time. The connection is still up."""

    code = "no-answer"


class Rpc:
    """One connection. Create it inside the event loop that will run it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        peer: str,
        greeting: bytes = b"",
        trace: Callable[[str, Message], None] | None = None,
    ) -> None:
        self.peer = peer
        self.head = greeting  # the first bytes that came: an error message shows them
        self.end: Gone | None = None
        self.protocol_error: RemoteProtocolError | None = None
        self.cause: Exception | None = None  # what broke the connection, if it was no orderly end
        self.on_event: Callable[[str, dict[str, Any]], object] = lambda name, body: None
        self.on_end: Callable[[], object] = lambda: None
        self.on_request: Callable[[Request], bool] = lambda request: False  # True: it will be answered
        self._reader, self._writer = reader, writer
        self._trace = trace
        self._connection = Connection(limit=BEFORE_LOGIN_LIMIT)
        self._waiting: dict[int, asyncio.Future[Response]] = {}  # until the answer, also when nobody waits
        self._events_left: int | None = _EVENTS_BEFORE_LOGIN
        self._closing = False
        self._together: bytearray | None = None
        self._idle = asyncio.Event()  # all that has come was passed on
        self._task = asyncio.get_running_loop().create_task(self._read(greeting))

    @property
    def encryption(self) -> str:
        """TLS version and cipher; "" without TLS."""
        tls = self._writer.get_extra_info("ssl_object")
        return f"{tls.version()}, {tls.cipher()[0]}" if tls is not None else ""

    def lift_limits(self, limit: int) -> None:
        """We are logged in: big frames and any number of events are fine now."""
        self._connection.limit = limit
        self._events_left = None

    def send(
        self, command: str, arguments: Mapping[str, Any] | None = None
    ) -> tuple[int, asyncio.Future[Response]]:
        """Send a request without waiting. Gives its number and what will hold the response."""
        if self.end is not None:
            raise self.end
        seq, data = self._connection.request(command, dict(arguments) if arguments is not None else None)
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[seq] = future
        if self._together is None:
            self._writer.write(data)
        else:
            self._together += data
        if self._trace is not None:
            self._trace("->", Request(seq, command, dict(arguments or {})))
        return seq, future

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What is sent within goes out as one."""
        self._together = bytearray()
        try:
            yield
        finally:
            data, self._together = self._together, None
            self._writer.write(data)

    def respond(self, request: Request, body: Any = None) -> None:
        """Answer a request of the server's that `on_request` took."""
        if self.end is None:
            self._writer.write(self._connection.respond(request, body))

    async def request(
        self, command: str, arguments: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Send a request and wait for the body of its response.

        Raises:
            RequestFailed: the server refused; its text is for the user.
            Gone: the connection ended first.
            NoAnswer: nothing came within `timeout` seconds.
        """
        _, future = self.send(command, arguments)
        return await self.answer(command, future, timeout)

    async def answer(
        self, command: str, future: asyncio.Future[Response], timeout: float | None = None
    ) -> dict[str, Any]:
        """Wait for what `send` started."""
        loop = asyncio.get_running_loop()

        def give_up(looks: int) -> None:
            if future.done():
                return
            if looks:  # it may be here already, and we have been busy with others
                loop.call_soon(give_up, looks - 1)
            else:
                text = f"No answer to {command!r} from {self.peer} within {timeout:.3g} s."
                future.set_exception(NoAnswer(text))

        timer = None if timeout is None else loop.call_later(timeout, give_up, _LAST_LOOKS)
        try:
            response = await future  # nothing around it, so that who asked goes first: see `_take`
        finally:
            if timer is not None:
                timer.cancel()
        if not response.success:
            raise RequestFailed.from_body(response.message, response.body)
        return response.body if isinstance(response.body, dict) else {}

    async def caught_up(self) -> None:
        """Wait until what has come together with the last answer, right behind it, was passed on."""
        await self._idle.wait()

    async def close(self) -> None:
        """End the connection and the reading task. Safe to call twice."""
        self._closing = True
        self._task.cancel()
        try:  # what ends the reading task is nobody's concern; that whoever closes is cancelled meanwhile, is
            await asyncio.gather(self._task, return_exceptions=True)
        finally:
            self._finish("The connection was closed.")
            self._writer.close()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()

    def abandon(self, reason: str) -> None:
        """Give the connection up, without a word to the other end: it does not hear us."""
        self._closing = True
        self._task.cancel()
        self._writer.transport.abort()
        self._finish(reason)

    async def _read(self, data: bytes) -> None:
        reason = f"{self.peer} closed the connection."
        try:
            while True:
                if data:
                    self._idle.clear()
                    await self._take(data)
                    await asyncio.sleep(0)  # a flood must not starve the prompt
                self._idle.set()
                data = await self._reader.read(_CHUNK)
                if not data:
                    break
                self.head += data[: _HEAD - len(self.head)] if len(self.head) < _HEAD else b""
        except RemoteProtocolError as error:
            self.protocol_error = error
            reason = f"{self.peer} does not keep to the protocol: {visible(str(error))}"
        except OSError as error:
            self.cause = error
            reason = f"The connection to {self.peer} broke: {error.strerror or error}."
        finally:
            if not self._closing:
                self._finish(reason)
                self._writer.close()

    async def _take(self, data: bytes) -> None:
        self._connection.receive_data(data)
        while (message := self._connection.next_message()) is not None:
            if self._trace is not None:
                self._trace("<-", message)
            if isinstance(message, Response):
                self._answered(message)
                await asyncio.sleep(0)  # who asked goes first: what comes behind may be about the answer
            elif isinstance(message, Event):
                if self._events_left is not None:
                    self._events_left -= 1
                    if self._events_left < 0:
                        raise RemoteProtocolError("bad-request", "it sends events before the login")
                self.on_event(message.event, message.body)
            elif isinstance(message, Request) and not self.on_request(message):
                refusal = RequestFailed("unknown-command", f"this client does not do {message.command}")
                self._writer.write(self._connection.fail(message, refusal))

    def _answered(self, response: Response) -> None:
        future = self._waiting.pop(response.request_seq, None)
        if future is not None and not future.done():  # else: nobody waits any more
            future.set_result(response)

    def _finish(self, reason: str) -> None:
        if self.end is not None:
            return
        self.end = Gone(reason)
        self._idle.set()
        with contextlib.suppress(LocalProtocolError, RemoteProtocolError):
            self._connection.receive_data(b"")
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(self.end)
                future.exception()  # read: a request that nobody awaits any more is no warning
        self.on_end()
