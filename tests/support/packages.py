"""Packages from PyPI for any interpreter, each in a folder of its own that is kept for the next run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.support.interpreters import Interpreter

__all__ = ["cache_folder", "folder_with", "install"]

_INSTALL_SECONDS = 120


@cache
def folder_with(package: str, version: str, interpreter: Interpreter) -> str:
    """The folder to put on PYTHONPATH for `package==version`. Skips the test if it cannot be had."""
    folder = cache_folder(package) / f"{version}-{interpreter.name}"
    uv, python = shutil.which("uv"), interpreter.path
    tool = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    problem = "" if (folder / package).is_dir() else install(tool, f"{package}=={version}", folder)
    if problem:
        pytest.skip(f"{package} {version} cannot be installed for {interpreter}: {problem}")
    return str(folder)


def cache_folder(package: str) -> Path:
    """Where versions of a package are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "remora" / package


def install(tool: Sequence[str], requirement: str, folder: Path) -> str:
    """Fill a folder by the command `tool`; gives what went wrong, or an empty text."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Into a folder of its own first: another test process may be at the same.
    fresh = Path(tempfile.mkdtemp(dir=folder.parent))
    command = [*tool, "--quiet", "--target", str(fresh), requirement]
    problem = ""
    try:
        subprocess.run(command, check=True, timeout=_INSTALL_SECONDS, capture_output=True, text=True)
        fresh.rename(folder)
    except subprocess.CalledProcessError as error:
        problem = error.stderr[-300:]
    except (OSError, subprocess.SubprocessError) as error:
        problem = "" if folder.is_dir() else str(error)  # another one was quicker
    shutil.rmtree(fresh, ignore_errors=True)
    return problem
