"""`remora.renderer`: the program says itself how values of its types read, wherever one is shown."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.server.test_inspection import Stopped
from tests.support.command import Remora
from tests.support.dap import DapClient
from tests.support.interpreters import NEWEST, ROOT, Interpreter
from tests.support.program import Program

PROGRAM = """\
#
import time
import remora

class Money:
    def __init__(self, amount):
        self.amount = amount
class Coin(Money): pass
class Weight: pass
class Plain: pass
class Broken: pass
class Leaving: pass
class Odd: pass
class Silent: pass
class Slow: pass
class Shelf(list): pass
Weight.__module__ = Plain.__module__ = "shop.things"

ran = []

@remora.renderer(Money)
def money(value):
    ran.append(type(value).__name__)
    return f"{value.amount} EUR"

@remora.renderer("shop.things.Weight", "not.there.Yet")
def weight(value):
    return "heavy"

@remora.renderer("Plain", Shelf)
def plain(value):
    return "plainly"

@remora.renderer(Broken)
def broken(value):
    return value.missing

@remora.renderer(Leaving)
def leaving(value):
    raise SystemExit(3)

@remora.renderer(Odd)
def odd(value):
    return 7

@remora.renderer(Silent)
def silent(value):
    return None

@remora.renderer(Slow)
def slow(value):
    while True:
        ran.append("slow")
        time.sleep(0.01)

def show():
    price, coin, load, thing = Money(5), Coin(1), Weight(), Plain()
    bad, gone, odd, quiet = Broken(), Leaving(), Odd(), Silent()
    shelf, prices = Shelf([1]), [Money(1), Money(2)]
    return 1  # @here

def show_slow():
    dull, price = Slow(), Money(3)
    return 2  # @slow

for line in iter(input, "end"):
    exec(line)
"""


def rows(client: DapClient) -> dict[str, str]:
    top = client.top(client.wait_stopped()["threadId"])
    return client.locals(top["id"])


@pytest.fixture
def program(interpreter: Interpreter) -> Iterator[Program]:
    with Program(interpreter, PROGRAM, enable={}) as started:
        yield started


def without_address(text: str) -> str:
    return text.partition(" at 0x")[0] + text.partition(">")[2]


def test_values_read_as_the_program_says(program: Program) -> None:
    with DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("here")]})
        program.stdin_line("show()")
        top = client.top(client.wait_stopped()["threadId"])
        shown = client.locals(top["id"])
        assert [shown[name] for name in ("price", "coin", "load", "thing", "shelf", "prices")] == [
            *("5 EUR", "1 EUR", "heavy", "plainly", "plainly", "[1 EUR, 2 EUR]"),
        ]
        for context in ("repl", "hover", "watch", "clipboard"):
            assert client.evaluate("price", top["id"], context)["result"] == "5 EUR"
        # What goes wrong is said behind what is shown without.
        assert without_address(shown["bad"]) == (
            "<__main__.Broken object <its renderer failed with AttributeError: 'Broken' object has no "
            "attribute 'missing'>"
        )
        assert shown["gone"].endswith("> <its renderer failed with SystemExit>")
        assert shown["odd"].endswith("> <its renderer returned no text but int>")
        assert without_address(shown["quiet"]) == "<__main__.Silent object"
        assert client.evaluate("remora.renderer(Money)(None)", top["id"])["result"] == "None"
        assert client.evaluate("price", top["id"])["result"].startswith("<__main__.Money object at ")
        client.disconnect()
    assert program.process.poll() is None


def test_one_that_takes_too_long_is_left_out_and_that_is_said(program: Program) -> None:
    with DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("slow")]})
        program.stdin_line("show_slow()")
        top = client.top(client.wait_stopped()["threadId"])
        begun = time.monotonic()
        first = client.locals(top["id"])
        assert time.monotonic() - begun < 10
        assert without_address(first["dull"]) == "<__main__.Slow object"
        second = client.locals(top["id"])
        assert second["dull"].endswith("> <its renderer is left out: it took too long>")
        assert second["price"] == "3 EUR"
        client.disconnect()


def test_observers_do_not_have_it_run() -> None:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": "drive", "observer_secret": "look"}) as program:
        with (
            DapClient.connect(program.address, "drive") as driver,
            DapClient.connect(program.address, login=False) as observer,
        ):
            observer.login("look", user="observer")
            driver.attach({program.path: [program.line("here")]})
            observer.attach()
            program.stdin_line("show()")
            shown = rows(observer)
            assert shown["price"].startswith("<__main__.Money object at ")
            top = driver.top(driver.wait_stopped()["threadId"])
            assert driver.evaluate("ran", top["id"])["result"] == "[]"
            driver.disconnect()


def test_the_command_shows_it(remora: Remora) -> None:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={}) as program:
        assert program.address
        program.stdin_line("while True: show()")
        place = f"break {program.path.name}:{program.line('here')}"
        ran = remora.exec(program.qualifier, place, "continue", "print price", "locals")
        printed, found = ran.results()[-2:]
        assert printed["value"] == "5 EUR"
        assert {each["name"]: each["value"] for each in found}["coin"] == "1 EUR"


def test_what_cannot_be_a_renderer_is_told() -> None:
    source = """\
#
import remora
for wrong in ((), (7,), (print,)):
    try:
        remora.renderer(*wrong)
    except TypeError as error:
        print(error)
try:
    remora.renderer("X")("text")
except TypeError as error:
    print(error)
print("ready", flush=True)
"""
    assert NEWEST is not None
    with Program(NEWEST, source, enable={}) as program:
        program.wait_line("^ready$")
        assert program.output.count('as in @remora.renderer("shop.Money")') == 3
        assert "remora.renderer takes a function, or None for none, and not 'text'" in program.output


def test_the_page_has_one_that_works() -> None:
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    text = page.partition("## How values read")[2].partition("```python\n")[2].partition("```")[0]
    source = (
        f"#\n{text}class Money:\n    amount, currency = 5, 'EUR'\nprice = Money()\ninput()\nx = 1  # @here\n"
    )
    assert NEWEST is not None
    with Program(NEWEST, source, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("here")]})
        program.stdin_line("")
        assert Stopped(program, client).evaluate("price") == "5 EUR"
        client.disconnect()
