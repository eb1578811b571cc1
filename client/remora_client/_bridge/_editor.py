"""The editor's end of the bridge: framed messages in, framed messages out.

Everything runs on the event loop's thread. `write` takes bytes and returns at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_protocol import (
    AFTER_LOGIN_LIMIT,
    ERROR_IDS,
    Connection,
    Event,
    MalformedRequest,
    Message,
    Request,
    RequestFailed,
    Response,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

__all__ = ["Editor", "Refusal"]

_CHUNK = 64 * 1024


class Refusal(RequestFailed):
    """A refusal as editors show it: the sentence alone. The stable code stays in `message`."""

    def to_body(self) -> dict[str, Any]:
        """The body of the error response."""
        number = ERROR_IDS.get(self.code, ERROR_IDS["failed"])
        return {"error": {"id": number, "format": self.text, "showUser": self.show_user}}


class Editor:
    """One conversation with an editor.

    Args:
        reader: what the editor sends.
        write: sends bytes to it.
        end: called once, when nothing more is to be sent.
        trace: told every message.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        write: Callable[[bytes], None],
        end: Callable[[], None],
        trace: Callable[[str, Message], None] | None = None,
    ) -> None:
        self._reader = reader
        self._write = write
        self._end = end
        self._trace = trace
        self._connection = Connection(limit=AFTER_LOGIN_LIMIT)
        self._asked: dict[int, Callable[[Response], None]] = {}
        self._ended = False

    async def next_request(self) -> Request | None:
        """What the editor asks next; None: it has hung up. Its answers to our own requests go their way.

        Raises:
            RemoteProtocolError: it does not speak DAP.
        """
        while True:
            try:
                message = self._connection.next_message()
            except MalformedRequest as error:
                self.fail(error.request, RequestFailed(error.code, str(error)))
                continue
            if message is None:
                try:
                    data = await self._reader.read(_CHUNK)
                except OSError:  # it was killed: its system hung up for it
                    return None
                if not data:
                    return None
                self._connection.receive_data(data)
                continue
            if self._trace is not None:
                self._trace("<- editor", message)
            if isinstance(message, Request):
                return message
            if isinstance(message, Response):
                take = self._asked.pop(message.request_seq, None)
                if take is not None:
                    take(message)

    def respond(self, request: Request, body: Any = None) -> None:
        """Answer a request."""
        self._send(self._connection.respond(request, body))
        self._tell(Response(0, request.seq, request.command, True, None, body))

    def fail(self, request: Request, failed: RequestFailed) -> None:
        """Refuse a request."""
        error = Refusal(failed.code, failed.text, failed.show_user)
        self._send(self._connection.fail(request, error))
        self._tell(Response(0, request.seq, request.command, False, error.code, error.to_body()))

    def event(self, name: str, body: Mapping[str, Any] | None = None) -> None:
        """Tell the editor something."""
        self._send(self._connection.event(name, body))
        self._tell(Event(0, name, dict(body or {})))

    def request(self, command: str, arguments: Mapping[str, Any], take: Callable[[Response], None]) -> None:
        """Ask the editor for something; `take` gets its answer."""
        seq, data = self._connection.request(command, arguments)
        self._asked[seq] = take
        self._send(data)
        self._tell(Request(seq, command, dict(arguments)))

    def end(self) -> None:
        """Nothing more will be said. What was said still arrives."""
        if not self._ended:
            self._ended = True
            self._end()

    def _send(self, data: bytes) -> None:
        if not self._ended:
            self._write(data)

    def _tell(self, message: Message) -> None:
        if self._trace is not None:
            self._trace("-> editor", message)
