"""Waiting for what nobody tells of: what another process does, or the kernel. All else comes as an event."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["until"]

T = TypeVar("T")


def until(look: Callable[[], T], what: str, seconds: float = 20) -> T:
    """Look again and again until there is something to see, and give it.

    Args:
        what: is awaited, for whoever reads of a failure.
        seconds: the deadline, which only broken code meets.

    Raises:
        AssertionError: it was not there in time.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}, and saw {found!r}"
        time.sleep(0.02)
    return found
