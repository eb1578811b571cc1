"""The keys of an editor's configuration that debuggers for Python have in common, as `attach` takes them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

CALLS = """\
#
import fnmatch
import sys

class _Hidden:
    pass

class Shown:
    def __init__(self):
        self.plain = 1
        self._inner = 2
        self.__dict__["__odd__"] = 3

def twice(value):
    return value * 2  # @twice

def go(count):
    thing = Shown()
    _private = len
    kind = int
    fnmatch.filter(["a"], "a")  # @library
    twice(count)  # @own
    return thing  # @end

print("ready", flush=True)
sys.stdin.readline()
go(21)
sys.exit(3)  # @exit
"""


def stopped_at(client: DapClient, program: Program, marker: str) -> int:
    client.set_breakpoints(program.path, [program.line(marker)])
    program.stdin_line("")
    thread: int = client.wait_stopped()["threadId"]
    return thread


def stepped_into(client: DapClient, thread: int) -> str:
    client.step_in(thread)
    client.wait_stopped(reason="step")
    name: str = client.top(thread)["name"]
    return name


@pytest.mark.parametrize(
    ("rules", "marker", "name"),
    [
        ([], "library", "go"),
        ([{"module": "fnmatch", "include": True}], "library", "filter"),
        ([{"path": "*/fnmatch.py"}, {"module": "fnmatch", "include": False}], "library", "filter"),
        ([{"module": "fnm"}, {"path": "**/go.py"}], "library", "go"),
        ([], "own", "twice"),
    ],
)
def test_rules_say_whose_code_steps_end_in(rules: list[dict[str, Any]], marker: str, name: str) -> None:
    assert NEWEST is not None
    with Program(NEWEST, CALLS, enable={}) as program:
        with DapClient.connect(program.address).attach(rules=rules) as client:
            thread = stopped_at(client, program, marker)
            assert stepped_into(client, thread) == name
            client.disconnect()


def test_rules_leave_code_of_ones_own_out() -> None:
    assert NEWEST is not None
    source = "#\nimport sys\nsys.stdin.readline()\nimport helper.deep\nhelper.deep.f()  # @call\nx = 1\n"
    with Program(NEWEST, source, enable={}) as program:
        (program.directory / "helper").mkdir()
        (program.directory / "helper" / "deep.py").write_text("def f():\n    return 1\n", encoding="utf-8")
        rules = [{"module": "helper", "include": False}]
        with DapClient.connect(program.address).attach(rules=rules, justMyCode=False) as client:
            thread = stopped_at(client, program, "call")
            assert stepped_into(client, thread) == "<module>"
            client.disconnect()


def test_a_returned_value_is_not_shown_to_who_does_not_want_it() -> None:
    assert NEWEST is not None
    for wanted in (True, False):
        with Program(NEWEST, CALLS, enable={}) as program:
            with DapClient.connect(program.address).attach(showReturnValue=wanted) as client:
                thread = stopped_at(client, program, "twice")
                client.step_out(thread)
                client.wait_stopped(reason="step")
                assert ("Return value" in client.scopes(client.top(thread)["id"])) is wanted
                client.disconnect()


@pytest.mark.parametrize("ways", [{"all": "group"}, {"protected": "hide", "function": "group"}])
def test_kinds_of_variables_are_grouped_or_hidden(ways: dict[str, str]) -> None:
    assert NEWEST is not None
    with Program(NEWEST, CALLS, enable={}) as program:
        with DapClient.connect(program.address).attach(variablePresentation=ways) as client:
            thread = stopped_at(client, program, "end")
            scopes = client.scopes(client.top(thread)["id"])
            rows = {each["name"]: each for each in client.variables(scopes["Locals"]["variablesReference"])}
            inside = {each["name"]: each for each in client.variables(rows["thing"]["variablesReference"])}
            around = {
                each["name"]: each for each in client.variables(scopes["Globals"]["variablesReference"])
            }
            if "all" in ways:
                assert [*rows] == ["count", "thing", "protected variables", "class variables"]
                assert [*inside] == ["plain", "special variables", "protected variables"]
                group = rows["protected variables"]
                (private,) = client.variables(group["variablesReference"])
                assert private["evaluateName"] == "_private"
                assert "evaluateName" not in group
                (inner,) = client.variables(inside["protected variables"]["variablesReference"])
                assert inner["evaluateName"] == "thing._inner"
                changed = client.request(
                    "setVariable",
                    variablesReference=inside["protected variables"]["variablesReference"],
                    name="_inner",
                    value="5",
                )
                assert changed["value"] == "5"
                assert client.evaluate("thing._inner", client.top(thread)["id"])["result"] == "5"
            else:
                assert [*rows] == ["count", "thing", "kind"]
                assert [*inside] == ["plain", "__odd__"]
                assert "_Hidden" not in around
                assert {"Shown", "function variables"} <= around.keys()
                assert not {"go", "twice"} & around.keys()
            client.disconnect()


THREADS = """\
#
import sys, threading, time
count = 0
def work():
    global count
    while True:
        count += 1
        time.sleep(0.001)
