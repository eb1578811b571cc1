"""Programs that replace what others stand on, as tests do: functions, builtins, imports."""

from __future__ import annotations

import pytest

from tests.support.dap import DapClient, Refused
from tests.support.interpreters import INTERPRETERS, NEWEST, Interpreter
from tests.support.program import Program

REPLACING = """\
#
import builtins, io, json, linecache, os, time
used = []
def replace(module, name, sleep=time.sleep):
    original = getattr(module, name)
    def replacement(*arguments, **options):
        if module is os and arguments[:1] in ((1,), (2,)):
            return original(*arguments, **options)
        used.append(name)
        raise RuntimeError(name)
    setattr(module, name, replacement)
pause, write = time.sleep, os.write
def work(n):
    return n + 1  # @work
for module, names in (
    (json, ("dumps", "loads")),
    (builtins, ("open", "print", "input")),
    (io, ("open",)),
    (time, ("sleep", "monotonic")),
    (linecache, ("getline", "getlines", "checkcache")),
):
    for name in names:
        replace(module, name)
write(1, b"ready\\n")
n = 0
while True:
    n = work(n)
    pause(0.01)
"""

FOR_A_WHILE = """\
#
import builtins, os, sys, time
original = builtins.list
def broken(*arguments):
    raise RuntimeError("replaced")
builtins.list = broken
time.sleep(1.5)
builtins.list = original
print("restored", flush=True)
sys.stdin.readline()
"""

UNIMPORTABLE = """\
#
import sys
sys.path[:] = []
sys.meta_path[:] = []
print("ready", flush=True)
sys.stdin.readline()
print("went on", flush=True)
"""

#: As freezegun does: in every module that has it, but in those of the library that wait.
FROZEN = """\
#
import sys, time
def work(n):
    return n + 1  # @work
monotonic = time.monotonic
left_alone = "threading", "selectors", "__main__"
for module in [module for name, module in sys.modules.items() if name not in left_alone]:
    for name, value in list(vars(module).items()):
        if value is monotonic:
            setattr(module, name, lambda: 1326499200.0)
print("frozen", flush=True)
n = 0
while True:
    n = work(n)
    time.sleep(0.01)
"""

SOME = pytest.mark.parametrize("interpreter", [NEWEST, *INTERPRETERS[:1]], ids=str)


@SOME
def test_functions_of_the_library(interpreter: Interpreter) -> None:
    with Program(interpreter, REPLACING, enable={}, warnings="ignore") as program:
        program.wait_line("ready")
        with DapClient.connect(program.address) as client:
            client.attach({program.path: [program.line("work")]})
            top = client.top(client.wait_stopped()["threadId"])
            assert top["line"] == program.line("work")
            assert client.evaluate("used", top["id"])["result"] == "[]"
            source = {"source": {"path": str(program.path)}}
            assert "# @work" in client.request("source", {**source, "sourceReference": 0})["content"]
            assert client.evaluate("used", top["id"])["result"] == "[]"
            client.disconnect()
        assert program.errors == ""


@SOME
def test_builtins_for_a_while(interpreter: Interpreter) -> None:
    """The server's thread outlives it, and writes nothing into the program's streams."""
    with Program(interpreter, FOR_A_WHILE, enable={}, warnings="ignore") as program:
        program.wait_line("restored")
        with DapClient.connect(program.address) as client:
            client.attach()
            client.disconnect()
        program.stdin_line("")
        assert program.returncode() == 0
        assert program.errors == ""


@SOME
def test_the_rest_of_the_server_cannot_be_imported(interpreter: Interpreter) -> None:
    """Everybody who knocks is told, and the program goes on at its own pace."""
    with Program(interpreter, UNIMPORTABLE, enable={}, warnings="ignore") as program:
        program.wait_line("ready")
        for _ in range(3):
            with pytest.raises(Refused, match=r"internal-error: Remora cannot import .*Start it anew"):
                DapClient.connect(program.address)
        program.stdin_line("")
        program.wait_line("went on")
        assert program.returncode() == 0
        assert program.errors == ""


@SOME
def test_a_clock_that_stands_still_stops_no_limit_of_time(interpreter: Interpreter) -> None:
    with Program(interpreter, FROZEN, enable={}) as program:
        program.wait_line("frozen")
        with DapClient.connect(program.address).attach() as client:
            client.set_breakpoints(program.path, [program.line("work")])
            frame = client.top(client.wait_stopped()["threadId"])["id"]
            with pytest.raises(Refused, match="interrupted after 5 seconds"):
                client.evaluate("sum(1 for _ in iter(int, 1))", frame, "watch")
