"""`remora exec` in scripts: its JSON against the published schema, its hooks, its time-outs."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from remora_client.commands import COMMANDS
from tests.support.command import Ran, Remora
from tests.support.dap import DapClient
from tests.support.interpreters import INTERPRETERS, NEWEST, ROOT, Interpreter
from tests.support.program import Program

assert NEWEST
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "exec-schema.json").read_text(encoding="utf-8"))
WORKER = """\
#
import time

def work(number):
    if number % 3 == 0:
        raise ValueError(f"no {number}")
    return number

done = 0
for number in range(1, 100000):
    try:
        done += work(number)  # @call
    except ValueError:
        pass
    time.sleep(0.02)
"""
CRASHING = """\
#
import time, remora

remora.wait_for_attach(20)
time.sleep(0.2)
amount = 42
raise RuntimeError("the end")
"""


FAILING_TESTS = """\
import unittest

class Sums(unittest.TestCase):
    def test_good(self):
        self.assertEqual(sum([1, 2]), 3)

    def test_bad(self):
        total = sum([1, 2])
        self.assertEqual(total, 4)  # @bad
"""


def check(ran: Ran) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for line in ran.lines:
        validator.validate(line)


def test_every_line_is_as_the_schema_says(remora: Remora) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    with Program(NEWEST, "function_loop.py", enable={}) as program:
        ran = remora.exec(
            program.qualifier, "help", f"break function_loop.py:{program.line('doubled')}", "continue",
            "where", "locals", "print value", "print [value]", "list", "threads", "next", "step", "up",
            "down", "clear -all", "!done = 3", "print nonsense", "threads",
        )  # fmt: skip
        check(ran)
        assert not ran.lines[-1]["ok"]
        assert ran.lines[-1]["command"] == "print nonsense"
        assert ran.code == 1
        line = program.line("doubled")
        ran = remora.exec(
            program.qualifier,
            f"break function_loop.py:{line}", "continue", "vars", "args", "globals", "pp [1]",
            "whatis value", "dir value", "sizeof value", "refs value", "list 1, 3", "longlist", "bottom",
            "frame", "top", "bottom", "breakpoints", "condition 1 value >= 0", "ignore 1 0", "why 1",
            "disable 1", "enable 1", "toggle 1", "group mine 1", "funcs .", "sources", "modules", "config",
            "config -list", "history 3", "completions val", "display value", "undisplay", "map",
            "skip func nothing", "skip -all", "jmc off", "jump -list", "call int(3)", "status",
            "help print", "apropos thread", "alias a print 1", "a", "unalias a", "catch",
            "threads --json", "where | wc -l", "sh echo x", "py 1 + 1", "fetch", "inspect value",
            "info line", "tasks", "sticky off",
            "frame apply all print 1", "where -1", "where full", "tbreak function_loop.py:1",
            f"trace function_loop.py:{line} 'x'", "clear -all",
        )  # fmt: skip
        check(ran)
        assert ran.code == 0, ran.lines[-1]


def test_what_was_hit_has_the_numbers_that_break_gave(remora: Remora) -> None:
    """The program counts its own: after another one came and went, these are others."""
    with Program(NEWEST, "function_loop.py", enable={}) as program:
        line = program.line("doubled")
        given = (
            "break function_loop.py:1", "clear 1", f"break function_loop.py:{line}",
            f"tbreak function_loop.py:{line + 1}", "continue", "continue", "status", "clear -all", "pause",
        )  # fmt: skip
        ran = remora.exec(program.qualifier, *given)
        check(ran)
        hit = [each["stop"]["breakpoints"] for each in ran.lines if "stop" in each]
        assert hit == [[2], [3], [3]]  # the last is no new stop, and the breakpoint is gone
        stopped = [each for each in ran.lines if each.get("event") == "stopped"]
        assert [each["breakpoints"] for each in stopped] == [[2], [3]]
        assert all(each["body"]["hitBreakpointIds"] != each["breakpoints"] for each in stopped)
        assert ran.results()[6]["stop"]["breakpoints"] == [3]
        hooks = ("--json", "--on-stop", "print value", "--timeout", "2", "-c")
        ran = remora("exec", program.qualifier, *hooks, f"break function_loop.py:{line}")
        check(ran)
        assert {tuple(each["breakpoints"]) for each in ran.lines if each.get("event") == "stopped"} == {(1,)}


#: What cannot be done in a script, or not at a line of a loop.
REFUSED = (
    "retval", "exceptions", "watch value", "logs INFO", "restart", "clipboard value", "edit",
    "interact", "layout src", "tutorial", "task 1", "proc", "wait", "connect tcp://localhost:1",
)  # fmt: skip


def test_every_command_keeps_to_the_schema(remora: Remora) -> None:
    with Program(NEWEST, "function_loop.py", enable={}) as program:
        at, returns = program.line("doubled"), program.line("step_return")
        (remora.folder / "commands").write_text("print 6 * 7\n")
        given = (
            f"break function_loop.py:{at}", "continue", "save breakpoints kept", "load kept", "record it",
            "transcript it.txt", "transcript -off", "record -off", "set", "ps", "src step", "rbreak ^spin$",
            "commands 1",
            f"advance {returns}", "until", "clear -all", f"break function_loop.py:{at}", "continue",
            "restartframe", "thread 1", "stepi", "nexti", "disassemble", "snapshot it.remora",
            "source commands", "pause", "return", "stdin x", "detach",
        )  # fmt: skip
        ran = remora.exec(program.qualifier, *given)
        check(ran)
        assert ran.code == 0, ran.lines[-1]
        for refused in REFUSED:
            ran = remora.exec(program.qualifier, f"break function_loop.py:{at}", "continue", refused)
            check(ran)
            assert (ran.code, ran.lines[-1]["ok"]) == (1, False), ran
        for ending in ("quit", "kill"):
            ran = remora.exec(program.qualifier, ending)
            check(ran)
            assert ran.code == 0, ran
        tried = {line.split()[0] for line in (*given, *REFUSED, "quit", "kill")}
    text = Path(__file__).read_text(encoding="utf-8")
    tried |= set(re.findall(r'"([a-z]+)[ "]', text[text.index("def test_every_line") :]))
    left = [each.name for each in COMMANDS.values() if each.group != "own" and not tried & set(each.words)]
    assert left == []


def test_what_a_file_of_commands_gave_before_it_failed_is_shown(remora: Remora, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("p 41 + 1\nnext\nnonsense here\n")
    with Program(NEWEST, "function_loop.py", enable={}) as program:
        ran = remora("exec", program.qualifier, "-c", "pause", "-c", f"source {tmp_path / 'file'}")
    assert ran.code == 1
    assert "file:3: SyntaxError" in ran.errors
    assert re.search(r"^42$.*→ Step", ran.output, re.MULTILINE | re.DOTALL), ran.output


def test_hooks_at_every_stop(remora: Remora) -> None:
    with Program(NEWEST, WORKER, enable={}, name="worker.py") as program:
        options = ("--json", "--on-stop", "print number", "--timeout", "3")
        place_ = f"worker.py:{program.line('call')}"
        ran = remora("exec", program.qualifier, *options, "-c", f"break {place_}")
        assert ran.code == 0, ran
        check(ran)
        values = [int(each["value"]) for each in ran.results()[1:]]
        assert len(values) > 2
        assert values == list(range(values[0], values[0] + len(values)))


def test_hooks_at_exceptions(remora: Remora) -> None:
    with Program(NEWEST, WORKER, enable={}, name="worker.py") as program:
        options = ("--json", "--on-exception", "print number", "--on-uncaught", "print 'never'")
        ran = remora("exec", program.qualifier, *options, "--timeout", "3")
        assert ran.code == 0, ran
        check(ran)
        values = [each["value"] for each in ran.results()]
        assert values
        assert all(int(value) % 3 == 0 for value in values)


def test_hooks_that_cannot_be(remora: Remora) -> None:
    """An observer lets nothing go on, and says nowhere where to stop: a sentence, and no bug of ours."""
    enable = {"secret": "driver", "observer_secret": "looker"}
    with Program(NEWEST, WORKER, enable=enable, name="worker.py") as program:
        looker = f"tcp://looker@{program.address[0]}:{program.address[1]}"
        ran = remora("exec", looker, "--observe", "--json", "--on-exception", "where", "--timeout", "20")
        assert (ran.code, ran.errors) == (1, "")
        assert "observer" in ran.lines[-1]["error"]
        with DapClient.connect(program.address, "driver").attach() as driver:
            driver.pause(driver.threads()[0]["id"])
            driver.wait_stopped()
            ran = remora("exec", looker, "--observe", "--on-stop", "where", "--timeout", "20")
            assert ran.code == 1
            assert "observer" in ran.errors
            assert "bug" not in ran.errors


def test_a_crash_reporter(remora: Remora) -> None:
    with Program(NEWEST, CRASHING, enable={}, name="crashing.py") as program:
        hooks = ("--on-uncaught", "bt full", "--on-uncaught", "print amount")
        ran = remora("exec", program.qualifier, "--json", *hooks, "--timeout", "30")
        assert ran.code == 0, ran
        check(ran)
        where, amount = ran.results()
        assert where[0]["name"] == "<module>"
        assert {"name": "amount", "value": "42", "type": "int"} in where[0]["locals"]
        assert amount == {"value": "42", "type": "int"}
        assert program.returncode() == 1


def test_a_repr_that_sleeps_is_not_waited_for(interpreter: Interpreter, remora: Remora) -> None:
    """Nothing interrupts a thread inside native code: others are told meanwhile what can be told."""
    text = """\
