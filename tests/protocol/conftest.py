"""How Hypothesis runs here: without a clock, and in CI with the same examples every time."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("remora", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("remora")
