"""Completion on live objects: quick with thousands of names, keyword arguments, and no property is run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.client.commands.conftest import Debugging
from tests.support.interpreters import NEWEST
from tests.support.program import Program

PROGRAM = """\
import sys


class Big:
    touched = 0

    @property
    def danger(self):
        Big.touched += 1
        raise SystemExit


class Order:
    def __init__(self, buyer, *, gift=False):
        self.buyer = buyer

    def pay(self, amount, *, card=None):
        return amount

    @classmethod
    def empty(cls, gift=False):
        return cls(None, gift=gift)

    @staticmethod
    def currency(place):
        return "EUR"


def send(order, /, carrier, *, express=False, **more):
    return order


big = Big()
order = Order("Ada")
for index in range(5000):
    setattr(big, f"name_{index:04}", index)
table = {f"key {index:04}": index for index in range(5000)}
many = {f"key {index:05}": index for index in range(100000)}
many["it's"] = 0
print("ready", flush=True)
for line in sys.stdin:
    print("done", flush=True)  # @here
"""


@pytest.fixture
def completing() -> Iterator[Debugging]:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": None}) as program, asyncio.Runner() as runner:
        program.wait_line("ready")
        found = Debugging(program, runner)
        try:
            found.run(f"b program.py:{found.line('here')}")
            program.stdin_line("x")
            found.run("continue")
            yield found
        finally:
            found.close()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("big.name_4", "name_4000"),
        ("table['key 4", "key 4000"),
        ("big.", "danger"),
        ("many['key 9999", "key 99990"),
    ],
)
def test_thousands_of_names(completing: Debugging, text: str, first: str) -> None:
    best = 1.0
    for _ in range(5):
        start = time.perf_counter()
        found = completing.run(f"completions {text}")
        best = min(best, time.perf_counter() - start)
        assert first in found[0]
    assert best < 0.05, f"{best * 1000:.0f} ms"
    assert completing.run("print Big.touched")["value"] == "0"


def test_a_key_is_completed_as_python_is_written(completing: Debugging) -> None:
    assert completing.run("completions many['it") == [r"it\'s"]
    assert completing.run('completions many["it') == ["it's"]


def test_keyword_arguments(completing: Debugging) -> None:
    assert completing.run("completions send(1, ")[:2] == ["carrier=", "express="]
    assert completing.run("completions send(1, ex")[0] == "express="
    assert completing.run("completions send(1, express=True, c")[0] == "carrier="
    assert "express=" not in completing.run("completions send(1, express=")
    assert completing.run("completions Order(")[:2] == ["buyer=", "gift="]
    assert completing.run("completions x = Order(g")[0] == "gift="
    assert "buyer=" in completing.run("completions Order.__init__(None, b")
    assert completing.run("completions order.pay(")[:2] == ["amount=", "card="]  # no self=
    assert "self=" in completing.run("completions Order.pay(")
    assert completing.run("completions Order.empty(")[0] == "gift="
    assert completing.run("completions order.empty(")[0] == "gift="
    assert completing.run("completions order.currency(")[0] == "place="
