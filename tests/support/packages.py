"""Packages from PyPI for any interpreter, each in a folder of its own that is kept for the next run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.support.interpreters import Interpreter

__all__ = ["folder_with"]

_INSTALL_SECONDS = 100


@cache
def folder_with(package: str, version: str, interpreter: Interpreter) -> str:
    """The folder to put on PYTHONPATH for `package==version`. Skips the test if it cannot be had."""
    cache_home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(cache_home, "remora", package, f"{version}-{interpreter.name}")
    if not (folder / package).is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Into a folder of its own first: another test process may be at the same.
        fresh = Path(tempfile.mkdtemp(dir=folder.parent))
        uv, python = shutil.which("uv"), interpreter.path
        tool = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
        done = subprocess.run(
            [*tool, "--quiet", "--target", str(fresh), f"{package}=={version}"],
            capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            pytest.skip(f"{package} {version} cannot be installed for {interpreter}: {done.stderr[-300:]}")
        try:
            fresh.rename(folder)
        except OSError:  # the other one was quicker
            shutil.rmtree(fresh, ignore_errors=True)
    return str(folder)
