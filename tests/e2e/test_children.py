<<<<<<< HEAD
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


def qualifier(program: Program) -> str:
    return f"tcp://{program.address[0]}:{program.address[1]}"


@pytest.fixture
def program():
    with Program(NEWEST, STARTING, enable={"secret": "my_secret"}, name="starting.py") as found:
        yield found


def test_an_editor_that_can_is_asked_and_the_child_is_debugged(program: Program, remora: Remora) -> None:
    with Bridge(remora) as bridge, Bridge(remora) as second:
        editor = bridge.editor
        editor.initialize(supportsStartDebuggingRequest=True)
        editor.attach(initialize=False, qualifier=qualifier(program), secret="my_secret", justMyCode=False)
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
        editor.attach(initialize=False, qualifier=qualifier(program), secret="my_secret")
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
        editor.attach(initialize=False, qualifier=qualifier(program), secret="my_secret")
        program.stdin_line(str(program.address[1]))
        program.wait_line("child done 2")
        told = editor.expect_event("output", category="console")["output"]
        assert "was started; attach to it with: " + qualifier(program) + "#" in told
        assert not [each for each in editor.messages if each["type"] == "request"]
        editor.disconnect()


def test_nobody_is_asked_where_the_editor_wants_no_children(program: Program, remora: Remora) -> None:
    with Bridge(remora) as bridge:
        editor = bridge.editor
        editor.initialize(supportsStartDebuggingRequest=True)
        editor.attach(initialize=False, qualifier=qualifier(program), secret="my_secret", subProcess=False)
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
            editor.attach(initialize=False, qualifier=qualifier(program), secret="my_secret")
            program.stdin_line("")
            program.wait_line("parent goes on")  # nobody waits for anybody
            editor.disconnect()
=======
"""Children of every kind come along behind the port of their parent: forked, spawned, executed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.dap import DapClient
from tests.support.interpreters import INTERPRETERS, NEWEST, Interpreter
from tests.support.ports import free_port
from tests.support.program import Program, runtime_folder

FOLDER = f"{runtime_folder()}/remora"
#: The sockets of a program that owns a port: the port, the door, the mark, and two to wake up by.
ALONE = 5
SOME = [one for one in INTERPRETERS if one in (INTERPRETERS[0], NEWEST) or one.name == "pypy-3.11"]

ENABLE = """\
import remora, time, os, sys, threading, signal, subprocess
ADDRESS = ("127.0.0.1", {port})
remora.enable_attach(None, ADDRESS, name="child" if __name__ == "__mp_main__" else None)
def work(n):
    return n + 1  # @work
def run(*_):
    n = 0
    while not os.path.exists(END):
        n = work(n)
        time.sleep(0.01)
END = __file__ + ".end"
"""

FORK = """
children = [os.fork() for _ in range(1)]
if children[0] == 0:
    run()
    os._exit(0)
run()
os.waitpid(children[0], 0)
"""

MULTIPROCESSING = """
if __name__ == "__main__":
    import multiprocessing
    context = multiprocessing.get_context("{method}")
    children = [context.Process(target=run) for _ in range(2)]
    for child in children: child.start()
    run()
    for child in children: child.join()
"""

SUBPROCESS = """
if len(sys.argv) < 2:
    children = [subprocess.Popen([sys.executable, __file__, "child"]) for _ in range(2)]
    others = subprocess.call(["/bin/true"])
    run()
    for child in children: child.wait()
else:
    run()
"""

EXEC = """
if len(sys.argv) < 2:
    sys.stdin.readline()
    os.execv(sys.executable, [sys.executable, *PYTHON_OPTIONS, __file__, "again"])
run()
"""


@contextmanager
def running(interpreter: Interpreter, source: str) -> Iterator[Program]:
    """A program of this text, in which everything that runs ends when the test does."""
    port = free_port()
    text = ENABLE.format(port=port) + "print('REMORA_ADDRESS', *ADDRESS, flush=True)\n" + source
    with Program(interpreter, text, warnings="ignore") as program:
        try:
            yield program
        finally:
            open(f"{program.path}.end", "w").close()
        assert program.returncode() == 0, program.errors
        expect(lambda: not [name for name in os.listdir(FOLDER) if name.startswith(f"{port}.")])


def expect(is_so, seconds: float = 20):
    """Waits until it is so."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def rows(program: Program) -> list[dict]:
    with DapClient.connect(program.address) as client:
        return client.request("remora/processes")["processes"]


def rows_of(program: Program, count: int) -> list[dict]:
    def there() -> list[dict] | None:
        try:
            found = rows(program)
        except ConnectionError:
            return None
        return found if len(found) == count else None

    return expect(there)


