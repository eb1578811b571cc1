"""Enables and disables, and holds the only global state there is: whether this process is enabled.

The functions here are called on the program's threads. What they start is one thread, which `disable_attach`
and the program's end take away again. That thread only listens, until somebody knocks: most programs are
never debugged, and shall not pay for it. `remora._assembly` is the rest of the server.
"""

from __future__ import annotations

import atexit
import os
import socket
import sys
import threading  # noqa: F401 - here: the thread that imports it first counts as the main one, and ours must not
import warnings

from remora._errors import AttachAlreadyEnabledError, InsecureWarning
from remora._log import log
from remora._loop import READ, Loop
from remora._originals import Socket, allocate_lock
from remora._registry import open_door
from remora._unseen import run_unseen

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from types import FrameType

    from remora._assembly import Assembly
    from remora._engine import Engine
    from remora._server import Waiter

__all__ = ["Enabled", "Settings", "break_here", "disable", "enable", "is_attached", "set_exit_code", "wait"]

_EVERYWHERE = ("0.0.0.0", 5678)
_HERE = ("127.0.0.1", 5678)
_FAREWELL = 0.5
_FORK_PATIENCE = 2.0
_LONGEST_WAIT = 1_000_000.0
_SLICE = 0.1 if sys.platform == "win32" else 0.5


class Settings:
    """The arguments of `enable_attach`, but not the secrets: those are used once and forgotten."""

    def __init__(  # noqa: PLR0917
        self,
        address: tuple[str, int],
        certfile: str | None,
        keyfile: str | None,
        redirect_output: bool,
        password: str | None,
        client_cafile: str | None,
        name: str | None,
    ) -> None:
        self.address = address[0], address[1]
        self.certfile = certfile
        self.keyfile = keyfile
        self.redirect_output = redirect_output
        self.password = password
        self.client_cafile = client_cafile
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class Enabled:
    """An enabled process: one thread that listens, and all that has to be taken away again."""

    def __init__(
        self,
        settings: Settings,
        secrets: tuple[str | None, str | None],
        sock: socket.socket,
        context: ssl.SSLContext | None,
    ) -> None:
        self.settings = settings
        self.context = context
        self.socket = sock
        self.address: tuple[str, int] = sock.getsockname()[:2]
        self.door = open_door()
        self.engine = _make_engine_here()
        self.loop = Loop()
        self.is_closed = False
        self._secrets: tuple[str | None, str | None] | None = secrets
        self._assembly: Assembly | None = None
        for each in self._sockets():
            self.loop.watch(each, READ, self._on_knock)
        self.loop.start(run_unseen)

    def __repr__(self) -> str:
        return f"<Enabled at {self.address}>"

    def _sockets(self) -> list[socket.socket]:
        return [self.socket] if self.door is None else [self.socket, self.door.socket]

    def is_same(self, settings: Settings, secrets: tuple[str | None, str | None]) -> bool:
        """Whether it was enabled with these arguments."""
        if self._assembly is None:
            return self.settings == settings and self._secrets == secrets
        return self.settings == settings and self._assembly.gate.holds(*secrets)

    @property
    def assembly(self) -> Assembly | None:
        """The rest of the server, once anybody has knocked."""
        return self._assembly

    # -- on the server's thread -------------------------------------------------------------------

    def _on_knock(self, _events: int) -> None:
        for each in self._sockets():
            self.loop.watch(each, 0, self._on_knock)
        self.assemble()

    def assemble(self) -> Assembly:
        """Put the rest together, if that has not been done; it then listens in our place."""
        if self._assembly is None:
            with _state.importing:
                from remora._assembly import Assembly

                assert self._secrets is not None
                self._assembly = Assembly(self, self._secrets)
                self._secrets = None
        return self._assembly

    def _close(self, farewell: str | None, exit_code: int | None) -> None:
        for each in self._sockets():
            self.loop.watch(each, 0, self._on_knock)
            each.close()
        if self.door is not None:
            self.door.remove()
        if self._assembly is not None:
            self._assembly.server.close(farewell, exit_code)
        self._stop_when_said(int(_FAREWELL / 0.01))

    def _stop_when_said(self, patience: int) -> None:
        """The last words need a moment: closed too early, a connection loses what is on its way."""
        if patience <= 0 or not self.loop.is_watching:
            self.loop.stop()
        else:
            self.loop.call_later(0.01, lambda: self._stop_when_said(patience - 1))

    # -- on the program's threads -----------------------------------------------------------------

    def close(self, farewell: str | None, exit_code: int | None = None) -> None:
        """End it; afterwards nothing of it is left."""
        self.loop.post(lambda: self._close(farewell, exit_code))
        if not self.loop.join(_FAREWELL + 2.0):
            log.error("the server's thread did not end")
        self.is_closed = True

    def abandon(self) -> None:
        """In a forked child: what is open here belongs to the parent."""
        self.is_closed = True
        self.loop.abandon()
        if self._assembly is not None:
            self._assembly.abandon()


class _State:
    """Whether this process is enabled, and what is known of its end."""

    def __init__(self) -> None:
        self.enabled: Enabled | None = None
        self.is_hooked = False
        self.exit_code: int | None = None
        self.may_release = False
        self.make_locks()

    def make_locks(self) -> None:
        """New ones: whoever held the old ones is not in this process."""
        self.lock = allocate_lock()
        #: Held while our thread imports. A child forked in the middle could never import these modules.
        self.importing = allocate_lock()

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
    settings = Settings(where, certfile, keyfile, bool(redirect_output), password, client_cafile, name)
    secrets = secret, observer_secret
    with _state.lock:
        known = _state.enabled
        if known is not None:
            if known.is_same(settings, secrets):
                return known.address
            raise AttachAlreadyEnabledError(
                f"Attaching is enabled already, at {known.address}, with other arguments. "
                "Call remora.disable_attach() first to change them."
            )
        log.open_from(os.environ.get("REMORA_LOG", ""))
        _warn_if_insecure(where[0], certfile, secret)
        context = _make_context(settings)
        made = Enabled(settings, secrets, _bind(where), context)
        _state.enabled = made
        _install_hooks()
        log.info(f"enabled at {made.address}")
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
    waiters: list[Waiter] = []

    def begin() -> None:
        waiters.append(enabled.assemble().server.make_waiter(came.release))
        waiters[0].begin()

    def end() -> None:
        for waiter in waiters:
            waiter.end()

    enabled.loop.post(begin)
    left = _LONGEST_WAIT if timeout is None else max(timeout, 0.0)
    try:
        # In slices: so that the end of the server is noticed, and on Windows Ctrl-C.
        while not came.acquire(timeout=min(left, _SLICE)):
            left -= _SLICE
            if left <= 0 or enabled.is_closed:
                return False
        return waiters[0].is_attached
    finally:
        enabled.loop.post(end)


def is_attached() -> bool:
    """See `remora.is_attached`."""
    enabled = _state.enabled
    return enabled is not None and enabled.assembly is not None and enabled.assembly.server.is_attached


def break_here(frame: FrameType) -> None:
    """Stop the program behind the line that this frame is at, if somebody is attached."""
    enabled = _state.enabled
    assembly = None if enabled is None else enabled.assembly
    if assembly is not None and assembly.server.driver is not None:
        assembly.debugger.break_here(frame)


def set_exit_code(code: int) -> None:
    """What the program's exit code is going to be, where somebody knows: who runs it."""
    _state.exit_code = code


# -- the parts ------------------------------------------------------------------------------------


def _check(secret: object, observer_secret: object) -> None:
    for name, value in (("secret", secret), ("observer_secret", observer_secret)):
        if value is None:
            continue
        if not isinstance(value, str):
            raise TypeError(f"{name} has to be a str or None, not {type(value).__name__}")
        if not (value.isascii() and value.isprintable()):
            from remora_protocol import Verifier

            Verifier.from_secret(value)  # says what cannot be part of a secret
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


def _make_context(settings: Settings) -> ssl.SSLContext | None:
    """TLS as it was asked for; None without a certificate."""
    if settings.certfile is None:
        if settings.keyfile is not None or settings.client_cafile is not None:
            raise ValueError("keyfile and client_cafile need certfile")
        return None
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A text even when there is none: OpenSSL would ask for it on the terminal of the program.
    context.load_cert_chain(settings.certfile, settings.keyfile, settings.password or "")
    if settings.client_cafile is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(settings.client_cafile)
    return context


def _make_engine_here() -> Engine | None:
    """PyPy's engine gets into the main thread by a signal, whose handler only that thread can install."""
    if sys.implementation.name != "pypy":
        return None
    from remora._engine import choose

    return choose()


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
        sock.listen(1024)  # a full queue costs whoever comes next a second
    except BaseException:
        sock.close()
        raise
    return sock


# -- fork and exit --------------------------------------------------------------------------------


def _install_hooks() -> None:
    """Once per process: neither hook can be taken back, and both do nothing while nothing is enabled."""
    if not _state.is_hooked:
        _state.is_hooked = True
        atexit.register(_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child
            )


def _before_fork() -> None:
    _state.may_release = _state.importing.acquire(timeout=_FORK_PATIENCE)


def _after_fork() -> None:
    if _state.may_release:
        _state.importing.release()


def _after_fork_in_child() -> None:
    _state.make_locks()
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
