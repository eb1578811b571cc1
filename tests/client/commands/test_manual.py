"""The manual of the commands and the reference of the API are made from the code, and fresh."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.interpreters import ROOT


@pytest.mark.parametrize("script", ["gen_commands.py", "gen_api.py"])
def test_the_page_is_fresh(script: str) -> None:
    check = [sys.executable, str(ROOT / "scripts" / script), "--check"]
    ran = subprocess.run(check, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout
