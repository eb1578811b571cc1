"""What a client leaves in the memory of the program after it has gone: nothing."""

from __future__ import annotations

import pytest

from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

ROUNDS = 4
#: Counts the frames in which something of ours stopped a thread.
FRAMES = """(__import__("gc").collect(), sum(
    type(one).__name__ == "frame" and "/remora/" in one.f_code.co_filename
    for one in __import__("gc").get_objects()))[1]""".replace("\n", "")
#: Counts what a condition is made of, and with it all that holds on to it.
COUNT = """(__import__("gc").collect(), __import__("gc").collect(), sum(
    type(one).__name__ == "Expression" for one in __import__("gc").get_objects()))[2]""".replace("\n", "")


def test_conditions_do_not_outlive_their_client(interpreter: Interpreter) -> None:
    counts = []
    with Program(interpreter, "function_loop.py", enable={}) as program:
        program.wait_line("started")
        line = {"line": program.line("doubled"), "condition": "value >= 0"}
        for _ in range(ROUNDS):
            with DapClient.connect(program.address).attach() as client:
                client.set_breakpoints(program.path, [line])
                top = client.top(client.wait_stopped(reason="breakpoint")["threadId"])
                counts.append(int(client.evaluate(COUNT, top["id"])["result"]))
                client.disconnect()
    assert counts[0] > 0
    assert counts[1:] == [counts[1]] * (ROUNDS - 1), counts


def test_frames_do_not_outlive_steps_beside_a_watch_on_exceptions(interpreter: Interpreter) -> None:
    if interpreter.is_pypy:
        pytest.skip("PyPy's collector shows no frames")
    counts = []
    with Program(interpreter, "soak_threads.py", enable={}) as program:
        program.wait_line("ready")
        for _ in range(ROUNDS):
            with DapClient.connect(program.address).attach() as client:
                never = {"filterId": "raised", "condition": "LookupError"}
                client.request("setExceptionBreakpoints", filters=[], filterOptions=[never])
                client.pause(1)
                thread = client.wait_stopped()["threadId"]
                counts.append(int(client.evaluate(FRAMES, client.top(thread)["id"])["result"]))
                for _ in range(3):
                    client.request("stepIn", threadId=thread)
                    client.wait_stopped()
                client.disconnect()
    # Each thread that stands still has some; what a client leaves would add to them each time.
    assert counts[-1] <= counts[1] + 8, counts


HELD = """\
#
import gc, sys, time, weakref


class Big:
    pass


def make():
    made = Big()
    born.append(weakref.ref(made))
    return made


def count():
    gc.collect()
    return sum(one() is not None for one in born)


born = []
print("ready", flush=True)
for line in sys.stdin:
    alive = count()  # @alive
    until = time.monotonic() + 3
    while alive and time.monotonic() < until:
        time.sleep(0.01)
        alive = count()
    print("alive", alive, "of", len(born), flush=True)
"""


def test_values_do_not_outlive_the_stop_that_they_were_looked_at_in(interpreter: Interpreter) -> None:
    with Program(interpreter, HELD, enable={}) as program:
        program.wait_line("ready")
        with DapClient.connect(program.address).attach() as client:
            client.set_breakpoints(program.path, [{"line": program.line("alive")}])
            program.stdin_line("")
            thread = client.wait_stopped(reason="breakpoint")["threadId"]
            frame = client.top(thread)["id"]
            for expression in ("make()", "[make()]", "(make(), 1 / 0)", "make().nothing"):
                client.begin("evaluate", expression=expression, frameId=frame)
            assert client.evaluate("count()", frame)["result"] != "0"
            client.continue_(thread)
            program.wait_line("alive 0 of 4")


