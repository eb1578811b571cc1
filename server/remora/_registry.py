"""The door for people of this machine: a Unix socket per process, in a folder that only its user can enter.

Whoever comes through it is known to the system, so the same user needs no secret. Windows has no such
sockets: there `open_door` gives none. Called once by the thread that enables the server; the rest runs on the
server's thread.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys

from remora._log import log
from remora._originals import Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora._login import Peer

__all__ = ["Door", "find_folder", "open_door"]

_LONGEST_PATH = 100  # what fits into a sockaddr_un on every system
_CREDENTIALS = struct.Struct("3i")
_XUCRED = struct.Struct("IIh")
_LOCAL_PEERCRED = 1
_SO_PEERCRED = getattr(socket, "SO_PEERCRED", 17)  # PyPy 3.9 does not name it


class Door:
    """This process's socket in the registry."""

    def __init__(self, sock: socket.socket, path: str) -> None:
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
        from remora._login import Peer

        name = f"pid {pid}" if pid else f"user {user}"
        return Peer(name, f"user {user}", is_local=True, is_same_user=user == os.geteuid())


def open_door() -> Door | None:
    """Listen in the registry; None, and a line in the log, where that is not possible."""
    if sys.platform == "win32" or not hasattr(socket, "AF_UNIX"):
        return None
    folder = find_folder()
    if folder is None:
        return None
    path = os.path.join(folder, f"{os.getpid()}.sock")
    if len(os.fsencode(path)) > _LONGEST_PATH:
        log.warning(f"no local door: {path} is too long a name for a socket")
        return None
    sock = Socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            os.unlink(path)  # of an earlier process with our number
        except FileNotFoundError:
            pass
        sock.bind(path)
        os.chmod(path, 0o600)
        sock.listen(64)
        return Door(sock, path)
    except OSError as error:
        log.warning(f"no local door: {path}: {error}")
        sock.close()
        return None


def find_folder() -> str | None:
    """The registry's folder, made if need be. Only one that is ours, and ours alone, will do."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    candidates = [os.path.join(runtime, "remora")] if runtime and os.path.isabs(runtime) else []
    temporary = os.environ.get("TMPDIR") or "/tmp"
    candidates.append(os.path.join(temporary, f"remora-{os.geteuid()}"))
    for folder in candidates:
        problem = _make_private(folder)
        if problem is None:
            return folder
        log.warning(f"the registry cannot be {folder}: {problem}")
    return None


def _make_private(folder: str) -> str | None:
    """Make the folder; None, or why it cannot be trusted."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        return error.strerror or str(error)
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
