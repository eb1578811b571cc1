"""Enables and disables, and holds the only global state there is: whether this process is enabled.

The functions here are called on the program's threads. What they start is one thread, which `disable_attach`
and the program's end take away again. That thread only listens, until somebody knocks: most programs are
never debugged, and shall not pay for it. `remora._assembly` is the rest of the server.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading  # noqa: F401 - here: the thread that imports it first counts as the main one, and ours must not

from remora._errors import AttachAlreadyEnabledError
from remora._log import log
from remora._loop import READ, Loop
from remora._opening import bind, check_secrets, make_context, warn_if_insecure
from remora._originals import allocate_lock
from remora._registry import open_door
from remora._unseen import run_unseen

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from types import FrameType

    from remora._assembly import Assembly
    from remora._crash import CrashHooks
    from remora._engine import Engine
    from remora._server import Waiter

__all__ = [
    "Enabled",
    "Settings",
    "break_here",
    "disable",
    "enable",
    "is_attached",
    "post_mortem",
    "set_exit_code",
    "wait",
    "wait_on_crash",
]

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
        self.crash_hooks: CrashHooks | None = None
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
        if self.crash_hooks is not None:
            self.crash_hooks.remove()
        self.loop.post(lambda: self._close(farewell, exit_code))
        if not self.loop.join(_FAREWELL + 2.0):
            log.error("the server's thread did not end")
        self.is_closed = True

    def abandon(self) -> None:
        """In a forked child: what is open here belongs to the parent."""
        if self.crash_hooks is not None:
            self.crash_hooks.remove()
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
    check_secrets(secret, observer_secret)
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
        warn_if_insecure(where[0], certfile, secret)
        context = make_context(settings)
        made = Enabled(settings, secrets, bind(where), context)
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


def post_mortem(error: BaseException) -> bool:
    """See `remora.post_mortem`."""
    enabled = _state.enabled
    assembly = None if enabled is None else enabled.assembly
    if assembly is None or assembly.server.driver is None:
        return False
    return assembly.debugger.post_mortem(error)


def wait_on_crash(timeout: float | None) -> None:
    """See `remora.wait_on_crash`."""
    with _state.lock:
        enabled = _state.enabled
        if enabled is None:
            raise RuntimeError("Call remora.enable_attach() before remora.wait_on_crash().")
        from remora._crash import CrashHooks

        if enabled.crash_hooks is not None:
            enabled.crash_hooks.remove()
        enabled.crash_hooks = CrashHooks(lambda error: _show_crash(enabled, error, timeout))


def _show_crash(enabled: Enabled, error: BaseException, timeout: float | None) -> None:
    """Wait for somebody to look at this exception, unless somebody is there."""
    if _state.enabled is enabled and not is_attached():
        host, port = enabled.address
        limit = "" if timeout is None else f" for {timeout:g} s"
        _say(
            f"remora: {type(error).__name__} was not caught; waiting{limit} for a debugger at {host}:{port}, "
            "Ctrl-C goes on"
        )
        wait(timeout)
    post_mortem(error)


def _say(text: str) -> None:
    """Whoever asked to have the program wait wants to know why it stands still."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        pass  # it has no such stream any more


def set_exit_code(code: int) -> None:
    """What the program's exit code is going to be, where somebody knows: who runs it."""
    _state.exit_code = code


def _make_engine_here() -> Engine | None:
    """PyPy's engine gets into the main thread by a signal, whose handler only that thread can install."""
    if sys.implementation.name != "pypy":
        return None
    from remora._engine import choose

    return choose()


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