threading.Thread(target=work, daemon=True).start()
sys.stdin.readline()
first = count  # @first
time.sleep(0.2)
second = count
time.sleep(0)  # @end
"""


@pytest.mark.parametrize("resumes", [True, False])
def test_a_step_lets_other_threads_run_or_not(resumes: bool) -> None:
    assert NEWEST is not None
    with Program(NEWEST, THREADS, enable={}) as program:
        with DapClient.connect(program.address).attach(steppingResumesAllThreads=resumes) as client:
            thread = stopped_at(client, program, "first")
            for _ in range(3):
                client.next(thread)
                client.wait_stopped(reason="step")
            grew = client.evaluate("second - first", client.top(thread)["id"])["result"]
            assert (int(grew) > 2) is resumes
            client.disconnect()


def ends(client: DapClient, program: Program, *, stops: bool) -> None:
    client.request("setExceptionBreakpoints", filters=["uncaught"])
    program.stdin_line("")
    if stops:
        stop = client.wait_stopped(reason="exception")
        assert "SystemExit" in stop["description"]
        assert client.top(stop["threadId"])["line"] == program.line("exit")
        client.continue_(stop["threadId"])
    client.expect_event("terminated")
    assert not [each for each in client.events if each["event"] == "stopped"]
    assert program.returncode() == 3


def test_the_end_of_the_program_can_be_a_stop(interpreter: Interpreter) -> None:
    with Program(interpreter, CALLS, enable={}) as program:
        with DapClient.connect(program.address).attach(breakOnSystemExit=True) as client:
            ends(client, program, stops=True)


@pytest.mark.parametrize(
    ("codes", "stops"),
    [([3], True), ([{"from": 2, "to": 4}, None], True), ([0, None], False), (False, False)],
)
def test_only_some_exits_are_a_stop(codes: object, stops: bool) -> None:
    assert NEWEST is not None
    with Program(NEWEST, CALLS, enable={}) as program:
        with DapClient.connect(program.address).attach(breakOnSystemExit=codes) as client:
            ends(client, program, stops=stops)


def test_an_exit_is_a_stop_beside_what_the_editor_asks_for() -> None:
    assert NEWEST is not None
    source = (
        "#\nimport sys\nsys.stdin.readline()\ntry:\n    sys.exit()\nexcept SystemExit:\n    pass\n1 / 0\n"
    )
    with Program(NEWEST, source, enable={}) as program:
        with DapClient.connect(program.address).attach(breakOnSystemExit=True) as client:
            client.request("setExceptionBreakpoints", filters=["userUnhandled"])
            program.stdin_line("")
            assert "ZeroDivisionError" in client.wait_stopped(reason="exception")["description"]
            client.disconnect()


def test_what_is_not_used_is_told_once() -> None:
    assert NEWEST is not None
    with Program(NEWEST, CALLS, enable={}) as program:
        asked: dict[str, Any] = {
            "django": True,
            "jinja": False,
            "autoReload": {"enable": True},
            "logToFile": True,
        }
        with DapClient.connect(program.address).attach(**asked) as client:
            client.threads()
            (note,) = [each["body"] for each in client.events if each["event"] == "output"]
            assert note["category"] == "console"
            assert "does not use: autoReload, django, logToFile." in note["output"]
            assert "remora dap -v" in note["output"]
            client.disconnect()
        with DapClient.connect(program.address).attach(autoReload={"enable": False}, django=False) as client:
            client.threads()
            assert not [each for each in client.events if each["event"] == "output"]
            client.disconnect()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"rules": "all"}, "rules has to be a list"),
        ({"rules": [{"include": False}]}, 'each of rules is {"path" or "module"'),
        ({"rules": [{"path": "a", "module": "b"}]}, 'each of rules is {"path" or "module"'),
        ({"rules": [{"path": 1}]}, "path has to be a text"),
        ({"variablePresentation": {"special": "fold"}}, "shows special as one of inline, group, hide"),
        ({"variablePresentation": True}, "variablePresentation has to be an object"),
        ({"breakOnSystemExit": "0"}, "breakOnSystemExit is true, false or a list"),
        ({"breakOnSystemExit": [{"from": 1}]}, "breakOnSystemExit is true, false or a list"),
        ({"steppingResumesAllThreads": 1}, "steppingResumesAllThreads has to be true or false"),
        ({"showReturnValue": "yes"}, "showReturnValue has to be true or false"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(asked: dict[str, Any], told: str) -> None:
    assert NEWEST is not None
    with Program(NEWEST, CALLS, enable={}) as program:
        with DapClient.connect(program.address) as client:
            with pytest.raises(Refused) as caught:
                client.attach(**asked)
            assert caught.value.code == "bad-request"
            assert told in caught.value.text
            client.attach(initialize=False)
            client.disconnect()
