"""Runs a piece of code under one of the debuggees' Pythons and returns what it says, as JSON."""

from __future__ import annotations

import json
import subprocess
import textwrap
from typing import Any

from tests.support.interpreters import Interpreter
from tests.support.program import PYTHONPATH, clean_environment


def run_inside(interpreter: Interpreter, code: str, **environment: str) -> Any:
    """The JSON that the code printed on its last line."""
    run = subprocess.run(
        [interpreter.path, "-W", "error", "-c", textwrap.dedent(code)],
        env=clean_environment({"PYTHONPATH": PYTHONPATH, **environment}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert not run.stderr, run.stderr
    return json.loads(run.stdout.splitlines()[-1])
