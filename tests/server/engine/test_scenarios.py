"""The debugger inside a process, on every Python.

The functions in `scenarios/` are the programs, and say what must happen.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.support.interpreters import ROOT, Interpreter

FOLDER = Path(__file__).parent
FILES = sorted((FOLDER / "scenarios").glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_scenarios(interpreter: Interpreter, file: Path) -> None:
    done = subprocess.run(
        [interpreter.path, FOLDER / "scenario_runner.py", file],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'protocol'}{os.pathsep}{ROOT / 'server'}"},
        capture_output=True,
        text=True,
        timeout=115,
        check=False,
    )
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    failures = [f"{each['name']}: {each['failure']}" for each in results if each["failure"]]
    assert not failures, "\n".join(failures)
    assert done.returncode == 0, done.stderr
    assert results
