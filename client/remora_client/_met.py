"""Endpoints known to keep silent until spoken to, so that only the first meeting pays for a look.

A Remora waits for the client; an old ptvsd greets first and is harmed by bytes it does not expect. The
list is a cache: whatever is wrong with its file, it counts as empty.
"""

from __future__ import annotations

import contextlib
import json

from remora_client._places import cache_dir, read_json, write_private

__all__ = ["is_silent", "remember_silent"]

_MOST = 500


def _load() -> list[str]:
    with contextlib.suppress(OSError, ValueError):
        known = read_json(cache_dir() / "silent-endpoints.json")
        if isinstance(known, list):
            return [each for each in known if isinstance(each, str)]
    return []


def is_silent(endpoint: str) -> bool:
    """Whether this `host:port` was met before, and let us speak first."""
    return endpoint in _load()


def remember_silent(endpoint: str) -> None:
    """Remember that it let us speak first."""
    known = _load()
    if endpoint not in known:
        with contextlib.suppress(OSError):
            path = cache_dir() / "silent-endpoints.json"
            write_private(path, json.dumps([*known[-_MOST + 1 :], endpoint]).encode())
