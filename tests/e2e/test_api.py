"""The server's functions, used by programs as their docstrings say."""

from __future__ import annotations

import time

import pytest

from tests.support.dap import DapClient
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.ports import free_port
from tests.support.program import Program, interrupt

WAIT = """\
# Waits for somebody, twice: with a limit, and without one.
import time

start = time.monotonic()
print("first", remora.wait_for_attach(0.2), time.monotonic() - start < 5, flush=True)
print("waiting", flush=True)
print("second", remora.wait_for_attach(), remora.is_attached(), flush=True)
"""

PTVSD = """\
# A script from 2018; only the name in its import is new.
import sys
import remora as ptvsd

try:
    print("REMORA_ADDRESS", *ptvsd.enable_attach("s3cret", ("127.0.0.1", 0), None, None, True), flush=True)
    ptvsd.enable_attach("other", ("127.0.0.1", 1))
except ptvsd.AttachAlreadyEnabledError as error:
    print("refused", str(error) != "", flush=True)
ptvsd.wait_for_attach()
total = 0
for number in range(3):
    total += number
    ptvsd.break_into_debugger()
    print("total", total, flush=True)  # @after
print(ptvsd.is_attached(), flush=True)
"""

DISABLE = """\
# Enables and disables attaching, and looks at what is left.
import gc
import os
import socket
import sys
import threading
import time
import _thread

import remora

def descriptors():
    folder = "/proc/self/fd/"
    links = [os.readlink(folder + name) for name in os.listdir(folder) if os.path.lexists(folder + name)]
    return sorted(link.split(":")[0] for link in links if ":" in link)

def left():
    tools = [sys.monitoring.get_tool(tool) for tool in range(6)] if hasattr(sys, "monitoring") else []
    return (
        _thread._count(),
        len(threading.enumerate()),
        descriptors(),
        sys.gettrace(),
        sys.stdout.write is write or sys.stdout.write == write,
        any(tools),
    )

write = sys.stdout.write
before = left()
for attempt in range(3):
    host, port = remora.enable_attach("s3cret", address=("127.0.0.1", 0))
    assert remora.enable_attach("s3cret", address=("127.0.0.1", 0)) == (host, port)
    print("REMORA_ADDRESS", host, port, flush=True)
    sys.stdin.readline()
    remora.disable_attach()
    remora.disable_attach()
    until = time.monotonic() + 5  # without a GIL, our thread may be in its last instructions
    while left() != before and time.monotonic() < until:
        time.sleep(0.001)
    assert left() == before, (left(), before)
    try:
        socket.create_connection((host, port), 5).close()
    except ConnectionRefusedError:
        print("closed", flush=True)
"""


def test_wait_for_attach(interpreter: Interpreter) -> None:
    with Program(interpreter, WAIT, enable={"secret": "s3cret"}) as program:
        program.wait_line("^first False True$")
        program.wait_line("^waiting$")
        with DapClient.connect(program.address, "s3cret") as client:
            client.attach()
            program.wait_line("^second True True$")
            assert program.returncode() == 0
    assert program.errors == ""


def test_waiting_is_interrupted_by_ctrl_c(interpreter: Interpreter) -> None:
    with Program(interpreter, WAIT, enable={"secret": "s3cret"}) as program:
        program.wait_line("^waiting$")
        interrupt(program)
        program.returncode()
        assert program.errors.splitlines()[-1] == "KeyboardInterrupt"


def test_a_script_for_ptvsd_runs_with_only_its_import_changed(interpreter: Interpreter) -> None:
    with Program(interpreter, PTVSD) as program:
        address = program.address
        program.wait_line("^refused True$")
        with DapClient.connect(address, "s3cret") as client:
            client.attach()
            for total in (0, 1, 3):
                stop = client.wait_stopped()
                frame = client.top(stop["threadId"])
                assert frame["line"] == program.line("after")
                assert client.evaluate("total", frame["id"])["result"] == str(total)
                client.continue_(stop["threadId"])
                program.wait_line(f"^total {total}$")
            program.wait_line("^True$")
            assert program.returncode() == 0
    assert program.errors == ""


