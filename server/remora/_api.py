"""Composes the server and holds the only global state there is: whether this process is enabled.

The functions here are called on the program's threads. What they start is one thread, which `disable_attach`
and the program's end take away again.
"""

from __future__ import annotations

import atexit
import os
import socket
import sys
import warnings
from typing import TYPE_CHECKING, Any

from remora._debugger import Debugger
from remora._engine import run_unseen
from remora._errors import AttachAlreadyEnabledError, InsecureWarning
from remora._identity import Identity
from remora._listener import Listener, Lobby
from remora._log import log
from remora._login import Gate, Peer
from remora._loop import Loop
from remora._originals import Socket, allocate_lock
from remora._registry import Door, open_door
from remora._server import Server
from remora._sources import Sources

if TYPE_CHECKING:
    import ssl
    from types import FrameType

__all__ = ["Enabled", "break_here", "disable", "enable", "is_attached", "set_exit_code", "wait"]

_EVERYWHERE = ("0.0.0.0", 5678)
_HERE = ("127.0.0.1", 5678)
_FAREWELL = 0.5
_LONGEST_WAIT = 1_000_000.0


class Enabled:
    """An enabled process: everything that has to be taken away again."""

    def __init__(
        self, secret: str | None, observer_secret: str | None, wanted: tuple[Any, ...], name: str | None
    ) -> None:
        self.wanted = wanted
        self.loop = Loop()
        self.sources = Sources()
        self.debugger = Debugger(self.sources, self.loop.post)
        self.gate = Gate(secret, observer_secret)
        self.name = name
        self.address = ("", 0)
        self.door: Door | None = None
        self.listeners: list[Listener] = []
        self.server: Server

    def open(
        self, sock: socket.socket, context: ssl.SSLContext | None, binding: bytes | None, redirect: bool
    ) -> None:
        """Take connections from now on."""
        self.address = sock.getsockname()[:2]
        identity = Identity(self.name, self.address)
        self.server = Server(self.loop, self.gate, self.sources, self.debugger, identity, binding=binding)
        self.server.redirect_output = redirect
        lobby = Lobby()
        self.listeners.append(Listener(self.server, lobby, sock, _identify, context))
        self.door = open_door()
        if self.door is not None:
            self.listeners.append(Listener(self.server, lobby, self.door.socket, self.door.identify))
        self.loop.start(run_unseen, self.debugger.own_threads.add)

    def is_same(self, secret: str | None, observer_secret: str | None, wanted: tuple[Any, ...]) -> bool:
        """Whether it was enabled with these arguments."""
        return self.wanted == wanted and self.gate.holds(secret, observer_secret)

    def close(self, farewell: str | None, exit_code: int | None = None) -> None:
        """End it, from any thread of the program: afterwards nothing of it is left."""
        self.loop.post(lambda: self._close(farewell, exit_code))
        if not self.loop.join(_FAREWELL + 2.0):
            log.error("the server's thread did not end")

    def _close(self, farewell: str | None, exit_code: int | None) -> None:
        for listener in self.listeners:
            listener.close()
        if self.door is not None:
            self.door.remove()
        self.server.close(farewell, exit_code)
        self._stop_when_said(int(_FAREWELL / 0.01))

    def _stop_when_said(self, patience: int) -> None:
        """The last words need a moment: closed too early, a connection loses what is on its way."""
        if patience <= 0 or not self.loop.is_watching:
            self.loop.stop()
        else:
            self.loop.call_later(0.01, lambda: self._stop_when_said(patience - 1))

    def abandon(self) -> None:
        """In a forked child: what is open here belongs to the parent."""
        self.loop.abandon()
        self.server.output.stop()
        self.debugger.after_fork_in_child()


class _State:
    """Whether this process is enabled, and what is known of its end."""

    def __init__(self) -> None:
        self.lock = allocate_lock()
        self.enabled: Enabled | None = None
        self.is_hooked = False
        self.exit_code: int | None = None

    def take(self) -> Enabled | None:
        """What was enabled; from now on nothing is."""
        taken, self.enabled = self.enabled, None
        return taken


_state = _State()


def enable(  # noqa: PLR0917 - as many as ptvsd gave it, in this order
    secret: str | None,
    address: tuple[str, int] | None,
    certfile: str | None,
    keyfile: str | None,
    redirect_output: bool,
    password: str | None,
    client_cafile: str | None,
    observer_secret: str | None,
    name: str | None,
) -> tuple[str, int]:
    """See `remora.enable_attach`."""
    _check(secret, observer_secret)
    where = address or (_HERE if secret is None else _EVERYWHERE)
    wanted = (where[0], where[1], certfile, keyfile, bool(redirect_output), password, client_cafile, name)
    with _state.lock:
        known = _state.enabled
        if known is not None:
            if known.is_same(secret, observer_secret, wanted):
                return known.address
            raise AttachAlreadyEnabledError(
                f"Attaching is enabled already, at {known.address}, with other arguments. "
                "Call remora.disable_attach() first to change them."
            )
        log.open_from(os.environ.get("REMORA_LOG", ""))
        _warn_if_insecure(where[0], certfile, secret)
        context, binding = _make_context(certfile, keyfile, password, client_cafile)
        sock = _bind(where)
        made = Enabled(secret, observer_secret, wanted, name)
        made.open(sock, context, binding, bool(redirect_output))
        _state.enabled = made
        _install_hooks()
        log.info(f"enabled at {made.address}, engine {made.debugger.engine_name}")
        return made.address


