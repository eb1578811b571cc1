"""Where one user's processes on one machine find each other: Unix sockets in a folder of their own.

    PID.sock            a process: the door for whoever debugs it from this machine. The system knows who
                        comes through it, so the same user needs no secret.
    PORT.HOST.PID.port  the process that owns a TCP port, for those who would have it too: see `_port`.

A name whose process is gone is removed by whoever finds that out. Windows has no such sockets: there is no
registry. Everything here returns at once; called by the thread that enables the server, and on its own.
"""

from __future__ import annotations

import binascii
import os
import socket
import stat
import struct
import sys

from remora._interpreter._originals import Socket
from remora._log import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora._network._login import Peer

__all__ = [
    "Door",
    "connect",
    "find_folder",
    "has_others",
    "is_same_user",
    "open_door",
    "open_port",
    "ports",
    "remove_if_dead",
]

_LONGEST_PATH = 100  # what fits into a sockaddr_un on every system
_EVERY_HOST = ("0.0.0.0", "::")
_CREDENTIALS = struct.Struct("3i")
_XUCRED = struct.Struct("IIh")
_LOCAL_PEERCRED = 1
_SO_PEERCRED = getattr(socket, "SO_PEERCRED", 17)  # PyPy 3.9 does not name it


class Door:
    """A socket of this process in the registry."""

    def __init__(self, sock: Socket, path: str) -> None:
        self.socket = sock
        self.path = path
        self._inode = os.stat(path).st_ino

    def remove(self) -> None:
        """Take the name away, if it is still ours."""
        try:
            if os.stat(self.path).st_ino == self._inode:
                os.unlink(self.path)
        except OSError:
            pass

    def identify(self, sock: socket.socket, _address: object) -> Peer | None:
        """Who came in, as the system knows them."""
        try:
            pid, user = _credentials(sock)
        except OSError as error:
            log.warning(f"a local connection was refused: the system does not say whose it is ({error})")
            return None
        from remora._network._login import Peer

        name = f"pid {pid}" if pid else f"user {user}"
        return Peer(name, f"user {user}", is_local=True, is_same_user=user == os.geteuid())


def is_same_user(sock: socket.socket) -> bool:
    """Whether the other end is for certain a process of ours."""
    try:
        return _credentials(sock)[1] == os.geteuid()
    except OSError:
        return False


def open_door() -> Door | None:
    """Listen in the registry; None, and a line in the log, where that is not possible."""
    if sys.platform == "win32" or not hasattr(socket, "AF_UNIX"):
        return None
    folder = find_folder()
    return None if folder is None else _listen(os.path.join(folder, f"{os.getpid()}.sock"))


def open_port(door: Door, address: tuple[str, int]) -> Door | None:
    """Say in the registry that this process owns a port."""
    host, port = address
    return _listen(os.path.join(os.path.dirname(door.path), f"{port}.{_host_key(host)}.{os.getpid()}.port"))


def _listen(path: str) -> Door | None:
    if len(os.fsencode(path)) > _LONGEST_PATH:
        log.warning(f"not in the registry: {path} is too long a name for a socket")
        return None
    sock = Socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Under another name until it listens: whoever found it before would take it for that of a dead process.
    new = f"{path}~"
    try:
        _remove(new)
        sock.bind(new)
        os.chmod(new, 0o600)
        sock.listen(1024)
        sock.setblocking(False)
        os.replace(new, path)
        return Door(sock, path)
    except OSError as error:
        log.warning(f"not in the registry: {path}: {error}")
        sock.close()
        return None


def ports(address: tuple[str, int]) -> list[str]:
    """The sockets of those who say that they own this port, on this host or on every one."""
    host, port = address
    wanted, every = _host_key(host), [_host_key(each) for each in _EVERY_HOST]
    found = []
    for path in _entries():
        number, _, rest = os.path.basename(path).partition(".")
        key, _, rest = rest.partition(".")
        if number == str(port) and rest.endswith(".port") and (key in (wanted, *every) or wanted in every):
            found.append(path)
    return found


def has_others() -> bool:
    """Whether any other process of this user may be registered."""
    own = f"{os.getpid()}.sock"
    names = map(os.path.basename, _entries())
    return any(name.endswith(".sock") and name != own for name in names)


def connect(path: str) -> Socket | None:
    """Connect to a socket in the registry, without waiting. None: nobody is there, and the name is removed.

    Raises:
        OSError: somebody is there, and does not take us now.
    """
    sock = Socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        sock.connect(path)
        return sock
    except (ConnectionRefusedError, FileNotFoundError):
        sock.close()
        _remove(path)
        return None
    except BaseException:
        sock.close()
        raise


def remove_if_dead(path: str) -> None:
    """Remove a name of a process that has probably ended."""
    try:
        sock = connect(path)
    except OSError:
        return
    if sock is not None:
        sock.close()


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _entries() -> list[str]:
    """Everything in the registry. Processes may have registered in any of the folders."""
    found: list[str] = []
    for folder in _candidates():
        if _problem_of(folder) is None:
            try:
                found.extend(os.path.join(folder, name) for name in os.listdir(folder))
            except OSError:
                pass
    return found


def _host_key(host: str) -> str:
    """A host in eight characters: a socket's path has no room for more."""
    return f"{binascii.crc32(host.encode()):08x}"


def find_folder() -> str | None:
    """The registry's folder, made if need be. Only one that is ours, and ours alone, will do."""
    for folder in _candidates()[:2]:
        problem = _make_private(folder)
        if problem is None:
            return folder
        log.warning(f"the registry cannot be {folder}: {problem}")
    return None


def _candidates() -> list[str]:
    """The folders, best first. A service, a cron job and a login shell do not agree on their environment."""
    if not hasattr(os, "geteuid"):
        return []
    user = os.geteuid()
    runtime, temporary = os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR") or "/tmp"
    folders = [os.path.join(runtime, "remora")] if runtime and os.path.isabs(runtime) else []
    folders += [os.path.join(temporary, f"remora-{user}"), f"/tmp/remora-{user}", f"/run/user/{user}/remora"]
    return list(dict.fromkeys(folders))


def _make_private(folder: str) -> str | None:
    """Make the folder; None, or why it cannot be trusted."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        return error.strerror or str(error)
    return _problem_of(folder)


def _problem_of(folder: str) -> str | None:
    """Why a folder cannot be trusted, if it cannot."""
    try:
        found = os.lstat(folder)
    except OSError as error:
        return error.strerror or str(error)
    if not stat.S_ISDIR(found.st_mode):  # a link, perhaps, to where somebody else reads along
        return "it is not a folder"
    if found.st_uid != os.geteuid():
        return f"it belongs to user {found.st_uid}"
    if found.st_mode & 0o077:
        return f"others may enter it (mode {stat.S_IMODE(found.st_mode):o})"
    return None


def _credentials(sock: socket.socket) -> tuple[int, int]:
    """Process and user at the other end of a Unix socket."""
    if sys.platform == "linux":
        raw = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERCRED, _CREDENTIALS.size)
        pid, user, _group = _CREDENTIALS.unpack(raw)
        return pid, user
    raw = sock.getsockopt(0, _LOCAL_PEERCRED, 76)  # macOS and the BSDs
    _version, user, _groups = _XUCRED.unpack(raw[: _XUCRED.size])
    return 0, user
