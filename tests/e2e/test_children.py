"""Child processes and editors: asked by `startDebugging` to debug them, or told where they are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.bridge import Bridge, reverse_request
from tests.support.command import Remora
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

assert NEWEST
FORKING = """\
#
import os, sys, time

def work(number):
    return number + 1  # @work

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        start = time.monotonic()
        work(1)
        print("child done", os.getpid(), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    print("parent goes on", flush=True)
"""
STARTING = """\
#
import subprocess, sys

CHILD = '''
import remora, sys
remora.enable_attach("my_secret", ("127.0.0.1", int(sys.argv[1])), name="child")
def work(number):
    return number + 1
print("child done", work(1), flush=True)
'''
for line in sys.stdin:
    child = subprocess.Popen([sys.executable, "-c", CHILD, line.strip()])
    child.wait(30)
    print("parent goes on", flush=True)
"""


@pytest.fixture
def program():
    with Program(NEWEST, STARTING, enable={"secret": "my_secret"}, name="starting.py") as found:
        yield found


def test_an_editor_that_can_is_asked_and_the_child_is_debugged(program: Program, remora: Remora) -> None:
    with Bridge(remora) as bridge, Bridge(remora) as second:
        editor = bridge.editor
        editor.initialize(supportsStartDebuggingRequest=True)
        editor.attach(initialize=False, qualifier=program.qualifier, secret="my_secret", justMyCode=False)
        program.stdin_line(str(program.address[1]))
        asked = reverse_request(editor)
        assert asked["command"] == "startDebugging"
        assert asked["arguments"]["request"] == "attach"
        configuration = asked["arguments"]["configuration"]
        assert configuration["name"].startswith("child ")
        assert configuration["request"] == "attach"
        assert configuration["justMyCode"] is False
        child = second.editor
        child.initialize(supportsStartDebuggingRequest=True)
        attaching = child.begin("attach", configuration)
        child.expect_event("initialized")
        child.request("setFunctionBreakpoints", breakpoints=[{"name": "work"}])
        child.request("configurationDone")
        child.finish(attaching)
        stop = child.wait_stopped()  # it waited for its editor: its first function is not missed
        assert child.top(stop["threadId"])["name"] == "work"
        child.disconnect()
        program.wait_line("child done 2")
        program.wait_line("parent goes on")
        editor.disconnect()


def test_an_editor_that_asks_and_does_nothing_does_not_hold_the_child(
    program: Program, remora: Remora
) -> None:
    with Bridge(remora) as bridge:
        editor = bridge.editor
        editor.initialize(supportsStartDebuggingRequest=True)
        editor.attach(initialize=False, qualifier=program.qualifier, secret="my_secret")
        program.stdin_line(str(program.address[1]))
        reverse_request(editor)
        program.wait_line("child done 2", timeout=15)
        editor.disconnect()


@pytest.mark.parametrize("initialize", [{}, {"supportsStartDebuggingRequest": False}])
def test_any_other_editor_is_told_where_the_child_is(
    program: Program, remora: Remora, initialize: dict[str, Any]
) -> None:
    with Bridge(remora) as bridge:
        editor = bridge.editor
        editor.initialize(**initialize)
        editor.attach(initialize=False, qualifier=program.qualifier, secret="my_secret")
        program.stdin_line(str(program.address[1]))
        program.wait_line("child done 2")
        told = editor.expect_event("output", category="console")["output"]
        assert "was started; attach to it with: " + program.qualifier + "#" in told
        assert not [each for each in editor.messages if each["type"] == "request"]
        editor.disconnect()


def test_nobody_is_asked_where_the_editor_wants_no_children(program: Program, remora: Remora) -> None:
    with Bridge(remora) as bridge:
        editor = bridge.editor
        editor.initialize(supportsStartDebuggingRequest=True)
        editor.attach(initialize=False, qualifier=program.qualifier, secret="my_secret", subProcess=False)
        program.stdin_line(str(program.address[1]))
        program.wait_line("parent goes on")
        editor.threads()
        assert not [each for each in editor.messages if each["type"] == "request"]
        assert not [each for each in editor.events if "started" in str(each["body"].get("output"))]
        editor.disconnect()


def test_a_forked_child(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, FORKING, enable={"secret": "my_secret"}, warnings="default") as program:
        with Bridge(remora) as bridge:
            editor = bridge.editor
            editor.initialize(supportsStartDebuggingRequest=True)
            editor.attach(initialize=False, qualifier=program.qualifier, secret="my_secret")
            program.stdin_line("")
            program.wait_line("parent goes on")  # nobody waits for anybody
            editor.disconnect()
