"""Enables and disables, and holds the only global state there is: whether this process is enabled.

The functions here are called on the program's threads. What they start is one thread (`remora._enabled`),
which `disable_attach` and the program's end take away again, and which a forked child gets for itself.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading  # noqa: F401 - here: the thread that imports it first counts as the main one, and ours must not
import typing  # noqa: F401 - here: while ours imports it, dataclasses of the program would find it half made

from remora._enabled import PATIENCE, Enabled, Settings
from remora._errors import AttachAlreadyEnabledError
from remora._identity import Identity
from remora._interpreter._forked import when_settled
from remora._interpreter._importing import importing
from remora._interpreter._originals import allocate_lock, get_ident
from remora._log import log
from remora._network._call import Call
from remora._network._port import Port
from remora._network._registry import open_door
from remora._opening import check_secrets, make_tls, warn_if_insecure
from remora._owner._spared import spared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from remora._network._registry import Door
    from remora._sessions._waiter import Waiter

__all__ = [
    "break_here",
    "call",
    "disable",
    "enable",
    "enabled_now",
    "is_attached",
    "post_mortem",
    "set_exit_code",
    "trace_here",
    "wait",
    "wait_on_crash",
]

_EVERYWHERE = ("0.0.0.0", 5678)
_HERE = ("127.0.0.1", 5678)
_LONGEST_WAIT = 1_000_000.0
_SLICE = 0.1 if sys.platform == "win32" else 0.5


class _State:
    """Whether this process is enabled, and what is known of its end."""

    def __init__(self) -> None:
        self.enabled: Enabled | None = None
        self.is_hooked = False
        self.exit_code: int | None = None
        self.make_lock()

    def make_lock(self) -> None:
        """A new one: whoever held the old one is not in this process."""
        self.lock = allocate_lock()

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
    made = _begin(settings, (secret, observer_secret))
    if made.port.patience:
        wait(made.port.patience)
    return made.address


def call(  # noqa: PLR0917
    address: tuple[str, int],
    secret: str | None,
    certfile: str | None,
    keyfile: str | None,
    redirect_output: bool,
    password: str | None,
    client_cafile: str | None,
    observer_secret: str | None,
    name: str | None,
    give_up: float | None,
) -> None:
    """See `remora.connect`."""
    check_secrets(secret, observer_secret)
    settings = Settings(
        address, certfile, keyfile, bool(redirect_output), password, client_cafile, name, (give_up,)
    )
    port = _begin(settings, (secret, observer_secret)).port
    if isinstance(port, Call):
        _post(port.begin_anew)


def _post(what: Callable[[], None]) -> None:
    enabled = _state.enabled
    if enabled is not None:
        enabled.loop.post(what)


def _begin(settings: Settings, secrets: tuple[str | None, str | None]) -> Enabled:
    """What is enabled with these arguments, from now on if it was not before."""
    with _state.lock:
        known = _state.enabled
        if known is not None:
            if known.is_same(settings, secrets):
                return known
            if not known.is_inherited:
                raise AttachAlreadyEnabledError(
                    f"Attaching is enabled already, at {known.address}, with other arguments. "
                    "Call remora.disable_attach() first to change them."
                )
            _state.take()
            known.close("The program has enabled debugging anew, in another way.")
        log.open_from(os.environ.get("REMORA_LOG", ""))
        deed = "listens on" if settings.call is None else "calls"
        warn_if_insecure(settings.address[0], settings.certfile, secrets[0], deed, stacklevel=5)
        tls = make_tls(settings)
        identity = Identity(settings.name)
        door = open_door()
        try:
            port = _take_port(settings, door, identity)
        except BaseException:
            if door is not None:
                door.socket.close()
                door.remove()
            raise
        made = Enabled(settings, secrets, identity, port, door, tls)
        _state.enabled = made
        _install_hooks()
        log.info(f"enabled at {made.address}")
        return made


def _take_port(settings: Settings, door: Door | None, identity: Identity) -> Port:
    if settings.call is not None:
        return Call(settings.address, *settings.call)
    return Port.take(settings.address, door, identity.describe)


def disable() -> None:
    """See `remora.disable_attach`."""
    with _state.lock:
        ended = _state.take()
    if ended is not None:
        ended.close("The program has turned debugging off.")
        log.info("disabled")


def wait(timeout: float | None, frame: FrameType | None = None, *, will_stop: bool = False) -> bool:
    """See `remora.wait_for_attach`.

    Args:
        timeout: in seconds, or None.
        frame: who waits, and stops there when the client wants to begin with that.
        will_stop: who waits stops by itself when a client is there.
    """
    enabled = _state.enabled
    if enabled is None:
        raise RuntimeError("Call remora.enable_attach() before remora.wait_for_attach().")
    came = allocate_lock()
    came.acquire()
    waiters: list[Waiter] = []

    def begin() -> None:
        server = enabled.assemble().server
        waiters.append(server.make_waiter(came.release, will_stop=will_stop, can_stop=frame is not None))
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
    finally:
        enabled.loop.post(end)
    (waiter,) = waiters
    assembly = enabled.assembly
    if frame is not None and waiter.stops and assembly is not None:
        assembly.debugger.enter_here(frame)
    return waiter.is_attached


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


def trace_here(wanted: bool) -> None:
    """See `remora.trace_this_thread`."""
    has_changed = spared.remove() if wanted else spared.add()
    enabled = _state.enabled
    assembly = None if enabled is None else enabled.assembly
    if has_changed and assembly is not None:
        assembly.debugger.trace_here(wanted)


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
    if get_ident() in spared.idents:
        return
    if _state.enabled is enabled and not is_attached():
        host, port = enabled.address
        limit = "" if timeout is None else f" for {timeout:g} s"
        _say(
            f"remora: {type(error).__name__} was not caught; waiting{limit} for a debugger at {host}:{port}, "
            "Ctrl-C goes on"
        )
        wait(timeout, will_stop=True)
    post_mortem(error)


def _say(text: str) -> None:
    """Whoever asked to have the program wait wants to know why it stands still."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        pass  # it has no such stream any more


def enabled_now() -> Enabled | None:
    """What is enabled in this process: for what runs in it beside the program."""
    return _state.enabled


def set_exit_code(code: int) -> None:
    """What the program's exit code is going to be, where somebody knows: who runs it."""
    _state.exit_code = code


# -- fork and exit --------------------------------------------------------------------------------


def _install_hooks() -> None:
    """Once per process: neither hook can be taken back, and both do nothing while nothing is enabled."""
    if not _state.is_hooked:
        _state.is_hooked = True
        atexit.register(_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=importing.before_fork,
                after_in_parent=importing.after_fork,
                after_in_child=_after_fork_in_child,
            )


def _after_fork_in_child() -> None:
    """The child is debugged by nobody, and can be as its parent could: behind the same port.

    When the parent's client follows its children, it is given a moment to attach to this one, too.
    """
    importing.make_lock()
    _state.make_lock()
    left = _state.take()
    if left is None:
        return
    is_followed = left.is_followed()
    left.abandon()

    def inherit() -> None:
        _state.enabled = left.make_heir(at_once=is_followed)
        if is_followed:
            wait(PATIENCE)

    try:
        when_settled(inherit)
    except Exception as error:  # no more threads, say: it is no reason for the child to notice us
        log.error(f"a forked child cannot be debugged: {error}")


def _at_exit() -> None:
    """The program ends: the client hears it, and our thread ends before the interpreter is taken apart."""
    ended = _state.take()
    if ended is not None:
        code = _state.exit_code
        if code is None and getattr(sys, "last_value", None) is not None:
            code = 1
        ended.close(None, code)
