"""Clients at random and a busy program, for a few seconds each; benchmarks/soak.py goes on for hours."""

from __future__ import annotations

import os
import random

import pytest
from benchmarks.soak import PROGRAMS, soak

from tests.support.interpreters import Interpreter

SECONDS = 4.0


@pytest.mark.parametrize("source", PROGRAMS)
def test_nothing_gets_lost_or_piles_up(interpreter: Interpreter, source: str) -> None:
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(1 << 32))
    print(soak(interpreter, source, SECONDS, seed))
