"""Children of every kind come along behind the port of their parent: forked, spawned, executed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from tests.support.dap import DapClient
from tests.support.interpreters import INTERPRETERS, NEWEST, Interpreter
from tests.support.ports import free_port
from tests.support.program import Program, runtime_folder, threads_and_sockets

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


def expect(is_so: Callable[[], Any], seconds: float = 20) -> Any:
    """Waits until it is so."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def rows(program: Program) -> list[dict[str, Any]]:
    with DapClient.connect(program.address) as client:
        found: list[dict[str, Any]] = client.request("remora/processes")["processes"]
        return found


def rows_of(program: Program, count: int) -> list[dict[str, Any]]:
    def there() -> list[dict[str, Any]] | None:
        try:
            found = rows(program)
        except ConnectionError:
            return None
        return found if len(found) == count else None

    found: list[dict[str, Any]] = expect(there)
    return found


def check_each(program: Program, pids: list[int]) -> None:
    """A breakpoint is hit in each; and a second client leaves the threads and sockets that it found."""
    for pid in pids:
        visit(program, pid)
    for pid in pids:
        before = threads_and_sockets(pid)
        visit(program, pid)
        expect(partial(has, pid, before))


def visit(program: Program, pid: int) -> None:
    with DapClient.connect(program.address) as client:
        client.request("remora/open", pid=pid)
        client.attach({program.path: [program.line("work")]})
        stop = client.wait_stopped()
        top = client.top(stop["threadId"])
        assert client.evaluate("os.getpid()", top["id"])["result"] == str(pid)
        client.disconnect()


def has(pid: int, counts: tuple[int, int]) -> bool:
    now = threads_and_sockets(pid)
    return now[0] <= counts[0] and now[1] <= counts[1]


@pytest.mark.parametrize("interpreter", INTERPRETERS, ids=str)
def test_a_forked_child_joins_its_parents_port(interpreter: Interpreter) -> None:
    with running(interpreter, FORK) as program:
        parent, child = rows_of(program, 2)
        assert (parent["pid"], child["ppid"]) == (program.pid, program.pid)
        check_each(program, [child["pid"], parent["pid"]])
        os.kill(child["pid"], signal.SIGKILL)
        rows_of(program, 1)
        expect(lambda: threads_and_sockets(program.pid)[1] == ALONE)
        expect(lambda: not os.path.exists(f"{FOLDER}/{child['pid']}.sock"))


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
    before = set(os.listdir(FOLDER)) if os.path.exists(FOLDER) else set()
    with running(interpreter, CRASHING) as program:
        program.wait_line("forked")
        (row,) = rows_of(program, 1)
        names = set(os.listdir(FOLDER)) - before
        dead = [name for name in names if name.endswith(".sock") and not os.path.exists(f"/proc/{name[:-5]}")]
        assert not dead
        assert len(os.listdir(f"/proc/{program.pid}/task")) <= 2 + (row["implementation"] == "pypy")
