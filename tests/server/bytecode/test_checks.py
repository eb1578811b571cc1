"""Runs the checks of this folder, each in a process of its own."""

from __future__ import annotations

import pytest
from tests.server.bytecode.debuggees import REWRITTEN, functions_of, run
from tests.support.interpreters import Interpreter

PROGRAMS = ["hook_checks.py", "native_checks.py", "reach_checks.py"]
CHECKS = [(program, name) for program in PROGRAMS for name in functions_of(program, "check_")]


@pytest.mark.parametrize("python", REWRITTEN, ids=str)
@pytest.mark.parametrize(("program", "name"), CHECKS, ids=lambda value: value.partition("_checks")[0])
def test_check(python: Interpreter, program: str, name: str) -> None:
    run(python, program, name)
