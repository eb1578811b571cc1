"""Commands and renderers that people write themselves: from the settings folder, and from entry points."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bridge import Bridge
from tests.support.command import Remora
from tests.support.interpreters import NEWEST
from tests.support.program import Program

assert NEWEST
PLAIN = '''\
from remora_client import ClientError, command, renderer

@command("orders", "ord", usage="[FACTOR]")
def orders(session, arguments):
    """Show how many orders there were, times FACTOR."""
    factor = int(arguments or 1)
    if factor == 13:
        raise ClientError("Not with 13.", "Take 12.")
    return {"count": int(session.evaluate("number").value) * factor}

@command("deeper")
def deeper(session, arguments):
    """Step into the next call."""
    stop = session.step_in(20)
    return stop.frame.name

@command("children")
def children(session, arguments):
    """List what is in an object."""
    return session.evaluate(arguments).children()

@command("wrong")
def wrong(session, arguments):
    """Be wrong."""
    return helper(session)

def helper(session):
    return session.evaluate("no_such_name")

@renderer("Order")
def order(value):
    return f"order no. {value.child('number').value}"

@command("keyed")
def keyed(session, arguments):
    """Return what JSON has not."""
    return {(1, 2): 3}


@renderer("Slow")
def slow(value):
    import time
    time.sleep(600)

@renderer("Broken")
def broken(value):
    return 1 / 0
'''
ASYNC = '''\
from remora_client import command

@command("soon")
async def soon(session, arguments):
    """Be a coroutine."""
    return (await session.evaluate("number")).value
'''
LOUD = """\
from remora_client import command, renderer

print("loud")

@command("aloud")
def aloud(session, arguments):
    "Print, and return."
    print("loud")
    return 3

@renderer("Loud")
def loud(value):
    print("loud")
    return "quiet"
"""
BROKEN = "x = 1\ny = x +\n"
FAILING = "import nothing_of_that_name\n"
CONFLICT = '''\
from remora_client import command

@command("where")
def where(session, arguments):
    """Take a word that is taken."""
'''
SHOP = """\
#
import time

class Order:
    def __init__(self, number):
        self.number = number

class Broken:
    pass

class Slow:
    pass

class Loud:
    pass

slow, loud = Slow(), Loud()
many = [Order(number) for number in range(60)]

def handle(order, broken):
    return order.number  # @handle

number = 0
while True:
    number += 1
    handle(Order(number), Broken())  # @call
    time.sleep(0.02)
