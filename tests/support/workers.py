"""Several debuggees of one kind, each of which does what it reads from its standard input."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.support.interpreters import NEWEST
from tests.support.program import Program

WORKER = """\
# A worker that takes jobs from its standard input.
import os
import sys


def work(job):
    double = 2 * job
    return double  # @work


print("worker", flush=True)
for line in sys.stdin:
    print("did", work(int(line)), flush=True)
"""


class Worker(Program):
    """One of them."""

    def __init__(self, name: str = "worker") -> None:
        super().__init__(NEWEST, WORKER, enable={"secret": "s", "name": name})

    @property
    def qualifier(self) -> str:
        host, port = self.address
        return f"tcp://s@{host}:{port}"


@contextlib.contextmanager
def workers(count: int) -> Iterator[list[Worker]]:
    """So many, called worker-1 and so on."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Worker(f"worker-{number}")) for number in range(1, count + 1)]
