"""Servers for tests of the client, in threads of their own: a small honest Remora, and several liars.

Each connection is handled by a function that gets a connected socket (TLS already done) and returns when it
is through. Nothing here uses the real server: what the client says and expects is checked byte by byte.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from remora_protocol import (
    AFTER_LOGIN_LIMIT,
    Connection,
    ProtocolError,
    Request,
    RequestFailed,
    ScramError,
    ScramServer,
    Verifier,
    authenticate_body,
    hello_body,
    read_authenticate_arguments,
    tls_server_end_point,
)

SECRET = "my_secret"
DAY = dt.timedelta(days=1)

HOLD = object()  # an answer that is given only after configurationDone
Handle = Callable[[socket.socket], None]


class Server:
    """Accepts on loopback until closed; each connection gets a thread."""

    def __init__(self, handle: Handle, context: ssl.SSLContext | None = None) -> None:
        self._handle = handle
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError, ProtocolError):
            connection.settimeout(20)
            if self._context is not None:
                connection.recv(1, socket.MSG_PEEK)  # `wrap_socket` would leak a socket that was reset
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            self._handle(connection)
        connection.close()

    def close(self) -> None:
        for one in (self._listener, *self._open):
            one.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def process(pid: int = 4711, **changes: Any) -> Any:
    """What a process says of itself."""
    return {
        "pid": pid,
        "ppid": 1,
        "name": "guess.py",
        "argv": ["guess.py"],
        "executable": "/usr/bin/python3",
        "user": "ada",
        "implementation": "cpython",
        "version": "3.12.1",
        "platform": "linux",
        "cwd": "/app",
        "started": 1700000000.0,
        "state": "running",
        "attachedBy": None,
        "address": None,
        **changes,
    }


Answer = Callable[["Remora", dict[str, Any]], Any]


class _Due(threading.local):
    """What is still to be sent, on each connection for itself: each has a thread."""

    def __init__(self) -> None:
        self.held: list[Request] = []
        self.before: list[tuple[str, dict[str, Any]]] = []
        self.after: list[tuple[str, dict[str, Any]]] = []


@dataclass
class Remora:
    """An honest server, for any number of connections. `answers` overrides what a request gets.

    An answer is a function of the server and the request's arguments that returns the body, raises
    `RequestFailed`, or calls `announce` and `emit` for events before and after the answer.
    """

    secret: str | None = SECRET
    certificate: bytes | None = None
    processes: list[dict[str, Any]] = field(default_factory=lambda: [process()])
    answers: Mapping[str, Answer] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    logins: int = 0
    _due: _Due = field(default_factory=_Due)

    def __call__(self, sock: socket.socket) -> None:
        connection = Connection(AFTER_LOGIN_LIMIT)
        binding = tls_server_end_point(self.certificate) if self.certificate else None
        verifier = Verifier.from_secret(self.secret) if self.secret is not None else None
        scram = ScramServer(verifier, channel_binding=binding) if verifier else None
        while data := sock.recv(65536):
            connection.receive_data(data)
            while (message := connection.next_message()) is not None:
                assert isinstance(message, Request)
                self.seen.append((message.command, message.arguments))
                try:
                    body = self._answer(message, scram)
                    while self._due.before:
                        sock.sendall(connection.event(*self._due.before.pop(0)))
                    if body is HOLD:
                        self._due.held.append(message)
                    else:
                        sock.sendall(connection.respond(message, body))
                    if message.command == "configurationDone":
                        while self._due.held:
                            sock.sendall(connection.respond(self._due.held.pop()))
                except RequestFailed as error:
                    sock.sendall(connection.fail(message, error))
                except ScramError as error:
                    sock.sendall(connection.fail(message, RequestFailed("auth-failed", str(error))))
                    return
                while self._due.after:
                    sock.sendall(connection.event(*self._due.after.pop(0)))

    def announce(self, event: str, body: dict[str, Any] | None = None) -> None:
        """Send an event before the answer."""
        self._due.before.append((event, body or {}))

    def emit(self, event: str, body: dict[str, Any] | None = None) -> None:
        """Send an event after the answer."""
        self._due.after.append((event, body or {}))

    def asked(self, command: str) -> list[dict[str, Any]]:
        """The arguments of all requests of this name."""
        return [arguments for name, arguments in self.seen if name == command]

    def _answer(self, message: Request, scram: ScramServer | None) -> Any:
        if message.command in self.answers:
            return self.answers[message.command](self, message.arguments)
        if message.command == "remora/hello":
            return hello_body(1, "remora", "0.1.0", scram.mechanisms if scram else [])
        if message.command == "remora/authenticate":
            assert scram is not None
            mechanism, data = read_authenticate_arguments(message.arguments)
            if scram.state.value == "start":
                return authenticate_body(scram.start(mechanism, data), done=False)
            final = scram.finish(data)
            self.logins += 1
            return authenticate_body(final, done=True)
        if message.command == "remora/processes":
            return {"processes": self.processes}
        if message.command == "remora/open":
            return {}
        return self._dap(message)

    def _dap(self, message: Request) -> Any:
        if message.command == "initialize":
            return {
                "supportsConfigurationDoneRequest": True,
                "supportsFunctionBreakpoints": True,
                "remora": {"version": "0.1.0", "requests": ["remora/until"], "engine": "fake", "limits": []},
            }
        if message.command == "attach":
            self.emit("initialized")
            return None
        if message.command == "setBreakpoints":
            return {
                "breakpoints": [
                    {"id": 100 + each["line"], "verified": True, "line": each["line"]}
                    for each in message.arguments["breakpoints"]
                ]
            }
        if message.command in ("configurationDone", "disconnect", "continue", "next", "pause"):
            return {}
        if message.command == "threads":
            return {"threads": [{"id": 1, "name": "MainThread"}]}
        if message.command == "stackTrace":
            frame = {"id": 7, "name": "main", "line": 12, "column": 1, "source": {"path": "/app/guess.py"}}
            return {"stackFrames": [frame], "totalFrames": 1}
        raise RequestFailed("unknown-command", f"{message.command} is not known")


@dataclass(frozen=True)
class Files:
    """A certificate and its key on disk."""

    certfile: str
    keyfile: str
    der: bytes
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def context(self, *, client_cafile: str | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certfile, self.keyfile)
        if client_cafile:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_cafile)
        return context


def make_certificate(
    folder: Path,
    name: str = "server",
    *,
    hosts: tuple[str, ...] = ("127.0.0.1",),
    issuer: Files | None = None,
    start: dt.timedelta = -DAY,
    end: dt.timedelta = DAY,
    authority: bool = False,
) -> Files:
    """A certificate of any kind: expired, for another host, by an authority or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(issuer.key if issuer else key, hashes.SHA256())
    )
    certfile, keyfile = folder / f"{name}.crt", folder / f"{name}.key"
    pem = serialization.Encoding.PEM
    certfile.write_bytes(certificate.public_bytes(pem))
    keyfile.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    return Files(str(certfile), str(keyfile), der, certificate, key)