"""


@pytest.fixture
def program():
    with Program(NEWEST, SHOP, enable={}, name="shop.py") as found:
        yield found


@pytest.fixture
def folder(remora: Remora) -> Path:
    found = remora.configuration / "commands"
    found.mkdir()
    (found / "shop_commands.py").write_text(PLAIN)
    (found / "soon.py").write_text(ASYNC)
    return found


def line_of(text: str) -> int:
    (found,) = (number for number, line in enumerate(PLAIN.splitlines(), 1) if text in line)
    return found


def test_they_are_commands_like_any_other(remora: Remora, folder: Path, program: Program) -> None:
    ran = remora.exec(
        program.qualifier, f"break shop.py:{program.line('handle')}", "continue", "up", "orders 2",
        "print number", "soon", "help orders", "down", "children order", "return", "up", "deeper",
    )  # fmt: skip
    _, _, _, orders, number, soon, help_, _, children, *_ = ran.results()
    assert orders == {"count": 2 * int(number["value"])}
    assert soon == number["value"]
    assert help_["name"] == "orders"
    assert help_["aliases"] == ["ord"]
    assert "times FACTOR" in help_["help"]
    assert {"name": "number", "value": number["value"], "type": "int"} in children
    last = [line for line in ran.lines if "command" in line][-1]
    assert last["stop"]["reason"] == "step"
    assert last["stop"]["frame"]["name"] == last["result"]


def test_renderers_show_values_and_leave_the_data_alone(
    remora: Remora, folder: Path, program: Program
) -> None:
    options = (
        "-c",
        f"break shop.py:{program.line('handle')}",
        "-c",
        "continue",
        "-c",
        "locals",
        "-c",
        "print order",
    )
    ran = remora("exec", program.qualifier, *options)
    assert ran.code == 0, ran
    assert ran.output.count("order no. ") == 2
    assert "The renderer of Broken failed: " in ran.output  # and the value is shown all the same
    assert f"shop_commands.py:{line_of('1 / 0')}: ZeroDivisionError" in ran.output
    ran = remora("exec", program.qualifier, "--json", *options)
    assert "Order object" in ran.results()[-1]["value"]


def test_renderers_show_what_pp_spreads(remora: Remora, folder: Path, program: Program) -> None:
    ran = remora("exec", program.qualifier, "-c", "pause", "-c", "pp many")
    assert "    order no. 0,\n    order no. 1,\n" in ran.output
    assert "… 10 more" in ran.output
    ran = remora.exec(program.qualifier, "pause", "pp many")
    assert "Order object" in ran.results()[-1]["value"]


def test_a_renderer_that_takes_its_time_is_given_up(remora: Remora, folder: Path, program: Program) -> None:
    ran = remora("exec", program.qualifier, "-c", "pause", "-c", "print slow", "-c", "pp slow", timeout=30)
    assert ran.code == 0, ran
    assert ran.output.count("Slow object") == 2
    place_ = f"{folder / 'shop_commands.py'}:{line_of('def slow') - 1}"
    told = f"The renderer of Slow gave no text within 2 s and is left out from now on: {place_}"
    assert (ran.output + ran.errors).count(told) == 1


def test_renderers_show_what_is_in_a_snapshot(
    remora: Remora, folder: Path, program: Program, tmp_path: Path
) -> None:
    path = tmp_path / "shop.remora"
    stop = ("-c", f"break shop.py:{program.line('handle')}", "-c", "continue")
    assert remora("exec", program.qualifier, *stop, "-c", f"snapshot {path}").code == 0
    ran = remora("exec", path, "-c", "print order", "-c", "locals")
    assert ran.output.count("order no. ") == 2, ran


def test_renderers_show_values_in_editors(
    remora: Remora, folder: Path, program: Program, tmp_path: Path
) -> None:
    path = tmp_path / "shop.remora"
    (folder / "loud.py").write_text(LOUD)
    with Bridge(remora, program.qualifier, says="(loud\n)+") as bridge:
        editor = bridge.editor
        editor.attach({program.path: [program.line("handle")]})
        stop = editor.wait_stopped(reason="breakpoint")
        top = editor.top(stop["threadId"])["id"]
        number = editor.evaluate("order.number", top)["result"]
        assert editor.evaluate("order", top, "watch")["result"] == f"order no. {number}"
        assert "Order object" in editor.evaluate("order", top, "clipboard")["result"]
        shown = editor.locals(top)
        assert shown["order"] == f"order no. {number}"
        assert "Broken object" in shown["broken"]  # its renderer is wrong, and that is said
        told = editor.expect_event("output", category="console")["output"]
        assert f"shop_commands.py:{line_of('1 / 0')}: ZeroDivisionError" in told
        many = editor.evaluate("many", top, "watch")["variablesReference"]
        assert [each["value"] for each in editor.variables(many)[:60]] == [
            f"order no. {n}" for n in range(60)
        ]
        assert editor.evaluate("loud", top, "watch")["result"] == "quiet"  # and no word of it is in DAP's way
        assert "Slow object" in editor.evaluate("slow", top, "watch")["result"]
        assert "gave no text within 2 s" in editor.expect_event("output", category="console")["output"]
        editor.request("setVariable", variablesReference=editor.scopes(top)["Locals"]["variablesReference"],
                       name="order", value="many[7]")  # fmt: skip
        assert editor.locals(top)["order"] == "order no. 7"
        editor.request("continue", threadId=stop["threadId"])
        editor.wait_stopped(reason="breakpoint")
        editor.disconnect()
    assert remora("snapshot", program.qualifier, "-o", path).code == 0
    with Bridge(remora, str(path), says="(loud\n)*") as bridge:
        bridge.editor.attach()
        top = bridge.editor.top(bridge.editor.wait_stopped()["threadId"])["id"]
        many = bridge.editor.evaluate("many", top, "watch")["variablesReference"]
        assert bridge.editor.variables(many)[3]["value"] == "order no. 3"
        bridge.editor.disconnect()


def test_what_they_print_is_not_among_the_objects(remora: Remora, folder: Path, program: Program) -> None:
    (folder / "loud.py").write_text(LOUD)
    ran = remora.exec(program.qualifier, "aloud", "py print(1) or 2")
    assert [line["result"] for line in ran.lines] == [3, {"value": "2", "output": "1\n"}]
    assert ran.errors == "loud\nloud\n"
    assert "loud\n3\n" in remora("exec", program.qualifier, "-c", "aloud").output


def test_an_error_is_told_with_file_and_line(remora: Remora, folder: Path, program: Program) -> None:
    for command, expected in {
        "wrong": f"{folder / 'shop_commands.py'}:{line_of('no_such_name')}: NameError",
        "orders x": f"{folder / 'shop_commands.py'}:{line_of('factor = int')}: ValueError",
        "keyed": "What the command returned cannot be shown: keys must be",
        "orders 13": "Not with 13.\n  Take 12.",
    }.items():
        ran = remora.exec(program.qualifier, "pause", command)
        assert ran.code == 1
        assert ran.lines[-1]["error"].startswith(expected), ran
        assert ran.errors == ""


def test_what_cannot_be_loaded_is_told_and_left_out(remora: Remora, folder: Path, program: Program) -> None:
    (folder / "broken.py").write_text(BROKEN)
    (folder / "failing.py").write_text(FAILING)
    (folder / "conflict.py").write_text(CONFLICT)
    theirs = folder / "theirs.py"
    theirs.write_text(ASYNC.replace("soon", "theirs"))
    theirs.chmod(0o666)
    ran = remora.exec(program.qualifier, "pause", "where", "orders")
    assert ran.code == 0, ran
    assert f"{folder / 'broken.py'} is left out: {folder / 'broken.py'}:2: SyntaxError" in ran.errors
    assert f"{folder / 'failing.py'}:1: ModuleNotFoundError" in ran.errors
    assert f"{folder / 'conflict.py'}:3: the command where is left out" in ran.errors
    assert f"{theirs} is left out: others may write to it." in ran.errors
    assert len(ran.errors.splitlines()) == 4


def test_from_an_entry_point(remora: Remora, program: Program, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "shop_remora.py").write_text(PLAIN)
    info = site / "shop_remora-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-remora\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[remora.commands]\norders = shop_remora:orders\nlost = shop_remora:nothing\n"
        "[remora.renderers]\nshop = shop_remora\n"
    )
    options = ("--json", "-c", "pause", "-c", "orders 0")
    ran = remora("exec", program.qualifier, *options, env={"PYTHONPATH": str(site)})
    assert ran.results()[-1] == {"count": 0}
    assert ran.errors.startswith("remora: the entry point lost of remora.commands is left out: ")


def test_at_the_prompt(remora: Remora, folder: Path, program: Program) -> None:
    with remora.terminal("attach", program.qualifier) as person:

        def see(text: str) -> None:
            person.wait_until(lambda: text in person.text, text)

        see("Attached to shop.py")
        person.press(f"break shop.py:{program.line('handle')}\r")
        see("Breakpoint 1")
        person.press("continue\r")
        see("handle")
        person.press("chil\t")
        see("remora❯ children")  # completed
        person.press(" order\r")
        see("number = ")
        person.press("ord 3\r")
        see("{'count'")
        person.press("help\r")
        see("Your own")
        person.press("wrong\r")
        see(f"shop_commands.py:{line_of('no_such_name')}: NameError")
        person.press("print order\r")  # and the session goes on
        see("order no. ")


def test_a_start_looks_no_further_where_no_package_brings_any() -> None:
    code = (
        "import sys\n"
        "from remora_client.commands import load_own\n"
        "load_own(print)\n"
        "print('importlib.metadata' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
