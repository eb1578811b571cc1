"""The prompt: `remora attach`. Everything heavy is imported when it runs."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["run"]


def run(arguments: Namespace) -> int:
    """Attach, and debug from this terminal until the person leaves. Gives the exit code."""
    # What is imported stays: to look through it over and over again would take a fifteenth of the start.
    gc.disable()
    from remora_client.repl.attach import attach

    return attach(arguments)
