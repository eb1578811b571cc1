"""`python -m remora proxy --stdio`: the way in over standard input and output, without any port.

For `ssh`, `kubectl exec`, `docker exec`, `sudo -u`: whoever can start this is the same user already, by the
word of those. It lists this user's processes on this machine and leads the client to the one that it opens,
through that one's door in the registry, which asks the same user for no secret. It needs nothing but the
standard library and these two packages. A process of its own, with blocking I/O on its only thread.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

from remora_protocol import (
    Connection,
    RemoteProtocolError,
    Request,
    RequestFailed,
    Response,
    __version__,
    hello_arguments,
    hello_body,
    is_private_folder,
    negotiate,
    pid_of_socket,
    read_processes,
    registry_folders,
    socket_path,
)

if TYPE_CHECKING:
    from remora_protocol import ProcessInfo

__all__ = ["main"]

_USAGE = """\
usage: python -m remora proxy --stdio [--pid PID]

Lets a debugger in over standard input and output, for who can log in to this machine or container:

  remora attach ssh://HOST
  remora attach --via 'kubectl exec -i POD -- python3 -m remora proxy --stdio'

  --stdio       talk over standard input and output
  --pid PID     to this process only
"""
_CHUNK = 64 * 1024
_PATIENCE = 2.0


def main(words: list[str]) -> int:
    """The command; its exit code."""
    words = list(words)
    pid: int | None = None
    if "-h" in words or "--help" in words:
        print(_USAGE, end="")
        return 0
    if "--pid" in words:
        place = words.index("--pid")
        if not "".join(words[place + 1 : place + 2]).isdecimal():
            _fail("--pid takes the number of a process")
        pid = int(words[place + 1])
        del words[place : place + 2]
    if words != ["--stdio"]:
        _fail("there is --stdio, which is needed, and --pid PID")
    if not hasattr(socket, "AF_UNIX"):
        _fail("this system has no Unix sockets, by which the programs here could be reached", 3)
    try:
        _Visit(pid).run()
    except (BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        pass  # the client, or what led it here, is gone
    return 0


def _fail(text: str, code: int = 2) -> NoReturn:
    print(f"remora: {text}\n`python -m remora proxy --help` shows how.", file=sys.stderr)
    sys.exit(code)


class _Visit:
    """One client, until it is led to a process; then the bytes of both, unread.

    Args:
        pid: the only process that it may see.
    """

    def __init__(self, pid: int | None) -> None:
        self._pid = pid
        self._connection = Connection()

    def run(self) -> None:
        """Until either side ends."""
        while True:
            data = os.read(0, _CHUNK)
            if not data:
                return
            try:
                self._connection.receive_data(data)
                while True:
                    message = self._connection.next_message()
                    if message is None:
                        break
                    if isinstance(message, Request) and self._take(message):
                        return
            except RemoteProtocolError as error:
                refusal = RequestFailed(error.code, str(error))
                _write(self._connection.fail(Request(0, "", {}), refusal))
                return

    def _take(self, request: Request) -> bool:
        """Answer a request. Whether it was the last one: the client has been to its process and back."""
        try:
            if request.command == "remora/hello":
                version = negotiate(request.arguments.get("protocol") or {})
                _write(self._connection.respond(request, hello_body(version, "remora", __version__, [])))
            elif request.command == "remora/processes":
                _write(self._connection.respond(request, {"processes": _processes(self._pid)}))
            elif request.command == "remora/open":
                door = _enter(request.arguments.get("pid"), self._pid)
                _write(self._connection.respond(request, {"relayed": True}))
                _carry(door, self._connection.take_rest())
                return True
            else:
                raise RequestFailed(
                    "bad-request", f"{request.command}: say first which process, with remora/open."
                )
        except RequestFailed as error:
            _write(self._connection.fail(request, error))
        return False


# -- the processes ------------------------------------------------------------------------------------


def _doors() -> dict[int, str]:
    """This user's processes and their sockets, alive or not."""
    found: dict[int, str] = {}
    for folder in registry_folders():
        if is_private_folder(folder):
            try:
                names = os.listdir(folder)
            except OSError:
                continue
            for name in names:
                pid = pid_of_socket(name)
                if pid is not None:
                    found.setdefault(pid, socket_path(folder, pid))
    return found


def _knock(path: str) -> socket.socket | None:
    """Connect to a door; None: nobody is behind it."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(_PATIENCE)
    try:
        sock.connect(path)
    except OSError:
        sock.close()
        return None
    return sock


def _enter(wanted: Any, only: int | None) -> socket.socket:
    door = _doors().get(wanted) if isinstance(wanted, int) and only in (None, wanted) else None
    sock = _knock(door) if door is not None else None
    if sock is None:
        raise RequestFailed(
            "no-such-process", f"There is no process {wanted} here: `remora ls` shows which there are."
        )
    return sock


def _processes(only: int | None) -> list[ProcessInfo]:
    """What they say of themselves. All are asked at once, and one that hangs is left out."""
    asked: dict[socket.socket, tuple[int, Connection]] = {}
    for pid, path in sorted(_doors().items()):
        sock = _knock(path) if only in (None, pid) else None
        if sock is not None:
            connection = Connection()
            hello = connection.request("remora/hello", hello_arguments("remora proxy", __version__))[1]
            try:
                sock.sendall(hello + connection.request("remora/processes")[1])
            except OSError:
                sock.close()
                continue
            asked[sock] = (pid, connection)
    rows: list[ProcessInfo] = []
    until = time.monotonic() + _PATIENCE
    poll = select.poll()
    by_number = {sock.fileno(): sock for sock in asked}
    for number in by_number:
        poll.register(number, select.POLLIN)
    while by_number and (left := until - time.monotonic()) > 0:
        for number, _ in poll.poll(left * 1000):
            pid, connection = asked[by_number[number]]
            row = _read_row(by_number[number], pid, connection)
            if row is not None:
                rows += row
                poll.unregister(number)
                del by_number[number]
    for sock in asked:
        sock.close()
    return rows


def _read_row(sock: socket.socket, pid: int, connection: Connection) -> list[ProcessInfo] | None:
    """A process's own row; empty when it has none to give, None when there is more to be read."""
    try:
        data = sock.recv(_CHUNK)
        connection.receive_data(data)
        while (message := connection.next_message()) is not None:
            if isinstance(message, Response) and message.command == "remora/processes":
                return [row for row in read_processes(message.body) if row["pid"] == pid]
    except (OSError, RemoteProtocolError):
        return []
    return None if data else []


# -- the bytes ----------------------------------------------------------------------------------------


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def _carry(door: socket.socket, first: bytes) -> None:
    """What comes from one goes to the other, until one of them ends."""
    door.settimeout(None)
    door.sendall(first)
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(door, select.POLLIN)
    while True:
        for number, _ in poll.poll():
            if number == 0:
                data = os.read(0, _CHUNK)
                if not data:
                    return
                door.sendall(data)
            else:
                data = door.recv(_CHUNK)
                if not data:
                    return
                _write(data)
