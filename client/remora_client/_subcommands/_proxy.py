"""`remora proxy --stdio`: the same as `python -m remora proxy --stdio`, which needs no package of the client.

This process becomes that one: server and client do not import each other.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["run"]


def run(arguments: Namespace) -> int:
    """Start it in our place."""
    words = [sys.executable, "-m", "remora", "proxy", "--stdio"]
    if arguments.pid is not None:
        words += ["--pid", str(arguments.pid)]
    sys.stdout.flush()
    os.execv(sys.executable, words)