#: Values that die when nobody has them any more, and not when the collector comes by: as most do.
UNCOLLECTED = """\
#
import gc, sys, threading, time, weakref

gc.disable()
born, going = [], threading.Event()


class Big:
    pass


def stop():
    big = Big()
    born.append(weakref.ref(big))
    return len(born)  # @stop


def wait():
    big = Big()
    born.append(weakref.ref(big))
    print("turn", len(born), flush=True)
    while not going.is_set():
        time.sleep(0.001)


def worker():
    while True:
        wait()
        going.clear()


for line in sys.stdin:
    if line == "start\\n":
        threading.Thread(target=worker, name="worker", daemon=True).start()
    elif line == "stop\\n":
        stop()
    elif line == "go on\\n":
        going.set()
    else:
        until = time.monotonic() + 5
        while sum(one() is not None for one in born) > int(line) and time.monotonic() < until:
            time.sleep(0.01)
        print("alive", sum(one() is not None for one in born), "of", len(born), flush=True)
"""


@pytest.mark.parametrize("looks", [False, True], ids=["unseen", "seen"])
def test_values_die_when_their_function_is_left(interpreter: Interpreter, looks: bool) -> None:
    """Whoever has looked: it is the driver who lets the program go on, and an observer may stay for days."""
    if interpreter.is_pypy:
        pytest.skip("PyPy's values die when the collector comes by")
    secrets = {"secret": "drive", "observer_secret": "look"}
    with (
        Program(interpreter, UNCOLLECTED, enable=secrets) as program,
        DapClient.connect(program.address, "drive") as driver,
        DapClient.connect(program.address, login=False) as observer,
    ):
        observer.login("look", user="observer")
        observer.attach()
        driver.attach({program.path: [program.line("stop")]})
        for turn in range(2):
            program.stdin_line("stop")
            thread = driver.wait_stopped()["threadId"]
            for client in [driver, observer] * looks:
                assert "Big" in client.locals(client.top(thread)["id"])["big"]
            driver.continue_(thread)
            program.stdin_line("0")
            program.wait_line(f"alive 0 of {turn + 1}")


def test_values_of_a_running_thread_die_when_it_is_seen_elsewhere() -> None:
    assert NEWEST is not None
    with Program(NEWEST, UNCOLLECTED, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach()
        program.stdin_line("start")
        for turn in range(1, 4):
            program.wait_line(f"turn {turn}")
            (thread,) = (each["id"] for each in client.threads() if each["name"] == "worker")
            frame = next(each["id"] for each in client.stack(thread) if each["name"] == "wait")
            assert "Big" in client.locals(frame)["big"]
            program.stdin_line("1")
            program.wait_line(f"alive 1 of {turn}")
            program.stdin_line("go on")


#: Says on whose thread a value dies.
FINALIZED = """\
#
import sys, threading

owner = threading.get_ident()


class Opens:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print(self.name, "died at home" if threading.get_ident() == owner else "died abroad", flush=True)


class Plain:
    __slots__ = ()

    def __del__(self):
        Opens("plain")


def fails():
    local = Opens("local")
    raise ValueError("no")


def stop():
    return 1  # @stop


for _ in sys.stdin:
    stop()
    print("left", flush=True)
"""


@pytest.mark.parametrize("leave", ["continue", "disconnect"])
def test_what_an_evaluation_made_dies_on_the_program_s_thread(interpreter: Interpreter, leave: str) -> None:
    """On ours its finalizer could wait for a lock that a held thread has, and wait for ever."""
    if interpreter.is_pypy:
        pytest.skip("PyPy's values die when the collector comes by, on whatever thread that is")
    with (
        Program(interpreter, FINALIZED, enable={}) as program,
        DapClient.connect(program.address).attach() as client,
    ):
        client.set_breakpoints(program.path, [program.line("stop")])
        program.stdin_line("go")
        thread = client.wait_stopped()["threadId"]
        frame = client.top(thread)["id"]
        client.evaluate("Plain()", frame)
        row = client.evaluate("[Opens('listed')]", frame)
        assert client.variables(row["variablesReference"])
        with pytest.raises(Refused, match="ValueError: no"):
            client.evaluate("fails()", frame)
        if leave == "continue":
            client.continue_(thread)
        else:
            client.disconnect()
        program.wait_line("left")
        died = [line for line in program.output.splitlines() if "died" in line]
        assert sorted(died) == [f"{name} died at home" for name in ("listed", "local", "plain")]
