"""Whose process it is that connects over the loopback interface, as far as the system tells.

Without a secret anybody on this machine could come in through the port, and the users of one machine are not
one person. Linux names the owner of each TCP socket; elsewhere nobody is known, and nobody refused. On the
server's thread.
"""

from __future__ import annotations

import socket
import struct

from remora._interpreter._originals import read_file

__all__ = ["is_another_users"]

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


def is_another_users(connection: socket.socket, theirs: tuple[str, int], user: int) -> bool:
    """Whether the socket at `theirs`, the far end of this connection, may be of somebody else than `user`.

    Root is nobody else: it needs no port to get into a process. A socket that is closed already counts as
    root's in the table, and has no inode there. One that was reset, or closed long ago, is not there at all.
    What was sent through it can still be read, and it may have been anybody's.
    """
    far, near = _address(theirs), _address(connection.getsockname()[:2])
    row = _find(far, near)
    if row is None:
        return not _is_connected(connection) or _find(near, far) is not None
    owner, inode = row
    return inode == 0 or owner not in (user, 0)


def _is_connected(connection: socket.socket) -> bool:
    try:
        connection.getpeername()
    except OSError:
        return False
    return True


def _find(here: set[str], there: set[str]) -> tuple[int, int] | None:
    """Owner and inode of the socket that is connected so, where the system tells."""
    for table in _TABLES:
        try:
            for line in read_file(table).decode("ascii").splitlines()[1:]:
                fields = line.split()
                if fields[1] in here and fields[2] in there:
                    return int(fields[7]), int(fields[9])
        except (OSError, ValueError, IndexError):
            continue  # not Linux, or /proc is not to be read
    return None


def _address(address: tuple[str, int]) -> set[str]:
    """An address as the tables write it: words of the machine's byte order, in hexadecimal."""
    host, port = address[0].partition("%")[0], address[1]
    if ":" in host:
        found = [socket.inet_pton(socket.AF_INET6, host)]
    else:
        packed = socket.inet_aton(host)
        found = [packed, bytes(10) + b"\xff\xff" + packed]
    return {f"{_words(each)}:{port:04X}" for each in found}


def _words(packed: bytes) -> str:
    return "".join(f"{word:08X}" for word in struct.unpack(f"={len(packed) // 4}I", packed))