def test_break_into_debugger_and_the_breakpoint_hook(interpreter: Interpreter) -> None:
    environment = {"PYTHONBREAKPOINT": "remora.breakpoint"}
    with Program(interpreter, "breakpoints_call.py", env=environment, enable={"secret": None}) as program:
        address = program.address
        program.wait_line("^ready False$")
        # Nobody is there: nothing happens.
        program.stdin_line("ask")
        program.wait_line("^line after the call$")
        program.stdin_line("hook")
        program.wait_line("^line after the hook$")
        with DapClient.connect(address) as client:
            client.attach()
            for word, function, text in (("ask", "ask", "call"), ("hook", "hook", "hook")):
                program.stdin_line(word)
                stop = client.wait_stopped()
                frame = client.top(stop["threadId"])
                assert (frame["name"], frame["line"]) == (function, program.line(f"after_{word}"))
                client.continue_(stop["threadId"])
                program.wait_line(f"^line after the {text}$")
            program.stdin_line("state")
            program.wait_line("^True$")
            client.disconnect()
        program.stdin_line("ask")
        program.wait_line("^line after the call$")
        program.stdin_line("quit")
        assert program.returncode() == 0
    assert program.errors == ""


def test_disable_attach_leaves_nothing(interpreter: Interpreter) -> None:
    with Program(interpreter, DISABLE) as program:
        for attached in (False, True, True):
            _, host, port = program.wait_line(r"^REMORA_ADDRESS (\S+) (\d+)$")[0].split()
            if not attached:
                program.stdin_line("go on")
            else:
                with DapClient.connect((host, int(port)), "s3cret") as client:
                    client.attach({str(program.path): [program.line_with('print("closed"')]})
                    program.stdin_line("go on")
                    client.wait_closed()
            program.wait_line("^closed$")
        assert program.returncode() == 0
    assert program.errors == ""


SHOW = """\
# Shows what a script sees of how it was started.
import sys
import warnings

print([sys.argv[0] == __file__, *sys.argv[1:]], flush=True)
print(__name__, __spec__ is None, sys.path[0], warnings.filters[:1], sys.flags.optimize, flush=True)
print(sorted(name for name in globals() if not name.startswith("__")), flush=True)
import remora
print("attached", remora.is_attached(), flush=True)
here = 1  # @here
sys.exit(3)
"""


def test_python_m_remora_runs_a_script_as_python_does(interpreter: Interpreter) -> None:
    with Program(interpreter, SHOW, args=("one", "--two")) as plain:
        assert plain.returncode() == 3
    argv = ["-m", "remora", "--listen", "127.0.0.1:0", "--no-secret", "{script}"]
    with Program(interpreter, SHOW, args=("one", "--two"), argv=argv) as program:
        assert program.returncode() == 3
        expected = plain.output.replace(str(plain.directory), str(program.directory))
        assert program.output == expected


def test_python_m_remora_waits(interpreter: Interpreter) -> None:
    port = free_port()
    secret = {"MY_SECRET": "s3cret"}
    argv = [
        "-m",
        "remora",
        "--listen",
        f"127.0.0.1:{port}",
        "--secret-env",
        "MY_SECRET",
        "--wait",
        "{script}",
    ]
    with Program(interpreter, SHOW, argv=argv, env=secret) as program:
        with connect_soon(("127.0.0.1", port), "s3cret") as client:
            client.attach({str(program.path): [program.line("here")]})
            stop = client.wait_stopped()
            assert [frame["name"] for frame in client.stack(stop["threadId"])] == ["<module>"]
            client.continue_(stop["threadId"])
            assert program.returncode() == 3
        assert "attached True" in program.output


def test_python_m_remora_runs_a_module() -> None:
    argv = ["-m", "remora", "--listen", "127.0.0.1:0", "--no-secret", "-m", "program"]
    with Program(NEWEST, SHOW, args=("one",), argv=argv) as program:
        assert program.returncode() == 3
        assert program.output.startswith("[True, 'one']\n__main__ False ")


def connect_soon(address: tuple[str, int], secret: str, timeout: float = 20) -> DapClient:
    """Connects as soon as somebody listens there."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return DapClient.connect(address, secret)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                pytest.fail(f"nobody listens at {address}")
