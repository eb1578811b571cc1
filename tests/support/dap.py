"""A small DAP client on a blocking socket, apart from Remora's own: neither hides the other's mistakes.

Everything runs on the test's thread: a wait reads messages until the wanted one is there or the deadline
has passed; what else came in is kept for later waits. Only the login borrows from Remora: its SCRAM.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from tests.support.dap_schema import problems

TIMEOUT = 20.0

Body = dict[str, Any]


class Refused(Exception):
    """A request was answered with `success: false`."""

    def __init__(self, response: Body) -> None:
        self.response = response
        self.code: str = response.get("message") or ""
        self.error: Body = (response.get("body") or {}).get("error") or {}
        self.text: str = self.error.get("format", "")
        super().__init__(f"{response.get('command')}: {self.code}: {self.text}")


class DapClient:
    """One connection to a debuggee's server."""

    def __init__(self, connected: socket.socket, *, certificate: bytes | None = None) -> None:
        self.socket = connected
        self.certificate = certificate
        self.closed = False
        self.capabilities: Body = {}
        self.events: list[Body] = []
        self.messages: list[Body] = []
        self.requests: list[Body] = []
        self._responses: dict[int, Body] = {}
        self._received = b""
        self._next = 1

    @classmethod
    def connect(
        cls,
        address: tuple[str, int],
        secret: str | None = None,
        *,
        tls: bool | ssl.SSLContext = False,
        login: bool = True,
        timeout: float = TIMEOUT,
    ) -> DapClient:
        """Connects and, unless told not to, says hello and logs in."""
        connected: socket.socket = socket.create_connection(address, timeout)
        certificate = None
        if tls:
            context = tls if isinstance(tls, ssl.SSLContext) else trusting_context()
            connected = context.wrap_socket(connected, server_hostname=address[0])
            certificate = connected.getpeercert(binary_form=True)
        client = cls(connected, certificate=certificate)
        if login:
            try:
                client.login(secret)
            except BaseException:
                client.close()
                raise
        return client

    # Bytes

    def send_bytes(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps(message).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def _read_some(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            data = b""
        if not data:
            self.closed = True
        self._received += data
        while (message := self._next_message()) is not None:
            self.messages.append(message)
            assert not (wrong := problems(message)), f"against DAP's schema: {wrong} in {message}"
            if message["type"] == "event":
                self.events.append(message)
            elif message["type"] == "response":
                self._responses[message["request_seq"]] = message
            else:
                self.requests.append(message)

    def _next_message(self) -> Body | None:
        head, blank, rest = self._received.partition(b"\r\n\r\n")
        if not blank:
            return None
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n"))
        length = int(fields[b"Content-Length"])
        if len(rest) < length:
            return None
        self._received = rest[length:]
        message: Body = json.loads(rest[:length])
        return message

    def _wait(self, look: Callable[[], Body | None], what: str, timeout: float) -> Body:
        deadline = time.monotonic() + timeout
        while True:
            if (found := look()) is not None:
                return found
            if self.closed:
                raise ConnectionError(f"the server closed the connection before {what}; {self._story()}")
            try:
                self._read_some(deadline)
            except TimeoutError:
                raise AssertionError(f"no {what} within {timeout} s; {self._story()}") from None

    def _story(self) -> str:
        return "last messages:\n" + "\n".join(json.dumps(message)[:300] for message in self.messages[-12:])

    def wait_closed(self, timeout: float = TIMEOUT) -> None:
        """Waits until the server hangs up."""
        deadline = time.monotonic() + timeout
        while not self.closed:
            try:
                self._read_some(deadline)
            except TimeoutError:
                raise AssertionError(f"not closed within {timeout} s; {self._story()}") from None

    # Requests and events

    def begin(self, command: str, arguments: Mapping[str, Any] | None = None, /, **more: Any) -> int:
        """Sends a request and returns its number at once."""
        number, self._next = self._next, self._next + 1
        merged = {**(arguments or {}), **more}
        self.send({"seq": number, "type": "request", "command": command, "arguments": merged})
        return number

    def finish(self, number: int, timeout: float = TIMEOUT) -> Any:
        """Waits for the answer to a request that was begun; raises `Refused` if it is a refusal."""
        response = self._wait(
            lambda: self._responses.pop(number, None), f"answer to request {number}", timeout
        )
        if not response["success"]:
            raise Refused(response)
        return response.get("body") or {}

    def request(
        self,
        command: str,
        arguments: Mapping[str, Any] | None = None,
        /,
        timeout: float = TIMEOUT,
        **more: Any,
    ) -> Any:
        """Sends a request and waits for its answer's body."""
        return self.finish(self.begin(command, arguments, **more), timeout)

    def expect_event(self, name: str, timeout: float = TIMEOUT, **match: Any) -> Body:
        """Waits for an event whose body has the given values, takes it, and returns its body."""

        def look() -> Body | None:
            for index, event in enumerate(self.events):
                body = event.get("body") or {}
                if event["event"] == name and all(body.get(key) == value for key, value in match.items()):
                    del self.events[index]
                    return dict(body)
            return None

        return self._wait(look, f"event {name} {match or ''}", timeout)

    def drain(self) -> list[Body]:
        """Takes every event that is there by now: a round trip brings in all that was sent before it."""
        self.request("threads")
        taken, self.events = self.events, []
        return taken

    # Login

    def hello(self, **overrides: Any) -> Body:
        arguments = {
            "protocol": {"min": 1, "max": 1},
            "client": {"name": "tests", "version": "0"},
            **overrides,
        }
        body: Body = self.request("remora/hello", arguments)
        return body

    def login(self, secret: str | None, *, user: str = "remora") -> Body:
        """Says hello and, if the server asks for it, proves the secret. Returns what hello answered."""
        from remora_protocol import MECHANISM_PLUS, ScramClient, tls_server_end_point

        body = self.hello()
        offered = body["mechanisms"]
        if offered:
            binding = tls_server_end_point(self.certificate) if self.certificate else None
            mechanism = offered[0]
            scram = ScramClient(
                secret or "",
                mechanism,
                channel_binding=binding,
                server_offers_plus=MECHANISM_PLUS in offered,
                user=user,
            )
            first = self.request("remora/authenticate", mechanism=mechanism, data=_encode(scram.first()))
            proof = scram.receive(_decode(first["data"]))
            final = self.request("remora/authenticate", mechanism=mechanism, data=_encode(proof))
            scram.finish(_decode(final["data"]))
        return body

    # DAP, the way an editor goes about it

    def initialize(self, **arguments: Any) -> Body:
        self.capabilities = self.request(
            "initialize",
            {"clientID": "tests", "adapterID": "remora", "linesStartAt1": True, "columnsStartAt1": True,
             "pathFormat": "path", "supportsVariableType": True, "supportsVariablePaging": True},
            **arguments,
        )  # fmt: skip
        return self.capabilities

    def attach(
        self,
        breakpoints: Mapping[Any, Iterable[int]] | None = None,
        /,
        *,
        initialize: bool = True,
        **arguments: Any,
    ) -> DapClient:
        """initialize, attach, breakpoints, configurationDone; returns itself."""
        if initialize:
            self.initialize()
        attaching = self.begin("attach", arguments)

        def ready() -> Body | None:
            answer = self._responses.get(attaching)
            if answer is not None and not answer["success"]:
                raise Refused(self._responses.pop(attaching))
            return next((event for event in self.events if event["event"] == "initialized"), None)

        self.events.remove(self._wait(ready, "event initialized", TIMEOUT))
        for path, lines in (breakpoints or {}).items():
            self.set_breakpoints(path, lines)
        self.request("configurationDone")
        self.finish(attaching)
        return self

    def set_breakpoints(
        self, path: str | os.PathLike[str], lines: Iterable[int | Mapping[str, Any]], **source: Any
    ) -> list[Body]:
        """Sets a file's breakpoints; a mapping in `lines` is a whole SourceBreakpoint."""
        specs = [{"line": line} if isinstance(line, int) else dict(line) for line in lines]
        body = self.request("setBreakpoints", source={"path": os.fspath(path), **source}, breakpoints=specs)
        placed: list[Body] = body["breakpoints"]
        return placed

    def wait_stopped(self, timeout: float = TIMEOUT, **match: Any) -> Body:
        """Waits for a stop; returns the event's body. The stack is one `stack()` away."""
        return self.expect_event("stopped", timeout, **match)

    def stack(self, thread: int, **paging: Any) -> list[Body]:
        frames: list[Body] = self.request("stackTrace", threadId=thread, **paging)["stackFrames"]
        return frames

    def top(self, thread: int) -> Body:
        return self.stack(thread)[0]

    def scopes(self, frame: int) -> dict[str, Body]:
        """A frame's scopes by name."""
        return {scope["name"]: scope for scope in self.request("scopes", frameId=frame)["scopes"]}

    def variables(self, reference: int, **paging: Any) -> list[Body]:
        found: list[Body] = self.request("variables", variablesReference=reference, **paging)["variables"]
        return found

    def locals(self, frame: int) -> dict[str, str]:
        """A frame's local variables: name -> value as shown."""
        return {
            one["name"]: one["value"]
            for one in self.variables(self.scopes(frame)["Locals"]["variablesReference"])
        }

    def evaluate(self, expression: str, frame: int | None = None, context: str = "repl", **more: Any) -> Body:
        arguments: Body = {"expression": expression, "context": context, **more}
        if frame is not None:
            arguments["frameId"] = frame
        body: Body = self.request("evaluate", arguments)
        return body

    def continue_(self, thread: int, **more: Any) -> Body:
        body: Body = self.request("continue", threadId=thread, **more)
        return body

    def next(self, thread: int, **more: Any) -> None:
        self.request("next", threadId=thread, **more)

    def step_in(self, thread: int, **more: Any) -> None:
        self.request("stepIn", threadId=thread, **more)

    def step_out(self, thread: int, **more: Any) -> None:
        self.request("stepOut", threadId=thread, **more)

    def pause(self, thread: int, **more: Any) -> None:
        self.request("pause", threadId=thread, **more)

    def threads(self) -> list[Body]:
        found: list[Body] = self.request("threads")["threads"]
        return found

    def disconnect(self, **arguments: Any) -> None:
        """Leaves, and waits for what comes of it: the server answers, undoes all of it, and hangs up."""
        self.request("disconnect", arguments)
        self.wait_closed()
        self.close()

    def close(self) -> None:
        """Hangs up without a word, as a client that was killed does."""
        self.socket.close()
        self.closed = True

    def __enter__(self) -> DapClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def trusting_context() -> ssl.SSLContext:
    """TLS that takes any certificate: the tests of trust are the real client's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
