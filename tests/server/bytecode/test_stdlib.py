"""Thousands of functions of the standard library work as before with a hook on every one of their lines."""

from __future__ import annotations

import json

import pytest
from tests.server.bytecode.debuggees import REWRITTEN, run
from tests.support.interpreters import Interpreter


@pytest.mark.parametrize("python", REWRITTEN, ids=str)
def test_results_are_equal(python: Interpreter) -> None:
    report = json.loads(run(python, "stdlib_work.py", timeout=100))
    assert report["differing"] == {}
    assert report["failures"] == 0
    assert report["functions"] > 5000
    assert report["hits"] > 200_000
