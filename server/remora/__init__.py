"""Remora: attach a debugger to this running program, over the network, and let nobody else in.

    import remora
    remora.enable_attach("my secret")

and from another machine: `remora attach tcp://host:5678`. Importing this module starts nothing and imports
nothing else; the functions import the server when it is first enabled.
"""

from __future__ import annotations

import sys

from remora._errors import AttachAlreadyEnabledError, InsecureWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from remora._owner._told import Client, Stop

    AttachHook = TypeVar("AttachHook", bound="Callable[[Client], bool | None] | None")
    Render = TypeVar("Render", bound="Callable[[Any], str | None] | None")
    StopHook = TypeVar("StopHook", bound="Callable[[Stop], object] | None")

__all__ = [
    "AttachAlreadyEnabledError",
    "Client",
    "InsecureWarning",
    "Stop",
    "break_into_debugger",
    "breakpoint",
    "connect",
    "disable_attach",
    "enable_attach",
    "is_attached",
    "on_attach",
    "on_stop",
    "post_mortem",
    "renderer",
    "trace_this_thread",
    "wait_for_attach",
    "wait_on_crash",
]

#: Imported when they are asked for: `import remora` is to cost next to nothing.
_TOLD = frozenset({"Client", "Stop"})


def __getattr__(name: str) -> object:
    if name == "__version__":
        from remora_protocol import __version__

        return __version__
    if name in _TOLD:
        from remora._owner import _told

        return getattr(_told, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def enable_attach(
    secret: str | None,
    address: tuple[str, int] | None = None,
    certfile: str | None = None,
    keyfile: str | None = None,
    redirect_output: bool = True,
    *,
    password: str | None = None,
    client_cafile: str | None = None,
    observer_secret: str | None = None,
    name: str | None = None,
) -> tuple[str, int]:
    """Let clients that know the secret debug this process. The program goes on at once.

    Called again with the same arguments it changes nothing.

    Args:
        secret: what a client has to know; None lets everybody in who can reach the address.
        address: where to listen, (host, port), IPv4 or IPv6; port 0 takes any free one. By default
            ("0.0.0.0", 5678), or ("127.0.0.1", 5678) without a secret.
        certfile: a certificate with its chain, in PEM; turns TLS on.
        keyfile: the certificate's key, unless certfile holds it.
        redirect_output: copy what the program prints to the attached client.
        password: of the key file.
        client_cafile: take only clients with a certificate from one of these authorities.
        observer_secret: a second secret, for those who may look and run no code.
        name: what lists of processes show; by default the script's name.

    Returns:
        The address that was really bound.

    Raises:
        AttachAlreadyEnabledError: it is enabled already, with other arguments.
        OSError: the address cannot be had.
    """
    from remora._api import enable

    return enable(
        secret,
        address,
        certfile,
        keyfile,
        redirect_output,
        password,
        client_cafile,
        observer_secret,
        name,
    )


def connect(
    address: tuple[str, int],
    secret: str | None,
    certfile: str | None = None,
    keyfile: str | None = None,
    redirect_output: bool = True,
    *,
    password: str | None = None,
    client_cafile: str | None = None,
    observer_secret: str | None = None,
    name: str | None = None,
    give_up: float | None = 300.0,
) -> None:
    """Call out to a client that waits with `remora listen`. The program goes on at once.

    For a program that nobody can connect to, behind a firewall. Only the direction of the connection differs
    from `enable_attach`: the client proves the secret as ever, and so do we. While nobody is there, or when
    they have left, it is tried again, ever less often. Called again with the same arguments, it begins anew.

    Args:
        address: where the client listens, (host, port).
        secret: what the client has to know; None lets in whoever listens there.
        certfile: a certificate of this program's, in PEM; turns TLS on. The client checks it.
        keyfile: the certificate's key, unless certfile holds it.
        redirect_output: copy what the program prints to the attached client.
        password: of the key file.
        client_cafile: take only clients with a certificate from one of these authorities.
        observer_secret: a second secret, for those who may look and run no code.
        name: what lists of processes show; by default the script's name.
        give_up: seconds without a client, after which no more calls are made; None: never.

    Raises:
        AttachAlreadyEnabledError: attaching is enabled already, with other arguments.
    """
    from remora._api import call

    call(
        address,
        secret,
        certfile,
        keyfile,
        redirect_output,
        password,
        client_cafile,
        observer_secret,
        name,
        give_up,
    )


def wait_for_attach(timeout: float | None = None) -> bool:
    """Wait until a client is attached and has set its breakpoints. Ctrl-C interrupts it.

    Args:
        timeout: in seconds; None waits for as long as it takes.

    Returns:
        Whether a client is there: False after the timeout.
    """
    from remora._api import wait

    return wait(timeout, sys._getframe(1))


def is_attached() -> bool:
    """Whether a client is attached."""
    api: Any = sys.modules.get("remora._api")
    return api is not None and api.is_attached()


def break_into_debugger() -> None:
    """Stop here, on the next line, if a client is attached; otherwise do nothing."""
    api: Any = sys.modules.get("remora._api")
    if api is not None:
        api.break_here(sys._getframe(1))


def breakpoint(*_arguments: object, **_keywords: object) -> None:
    """Stop here as `break_into_debugger` does. For `PYTHONBREAKPOINT=remora.breakpoint`."""
    api: Any = sys.modules.get("remora._api")
    if api is not None:
        api.break_here(sys._getframe(1))


def post_mortem(exc: BaseException | None = None) -> bool:
    """Stop here with the frames of an exception that was caught, if a client is attached.

    Args:
        exc: by default the one that is being handled.

    Returns:
        Whether a client was there to look at it.

    Raises:
        ValueError: there is no exception, or this one was never raised and has no traceback.
    """
    error = sys.exc_info()[1] if exc is None else exc
    if error is None:
        raise ValueError("remora.post_mortem() outside of an except block needs the exception")
    if error.__traceback__ is None:
        raise ValueError(f"this {type(error).__name__} has no traceback: it was not raised")
    api: Any = sys.modules.get("remora._api")
    return api is not None and api.post_mortem(error)


def wait_on_crash(timeout: float | None = None) -> None:
    """From now on wait for a client when an exception is not caught, and stop with its frames.

    That is one that ends a thread, that nobody fetched from a task of asyncio (if asyncio is imported by
    now), or that Python can only ignore, as in a destructor. A line on stderr says where to attach.
    `disable_attach` takes it back.

    Args:
        timeout: how many seconds to wait for a client; None waits for as long as it takes.

    Raises:
        RuntimeError: `enable_attach` was not called before.
    """
    from remora._api import wait_on_crash as begin

    begin(timeout)


def on_attach(hook: AttachHook) -> AttachHook:
    """Have `hook(client)` decide about each client that wants to attach. Usable as a decorator.

    It is called when the client has proved the secret and before it gets in, with a `Client`: also for
    observers, for who comes by this user's own door, for a take-over, and for who comes back after a lost
    connection. True or None lets it in. All else refuses it: False, an exception, and no answer within five
    seconds. It runs on threads of Remora's, several at once if clients come at once, where breakpoints do not
    stop; it has to get along without locks that the stopped program may hold.

    There is one hook: another takes its place, and None takes it back. It holds over `disable_attach`, and in
    forked children.

    Raises:
        TypeError: it is no plain function.
    """
    from remora._owner._hooks import hooks

    return hooks.set("on_attach", hook)


def on_stop(hook: StopHook) -> StopHook:
    """Have `hook(stop)` called when the program has stopped for its debugger. Usable as a decorator.

    It is told of every stop that clients are told of, with a `Stop`: also of one in a function that the
    client calls with breakpoints in force, and of a thread that stands elsewhere since it was told to jump.
    It runs on a thread of Remora's, one call at a time, while the program stands; breakpoints do not stop it,
    and nobody waits for it. So it has to get along without locks that stopped threads hold. Its failure is
    told to the client once.

    There is one hook: another takes its place, and None takes it back. It holds over `disable_attach`, and in
    forked children.

    Raises:
        TypeError: it is no plain function.
    """
    from remora._owner._hooks import hooks

    return hooks.set("on_stop", hook)


def renderer(*types: type | str) -> Callable[[Render], Render]:
    """Have the decorated function say how values of these types read, wherever a client shows one.

    It gets a value and returns its text; None leaves the value as it reads without. It is called on the
    stopped thread, never for observers, and counts for what derives from the types, too. When it fails that
    is said behind the value; when it takes too long it is interrupted, and left out from then on.

    There is one renderer for a type: another takes its place, and `renderer(TYPE)(None)` takes it back.

    Args:
        types: classes, or names of classes, `shop.orders.Money` or just `Money`: nothing is imported for it.

    Raises:
        TypeError: what is given is no type and no name; or, of the decorator, no plain function.
    """
    wrong = [each for each in types if not isinstance(each, (type, str))]
    if wrong or not types:
        raise TypeError('remora.renderer takes classes or their names, as in @remora.renderer("shop.Money").')
    from remora._owner._hooks import hooks

    def declare(function: Render) -> Render:
        return hooks.set_renderer(types, function)

    return declare


def trace_this_thread(should_trace: bool) -> None:
    """Whether the debugger may stop the calling thread, from now on; by default it may.

    With False it leaves the thread alone: no breakpoint, step, pause or exception stops it, not even their
    conditions are asked in it, it runs on while the others are stopped, and `break_into_debugger` and
    `post_mortem` do nothing in it. Lists of threads show it as untraced. It holds until the thread ends, over
    `enable_attach` and `disable_attach`. For a heartbeat or a watchdog, say.
    """
    from remora._api import trace_here

    trace_here(bool(should_trace))


def disable_attach() -> None:
    """Undo `enable_attach` or `connect`: a client is let go, and no thread, socket or hook is left."""
    api: Any = sys.modules.get("remora._api")
    if api is not None:
        api.disable()
