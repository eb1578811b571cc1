"""Which targets are snapshots. By itself, so that the rest is imported only for one that is."""

from __future__ import annotations

import os

__all__ = ["SUFFIX", "is_snapshot"]

SUFFIX = ".remora"


def is_snapshot(target: str) -> bool:
    """Whether a target is the path of a snapshot: by its ending, or because it is a path to a file."""
    if "://" in target:
        return False
    return target.endswith(SUFFIX) or (os.sep in target and os.path.isfile(target))
