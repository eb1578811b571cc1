"""From a host's name to a connected socket, with every failure told apart. Runs on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
import sys
import threading
from typing import Any

from remora_client._errors import ConnectError, NameNotFound, Refused, TimedOut, Unreachable
from remora_client._text import visible

__all__ = [
    "abort", "dial", "dial_unix", "endpoint", "is_loopback", "reset_on_close", "resolve", "round_trip",
    "tune",
]  # fmt: skip

_Address = tuple[Any, ...]
_NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN, errno.EHOSTDOWN}
# A network that has gone silent is found out within 15 s, as the server does.
_LOOK_EVERY = 0.05  # seconds, whether a local queue has room
_KEEPALIVE = (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 2), ("TCP_USER_TIMEOUT", 15_000))


def endpoint(host: str, port: int) -> str:
    """`host:port`, with brackets where the host is an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can be meant. A name may begin like an address, and lead anywhere."""
    return host in ("localhost", "::1") or (host.startswith("127.") and set(host) <= set("0123456789."))


async def dial(host: str, port: int, timeout: float) -> socket.socket:
    """Connect, within `timeout` seconds for all of it. Raises a `ConnectError` that says how far it got."""
    now = asyncio.get_running_loop().time
    end = now() + timeout
    addresses = await resolve(host, port, timeout)
    errors: list[OSError] = []
    for index, (family, address) in enumerate(addresses):
        try:
            return await _connect(family, address, max(end - now(), 0.0) / (len(addresses) - index))
        except OSError as error:
            errors.append(error)
    raise _explain(errors, host, port, timeout)


async def dial_unix(path: str, timeout: float) -> socket.socket:
    """Connect to a local socket. Raises `OSError`; a `TimeoutError` where nobody takes the connection."""
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise OSError(errno.EAFNOSUPPORT, "this system's Python has no Unix sockets")
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        async with asyncio.timeout(timeout):
            # Not by the event loop: it takes a queue that is full, as of a process that was stopped, for a
            # connection that is under way, and then for one that is made.
            while True:
                try:
                    sock.connect(path)
                    return sock
                except BlockingIOError:
                    await asyncio.sleep(_LOOK_EVERY)
    except TimeoutError:
        sock.close()
        raise TimeoutError(errno.ETIMEDOUT, "it takes no connection") from None
    except BaseException:
        sock.close()
        raise


def abort(sock: socket.socket) -> None:
    """Close with a reset: an old ptvsd that sees an orderly end in mid-greeting spins for ever."""
    reset_on_close(sock)
    sock.close()


def reset_on_close(sock: socket.socket, on: bool = True) -> None:
    """Have the connection end with a reset when it is closed, or not any more."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", int(on), 0))


def round_trip(sock: socket.socket) -> float:
    """Seconds to the other end and back, as the kernel saw it in the connect; 0 where it does not tell."""
    if sys.platform != "linux":
        return 0.0
    with contextlib.suppress(OSError, struct.error):
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        return float(struct.unpack_from("I", info, 68)[0]) / 1e6
    return 0.0


async def _connect(family: int, address: _Address, timeout: float) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        tune(sock)
        async with asyncio.timeout(timeout):
            await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def tune(sock: socket.socket) -> None:
    """No delay for small messages, and a silent end is found out."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        option = getattr(socket, name, None)
        if option is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, option, value)


async def resolve(host: str, port: int, timeout: float) -> list[tuple[int, _Address]]:
    """Addresses for a name. On a thread of its own: an executor's would hold up the exit."""
    if (known := _literal(host, port)) is not None:
        return [known]
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[tuple[int, _Address]]] = loop.create_future()

    def deliver(found: list[tuple[int, _Address]], error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(found)

    def look_up() -> None:
        found: list[tuple[int, _Address]] = []
        failure: BaseException | None = None
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = [(int(family), address) for family, _, _, _, address in rows]
        except (OSError, UnicodeError) as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, found, failure)

    threading.Thread(target=look_up, name="remora-dns", daemon=True).start()
    shown = visible(host)
    try:
        async with asyncio.timeout(timeout):
            return await future
    except TimeoutError:
        raise NameNotFound(
            f"Looking up the name {shown!r} took more than {timeout:.3g} s.",
            "Is the name server reachable? An address instead of the name would do.",
        ) from None
    except socket.gaierror as error:
        raise _name_error(error, shown) from None
    except UnicodeError:
        raise NameNotFound(f"{shown!r} cannot be the name of a host.") from None


def _literal(host: str, port: int) -> tuple[int, _Address] | None:
    """The address that `host` itself is, which nobody has to look up; None for a name."""
    for family, address in ((socket.AF_INET, (host, port)), (socket.AF_INET6, (host, port, 0, 0))):
        with contextlib.suppress(OSError, UnicodeError, ValueError):
            socket.inet_pton(family, host)
            return family, address
    return None


def _name_error(error: socket.gaierror, host: str) -> NameNotFound:
    if error.errno == socket.EAI_AGAIN:
        return NameNotFound(
            f"The name {host!r} could not be looked up: no name server answers.",
            "Is this machine on the network (and on the VPN)?",
        )
    return NameNotFound(
        f"There is no host named {host!r}.", "Check the spelling; an address works as well as a name."
    )


def _explain(errors: list[OSError], host: str, port: int, timeout: float) -> ConnectError:
    """One error for all the addresses that were tried: the one that says most."""
    place = endpoint(visible(host), port)
    refused = [each for each in errors if isinstance(each, ConnectionRefusedError)]
    late = [each for each in errors if isinstance(each, TimeoutError)]
    if refused and not late:
        return Refused(
            f"{place} refused the connection: nothing listens there.",
            "Has the program called remora.enable_attach() (or was it started with python -m remora), on "
            "this port and on an address that this machine can reach? A firewall can refuse, too.",
        )
    if late:
        return TimedOut(
            f"{place} did not answer within {timeout:.3g} s.",
            f"Most often a firewall or security group drops the packets: open TCP port {port} there, or go "
            f"through ssh -L {port}:localhost:{port}. Or the host is down.",
        )
    if any(each.errno in _NO_WAY for each in errors):
        return Unreachable(
            f"There is no way to {place}: {_reason(errors)}.",
            "Is this machine on the right network (VPN), and is the address right?",
        )
    if any(each.errno in (errno.EACCES, errno.EPERM) for each in errors):
        return Unreachable(
            f"This machine may not connect to {place}: {_reason(errors)}.",
            "A firewall on this machine, or a sandbox, forbids it.",
        )
    return ConnectError(f"Connecting to {place} failed: {_reason(errors)}.")


def _reason(errors: list[OSError]) -> str:
    texts = dict.fromkeys(each.strerror or str(each) or type(each).__name__ for each in errors)
    return visible("; ".join(texts)) or f"no address on {sys.platform}"
