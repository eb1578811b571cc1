"""The `interpreter` fixture for every test, and what a run says about the Pythons it found."""

from __future__ import annotations

from tests.support.interpreters import interpreter, report

__all__ = ["interpreter"]


def pytest_report_header() -> list[str]:
    return report()
