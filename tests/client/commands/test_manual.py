"""The manual of the commands is made from their table, and fresh."""

from __future__ import annotations

import subprocess
import sys

from tests.support.interpreters import ROOT


def test_the_manual_is_fresh() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "gen_commands.py"), "--check"]
    ran = subprocess.run(check, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout
