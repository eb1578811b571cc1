"""What the server does to a program that forks, ends, dies or prints: nothing that it would notice."""

from __future__ import annotations

import os
import re
import signal
import socket
import time

import pytest

from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program, runtime_folder
from tests.support.waiting import until

TICKING = """\
#
import time, sys
def tick(n):
    return n + 1  # @tick
n = 0
while True:
    n = tick(n)
    print("tick", n, flush=True)
    time.sleep(0.01)
"""


def test_the_end_of_the_program_is_told_and_its_exit_code_kept(interpreter: Interpreter) -> None:
    source = "#\nimport sys, atexit\natexit.register(print, 'last words', flush=True)\ninput()\nsys.exit(7)\n"
    with Program(interpreter, source, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach()
        program.stdin_line("")
        client.expect_event("terminated")
        client.wait_closed()
        assert program.returncode() == 7
        assert program.output.endswith("last words\n")


AT_EXIT = """\
#
import atexit, sys
def last(word):
    return word  # @last
atexit.register(last, "bye")
print("ready", flush=True)
sys.stdin.readline()
sys.exit(7)
"""


def test_a_stop_at_the_very_end(interpreter: Interpreter) -> None:
    """From 3.12 on no thread can be started there, and an evaluation would have one for its limit."""
    if interpreter.is_pypy:
        pytest.skip("PyPy ends all tracing before it calls atexit functions")
    with Program(interpreter, AT_EXIT, enable={}) as program:
        program.wait_line("ready")
        with DapClient.connect(program.address) as client:
            client.attach({program.path: [program.line("last")]})
            program.stdin_line("")
            stop = client.wait_stopped()
            top = client.top(stop["threadId"])
            assert client.evaluate("word + '!'", top["id"])["result"] == "'bye!'"
            assert client.evaluate("print(word)", top["id"])["result"] == "None"
            assert client.locals(top["id"]) == {"word": "'bye'"}
            client.next(stop["threadId"])
            client.wait_closed()
        assert program.returncode() == 7


def test_an_uncaught_exception_is_exit_code_one(interpreter: Interpreter) -> None:
    with Program(interpreter, "#\ninput()\n1 / 0\n", enable={}) as program:
        with DapClient.connect(program.address) as client:
            client.attach()
            program.stdin_line("")
            client.expect_event("exited", exitCode=1)
            client.expect_event("terminated")
        assert program.returncode() == 1
        assert "remora" not in program.errors.replace(str(program.directory), "").split("REMORA")[0]


def test_a_client_that_does_not_hang_up_does_not_hold_the_end_of_the_program(
    interpreter: Interpreter,
) -> None:
    with Program(interpreter, "#\ninput()\n", enable={}) as program:
        with DapClient.connect(program.address) as client:
            client.attach()
            begun = time.monotonic()
            program.stdin_line("")
            assert program.returncode() == 0
            assert time.monotonic() - begun < 3


def test_a_program_that_nobody_attached_to_ends_as_ever(interpreter: Interpreter) -> None:
    with Program(
        interpreter, "#\nimport threading\nt = threading.Thread(target=print)\nt.start()\n", enable={}
    ) as program:
        assert program.returncode() == 0
        assert program.errors == ""


@pytest.mark.parametrize("how", ["disconnect", "close"])
def test_when_the_client_goes_the_program_goes_on(interpreter: Interpreter, how: str) -> None:
    with Program(interpreter, TICKING, enable={}) as program:
        client = DapClient.connect(program.address).attach({program.path: [program.line("tick")]})
        client.wait_stopped()
        if how == "close":
            client.close()
        else:
            client.disconnect()
        program.wait_line(r"tick \d+\ntick \d+\n")
        with DapClient.connect(program.address) as again:
            again.attach()
            again.pause(0)
            again.wait_stopped(reason="pause")


def test_a_suspended_program_waits_for_the_next_client(interpreter: Interpreter) -> None:
    with Program(interpreter, TICKING, enable={}) as program:
        client = DapClient.connect(program.address).attach({program.path: [program.line("tick")]})
        client.wait_stopped()
        client.disconnect(suspendDebuggee=True)
        client = DapClient.connect(program.address)
        (process,) = client.request("remora/processes")["processes"]
        assert process["state"] == "stopped"
        client.attach()
        stop = client.wait_stopped()
        assert client.top(stop["threadId"])["line"] == program.line("tick")
        client.continue_(stop["threadId"])
        program.wait_line(r"tick \d+\ntick \d+\n")  # and its breakpoint is gone
        client.disconnect()


def test_a_client_that_takes_over_finds_the_stop(interpreter: Interpreter) -> None:
    with Program(interpreter, TICKING, enable={}) as program:
        with DapClient.connect(program.address) as first, DapClient.connect(program.address) as second:
            first.attach({program.path: [program.line("tick")]})
            first.wait_stopped()
            second.attach(force=True)
            stop = second.wait_stopped()
            assert second.top(stop["threadId"])["line"] == program.line("tick")
            second.disconnect()
        program.wait_line(r"tick \d+\ntick \d+\n")


def test_terminate_says_that_interrupts_are_ignored() -> None:
    source = TICKING.replace("while True:", "import signal\nsignal.signal(2, signal.SIG_IGN)\nwhile True:", 1)
    assert NEWEST
    with Program(NEWEST, source, enable={}) as program:
        with DapClient.connect(program.address).attach() as client:
            with pytest.raises(Refused, match="ignores interrupts"):
                client.request("terminate")
            client.disconnect()
        program.wait_line(r"tick \d+\ntick \d+\n")


def test_terminate_interrupts_and_disconnect_can_end(interpreter: Interpreter) -> None:
    source = TICKING.replace("while True:", "import signal\nwhile True:", 1)
    with Program(interpreter, source, enable={}) as program:
        with DapClient.connect(program.address).attach() as client:
            client.request("terminate")
            if interpreter.name != "pypy-3.9":  # which calls no atexit function after Ctrl-C
                client.expect_event("terminated")
            client.wait_closed()
        assert program.returncode() in (-signal.SIGINT, 128 + signal.SIGINT)
        assert "KeyboardInterrupt" in program.errors
    with Program(interpreter, TICKING, enable={}) as program:
        with DapClient.connect(program.address) as client:
            client.attach({program.path: [program.line("tick")]})
            client.wait_stopped()
            client.disconnect(terminateDebuggee=True)
        assert program.returncode() == -signal.SIGTERM


LEAVING = """\
#
import signal, sys, time
signal.signal(2, signal.default_int_handler)
def leave(*_):
    raise SystemExit(7)
signal.signal(15, leave)
if sys.argv[1:]:
    for line in sys.stdin:
        print("read", line, flush=True)
print("begins", flush=True)
while True:
    time.sleep(0.01)
"""


@pytest.mark.parametrize("how", ["terminate", "disconnect"])
def test_a_paused_program_is_ended_in_its_own_code(interpreter: Interpreter, how: str) -> None:
    """Wherever it was paused, as in the decoder of its input, and even if it is inside a read again."""
    with Program(interpreter, LEAVING, enable={}, argv=["{script}", "reads"]) as program:
        with DapClient.connect(program.address).attach() as client:
            client.pause(1)
            program.stdin_line("something")
            client.wait_stopped()
            if how == "terminate":
                client.request("terminate")
            else:
                client.disconnect(terminateDebuggee=True)
            code = program.returncode()
        if how == "terminate":
            assert code in (-signal.SIGINT, 128 + signal.SIGINT)
            assert "KeyboardInterrupt" in program.errors
            assert f"{os.sep}remora{os.sep}" not in program.errors
        else:
            assert (code, program.errors) == (7, "")


def test_what_a_handler_raises_reaches_a_paused_program(interpreter: Interpreter) -> None:
    """Also where the pause has got in by ctypes, which would print it to the program's stderr."""
    with Program(interpreter, LEAVING, enable={}) as program:
        program.wait_line("begins")
        with DapClient.connect(program.address).attach() as client:
            client.pause(1)
            client.wait_stopped()
            program.signal(signal.SIGTERM)
            assert program.returncode() == 7
        assert program.errors == ""


CATCHING = """\
#
import signal, sys
signal.signal(2, signal.default_int_handler)
def work(n):
    return n + 1  # @work
n = 0
while True:
    try:
        n = work(n)
    except KeyboardInterrupt:
        print("caught", flush=True)
"""


def test_an_interrupt_at_a_stop_goes_to_the_program_and_the_breakpoint_holds(
    interpreter: Interpreter,
) -> None:
    with Program(interpreter, CATCHING, enable={}) as program:
        with DapClient.connect(program.address).attach({program.path: [program.line("work")]}) as client:
            for _ in range(3):
                thread = client.wait_stopped()["threadId"]
                program.signal(signal.SIGINT)
                client.expect_event("continued")
                thread = client.wait_stopped()["threadId"]
                client.next(thread)
                client.wait_stopped()
                client.continue_(thread)
            client.disconnect()
        program.wait_line("caught\ncaught\ncaught")
        assert program.output.count("caught") == 3
        assert program.errors == ""


FAILING = """\
#
import signal, sys
signal.signal(2, signal.default_int_handler)
def work(n):
    return n / 0  # @work
for line in sys.stdin:
    work(1)
"""


def test_an_interrupt_at_an_uncaught_exception_leaves_only_that_to_be_printed(
    interpreter: Interpreter,
) -> None:
    with Program(interpreter, FAILING, enable={}) as program:
        with DapClient.connect(program.address).attach() as client:
            client.request("setExceptionBreakpoints", {"filters": ["uncaught"]})
            program.stdin_line("")
            client.wait_stopped(reason="exception")
            program.signal(signal.SIGINT)
            assert program.returncode() == 1
        assert program.errors.count("Traceback") == 1
        assert "remora/" not in program.errors
        assert program.errors.splitlines()[-1].startswith("ZeroDivisionError")


FORKING = """\
#
import os, sys, time
def work(n):
    return n + 1  # @work
input()
child = os.fork()
if not child:
    for n in range(10):
        work(n)
    import remora
    address = remora.enable_attach(None, ("127.0.0.1", 0), name="child")
    print("child", address[1], flush=True)
    sys.stdin.readline()
    os._exit(5)
print("parent", flush=True)
for n in range(3):
    work(n)
print("status", os.waitpid(child, 0)[1] >> 8, flush=True)
"""


@pytest.mark.filterwarnings("ignore")
def test_a_forked_child_runs_free_and_the_parent_stays_debugged(interpreter: Interpreter) -> None:
    with Program(interpreter, FORKING, enable={}, warnings="ignore") as program:
        with DapClient.connect(program.address) as client:
            client.attach({program.path: [program.line("work")]})
            program.stdin_line("")
            for _ in range(3):
                client.continue_(client.wait_stopped()["threadId"])
            port = int(program.wait_line(r"child (\d+)")[1])
            # The child is a process of its own, that can be debugged on its own.
            with DapClient.connect(("127.0.0.1", port)) as other:
                (process,) = other.request("remora/processes")["processes"]
                assert (process["name"], process["ppid"]) == ("child", program.pid)
                assert process["pid"] != program.pid
                other.attach()
                other.pause(0)
                other.wait_stopped()
                other.disconnect()
            program.stdin_line("")
            program.wait_line("status 5")
            client.expect_event("terminated")
        assert program.returncode() == 0


def test_a_child_of_a_stopped_program_does_not_hang(interpreter: Interpreter) -> None:
    source = """\
#
import os, threading, time
done = []
def forker():
    input()
    child = os.fork()
    if not child:
        os._exit(0)
    print("status", os.waitpid(child, 0)[1], flush=True)
threading.Thread(target=forker).start()
while True:
    time.sleep(0.01)  # @here
"""
    with Program(interpreter, source, enable={}, warnings="ignore") as program:
        with DapClient.connect(program.address).attach({program.path: [program.line("here")]}) as client:
            client.wait_stopped()
            program.stdin_line("")  # input() returns, and the thread is held at its next line
            client.set_breakpoints(program.path, [])
            client.continue_(1)
            program.wait_line("status 0")
            client.disconnect()


def test_a_child_is_not_held_by_hooks_that_run_before_ours(interpreter: Interpreter) -> None:
    source = """\
import os
def hook():
    print("in the child", flush=True)  # @hook
os.register_at_fork(after_in_child=hook)
import remora
print("REMORA_ADDRESS", *remora.enable_attach(None, address=("127.0.0.1", 0)), flush=True)
input()
child = os.fork()
if not child:
    os._exit(0)
print("status", os.waitpid(child, 0)[1], flush=True)
"""
    with Program(interpreter, source, warnings="ignore") as program:
        with DapClient.connect(program.address).attach({program.path: [program.line("hook")]}) as client:
            program.stdin_line("")
            program.wait_line("in the child")
            program.wait_line("status 0")
            client.expect_event("terminated")
        assert program.returncode() == 0


def test_what_is_printed_reaches_both(interpreter: Interpreter) -> None:
    source = """\
#
import sys
out, err = sys.stdout, sys.stderr
input()
print("before", flush=True)
input()
print("to both")
sys.stderr.write("and this\\n")
sys.stdout.writelines(["a\\n", "b\\n"])
print(sys.stdout is out, sys.stderr is err, "write" in vars(out))
input()
print(sys.stdout is out, sys.stderr is err, "write" in vars(out))
"""
    with Program(interpreter, source, enable={}) as program:
        program.stdin_line("")
        program.wait_line("before")
        client = DapClient.connect(program.address).attach()
        program.stdin_line("")
        client.expect_event("output", category="stderr", output="and this\n")
        out = ""
        while "True True True" not in out:
            out += client.expect_event("output", category="stdout")["output"]
        assert out == "to both\na\nb\nTrue True True\n"
        client.request("disconnect")
        client.wait_closed()
        client.close()
        program.stdin_line("")
        assert program.returncode() == 0
        assert program.output.endswith("before\nto both\na\nb\nTrue True True\nTrue True False\n")
        assert program.errors == "and this\n"


def test_a_flood_is_dropped_counted_and_said_and_blocks_nobody(interpreter: Interpreter) -> None:
    source = """\
#
import os, sys, time
input()
sys.stdout = open(os.devnull, "w")
print("covered", file=sys.stderr, flush=True)
sys.__stdin__.readline()
begun = time.monotonic()
for n in range(200_000):
    sys.stdout.write("x" * 99 + "\\n")
os.write(2, f"took {time.monotonic() - begun}\\n".encode())
sys.__stdin__.readline()
print("the end")
"""
    with Program(interpreter, source, enable={}) as program:
        program.stdin_line("")
        program.wait_line("covered", errors=True)
        with DapClient.connect(program.address).attach() as client:
            program.stdin_line("")
            program.wait_line(r"took ([0-9.]+)", errors=True)  # while the client does not read a byte
            received = dropped = 0
            while not dropped or received + dropped < 0.95 * 200_000 * 100:
                body = client.expect_event("output")
                if found := re.search(r"\[about ([0-9,]+) characters of .* were left out", body["output"]):
                    dropped += int(found[1].replace(",", ""))
                elif body["category"] == "stdout":
                    received += len(body["output"])
            # Counted by what the process wrote, give or take its buffers.
            assert received + dropped < 1.05 * 200_000 * 100
            client.drain()
            program.stdin_line("")
            client.expect_event("output", output="the end\n")
        assert program.returncode() == 0


def test_output_is_not_copied_when_the_owner_or_the_client_says_so() -> None:
    assert NEWEST is not None
    for enable, attach in (({"redirect_output": False}, {}), ({}, {"redirectOutput": False})):
        with Program(NEWEST, "#\ninput()\nprint('x')\n", enable=enable) as program:
            with DapClient.connect(program.address).attach(**attach) as client:
                program.stdin_line("")
                client.expect_event("terminated")
                assert not [event for event in client.events if event["event"] == "output"]


def test_the_local_door_knows_its_user_and_needs_no_secret(interpreter: Interpreter) -> None:
    if not hasattr(socket, "SO_PEERCRED"):
        pytest.skip("no Unix sockets with credentials here")
    folder = f"{runtime_folder()}/remora"
    with Program(interpreter, "#\ninput()\n", enable={"secret": "x"}) as program:
        _ = program.address
        path = f"{folder}/{program.pid}.sock"
        assert os.stat(folder).st_mode & 0o777 == 0o700
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(10)
        sock.connect(path)
        with DapClient(sock) as client:
            assert client.hello()["mechanisms"] == []
            (process,) = client.request("remora/processes")["processes"]
            assert process["pid"] == program.pid
            client.attach()
            program.stdin_line("")
            client.expect_event("terminated")
        assert program.returncode() == 0
        assert not os.path.exists(path)


@pytest.mark.parametrize("problem", ["open to others", "a link", "a file"])
def test_a_registry_that_is_not_ours_alone_is_not_used(
    problem: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert NEWEST is not None
    base = tmp_path_factory.mktemp("r")
    folder = base / "remora"
    if problem == "open to others":
        folder.mkdir(mode=0o777)
        folder.chmod(0o755)
    elif problem == "a link":
        (base / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(base / "elsewhere")
    else:
        folder.write_text("")
    env = {"XDG_RUNTIME_DIR": str(base), "TMPDIR": str(base), "REMORA_LOG": str(base / "log")}
    with Program(NEWEST, "#\ninput()\n", enable={"secret": "x"}, env=env) as program:
        _ = program.address
        log = (base / "log").read_text()
        assert f"the registry cannot be {folder}" in log
        assert [entry.name for entry in base.rglob("*.sock")] == [f"{program.pid}.sock"]
        assert (base / f"remora-{os.geteuid()}" / f"{program.pid}.sock").exists()


def test_a_client_that_promised_to_ping_is_missed_within_fifteen_seconds() -> None:
    assert NEWEST is not None
    with Program(NEWEST, TICKING, enable={}) as program:
        with DapClient.connect(program.address).attach({program.path: [program.line("tick")]}) as client:
            client.wait_stopped()
            client.request("remora/ping")
            begun = time.monotonic()
            client.wait_closed(20)
            assert 10 < time.monotonic() - begun < 16
        program.wait_line(r"tick \d+\ntick \d+\n")


def test_a_hundred_visits_leave_nothing_behind() -> None:
    assert NEWEST is not None
    with Program(NEWEST, TICKING, enable={"secret": "x"}) as program:

        def count() -> int:
            return len(os.listdir(f"/proc/{program.pid}/fd"))

        DapClient.connect(program.address, "x").attach().disconnect()
        before = count()
        for _ in range(100):
            DapClient.connect(program.address, "x").attach({program.path: [1]}).disconnect()
        until(lambda: count() <= before, f"no more than the {before} descriptors of before")
        assert len(os.listdir(f"/proc/{program.pid}/task")) == 2
