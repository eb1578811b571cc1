"""The interpreter's own threads, locks, sockets and clock, also where gevent or eventlet replaced them.

Imported once, when the server is enabled. Our thread must really be a thread: a green one would stop with
the program that it is to look at.
"""

from __future__ import annotations

import _socket
import _thread
import functools
import io
import os
import select
import socket
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "Socket",
    "accept",
    "allocate_lock",
    "get_ident",
    "is_patched",
    "local",
    "make_selector",
    "monotonic",
    "read_file",
    "sleep",
    "socketpair",
    "start_new_thread",
]


def _original(module: Any, name: str) -> Any:
    """`module.name` as it was before a patch, if one was applied."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None:
        return gevent.get_original(module.__name__, name)
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None:
        return getattr(eventlet.original(module.__name__), name)
    return getattr(module, name)


#: Whether the program's threads are green ones, and locks, those of imports too, no use to ours.
is_patched = "gevent.monkey" in sys.modules or "eventlet.patcher" in sys.modules
allocate_lock = _original(_thread, "allocate_lock")
allocate_rlock = _original(_thread, "RLock")
get_ident = _original(_thread, "get_ident")
local = _original(_thread, "_local")
start_new_thread = _original(_thread, "start_new_thread")
monotonic = functools.partial(_original(time, "monotonic"))
sleep = _original(time, "sleep")
# A patch replaces the name in `socket`; the class that every real socket derives from stays.
_Real: type[socket.socket] = _original(socket, "socket")
_open = io.FileIO
# In a `partial`, since tools that fake a file system or a clock replace such functions in every module.
_fstat = functools.partial(os.fstat)
#: Linux's, since 4.12; `socket` has no name for it.
_SO_COOKIE = 57 if sys.platform == "linux" else 0


class Socket(_Real):  # type: ignore[misc, valid-type]
    """A socket of ours, in a program that may close every descriptor there is, as daemons do.

    Its number may then be that of something of the program's: whoever is about to use it asks `is_ours`. To
    close it is safe at any time.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._identity = _identify(self.fileno())
        self._cookie = self._read_cookie()

    def is_ours(self) -> bool:
        """Whether the descriptor is still this socket's."""
        return _identify(self.fileno()) == self._identity

    def close(self) -> None:
        if self.fileno() >= 0:
            if self._read_cookie() == self._cookie and (self._cookie is not None or self.is_ours()):
                _socket.socket.close(self)
            else:
                self.detach()
        super().close()

    def _read_cookie(self) -> bytes | None:
        """What the system knows the descriptor's socket by; None: it is none, or the system does not say.

        Unlike `is_ours` this does not let other threads of CPython run, which could close the descriptor and
        open something else by its number before we close it.
        """
        try:
            return self.getsockopt(socket.SOL_SOCKET, _SO_COOKIE, 8) if _SO_COOKIE else None
        except OSError:
            return None


def _identify(descriptor: int) -> tuple[int, int] | None:
    """What tells a descriptor's object from any other; None: there is none, or the system does not say."""
    if sys.platform == "win32":
        return None
    try:
        status = _fstat(descriptor)
    except OSError:
        return (0, 0)
    return status.st_dev, status.st_ino


def read_file(path: str, size: int = -1) -> bytes:
    """What is in a file, or how it begins: of the real one, by no `open` that the program counts or fakes."""
    with _open(path) as file:
        return file.read(size)


def accept(listening: Any) -> tuple[Socket, Any]:
    """`listening.accept()`, which would look up the patched class; the socket does not block."""
    descriptor, address = listening._accept()
    accepted = Socket(listening.family, listening.type, listening.proto, fileno=descriptor)
    accepted.setblocking(False)
    return accepted, address


def socketpair() -> tuple[Socket, Socket]:
    """Two sockets joined to each other, neither of which blocks."""
    if hasattr(_socket, "socketpair"):
        pair = [Socket(one.family, one.type, one.proto, fileno=one.detach()) for one in _socket.socketpair()]
    else:
        pair = [Socket(one.family, one.type, one.proto, fileno=one.detach()) for one in socket.socketpair()]
    for one in pair:
        one.setblocking(False)
        one.set_inheritable(False)
    return pair[0], pair[1]


def make_selector() -> Any:
    """The best selector of this system that no patch has touched, and that needs no descriptor of its own."""
    import selectors

    if not issubclass(_Real, _socket.socket) or "gevent.monkey" not in sys.modules:
        return getattr(selectors, "PollSelector", selectors.SelectSelector)()
    wait = _original(select, "select")

    class PlainSelector(selectors.SelectSelector):
        def _select(self, r: Any, w: Any, _: Any, timeout: float | None = None) -> Any:
            readable, writable, failed = wait(r, w, w if sys.platform == "win32" else [], timeout)
            return readable, writable + failed, []

    return PlainSelector()
