"""Hooks on every line are called in the order in which `sys.settrace` reports lines: by constructs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.server.bytecode.debuggees import HERE, REWRITTEN, Worker, assert_alike, functions_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = {
    (file, name): since
    for file, since in (
        ("constructs.py", (3, 9)),
        ("constructs_310.py", (3, 10)),
        ("constructs_311.py", (3, 11)),
    )
    for name in functions_of(file)
}

# What raises here, the unpacking of the target of `with`, is on the line of the block's own handler. Tracing
# reports nothing then, but 3.10's way to the handler is the same for all that raises in the block.
NOT_EXACTLY = {((3, 10), "with_bad_target")}


@pytest.fixture(scope="module", params=REWRITTEN, ids=str)
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    with Worker(request.param) as started:
        yield started


@pytest.mark.parametrize(("file", "name"), PROGRAMS, ids=lambda value: value.removesuffix(".py"))
def test_hooks_report_what_tracing_reports(worker: Worker, file: str, name: str) -> None:
    version = worker.interpreter.version[:2]
    if version < PROGRAMS[file, name]:
        pytest.skip("cannot be parsed")
    reply = worker.ask((HERE / file).read_text(), name)
    assert reply["traced"]
    assert_alike(reply, exactly=(version, name) not in NOT_EXACTLY)


@pytest.mark.parametrize("size", [10, 60, 300, 3000], ids="{} statements".format)
def test_long_functions(worker: Worker, size: int) -> None:
    """Jumps and constants that need one EXTENDED_ARG or two, some of them only because of the hooks."""

    def filler(depth: int) -> str:
        return "\n".join(f"{'    ' * depth}total += n * {1000 + number}" for number in range(size))

    source = f"""
def program():
    total = 0
    for n in range(2):
        while n:
            if n == 7:
                total = 5
{filler(4)}
            try:
                n -= 1
{filler(4)}
                if n:
                    continue
            except ValueError:
                break
            finally:
{filler(4)}
        else:
            continue
    return total
"""
    assert_alike(worker.ask(source, "program"))
