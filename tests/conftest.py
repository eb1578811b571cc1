"""The `interpreter` fixture for every test, and what a run says about the Pythons it found."""

from __future__ import annotations

import os
import signal

from tests.support.interpreters import interpreter, report

__all__ = ["interpreter"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a shell, which has its jobs ignore Ctrl-C. Programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: the tests wait for other processes half of the time, so one more than there are cores."""
    return min(8, (os.cpu_count() or 1) + 1)


def pytest_report_header() -> list[str]:
    return report()
