"""Who speaks first at an endpoint, so that only the first meeting pays for a look.

A Remora waits for the client; an old ptvsd greets first and is harmed by bytes it does not expect. The
list is a cache: whatever is wrong with its file, it counts as empty.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from remora_client._places import cache_dir, read_json, write_private

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["file", "greets", "is_silent", "remember_greeting", "remember_silent"]

_MOST = 500


def file() -> Path:
    """Where the list is."""
    return cache_dir() / "endpoints.json"


def _load() -> dict[str, bool]:
    with contextlib.suppress(OSError, ValueError):
        known = read_json(file())
        if isinstance(known, dict):
            return {place: silent for place, silent in known.items() if isinstance(silent, bool)}
    return {}


def _remember(endpoint: str, *, silent: bool) -> None:
    known = _load()
    if known.get(endpoint) is silent:
        return
    known.pop(endpoint, None)
    kept = dict([*known.items()][-_MOST + 1 :])
    with contextlib.suppress(OSError):
        write_private(file(), json.dumps({**kept, endpoint: silent}).encode())


def is_silent(endpoint: str) -> bool:
    """Whether this `host:port` was met before, and let us speak first."""
    return _load().get(endpoint) is True


def greets(endpoint: str) -> bool:
    """Whether it was met before, and spoke first: it is worth waiting for."""
    return _load().get(endpoint) is False


def remember_silent(endpoint: str) -> None:
    """Remember that it let us speak first."""
    _remember(endpoint, silent=True)


def remember_greeting(endpoint: str) -> None:
    """Remember that it spoke first."""
    _remember(endpoint, silent=False)
