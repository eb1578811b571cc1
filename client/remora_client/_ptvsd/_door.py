"""The client's side of an old ptvsd: what it is, and starting the process that holds the connection to it.

Runs on the event loop.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remora_client._credentials._secrets import ENVIRONMENT
from remora_client._errors import ClientError, Rejected
from remora_client._ptvsd import _handshake
from remora_client._transport._rpc import Rpc
from remora_protocol import AFTER_LOGIN_LIMIT

if TYPE_CHECKING:
    from remora_client._credentials._secrets import Secret
    from remora_client._options import ConnectOptions
    from remora_client._ptvsd._records import Info
    from remora_protocol import ProcessInfo

__all__ = ["Door", "knock"]

_SECONDS = 15.0
_VERSION = re.compile(r"(?P<implementation>\S+) (?P<version>\S+) \((?P<platform>[^)]*)\)")
_warned: set[str] = set()


@dataclass
class Door:
    """An old ptvsd that took our secret. `rpc` speaks DAP, once `open` was called."""

    rpc: Rpc
    server: str  # "ptvsd 3.2 (protocol 8)"
    process: ProcessInfo
    orders: dict[str, Any]
    _theirs: socket.socket

    async def open(self) -> None:
        """Start the keeper: from here on `rpc` is answered."""
        await asyncio.to_thread(_start, self._theirs)
        self.orders, orders = {}, self.orders  # the secret goes to the one who needs it, and no further
        await self.rpc.request("remora/keep", orders, _SECONDS)

    def close(self) -> None:
        """Give up what was not opened."""
        self._theirs.close()


async def knock(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    greeting: bytes,
    *,
    address: tuple[str, int],
    place: str,
    options: ConnectOptions,
    secret: Secret | None,
    certificate: bytes | None,
) -> Door:
    """Log in and ask what the process is; that connection then ends. Raises `ConnectError`."""
    if options.observe:
        writer.transport.abort()
        raise Rejected(f"{place} is an old ptvsd, which has no observers: whoever is let in may do all.")
    wire = await _handshake.meet(reader, writer, greeting, place, options.left)
    if certificate is None and secret is not None and place not in _warned:
        _warned.add(place)
        options.note(f"{place} is an old ptvsd: the secret goes to it in clear, for all on the way to read.")
    await _handshake.log_in(wire, secret, place, options.left)
    info = await _handshake.ask_info(wire, place, options.left)
    orders = {
        "host": address[0],
        "port": address[1],
        "number": wire.codec.number,
        "secret": secret.text if secret is not None else None,
        "origin": secret.origin if secret is not None else "",
        "timeout": options.timeout,
        "rescue": options.rescue,
    }
    if certificate is not None:
        import hashlib

        # The certificate was judged: the connection to come has to show the very same.
        fingerprint = hashlib.sha256(certificate).hexdigest()
        orders |= {"tls": True, "fingerprint": fingerprint, "legacyTls": options.legacy_tls}
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    streams = await asyncio.open_connection(sock=ours)
    rpc = Rpc(*streams, peer=place, trace=options.trace)
    rpc.lift_limits(AFTER_LOGIN_LIMIT)
    return Door(rpc, _handshake.server_name(wire.codec.number), _process(info, place), orders, theirs)


def _process(info: Info, place: str) -> ProcessInfo:
    """What little such a server says of its process."""
    match = _VERSION.match(info.version)
    return {
        "pid": info.pid,
        "ppid": 0,
        "name": re.split(r"[/\\]", info.executable)[-1] or "python",
        "argv": [],
        "executable": info.executable,
        "user": info.user,
        "implementation": match["implementation"].lower() if match else "",
        "version": match["version"] if match else info.version,
        "platform": match["platform"] if match else "",
        "cwd": "",
        "started": 0.0,
        "state": "running",
        "attachedBy": None,
        "address": place,
    }


def _start(theirs: socket.socket) -> None:
    """Start the keeper. Nothing secret is in its arguments or its environment. Blocks a moment."""
    # -P: the current folder is the user's, and may well have a socket.py in it.
    command = [sys.executable, "-P", "-m", "remora_client._ptvsd"]
    environment = {name: value for name, value in os.environ.items() if name != ENVIRONMENT}
    try:
        code = (_start_on_windows if sys.platform == "win32" else _start_elsewhere)(
            command, environment, theirs
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClientError(f"The process that holds the connection could not be started: {error}") from None
    finally:
        theirs.close()
    if code:
        raise ClientError(f"The process that holds the connection failed at its start, with code {code}.")


def _start_elsewhere(command: list[str], environment: dict[str, str], theirs: socket.socket) -> int:
    process = subprocess.Popen(
        command,
        stdin=theirs.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # neither Ctrl-C nor the end of the terminal reaches it
    )
    return process.wait(_SECONDS)  # it leaves a child behind at once, and ends


def _start_on_windows(command: list[str], environment: dict[str, str], theirs: socket.socket) -> int:
    flags = int(
        getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
    )
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, creationflags=flags
    )
    assert process.stdin is not None
    share: Any = getattr(theirs, "share")  # noqa: B009 - it is there on Windows only
    process.stdin.write(share(process.pid))
    process.stdin.close()
    process.returncode = 0  # it is to outlive us: no complaint that it does
    return 0
