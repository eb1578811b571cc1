"""`remora demo` shows the whole way by itself."""

from __future__ import annotations

import time

from tests.support.command import Remora


def test_the_demo_runs_by_itself(remora: Remora) -> None:
    start = time.monotonic()
    ran = remora("demo", timeout=60)
    assert ran.code == 0, ran
    assert time.monotonic() - start < 20
    assert "Traceback" not in ran.output + ran.errors


def test_the_demo_hands_over_to_a_person(remora: Remora) -> None:
    with remora.terminal("demo") as terminal:
        terminal.wait(r"(?i)your turn", 30)
        terminal.enter("print guess")
        terminal.wait(r"^\d+$")
        terminal.enter("quit -c")
        assert terminal.returncode() == 0
