"""Completion on live objects: quick with thousands of names, keyword arguments, and no property is run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from remora_client.repl.completer import LineCompleter
from tests.client.commands.conftest import Debugging
from tests.support.interpreters import NEWEST
from tests.support.program import Program

PROGRAM = """\
import importlib.util
import pathlib
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
path = pathlib.Path(__file__).with_name("my part.py")
path.write_text("def part(x):\\n    y = x + 1\\n    return y\\n")
spec = importlib.util.spec_from_file_location("part", path)
part = sys.modules["part"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(part)
print("ready", flush=True)
for line in sys.stdin:
    part.part(1)
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


def typed(completing: Debugging, text: str) -> list[str]:
    """The lines that completion at the prompt makes of this one."""
    completer = LineCompleter(completing.ctx, lambda: frozenset({"order", "table"}))

    async def complete() -> list[str]:
        found = completer.get_completions_async(Document(text), CompleteEvent(completion_requested=True))
        return [text[: len(text) + each.start_position] + each.text async for each in found]

    return completing.runner.run(complete())


def test_modules_after_import(completing: Debugging) -> None:
    assert typed(completing, "import impo") == ["import importlib"]
    assert typed(completing, "from importlib.u") == ["from importlib.util"]
    assert typed(completing, "from importlib import ut") == ["from importlib import util"]
    assert typed(completing, "!import sys, path") == ["!import sys, pathlib"]


def test_a_file_with_blanks_in_its_name_is_completed_in_quotes(
    completing: Debugging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for begun in ("break my", "break 'my", "break 'my p", "tbreak -tmp my"):
        command = begun[: begun.rindex("my")].rstrip("'")
        assert typed(completing, begun) == [f"{command}'my part.py':"]
    assert typed(completing, 'break "my') == ["break 'my part.py':"]
    assert typed(completing, "break 'prog") == ["break 'program.py':"]
    assert typed(completing, "break 'my part.py':") == ["break 'my part.py':1"]
    assert typed(completing, "break 'my part.py':2 if orde") == ["break 'my part.py':2 if order"]
    assert typed(completing, "fetch my") == ["fetch 'my part.py'"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "two words").write_text("print order.buyer\n")
    (tmp_path / "plain").touch()
    assert typed(completing, "source a") == ["source 'a folder"]
    assert typed(completing, "source 'a folder/") == ["source 'a folder/two words'"]
    assert typed(completing, "source pl") == ["source plain"]
    assert completing.run("source 'a folder/two words'") == [{"value": "'Ada'", "type": "str"}]


def test_a_file_with_blanks_in_its_name_is_taken_in_quotes(completing: Debugging, tmp_path: Path) -> None:
    made = completing.run("break 'my part.py':2 if x")
    assert made["verified"]
    assert made["path"].endswith("/my part.py")
    assert completing.run("trace 'my part.py':/return/ 'y is {y}'")["line"] == 3
    assert completing.run("list 'my part.py':2")["first"] == 1
    assert completing.run("clear 'my part.py':3")[0]["line"] == 3
    completing.program.stdin_line("x")
    completing.run("clear 1", "disable 2", "advance 'my part.py':3", "enable 2")
    assert completing.stop is not None
    assert completing.stop.frame is not None
    assert completing.stop.frame.line == 3
    completing.run(f"save breakpoints '{tmp_path}/kept here'")
    completing.run("clear -all", f"load '{tmp_path}/kept here'")
    (kept,) = completing.run("breakpoints")
    assert (kept["line"], kept["condition"]) == (2, "x")
