"""`remora.trace_this_thread(False)`: the debugger leaves that thread alone, in all that it does."""

from __future__ import annotations

import gc
import threading
import time

import pytest

from remora._owner import _threads
from remora._owner._spared import _Spared
from tests.support.command import Remora
from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program
from tests.support.waiting import until

PROGRAM = """\
#
import sys, threading, time
import remora

counts = {"spared": 0, "worker": 0, "wants": 0}
asked = set()
mode = {"spared": False, "raises": ""}

def ask():
    asked.add(threading.current_thread().name)
    return True

def work():
    name = threading.current_thread().name
    counts[name] += 1  # @work
    if mode["raises"] == name or mode["raises"] == "both":
        try:
            raise LookupError(name)
        except LookupError:
            pass
    time.sleep(0.002)

def spared():
    was = True
    while True:
        if was != mode["spared"]:
            was = mode["spared"]
            remora.trace_this_thread(was)
        work()
        remora.break_into_debugger()
        counts["wants"] += 1

def worker():
    while True:
        work()

def begin(function):
    threading.Thread(target=function, name=function.__name__, daemon=True).start()

begin(spared)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


def start(interpreter: Interpreter) -> Program:
    """With the spared thread; the other begins when it is told to, for PyPy reaches new threads only."""
    program = Program(interpreter, PROGRAM, enable={})
    assert program.address
    return program


def begin_worker(program: Program) -> None:
    program.stdin_line("begin(worker)")
    program.wait_line("^done$")


def attach_at_work(client: DapClient, program: Program, condition: str) -> None:
    client.initialize()
    client.request("attach")
    client.set_breakpoints(program.path, [{"line": program.line("work"), "condition": condition}])
    client.request("configurationDone")


def state_of(client: DapClient) -> dict[str, str]:
    return {each["name"]: each["remora"]["state"] for each in client.threads()}


def wait_for_state(client: DapClient, name: str, state: str) -> None:
    until(lambda: state_of(client)[name] == state, f"{name} to be {state}")


def number_of(client: DapClient, name: str) -> int:
    return next(int(each["id"]) for each in client.threads() if each["name"] == name)


def value(client: DapClient, thread: int, expression: str) -> str:
    frame = next(each for each in client.stack(thread) if each["name"] == "work")
    return str(client.evaluate(expression, frame["id"])["result"])


def waits_for(client: DapClient, thread: int, expression: str) -> None:
    until(lambda: value(client, thread, expression) == "True", expression)


def test_its_breakpoints_stop_others_only_and_it_runs_on(interpreter: Interpreter) -> None:
    with start(interpreter) as program, DapClient.connect(program.address) as client:
        attach_at_work(client, program, "ask()")
        program.stdin_line("begin(worker)")
        for _ in range(3):
            thread = client.wait_stopped(reason="breakpoint")["threadId"]
            assert thread == number_of(client, "worker")
            before = int(value(client, thread, "counts['spared']"))
            waits_for(client, thread, f"counts['spared'] > {before + 3} and counts['wants'] > 3")
            assert state_of(client)["spared"] == "untraced"
            assert value(client, thread, "sorted(asked)") == "['worker']"
            client.next(thread)
            assert client.wait_stopped(reason="step")["threadId"] == thread
            client.continue_(thread)
        client.disconnect()


def test_it_can_be_taken_back_and_said_again(interpreter: Interpreter) -> None:
    with start(interpreter) as program, DapClient.connect(program.address) as client:
        attach_at_work(client, program, "name == 'spared'")
        program.stdin_line("mode['spared'] = True")
        thread = client.wait_stopped(reason="breakpoint")["threadId"]
        assert thread == number_of(client, "spared")
        assert state_of(client)["spared"] == "stopped"
        client.next(thread)
        client.wait_stopped(reason="step")
        client.set_breakpoints(program.path, [])
        client.evaluate("mode.update(spared=False)", client.top(thread)["id"])
        deadline = time.monotonic() + 20
        while state_of(client)["spared"] != "untraced":  # it comes to break_into_debugger() before that
            assert time.monotonic() < deadline
            if any(event["event"] == "stopped" for event in client.events):
                client.wait_stopped()
            if state_of(client)["spared"] == "stopped":
                client.continue_(thread)
            time.sleep(0.02)
        client.disconnect()


def test_a_step_ends_where_the_thread_asks_to_be_left_alone(interpreter: Interpreter) -> None:
    source = """\
#
import remora, sys, time
def leave():
    if remora.is_attached():
        remora.trace_this_thread(False)
        print("traced by", sys.gettrace(), flush=True)