#
import time

class Slow:
    def __repr__(self):
        time.sleep(12)
        return "slow"

def work():
    slow, number = Slow(), 7
    return number  # @here

while True:
    work()
    time.sleep(0.02)
"""
    with Program(interpreter, text, enable={}) as program:
        began = time.monotonic()
        ran = remora.exec(program.qualifier, f"break program.py:{program.line('here')}", "continue", "locals")
        assert time.monotonic() - began < 10
        shown = {each["name"]: each["value"] for each in ran.results()[-1]}
        assert shown["number"] == "7"
        assert "Slow" in shown["slow"]


def test_a_repr_that_prints_does_not_print_into_the_program(interpreter: Interpreter, remora: Remora) -> None:
    text = """\
#
import time

class Loud:
    def __repr__(self):
        print("LOUD", flush=True)
        return "loud"

def work():
    loud = [Loud()]
    return loud  # @here

while True:
    work()
    time.sleep(0.02)
"""
    with Program(interpreter, text, enable={}) as program:
        ran = remora.exec(
            program.qualifier, f"break program.py:{program.line('here')}", "continue", "locals", "print loud"
        )
        assert ran.results()[-1]["value"] == "[loud]"
        assert "LOUD" in ran.output
        assert "LOUD" not in program.output


@pytest.mark.parametrize("interpreter", [*dict.fromkeys((INTERPRETERS[0], NEWEST))], ids=str)
def test_a_report_of_failing_tests(interpreter: Interpreter, remora: Remora) -> None:
    """A test runner catches what its tests raise: `catch user` stops where it leaves the test."""
    options = [
        "-m",
        "remora",
        "--listen",
        "127.0.0.1:0",
        "--no-secret",
        "--wait",
        "-m",
        "unittest",
        "test_sums",
    ]
    with Program(interpreter, FAILING_TESTS, argv=options, name="test_sums.py") as program:
        place = program.wait_line(r"(tcp://127.0.0.1:\d+) is process \d+, waiting", errors=True)[1]
        hooks = ("--on-stop", "where", "--on-stop", "locals")
        ran = remora("exec", place, "--json", "-c", "catch user", *hooks, "--timeout", "30")
        assert ran.code == 0, ran
        check(ran)
        _, where, names = ran.results()
        assert where[0]["name"].endswith("test_bad")
        assert where[0]["line"] == program.line("bad")
        assert {"name": "total", "value": "3", "type": "int"} in names
        assert program.returncode() == 1
