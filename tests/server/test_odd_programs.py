"""Programs that are no ordinary script: embedded, on green threads, with other interpreters in them."""

from __future__ import annotations

import os
from importlib.metadata import version

import pytest

from tests.support.dap import DapClient
from tests.support.interpreters import INTERPRETERS, NEWEST, Interpreter
from tests.support.packages import folder_with
from tests.support.program import PYTHONPATH, Program

EMBEDDED = """\
import sys
del sys.argv, sys.executable
del sys.modules["__main__"].__file__
import remora
sys.stdout.write("REMORA_ADDRESS %s %d\\n" % remora.enable_attach(None, ("127.0.0.1", 0)))
sys.stdout.flush()
def work(n):
    return n + 1  # @work
n = 0
while n < 2000:
    n = work(n)
    __import__("time").sleep(0.01)
"""

GREEN = """\
import os, sys
FIRST
import time, gevent
print("REMORA_ADDRESS", *remora.enable_attach(None, ("127.0.0.1", 0)), flush=True)
def work(name, n):
    return n + 1  # @work
def loop(name):
    n = 0
    while True:
        n = work(name, n)  # @loop
        gevent.sleep(0.01)
gevent.joinall([gevent.spawn(loop, "one"), gevent.spawn(loop, "two")], timeout=60)
"""

#: One of each way to have breakpoints.
GREEN_PYTHONS = [one for one in INTERPRETERS if one.name in ("cpython-3.11", "cpython-3.13")]

SEVERAL = """\
#
import time
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
made = interpreters.create()
def work(n):
    return n + 1  # @work
n = 0
while True:
    n = work(n)
    time.sleep(0.01)
"""


def test_without_argv_executable_and_file(interpreter: Interpreter) -> None:
    with Program(interpreter, EMBEDDED, warnings="ignore") as program:
        with DapClient.connect(program.address) as client:
            (row,) = client.request("remora/processes")["processes"]
            assert (row["name"], row["argv"], row["executable"]) == ("python", [], "")
            client.attach({program.path: [program.line("work")]})
            stop = client.wait_stopped()
            top = client.top(stop["threadId"])
            assert client.evaluate("n + 1", top["id"])["result"] == str(
                int(client.locals(top["id"])["n"]) + 1
            )
            client.disconnect()


@pytest.mark.parametrize(
    "first",
    [
        "import remora; from gevent import monkey; monkey.patch_all()",
        "from gevent import monkey; monkey.patch_all(); import remora",
        "import remora",
    ],
)
@pytest.mark.parametrize("interpreter", GREEN_PYTHONS, ids=str)
def test_greenlets_whoever_patched_first(interpreter: Interpreter, first: str) -> None:
    """From 3.12 on also in a loop that none of them ever leaves, while it is the turn of the other one."""
    path = os.pathsep.join([PYTHONPATH, folder_with("gevent", version("gevent"), interpreter)])
    source = GREEN.replace("FIRST", first)
    with Program(interpreter, source, warnings="ignore", pythonpath=path) as program:
        for marker in ("work", "loop") if interpreter.version >= (3, 12) else ("work",):
            with DapClient.connect(program.address).attach({program.path: [program.line(marker)]}) as client:
                seen: set[str] = set()
                for _ in range(20):
                    stop = client.wait_stopped()
                    top = client.top(stop["threadId"])
                    seen.add(client.evaluate("name", top["id"])["result"])
                    client.continue_(stop["threadId"])
                assert seen == {"'one'", "'two'"}
                client.set_breakpoints(program.path, [])
                client.disconnect()


@pytest.mark.parametrize("interpreter", [NEWEST, *INTERPRETERS[:1]], ids=str)
def test_other_interpreters_are_named_as_not_debugged(interpreter: Interpreter) -> None:
    with Program(interpreter, SEVERAL, enable={}, warnings="ignore") as program:
        with DapClient.connect(program.address) as client:
            client.attach({program.path: [program.line("work")]})
            client.wait_stopped()
            limits = client.capabilities["remora"]["limits"]
            assert any("another interpreter in this process" in each for each in limits)
            client.disconnect()


CELL = """\
def area(width, height):
    return width * height
"""
CELLS = f"""\
#
import linecache, sys
def run_cell(number, text):
    name = f"/tmp/ipykernel_4711/{{number}}.py"
    linecache.cache[name] = len(text), None, text.splitlines(True), name
    exec(compile(text, name, "exec"), globals())
cell = {CELL!r}
for number, line in enumerate(sys.stdin):
    run_cell(number, cell)
    print("AREA", area(number, 2), flush=True)
"""


def test_a_function_made_anew_by_its_cell_still_has_its_breakpoint(interpreter: Interpreter) -> None:
    with Program(interpreter, CELLS, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach()
        program.stdin_line("")
        program.wait_line("AREA 0")
        wanted = {"breakpoints": [{"name": "area"}]}
        assert client.request("setFunctionBreakpoints", wanted)["breakpoints"][0]["verified"]
        for number in (1, 2):
            program.stdin_line("")
            stop = client.wait_stopped(reason="function breakpoint")
            frame = client.top(stop["threadId"])
            assert (frame["name"], frame["source"]["name"]) == ("area", f"{number}.py")
            client.continue_(stop["threadId"])
            program.wait_line(f"AREA {2 * number}")


def test_a_module_that_is_part_of_the_interpreter_is_a_file_like_others(interpreter: Interpreter) -> None:
    source = '#\nimport os\nfor line in iter(input, "end"):\n    print(os.path.join("a", line), flush=True)\n'
    with Program(interpreter, source, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach()
        function = client.request("setFunctionBreakpoints", {"breakpoints": [{"name": "posixpath.join"}]})
        first = function["breakpoints"][0]["line"]
        client.request("setFunctionBreakpoints", {"breakpoints": []})
        (answer,) = client.set_breakpoints("posixpath.py", [first + 1])
        assert answer["verified"]
        program.stdin_line("b")
        stop = client.wait_stopped(reason="breakpoint")
        file = client.top(stop["threadId"])["source"]
        assert file["path"].endswith("/posixpath.py")
        text = client.request("source", {"source": file, "sourceReference": 0})["content"]
        assert "def join(a, " in text
        client.continue_(stop["threadId"])
        program.wait_line("a/b")