while True:
    time.sleep(0.01)  # @here
    leave()
    time.sleep(0.01)
"""
    with Program(interpreter, source, enable={}) as program:
        with DapClient.connect(program.address) as client:
            client.attach({program.path: [program.line("here") + 1]})
            client.wait_stopped()
            client.request("setExceptionBreakpoints", filters=["raised"])  # which has older Pythons traced
            client.next(1)
            program.wait_line("^traced by None$")
            wait_for_state(client, "MainThread", "untraced")
            with pytest.raises(Refused, match="Every thread is left alone, as the program wants it"):
                client.pause(1)
            with pytest.raises(Refused, match="It is left alone, as the program wants it"):
                client.next(1)
            assert [event for event in client.drain() if event["event"] == "stopped"] == []
            client.disconnect()


def test_a_pause_takes_another_thread(interpreter: Interpreter) -> None:
    with start(interpreter) as program, DapClient.connect(program.address) as client:
        client.attach()
        begin_worker(program)
        spared = number_of(client, "spared")
        client.request("remora/stopMode", mode="one")
        with pytest.raises(Refused, match="This thread is left alone"):
            client.pause(spared)
        client.request("remora/stopMode", mode="all")
        client.pause(spared)  # which means whoever comes by first
        assert client.wait_stopped(reason="pause")["threadId"] != spared
        time.sleep(0.05)  # many rounds of its loop: held threads cannot be asked how many
        assert state_of(client)["spared"] == "untraced"
        client.disconnect()


def test_its_exceptions_stop_nothing(interpreter: Interpreter) -> None:
    with start(interpreter) as program, DapClient.connect(program.address) as client:
        client.initialize()
        client.request("attach")
        condition = "isinstance($exc, LookupError) and ask()"
        client.request(
            "setExceptionBreakpoints",
            filters=[],
            filterOptions=[{"filterId": "raised", "condition": condition}],
        )
        client.request("configurationDone")
        program.stdin_line("mode['raises'] = 'both'; begin(worker)")
        thread = client.wait_stopped(reason="exception")["threadId"]
        assert thread == number_of(client, "worker")
        assert value(client, thread, "sorted(asked)") == "['worker']"
        client.disconnect()


def test_another_thread_with_the_same_ident_is_none_of_them(interpreter: Interpreter) -> None:
    source = """\
#
import gc, sys, threading
import remora
idents = []
def first():
    remora.trace_this_thread(False)
    idents.append(threading.get_ident())
def second():
    idents.append(threading.get_ident())
    return 1  # @second
def run(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()
for line in sys.stdin:
    for _ in range(50):
        run(first)
        gc.collect()
        run(second)
        if idents[-1] == idents[-2]:
            print("same", flush=True)
            break
    else:
        print("never the same", flush=True)
"""
    with Program(interpreter, source, enable={}) as program:
        with DapClient.connect(program.address) as client:
            client.attach({program.path: [program.line("second")]})
            program.stdin_line("go")
            while True:
                thread = client.wait_stopped(reason="breakpoint")["threadId"]
                frame = client.top(thread)["id"]
                if client.evaluate("idents[-1] == idents[-2]", frame)["result"] == "True":
                    break
                client.continue_(thread)
            client.continue_(thread)
            program.wait_line("^same$")
            client.disconnect()


def test_why_tells_of_it(remora: Remora) -> None:
    assert NEWEST is not None
    with start(NEWEST) as program:
        begin_worker(program)
        place = f"break {program.path.name}:{program.line('work')}"
        ran = remora.exec(program.qualifier, place, "why 1", "threads")
        _, why, threads = ran.results()
        told = "it does not stop thread spared, which the program wants left alone (remora.trace_this_thread)"
        assert told in why["reasons"]
        assert {each["name"]: each["state"] for each in threads}["spared"] == "untraced"


def test_an_ident_that_one_of_ours_has_now_is_not_taken_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark of a thread that has ended goes late where nobody counts references, as on PyPy."""
    known = _Spared()
    monkeypatch.setattr(_threads, "spared", known)
    late: list[object] = []

    def another() -> None:
        known.add()
        late.append(known._here.mark)

    thread = threading.Thread(target=another)
    thread.start()
    thread.join()
    assert thread.ident is not None
    monkeypatch.setattr(_threads, "get_ident", lambda: thread.ident)  # the system gives it to the next one
    ended = threading.Event()

    def ours() -> None:
        late.clear()
        gc.collect()
        seen.append(thread.ident in known.never_stopped)
        ended.set()

    seen: list[bool] = []
    _threads.run_apart(ours, known.never_stopped)
    assert ended.wait(20)
    assert seen == [True]
