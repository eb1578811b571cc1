"""Where the client keeps things, and writing them so that nobody else can read them.

`REMORA_CONFIG_DIR` overrides the folder for what a person decided (pins, settings); caches and state
then go beneath it, so that one variable moves everything.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["cache_dir", "config_dir", "project_file", "read_json", "state_dir", "write_private"]


def config_dir() -> Path:
    """For what a person decided."""
    override = os.environ.get("REMORA_CONFIG_DIR")
    return Path(override) if override else _folder("config", "~/.config")


def cache_dir() -> Path:
    """For what can be found out again."""
    return config_dir() / "cache" if os.environ.get("REMORA_CONFIG_DIR") else _folder("cache", "~/.cache")


def state_dir() -> Path:
    """For what piles up: history."""
    if os.environ.get("REMORA_CONFIG_DIR"):
        return config_dir() / "state"
    return _folder("state", "~/.local/state")


def _folder(kind: str, default: str) -> Path:
    """The person's own folder of a kind: on Linux by XDG's rule, elsewhere as platformdirs knows it."""
    if sys.platform == "linux":  # platformdirs says the same, and takes 15 ms of each start to be imported
        path = os.environ.get(f"XDG_{kind.upper()}_HOME", "")
        return Path(path if os.path.isabs(path) else os.path.expanduser(default), "remora")
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")("remora", appauthor=False))


def project_file(kind: str, folder: str) -> Path:
    """Where something is kept for a project, which is a folder."""
    path = os.path.realpath(folder)
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    name = re.sub(r"[^\w.-]", "_", os.path.basename(path))[:40] or "root"
    return state_dir() / kind / f"{name}-{digest}"


def read_json(path: Path) -> Any:
    """What the file holds; None when there is none. Raises `ValueError` when it is damaged."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None


def write_private(path: Path, data: bytes) -> None:
    """Replace a file at once, readable by its owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp: 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
