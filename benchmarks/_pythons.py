"""The interpreters to measure with, and a private environment with debugpy for each."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

DEBUGPY_VERSION = "1.8.22"
DEFAULT_VERSIONS = ("3.11", "3.12", "3.13")
_PROBE = (
    "import json, platform, sys; "
    "print(json.dumps([sys.executable, platform.python_implementation(), platform.python_version()]))"
)


class NoSuchPython(Exception):
    """An interpreter that was asked for is not on this machine or does not start."""


@dataclass(frozen=True)
class Python:
    path: str
    implementation: str
    version: str

    @property
    def name(self) -> str:
        return f"{self.implementation} {self.version}"

    @property
    def minor(self) -> tuple[int, int]:
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


def find_python(path: str) -> Python:
    try:
        found = subprocess.run([path, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoSuchPython(f"{path}: {error}") from error
    return Python(*json.loads(found.stdout))


def default_pythons() -> list[Python]:
    """Each default version that is found: pyenv's first, then the one on the PATH."""
    found = []
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in DEFAULT_VERSIONS:
        candidates = [str(path / "bin" / "python") for path in sorted(pyenv.glob(f"{version}.*"))]
        on_path = shutil.which(f"python{version}")
        for candidate in [*candidates, *([on_path] if on_path else [])]:
            try:
                found.append(find_python(candidate))
            except NoSuchPython:
                continue
            break
    return found


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "remora-benchmarks"


def debugpy_python(python: Python) -> str:
    """The interpreter of an environment that holds debugpy, made on first use."""
    key = hashlib.sha256(python.path.encode()).hexdigest()[:8]
    name = f"{python.implementation}-{python.version}-debugpy-{DEBUGPY_VERSION}-{key}"
    folder = cache_folder() / name.lower()
    executable = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        wanted = f"debugpy=={DEBUGPY_VERSION}"
        if shutil.which("uv"):
            _run("uv", "venv", "--quiet", "--clear", "--python", python.path, str(folder))
            _run("uv", "pip", "install", "--quiet", "--python", str(executable), wanted)
        else:
            _run(python.path, "-m", "venv", "--clear", str(folder))
            _run(str(executable), "-m", "pip", "install", "--quiet", wanted)
        ready.touch()
    return str(executable)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        raise SystemExit(f"no environment with debugpy can be made ({error}): try --no-debugpy") from None