def open_sockets(pid: int) -> int:
    links = [f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
    return sum(os.path.lexists(link) and os.readlink(link).startswith("socket:") for link in links)


def check_each(program: Program, pids: list[int]) -> None:
    """A breakpoint is hit in each of them."""
    for pid in pids:
        with DapClient.connect(program.address) as client:
            client.request("remora/open", pid=pid)
            client.attach({program.path: [program.line("work")]})
            stop = client.wait_stopped()
            top = client.top(stop["threadId"])
            assert client.evaluate("os.getpid()", top["id"])["result"] == str(pid)
            client.disconnect()


@pytest.mark.parametrize("interpreter", INTERPRETERS, ids=str)
def test_a_forked_child_joins_its_parents_port(interpreter: Interpreter) -> None:
    with running(interpreter, FORK) as program:
        parent, child = rows_of(program, 2)
        assert (parent["pid"], child["ppid"]) == (program.pid, program.pid)
        check_each(program, [child["pid"], parent["pid"]])
        os.kill(child["pid"], signal.SIGKILL)
        rows_of(program, 1)
        expect(lambda: open_sockets(program.pid) == ALONE)
        assert not os.path.exists(f"{FOLDER}/{child['pid']}.sock")


@pytest.mark.parametrize("interpreter", SOME, ids=str)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_the_children_of_multiprocessing(interpreter: Interpreter, method: str) -> None:
    with running(interpreter, MULTIPROCESSING.format(method=method)) as program:

        def workers() -> list[int]:
            found = rows(program)
            # Where the server that forks for forkserver has imported the main module, it is there, too.
            parents = {program.pid, *(row["ppid"] for row in found)}
            pids = [row["pid"] for row in found if row["pid"] not in parents]
            return pids if len(pids) == 2 else []

        _ = program.address
        check_each(program, expect(workers))


def test_the_children_of_subprocess() -> None:
    with running(NEWEST, SUBPROCESS) as program:
        found = rows_of(program, 3)
        assert [row["argv"][1:] for row in found[1:]] == [["child"], ["child"]]
        check_each(program, [row["pid"] for row in found])


@pytest.mark.parametrize("interpreter", SOME, ids=str)
def test_a_program_that_executes_itself_is_there_again(interpreter: Interpreter) -> None:
    with running(interpreter, EXEC.replace("*PYTHON_OPTIONS", "'-W', 'ignore'")) as program:
        _ = program.address
        with DapClient.connect(program.address).attach() as client:
            program.stdin_line("")
            client.wait_closed()

        def again() -> bool:
            try:
                (row,) = rows(program)
            except OSError:
                return False
            return bool(row["argv"][1:] == ["again"] and row["pid"] == program.pid)

        expect(again)
        check_each(program, [program.pid])
        assert sorted(name for name in os.listdir(FOLDER) if str(program.pid) in name.split(".")) == sorted(
            [
                f"{program.pid}.sock",
                *(name for name in os.listdir(FOLDER) if name.endswith(f".{program.pid}.port")),
            ]
        )


WHILE_STOPPED = """
def fork_at_once():
    child = os.fork()
    if not child:
        os._exit(work(6))
    print("status", os.waitpid(child, 0)[1] >> 8, flush=True)
def wait_and_fork():
    sys.stdin.readline()
    fork_at_once()
threading.Thread(target=wait_and_fork, daemon=True).start()
run()
"""


@pytest.mark.parametrize("interpreter", SOME, ids=str)
def test_a_child_that_nobody_follows_never_blocks(interpreter: Interpreter) -> None:
    """Also while its parent is debugged, with a breakpoint on what the child runs."""
    with running(interpreter, WHILE_STOPPED) as program:
        _ = program.address
        with DapClient.connect(program.address).attach({program.path: [program.line("work")]}) as client:
            stop = client.wait_stopped()
            client.set_breakpoints(program.path, [{"line": program.line("work"), "condition": "n == 6"}])
            client.continue_(stop["threadId"])
            begun = time.monotonic()
            program.stdin_line("")
            program.wait_line("status 7")
            assert time.monotonic() - begun < 5
            client.disconnect()


CRASHING = """
for n in range(20):
    child = os.fork()
    if not child:
        os.execv("/bin/true", ["true"]) if n % 2 else os._exit(0)
    os.waitpid(child, 0)
print("forked", flush=True)
run()
"""


def test_children_that_end_at_once_leave_nothing(interpreter: Interpreter) -> None:
    before = set(os.listdir(FOLDER))
    with running(interpreter, CRASHING) as program:
        program.wait_line("forked")
        (row,) = rows_of(program, 1)
        names = set(os.listdir(FOLDER)) - before
        dead = [name for name in names if name.endswith(".sock") and not os.path.exists(f"/proc/{name[:-5]}")]
        assert not dead
        assert len(os.listdir(f"/proc/{program.pid}/task")) <= 2 + (row["implementation"] == "pypy")
>>>>>>> c8c70ec (Bring children of every kind along behind the port, and survive the closing of all descriptors)
