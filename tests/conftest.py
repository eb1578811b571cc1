"""The fixtures for every test, the Pythons that a run found, and how Hypothesis runs here."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.command import Remora
from tests.support.interpreters import interpreter, report

__all__ = ["interpreter"]

# Without a clock, and in CI with the same examples every time.
settings.register_profile("remora", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("remora")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a shell, which has its jobs ignore Ctrl-C. Programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def remora(tmp_path: Path) -> Remora:
    """The `remora` command, run from the client's side: a folder that is not the program's."""
    configuration, folder = tmp_path / "configuration", tmp_path / "client"
    configuration.mkdir()
    folder.mkdir()
    return Remora(configuration, folder)


def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: the tests wait for other processes half of the time, so one more than there are cores."""
    return min(8, (os.cpu_count() or 1) + 1)


def pytest_report_header() -> list[str]:
    return report()
