"""The `interpreter` fixture for every test, and what a run says about the Pythons it found."""

from __future__ import annotations

import signal

from tests.support.interpreters import interpreter, report

__all__ = ["interpreter"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a shell, which has its jobs ignore Ctrl-C. Programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> list[str]:
    return report()
