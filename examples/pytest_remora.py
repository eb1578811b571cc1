"""A pytest plug-in: a test that fails waits for a debugger, which then stands where it failed.

    pytest -p pytest_remora --remora 60        (with examples/ on PYTHONPATH)

It prints what to type; on the same machine, the same user needs no secret. Nobody comes within so many
seconds: the run goes on.
"""

from __future__ import annotations

import os
import secrets
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option `--remora SECONDS`."""
    parser.addoption("--remora", type=float, default=0, metavar="SECONDS", help="let failing tests wait")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Wait in the report of a failing test: its frames are still alive in the exception."""
    report = yield
    seconds = item.config.getoption("--remora")
    if seconds and call.excinfo is not None and call.when == "call":
        import remora

        remora.enable_attach(secrets.token_hex(), address=("127.0.0.1", 0))
        print(f"{item.nodeid} failed: remora attach {os.getpid()}", file=sys.stderr, flush=True)
        if remora.wait_for_attach(seconds):
            remora.post_mortem(call.excinfo.value)
        remora.disable_attach()
    return report
