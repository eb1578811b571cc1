"""`scripts/guards` finds what it takes out: a guard that was rewritten would not be tried any more."""

from __future__ import annotations

import runpy

import pytest

from tests.support.interpreters import ROOT

GUARDS = runpy.run_path(str(ROOT / "scripts" / "guards"))["GUARDS"]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard[0])
def test_each_guard_is_where_it_is_looked_for(guard: tuple[str, ...]) -> None:
    _, path, text, _, tests, _ = guard
    assert text in (ROOT / path).read_text(encoding="utf-8")
    assert (ROOT / tests).exists()