def disable() -> None:
    """See `remora.disable_attach`."""
    with _state.lock:
        ended = _state.take()
    if ended is not None:
        ended.close("The program has turned debugging off.")
        log.info("disabled")


def wait(timeout: float | None) -> bool:
    """See `remora.wait_for_attach`."""
    enabled = _state.enabled
    if enabled is None:
        raise RuntimeError("Call remora.enable_attach() before remora.wait_for_attach().")
    came = allocate_lock()
    came.acquire()
    waiter = enabled.server.make_waiter(came.release)
    enabled.loop.post(waiter.begin)
    patience = _LONGEST_WAIT if timeout is None else min(max(timeout, 0.0), _LONGEST_WAIT)
    try:
        # In slices on Windows, where Ctrl-C does not get through to a thread that waits for a lock.
        while not came.acquire(timeout=min(patience, 0.1) if sys.platform == "win32" else patience):
            patience -= 0.1 if sys.platform == "win32" else patience
            if patience <= 0 and timeout is not None:
                return False
            patience = patience if timeout is not None else _LONGEST_WAIT
        return waiter.is_attached
    finally:
        enabled.loop.post(waiter.end)


def is_attached() -> bool:
    """See `remora.is_attached`."""
    enabled = _state.enabled
    return enabled is not None and enabled.server.is_attached


def break_here(frame: FrameType) -> None:
    """Stop the program behind the line that this frame is at, if somebody is attached."""
    enabled = _state.enabled
    if enabled is not None and enabled.server.driver is not None:
        enabled.debugger.break_here(frame)


def set_exit_code(code: int) -> None:
    """What the program's exit code is going to be, where somebody knows: who runs it."""
    _state.exit_code = code


# -- the parts ------------------------------------------------------------------------------------


def _check(secret: object, observer_secret: object) -> None:
    for name, value in (("secret", secret), ("observer_secret", observer_secret)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} has to be a str or None, not {type(value).__name__}")
    if secret is None and observer_secret is not None:
        raise ValueError("observer_secret makes no sense without secret: everybody may do everything then")


def _warn_if_insecure(host: str, certfile: str | None, secret: str | None) -> None:
    if _is_loopback(host) or (certfile and secret is not None):
        return
    missing = []
    if secret is None:
        missing.append("no secret, so anybody who can reach it can run code here: pass one")
    if not certfile:
        missing.append("no TLS, so others can read and change what is sent: pass certfile and keyfile")
    text = f"Remora listens on {host or 'every interface'} with {'; and with '.join(missing)}."
    remedy = ' Or listen on this machine only, with address=("127.0.0.1", 5678), and come in through ssh -L.'
    warnings.warn(f"{text}{remedy}", InsecureWarning, stacklevel=4)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _make_context(
    certfile: str | None, keyfile: str | None, password: str | None, client_cafile: str | None
) -> tuple[ssl.SSLContext | None, bytes | None]:
    """TLS and what binds a login to it; neither without a certificate."""
    if certfile is None:
        if keyfile is not None or client_cafile is not None:
            raise ValueError("keyfile and client_cafile need certfile")
        return None, None
    import ssl

    from remora_protocol import tls_server_end_point

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A text even when there is none: OpenSSL would ask for it on the terminal of the program.
    context.load_cert_chain(certfile, keyfile, password or "")
    if client_cafile is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_cafile)
    with open(certfile, encoding="ascii", errors="replace") as file:
        text = file.read()
    begin, end = text.index(ssl.PEM_HEADER), text.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
    return context, tls_server_end_point(ssl.PEM_cert_to_DER_cert(text[begin:end]))


def _bind(address: tuple[str, int]) -> socket.socket:
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = Socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        sock.bind((host, port))
        sock.listen(128)
    except BaseException:
        sock.close()
        raise
    return sock


def _identify(_sock: socket.socket, address: Any) -> Peer:
    return Peer.from_address(address)


# -- fork and exit --------------------------------------------------------------------------------


def _install_hooks() -> None:
    """Once per process: neither hook can be taken back, and both do nothing while nothing is enabled."""
    if not _state.is_hooked:
        _state.is_hooked = True
        atexit.register(_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_after_fork_in_child)


def _after_fork_in_child() -> None:
    _state.lock = allocate_lock()
    left = _state.take()
    if left is not None:
        left.abandon()


def _at_exit() -> None:
    """The program ends: the client hears it, and our thread ends before the interpreter is taken apart."""
    ended = _state.take()
    if ended is not None:
        code = _state.exit_code
        if code is None and getattr(sys, "last_value", None) is not None:
            code = 1
        ended.close(None, code)
