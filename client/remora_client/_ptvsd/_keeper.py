"""The process that holds the connection to an old ptvsd, so that nothing that befalls the client wedges it.

These servers never recover from a debugger that vanishes: a thread that stands at a stop then stands for
ever. So the client does not hold the connection. It starts this process, in a session of its own, and talks
DAP to it over a socket pair. When that socket ends, by whatever end the client met, this process detaches
as it should and ends, too. While the client is suspended, it goes on answering what the server asks.

Everything here runs on the event loop of that process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

from remora_client._credentials._secrets import Secret
from remora_client._errors import ClientError
from remora_client._options import ConnectOptions
from remora_client._ptvsd import _handshake, _rescue
from remora_client._ptvsd._adapter import Adapter
from remora_client._transport import _dial, _tls
from remora_protocol import AFTER_LOGIN_LIMIT, Connection, RemoteProtocolError, Request, RequestFailed

if TYPE_CHECKING:
    from remora_client._ptvsd._wire import Wire

__all__ = ["Keeper", "KeeperOrders", "main"]

_CHUNK = 64 * 1024
_LEAVE_SECONDS = 15.0


class KeeperOrders:
    """Where to connect and how: what the client found out when it connected first."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.host, self.port = str(arguments["host"]), int(arguments["port"])
        self.number = int(arguments["number"])
        secret = arguments.get("secret")
        self.secret = Secret(str(secret), str(arguments.get("origin", ""))) if secret is not None else None
        self.tls = bool(arguments.get("tls"))
        self.rescue = bool(arguments.get("rescue"))
        self.options = ConnectOptions(
            cafile=arguments.get("cafile"),
            fingerprint=arguments.get("fingerprint"),
            timeout=float(arguments.get("timeout", 10.0)),
            legacy_tls=bool(arguments.get("legacyTls")),
        )
        self.place = _dial.endpoint(self.host, self.port)

    async def connect(self) -> Wire:
        """A connection on which the secret was accepted."""
        timeout = self.options.timeout
        try:
            if self.tls:
                streams = await _tls.secure(self.place, self.host, self.options, self._dial)
                reader, writer = streams.reader, streams.writer
            else:
                reader, writer = await asyncio.open_connection(sock=await self._dial())
            greeting = await _handshake.first_bytes(reader, self.place, timeout)
            wire = await _handshake.meet(reader, writer, greeting, self.place, timeout)
            await _handshake.log_in(wire, self.secret, self.place, timeout)
        except _tls.HandshakeFailed as failed:
            raise RequestFailed("failed", str(_tls.explain(self.place, failed.error, self.options))) from None
        except ClientError as error:
            raise RequestFailed("failed", str(error)) from None
        return wire

    async def _dial(self) -> socket.socket:
        return await _dial.dial(self.host, self.port, self.options.timeout)

    async def free(self) -> None:
        """The rescue of a wedged server."""
        await _rescue.free(await self.connect(), self.place, self.options.timeout)


class Keeper:
    """Speaks DAP with the client, over the socket that it was started with."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._connection = Connection(AFTER_LOGIN_LIMIT)
        self._adapter: Adapter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Until the client ends, or the server does."""
        reading = asyncio.ensure_future(self._read())
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait((reading, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            over.cancel()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LEAVE_SECONDS):
                    if self._adapter is not None:
                        await self._adapter.leave()
                    for task in list(self._tasks):  # the answer to the disconnect, most of all
                        with contextlib.suppress(Exception):
                            await task
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    def end(self) -> None:
        """Leave now."""
        self._over.set()

    async def _read(self) -> None:
        with contextlib.suppress(OSError, RemoteProtocolError):
            while data := await self._reader.read(_CHUNK):
                self._connection.receive_data(data)
                while (message := self._connection.next_message()) is not None:
                    if isinstance(message, Request):
                        self._serve(message)

    def _serve(self, request: Request) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request) -> None:
        try:
            if request.command == "remora/keep":
                self._begin(KeeperOrders(request.arguments))
                self._write(self._connection.respond(request, {}))
                return
            if self._adapter is None:
                raise RequestFailed("bad-request", "remora/keep comes first.")
            answer = await self._adapter.answer(request.command, request.arguments)
            self._write(self._connection.respond(request, answer.body))
        except RequestFailed as refused:
            self._write(self._connection.fail(request, refused))
            return
        except Exception as error:  # a bug of ours must not keep the client waiting, nor end this process
            text = f"{request.command}: {type(error).__name__}: {error}"
            self._write(self._connection.fail(request, RequestFailed("internal-error", text)))
            return
        try:
            await answer.then()
        except RequestFailed as failed:
            text = f"{request.command} failed after it was answered: {failed}\n"
            self._emit("output", {"category": "important", "output": text})

    def _begin(self, orders: KeeperOrders) -> None:
        self._adapter = Adapter(
            orders.number,
            orders.connect,
            self._emit,
            place=orders.place,
            rescue=orders.free if orders.rescue else None,
            timeout=orders.options.timeout,
        )
        self._serve_end(self._adapter)

    def _serve_end(self, adapter: Adapter) -> None:
        async def wait() -> None:
            await adapter.over.wait()
            self._over.set()

        task = asyncio.get_running_loop().create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _emit(self, event: str, body: dict[str, Any]) -> None:
        self._write(self._connection.event(event, body))

    def _write(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)


async def _run(sock: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=sock)
    keeper = Keeper(reader, writer)
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None:
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, keeper.end)
    await keeper.run()


def main() -> None:
    """Run on the socket that is standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the client's terminal is the client's business
    if sys.platform == "win32":
        sock = socket.fromshare(sys.stdin.buffer.read())
    else:
        # Away from our parent, which is then rid of us: nobody has to wait for our end.
        if os.fork():
            os._exit(0)
        sock = socket.socket(fileno=os.dup(0))
    asyncio.run(_run(sock))
