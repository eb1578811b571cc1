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
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["file", "greets", "is_silent", "remember_greeting", "remember_silent", "remembering"]

_MOST = 2000
# While many endpoints are met at once: what the file held, and what is to be added to it at the end.
_held: dict[str, bool] | None = None
_news: dict[str, bool] = {}


def file() -> Path:
    """Where the list is."""
    return cache_dir() / "endpoints.json"


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """Within this the file is read once and written once, however many endpoints are met."""
    global _held  # noqa: PLW0603 - a cache of a file is one thing
    if _held is not None:
        yield
        return
    _held = _load()
    try:
        yield
    finally:
        _held = None
        news = dict(_news)
        _news.clear()
        _write(news)


def _load() -> dict[str, bool]:
    if _held is not None:
        return _held
    with contextlib.suppress(OSError, ValueError):
        known = read_json(file())
        if isinstance(known, dict):
            return {place: silent for place, silent in known.items() if isinstance(silent, bool)}
    return {}


def _remember(endpoint: str, *, silent: bool) -> None:
    if _held is None:
        _write({endpoint: silent})
    else:
        _held[endpoint] = _news[endpoint] = silent


def _write(news: dict[str, bool]) -> None:
    known = _load()
    if all(known.get(endpoint) is silent for endpoint, silent in news.items()):
        return
    merged = {**{place: silent for place, silent in known.items() if place not in news}, **news}
    with contextlib.suppress(OSError):
        write_private(file(), json.dumps(dict([*merged.items()][-_MOST:])).encode())


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
