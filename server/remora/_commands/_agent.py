"""`python -m remora agent`: owns a port for this host, so that programs come and go behind it.

It is the first to have the port, and programs of the same user that ask for it join as they join each other.
Beside them it lists those that did nothing to prepare. A process of its own; on its main thread.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import remora
from remora._api import enabled_now
from remora._commands._host import Host

if TYPE_CHECKING:
    from remora._commands._launch import Options

__all__ = ["run"]

NAME = "remora agent"


def run(options: Options) -> int:
    """Until it is told to end. Gives the exit code. Raises `OSError` when the address cannot be had."""
    files = {"certfile": options.certfile, "keyfile": options.keyfile}
    address = remora.enable_attach(options.secret, options.address, redirect_output=False, name=NAME, **files)
    enabled = enabled_now()
    assert enabled is not None
    # Whole paths: they are for programs in other folders.
    paths = {name: path and os.path.abspath(path) for name, path in files.items()}
    enable: dict[str, Any] = {"secret": options.secret, "address": [options.address[0], address[1]], **paths}

    def begin() -> None:
        enabled.assemble().server.host = Host(enabled.loop, enable)

    enabled.loop.post(begin)
    # Not an Event: a handler that sets it while this thread is about to wait for it waits for itself.
    ended, end = os.pipe()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.write(end, b"."))
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    scheme = "tcps" if options.certfile else "tcp"
    owner = enabled.port.owner
    if owner is not None:
        text = f"process {owner} has {host}:{address[1]}; the agent takes it over when that one ends"
    else:
        text = f"{scheme}://{host}:{address[1]} is the agent's, process {os.getpid()}"
    print(f"remora: {text}", file=sys.stderr, flush=True)
    missing = _missing()
    if missing:
        print(
            f"remora: programs that did nothing to prepare are not listed: {missing}",
            file=sys.stderr,
            flush=True,
        )
    os.read(ended, 1)
    remora.disable_attach()
    return 0


def _missing() -> str:
    """What the helper lacks that prepares programs; "" for nothing."""
    if sys.version_info < (3, 11):
        return "that wants Python 3.11 or later, for the agent"
    if importlib.util.find_spec("remora_client") is None:
        return "the client's part of Remora is not installed"
    return ""
