"""Every check there is. `sh scripts/test` makes the environment and runs them; `nox -l` lists them.

The sessions run in the environment that nox itself was started from (.venv): it has all that they need, and
the interpreters that matter are the debuggees', which the tests find themselves.
"""

from __future__ import annotations

import sys

import nox

PYTHON = sys.executable

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style, by ruff."""
    session.run(PYTHON, "-m", "ruff", "check", ".")
    session.run(PYTHON, "-m", "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, by mypy, twice: what is under `sys.version_info >= (3, 12)` is dead code to a run for 3.10."""
    session.run(PYTHON, "-m", "mypy", "--python-version", "3.10", "protocol", "server")
    session.run(PYTHON, "-m", "mypy", "--python-version", "3.13")


@nox.session
def tests(session: nox.Session) -> None:
    """The tests, on every interpreter found; arguments after `--` go to pytest."""
    session.run(PYTHON, "-m", "pytest", *(session.posargs or ["-n", "auto"]))
