"""Finds every Python that a debuggee can run under, and offers each to the tests as a fixture.

Looked for, in this order: the folders named by `REMORA_PYTHONS` (a path list, as `PATH` is), `.pythons/bin`
in the project, `/opt/pythons/bin`, pyenv's versions, and names on `PATH`. Of several patch versions of one
minor version and implementation the highest one is kept. `REMORA_ONLY` (names with commas between) narrows
the choice for a quick run.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WANTED = (
    "cpython-3.9",
    "cpython-3.10",
    "cpython-3.11",
    "cpython-3.12",
    "cpython-3.13",
    "cpython-3.14",
    "cpython-3.15",
    "pypy-3.9",
    "pypy-3.11",
)

_PROGRAM = re.compile(r"(python3\.(9|\d\d)t?|pypy3(\.\d+)?)\Z")
_QUESTION = (
    "import sys, sysconfig;"
    "print(sys.implementation.name, *sys.version_info[:3], bool(sysconfig.get_config_var('Py_GIL_DISABLED')))"
)


@dataclass(frozen=True)
class Interpreter:
    """One Python that debuggees can run under."""

    path: str
    name: str
    version: tuple[int, int, int]
    implementation: str

    @property
    def is_pypy(self) -> bool:
        return self.implementation == "pypy"

    @property
    def monitored(self) -> bool:
        """Whether it has `sys.monitoring`."""
        return not self.is_pypy and self.version >= (3, 12)

    def __str__(self) -> str:
        return self.name


def _folders() -> Iterator[Path]:
    for text in os.environ.get("REMORA_PYTHONS", "").split(os.pathsep):
        if text:
            yield Path(text)
    yield ROOT / ".pythons" / "bin"
    yield Path("/opt/pythons/bin")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in sorted(pyenv.glob("*")):
        yield version / "bin"
    for text in os.environ.get("PATH", "").split(os.pathsep):
        # A pyenv shim named python3.9 runs whatever the folder's .python-version says, or nothing at all.
        if text and "shims" not in text:
            yield Path(text)


def _candidates() -> Iterator[Path]:
    seen: set[str] = set()
    for folder in _folders():
        if not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            if (
                _PROGRAM.match(path.name)
                and os.access(path, os.X_OK)
                and (real := os.path.realpath(path)) not in seen
            ):
                seen.add(real)
                yield path
    if os.path.realpath(sys.executable) not in seen:
        yield Path(sys.executable)


def _ask(path: Path) -> Interpreter | None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        run = subprocess.run(
            [str(path), "-S", "-E", "-c", _QUESTION],
            capture_output=True, text=True, timeout=30, check=True, env=environment, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        implementation, major, minor, micro, free_threaded = run.stdout.split()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    version = (int(major), int(minor), int(micro))
    if version < (3, 9):
        return None
    suffix = "t" if free_threaded == "True" else ""
    return Interpreter(str(path), f"{implementation}-{major}.{minor}{suffix}", version, implementation)


@cache
def find_interpreters() -> tuple[Interpreter, ...]:
    """Every usable Python of this machine, one per implementation and minor version."""
    best: dict[str, Interpreter] = {}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(_ask, _candidates()))
    for found in answers:
        if found and (found.name not in best or found.version > best[found.name].version):
            best[found.name] = found
    only = {name for name in os.environ.get("REMORA_ONLY", "").split(",") if name}
    kept = (one for one in best.values() if not only or one.name in only)
    return tuple(sorted(kept, key=lambda one: (one.implementation, one.version)))


def left_out(found: Iterable[Interpreter]) -> list[str]:
    """The wanted Pythons that this machine has not got."""
    names = {one.name for one in found}
    return [name for name in WANTED if name not in names]


def report() -> list[str]:
    """What a test run says at its top about the Pythons it uses."""
    found = find_interpreters()
    lines = [
        "debuggees run on: " + (", ".join(f"{one.name}.{one.version[2]}" for one in found) or "nothing"),
    ]
    if missing := left_out(found):
        lines.append("left out, not found here: " + ", ".join(missing))
    lines.append(f"tests run on: {platform.python_implementation()} {platform.python_version()}")
    return lines


INTERPRETERS = find_interpreters()

#: What the tests themselves run on, for a debuggee that needs a package from outside.
OWN = Interpreter(sys.executable, "own", sys.version_info[:3], sys.implementation.name)

#: The newest CPython, for a test that needs only one debuggee.
NEWEST = max(
    (one for one in INTERPRETERS if not one.is_pypy),
    key=lambda one: one.version,
    default=OWN,
)


@pytest.fixture(params=INTERPRETERS, ids=str)
def interpreter(request: pytest.FixtureRequest) -> Interpreter:
    """Runs the test once under every Python found."""
    found: Interpreter = request.param
    return found
