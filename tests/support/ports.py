"""Ports for servers that have to be told one."""

from __future__ import annotations

import random
import socket


def free_port() -> int:
    """A port that nobody has now, for servers that do not say which one they got for 0.

    Below those that the kernel gives out by itself: another test would be given it in the meantime.
    """
    while True:
        port = random.randrange(20000, 32000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
