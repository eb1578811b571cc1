"""A small blocking DAP client, for Remora and for debugpy alike: one socket, one thread."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time
from typing import Any, Callable

Message = dict[str, Any]


class DapError(Exception):
    """The server refused a request, closed the connection, or was silent past the deadline."""


class DapClient:
    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()
        self._next_seq = 1
        self._events: list[Message] = []
        self._responses: dict[int, Message] = {}
        self.on_output: Callable[[str], None] | None = None

    def __enter__(self) -> DapClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, command: str, **arguments: Any) -> int:
        seq, self._next_seq = self._next_seq, self._next_seq + 1
        message = {"seq": seq, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return seq

    def response(self, seq: int, timeout: float = 30) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while seq not in self._responses:
            self._receive(deadline)
        message = self._responses.pop(seq)
        if not message["success"]:
            raise DapError(f"{message['command']}: {message.get('message')} {message.get('body')}")
        body: dict[str, Any] = message.get("body") or {}
        return body

    def request(self, command: str, **arguments: Any) -> dict[str, Any]:
        return self.response(self.send(command, **arguments))

    def event(self, name: str, timeout: float = 30) -> dict[str, Any]:
        """The body of the oldest such event not yet taken."""
        deadline = time.monotonic() + timeout
        while True:
            for index, message in enumerate(self._events):
                if message["event"] == name:
                    body: dict[str, Any] = self._events.pop(index).get("body") or {}
                    return body
            self._receive(deadline)

    def attach(self, breakpoints: dict[str, list[dict[str, Any]]] | None = None, **arguments: Any) -> None:
        """From `initialize` to `configurationDone`. debugpy answers `attach` only at the very end."""
        self.request(
            "initialize",
            adapterID="benchmark",
            clientID="benchmark",
            linesStartAt1=True,
            columnsStartAt1=True,
            pathFormat="path",
            supportsVariablePaging=True,
        )
        attached = self.send("attach", name="benchmark", type="python", request="attach", **arguments)
        self.event("initialized")
        for path, specs in (breakpoints or {}).items():
            self.set_breakpoints(path, specs)
        self.request("configurationDone")
        self.response(attached)

    def detach(self) -> None:
        """Disconnect and wait for the server to hang up: debugpy may ignore who attaches sooner than that."""
        self.request("disconnect")
        with contextlib.suppress(DapError):
            self.pump_while(lambda: True, 1)

    def set_breakpoints(self, path: str, specs: list[dict[str, Any]]) -> None:
        body = self.request("setBreakpoints", source={"path": path}, breakpoints=specs)
        unbound = [bound for bound in body["breakpoints"] if not bound["verified"]]
        if unbound:
            raise DapError(f"not bound: {unbound}")

    def pump(self, other: int, timeout: float) -> None:
        """Take messages until the descriptor `other` is readable."""
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            readable, _, _ = select.select([self._socket.fileno(), other], [], [], left)
            if self._socket.fileno() in readable:
                self._receive(deadline)
            elif readable:
                return
            else:
                raise DapError(f"nothing within {timeout:.0f} s")

    def pump_while(self, wanted: Callable[[], bool], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while wanted():
            self._receive(deadline)

    def _receive(self, deadline: float) -> None:
        """Wait for bytes once, and sort the messages that are complete."""
        self._socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            data = self._socket.recv(1 << 18)
        except (TimeoutError, socket.timeout) as error:
            raise DapError("no answer in time") from error
        if not data:
            raise DapError("the server closed the connection")
        self._received += data
        while (message := self._next_message()) is not None:
            self._sort(message)

    def _next_message(self) -> Message | None:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        length = int(bytes(self._received[:end]).split(b"Content-Length:")[1].split(b"\r\n")[0])
        if len(self._received) < end + 4 + length:
            return None
        body = bytes(self._received[end + 4 : end + 4 + length])
        del self._received[: end + 4 + length]
        message: Message = json.loads(body)
        return message

    def _sort(self, message: Message) -> None:
        if message["type"] == "response":
            self._responses[message["request_seq"]] = message
        elif message["type"] == "event":
            if message["event"] == "output" and self.on_output is not None:
                self.on_output(message["body"].get("output", ""))
            else:
                self._events.append(message)
