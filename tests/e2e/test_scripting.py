"""The scripting API against real programs: callbacks, frames and values as objects, several at once."""

from __future__ import annotations

import asyncio
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remora_client import (
    ClientError,
    Frame,
    LogRecord,
    MappedFolder,
    RequestFailed,
    Stop,
    Value,
    Whereabouts,
    aio,
    attach,
    attach_all,
)
from tests.support.command import Remora, client_environment
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

assert NEWEST
DATA = """\
#
import time

class Order:
    def __init__(self, number):
        self.number = number
        self.items = list(range(1000))
        self.paid = False

def handle(order, tax=0.2):
    total = sum(order.items)
    return total * (1 + tax)  # @total

number = 0
while True:
    number += 1
    result = handle(Order(number))  # @call
    time.sleep(0.01)
"""
INTERRUPTED = """\
import signal, sys
from remora_client import attach

with attach(sys.argv[1]) as session:
    session.break_at("orders.py", int(sys.argv[2]))
    session.resume()
    session.clear()
    print("waiting", flush=True)
    session.resume()
"""


class Orders(Program):
    """A program with objects in it."""

    def __init__(self, interpreter: Interpreter = NEWEST) -> None:
        super().__init__(interpreter, DATA, enable={}, name="orders.py")


@pytest.fixture
def orders():
    with Orders() as program:
        yield program


def check_left(program: Program) -> None:
    """Another one may come, and finds the program running with no breakpoint in its way."""
    with attach(program.qualifier) as session:
        assert session.state.phase == "running"
        with pytest.raises(TimeoutError):
            session.wait_for_stop(0.2)


def test_frames_and_values_are_objects(interpreter: Interpreter) -> None:
    with Orders(interpreter) as program, attach(program.qualifier) as session:
        session.break_at("orders.py", program.line("total"))
        stop = session.resume(20)
        assert isinstance(stop, Stop)
        assert isinstance(stop.frame, Frame)
        values = {each.name: each for each in stop.frame.locals()}
        order = values["order"]
        assert isinstance(order, Value)
        assert order.type.endswith("Order")
        items = order.child("items")
        assert items.count == 1000
        page = items.children(start=400, count=5)
        assert [each.value for each in page][:3] == ["400", "401", "402"]
        assert order.child("paid").set("True").value == "True"
        assert values["tax"].set("0.5").value == "0.5"
        assert session.evaluate("order.paid, tax").value == "(True, 0.5)"
        assert session.evaluate("order.items[3]").set("7 * 6").value == "42"
        assert session.evaluate("order.items[3]").value == "42"
        caller = session.stack()[1]
        assert caller.line == program.line("call")
        assert caller.evaluate("number").value == order.child("number").value
        assert "class Order" in caller.source_text().text
        assert values["total"].children() == []
        with pytest.raises(ClientError, match="no child 'nothing'"):
            order.child("nothing")


def test_breakpoints_with_callbacks(orders: Orders) -> None:
    seen: list[int] = []
    threads: set[int] = set()

    def note(stop: Stop) -> bool:
        assert stop.frame
        threads.add(threading.get_ident())
        seen.append(int(stop.frame.evaluate("order.number").value))  # the session may be used in it
        return len(seen) == 5

    with attach(orders.qualifier) as session:
        session.break_at("orders.py", orders.line("total"), on_hit=note)
        stop = session.resume(20)
        assert stop
        assert stop.frame
        assert stop.frame.line == orders.line("total")
        assert seen == list(range(seen[0], seen[0] + 5))
        assert threads == {threading.get_ident()}
        assert session.wait_for_stop(1) is not None  # the same stop: the callback is not asked again
        assert len(seen) == 5
        session.step_over(20)
        session.clear()
        stepped: list[str] = []

        def step(stop: Stop) -> bool:
            after = session.step_out(20)  # it may move the program, too
            assert after
            assert after.frame
            stepped.append(after.frame.name)
            return len(stepped) == 3

        session.break_at("orders.py", orders.line("total"), on_hit=step)
        session.resume(20)
        assert stepped == ["<module>"] * 3
        session.clear()
        session.break_at("orders.py", orders.line("total"), on_hit=lambda stop: 1 / 0)
        with pytest.raises(ZeroDivisionError):  # what a callback raises comes out where one waits
            session.resume(20)
    check_left(orders)


def test_a_stop_that_came_before_one_waits_is_not_passed_by() -> None:
    """A condition may be true only once: between `break_at` and `resume`, say."""
    text = """\
#
import time

number = 0
while True:
    number += 1
    time.sleep(0.001)  # @wait
"""
    with Program(NEWEST, text, enable={}) as program, attach(program.qualifier) as session:
        stopped = threading.Event()
        session.listen(lambda event, body: stopped.set(), "stopped")
        session.break_at("program.py", program.line("wait"), hit_condition="== 1")
        assert stopped.wait(20)
        stop = session.resume(20)
        assert stop is not None
        assert stop.reason == "breakpoint"
        number = int(session.evaluate("number").value)
        with pytest.raises(TimeoutError, match=r"No stop within 0\.2 s; the program runs on"):
            session.resume(0.2)  # it is told once
        assert session.pause() is not None
        assert int(session.evaluate("number").value) > number
        assert session.step_over(20) is not None
        session.detach(keep_stopped=True)
        with attach(program.qualifier) as other, pytest.raises(TimeoutError):
            other.resume(0.2)  # what stood there before is let run


def test_calls_instructions_modules_and_completions(orders: Orders) -> None:
    with attach(orders.qualifier) as session:
        session.break_at("orders.py", orders.line("call"))
        assert session.resume(20) is not None
        session.clear()
        called = session.call("handle(Order(2), 0)")
        assert called is not None
        assert called.value == "499500"
        told: list[dict[str, Any]] = []
        session.listen(lambda event, body: told.append(body), "remora/called")
        session.break_at("orders.py", orders.line("total"), temporary=True)
        assert session.call("handle(Order(3), 0)") is None
        stop = session.wait_for_stop(20)
        assert stop is not None
        assert stop.frame is not None
        assert stop.frame.evaluate("order.number").value == "3"
        back = session.resume(20)
        assert back is not None
        assert [each["value"] for each in told] == ["499500"]
        rows, at = session.disassembly()
        stepped = session.step_instruction(20)
        assert stepped is not None
        assert stepped.instruction
        assert session.disassembly()[0] == rows
        assert session.disassembly()[1] > at
        assert "__main__" in [each["name"] for each in session.modules()]
        assert "handle" in [each["label"] for each in session.completions("hand")]
        point = session.break_at("orders.py", orders.line("total"))
        assert session.change_breakpoint(point.number, line=orders.line("call")).line == orders.line("call")
        with pytest.raises(TypeError, match="nonsense"):
            session.change_breakpoint(point.number, nonsense=1)  # type: ignore[call-arg]


def test_what_the_prompt_finds_out_scripts_find_out_as_objects(orders: Orders, tmp_path: Path) -> None:
    saved = str(tmp_path / "work.remora")
    with attach(orders.qualifier) as session:
        point = session.break_at("orders.py:/total = sum/", condition="order.number > 0", name="io")
        assert (point.line, point.name) == (orders.line("total") - 1, "io")
        assert session.resume(20) is not None
        told = session.why(point.number)
        assert (told.breakpoint.number, told.hits, told.holds) == (1, 1, True)
        assert told.files[0].endswith("orders.py")
        assert any("there is code on line" in each for each in told.reasons)
        assert session.hits == {1: 1}
        assert [each.name for each in session.arguments()] == ["order", "tax"]
        assert "number" in {each.name for each in session.globals()}
        assert session.inspect("handle").signature == "(order, tax=0.2)"
        assert session.source_of("handle").startswith("def handle")
        assert "RETURN_VALUE" in session.code_of("handle")
        assert session.size("order.items").items == 1000
        assert "paid" in session.names("order")
        assert "local variable" in {each.type for each in session.referrers("order")}
        assert session.evaluate("order.number", keep=True).number == 1
        assert session.evaluate("$1 * 0").value == "0"
        assert orders.line("total") in session.goto_lines()
        assert [each.name for each in session.functions("orders.py:^handle$")] == ["handle"]
        session.save_breakpoints(saved)
        session.clear()
        made = session.break_at_functions("^(handle|Order.__init__)$")
        assert len({each.name for each in made}) == 1
        session.clear()
        with open(saved, "a", encoding="utf-8") as file:  # as the prompt saves it
            file.write("commands\n  print order\nend\ndisplay order\nalias o print order\n")
        (loaded,) = session.load_breakpoints(saved)
        assert (loaded.line, loaded.condition, loaded.name) == (point.line, point.condition, "io")
        session.change_breakpoint(loaded.number, name="other", enabled=False)
        stop = session.advance("orders.py", orders.line("call"), 20)
        assert stop is not None
        assert stop.frame is not None
        assert stop.frame.line == orders.line("call")
        assert [each.name for each in session.breakpoints] == ["other"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("number >", r"'number >' is no expression: invalid syntax, at its end"),
        ("a b > 3", r"'a b > 3' is no expression: .*, at '"),
        ("number = 3", r"To compare, write =="),
        ("del number", r"A statement is no condition"),
    ],
)
def test_a_refused_condition_says_what_where_and_what_to_do(orders: Orders, wrong: str, says: str) -> None:
    with attach(orders.qualifier) as session:
        with pytest.raises(ClientError, match=says):
            session.break_at("orders.py:12", condition=wrong)
        assert not session.breakpoints
        point = session.break_at("orders.py", orders.line("total"), condition="order.number < 0")
        with pytest.raises(ClientError, match=says):
            session.change_breakpoint(point.number, condition=wrong)
        assert [each.condition for each in session.breakpoints] == ["order.number < 0"]
        session.clear()
        with pytest.raises(ClientError, match="no hit condition"):
            session.break_at("orders.py:12", hit_condition="about 3")


def test_a_condition_is_judged_by_the_python_that_runs_it(interpreter: Interpreter) -> None:
    """Quotes in an f-string's braces, as of 3.12: whatever runs this client, it is no question of that."""
    with Orders(interpreter) as program, attach(program.qualifier) as session:
        point = session.break_at("orders.py", program.line("total"), condition="order.number < 0")
        condition = """f"{"a"}" == "a" and order.number > 0"""
        if interpreter.monitored:
            assert session.change_breakpoint(point.number, condition=condition).verified
            assert session.resume(20) is not None
            session.clear()
            assert session.break_at("orders.py", program.line("total"), condition=condition).verified
        else:
            with pytest.raises(ClientError, match="is no expression"):
                session.change_breakpoint(point.number, condition=condition)
            assert [each.condition for each in session.breakpoints] == ["order.number < 0"]


def test_folders_that_hold_the_same_files(orders: Orders, tmp_path: Path) -> None:
    copy = tmp_path / "checkout" / "orders.py"
    copy.parent.mkdir()
    copy.write_text(orders.path.read_text(encoding="utf-8"), encoding="utf-8")
    theirs, ours = str(orders.directory), str(copy.parent)
    with attach(orders.qualifier, source=[str(tmp_path)]) as session:
        orders.path.rename(orders.path.with_suffix(".away"))  # as on another machine
        assert session.where_is(str(orders.path)) == Whereabouts(str(copy), None, False)
        assert session.guess_folders() == [MappedFolder(theirs, ours, 1)]
        assert session.mapped_folders == [MappedFolder(theirs, ours)]
        assert session.where_is(str(copy)) == Whereabouts(str(copy), str(orders.path), False)
        assert session.where_is(f"{theirs}/new.py") == Whereabouts(f"{ours}/new.py", None, True)
        session.map_folder(theirs, None)
        assert session.mapped_folders == []


def test_files_that_are_no_saved_breakpoints(orders: Orders, tmp_path: Path) -> None:
    file = tmp_path / "work.remora"
    with attach(orders.qualifier) as session:
        with pytest.raises(ClientError, match="There is no file"):
            session.load_breakpoints(str(file))
        for text, says in (
            ("# a script\nnext\n", ":2: next is none"),
            ("break x y\n", ":1: 'x y' is no place"),
        ):
            file.write_text(text, encoding="utf-8")
            with pytest.raises(ClientError, match=says):
                session.load_breakpoints(str(file))


def test_records_of_logging_are_objects() -> None:
    text = """\
#
import logging, sys
logging.basicConfig(level="INFO", stream=sys.stdout)
for line in sys.stdin:
    logging.getLogger("shop").warning("sold %s", line.strip())
"""
    with Program(NEWEST, text, enable={}) as program, attach(program.qualifier) as session:
        heard: queue.SimpleQueue[LogRecord] = queue.SimpleQueue()
        session.logs("warning", heard.put)
        program.stdin_line("tea")
        found = heard.get(timeout=20)
        assert (found.logger, found.level, found.message, found.line) == ("shop", "WARNING", "sold tea", 5)
        session.logs(None)
        with pytest.raises(RequestFailed, match="no level 'loud'"):
            session.logs("loud")


def test_a_time_limit_holds_while_callbacks_send_it_on(orders: Orders) -> None:
    hits: list[Any] = []
    with attach(orders.qualifier) as session:
        session.break_at("orders.py", orders.line("total"), on_hit=hits.append)
        with pytest.raises(TimeoutError):
            session.resume(1)
        assert len(hits) > 1
    check_left(orders)


def test_callbacks_may_be_coroutines(orders: Orders) -> None:
    async def scenario() -> list[str]:
        seen: list[str] = []

        async def note(stop: aio.Stop) -> bool:
            assert stop.frame
            seen.append((await stop.frame.evaluate("order.number")).value)
            return len(seen) == 3

        async with await aio.attach(orders.qualifier) as session:
            await session.break_at("orders.py", orders.line("total"), on_hit=note)
            stop = await session.resume(20)
            assert stop
            assert stop.frame
            (order, *_) = [each for each in await stop.frame.locals() if each.name == "order"]
            assert (await (await order.child("paid")).set("True")).value == "True"
        return seen

    assert len(asyncio.run(scenario())) == 3
    check_left(orders)


def test_events_by_name(orders: Orders) -> None:
    heard: list[str] = []
    with attach(orders.qualifier) as session:
        session.listen(lambda event, body: heard.append(event), "stopped")
        session.pause()
        session.go()
        session.pause()
    assert set(heard) == {"stopped"}
    assert len(heard) == 2


def test_several_programs_at_once() -> None:
    with Orders() as one, Orders() as two:
        with attach_all([one.qualifier, two.qualifier]) as sessions:
            assert len(sessions) == 2
            for session in sessions:
                session.break_at("orders.py", one.line("total"))
            seen = set()
            for _ in range(50):
                found = sessions.wait_for_stop(20)
                assert found
                session, stop = found
                assert stop.frame
                assert stop.frame.evaluate("tax").value == "0.2"
                seen.add(session.evaluate("__import__('os').getpid()").value)
                if len(seen) == 2:
                    break
                session.clear()
                session.go()
            assert seen == {str(one.pid), str(two.pid)}
            sessions[0].detach()  # one may be left before the others
            assert sessions[1].threads()
        check_left(one)
        check_left(two)
    assert "remora-session" not in [thread.name for thread in threading.enumerate()]


def test_all_or_none(orders: Orders) -> None:
    with pytest.raises(ClientError):
        attach_all([orders.qualifier, "tcp://127.0.0.1:1"])
    check_left(orders)
    assert "remora-session" not in [thread.name for thread in threading.enumerate()]


def test_an_exception_detaches(orders: Orders) -> None:
    def fail() -> None:
        with attach(orders.qualifier) as session:
            session.break_at("orders.py", orders.line("total"))
            session.resume(20)
            raise KeyError("ours")

    with pytest.raises(KeyError):
        fail()
    check_left(orders)


def test_control_c_detaches(orders: Orders, remora: Remora) -> None:
    command = [sys.executable, "-c", INTERRUPTED, orders.qualifier, str(orders.line("total"))]
    with subprocess.Popen(
        command,
        env=client_environment(remora.configuration),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as script:
        assert script.stdout
        assert script.stdout.readline() == "waiting\n"
        script.send_signal(signal.SIGINT)
        _, errors = script.communicate(timeout=20)
        assert script.returncode == -signal.SIGINT
        assert errors.rstrip().endswith("KeyboardInterrupt")
    check_left(orders)


CALLS = """\
def outer(first, second):
    return first + second  # @outer

def inner(number):
    return number * 2  # @inner

def other(number):
    return number * 3  # @other

while True:
    number = int(input())
    print(outer(inner(number), other(number)), flush=True)  # @calls
"""


@pytest.fixture
def calls() -> Iterator[Program]:
    with Program(NEWEST, CALLS, enable={}) as program:
        yield program


def frame_of(stop: Stop | None) -> Frame:
    assert stop is not None
    assert isinstance(stop.frame, Frame)
    return stop.frame


def test_steps_choose_their_call(calls: Program) -> None:
    with attach(calls.qualifier) as session:
        session.break_at("program.py", calls.line("calls"))
        calls.stdin_line("4")
        assert session.resume(20) is not None
        frame = frame_of(session.step_in(20, into="other"))
        assert (frame.name, frame.line) == ("other", calls.line("other"))
        assert frame_of(session.restart_frame(timeout=20)).name == "other"
        assert frame_of(session.step_out(20)).line == calls.line("calls")
        with pytest.raises(ClientError, match="No call of nothing on this line"):
            session.step_in(20, into="nothing")
        session.skip(functions=["inner"])
        session.send_input("5")  # for the next read
        assert session.resume(20) is not None
        assert session.evaluate("number").value == "5"
        assert frame_of(session.step_in(20)).name == "other"
        assert [each for each in session.loaded_sources() if each.name == "program.py"]


def test_what_is_left_standing_stands_for_the_next_one(calls: Program) -> None:
    with attach(calls.qualifier) as session:
        session.break_at("program.py", calls.line("calls"))
        calls.stdin_line("4")
        assert session.resume(20) is not None
        session.detach(keep_stopped=True)
    with attach(calls.qualifier) as session:
        assert frame_of(session.wait_for_stop(20)).line == calls.line("calls")
        session.break_on_exceptions(())  # it ends by a KeyboardInterrupt, which nobody catches
        session.terminate()
    assert calls.returncode() != 0


def test_a_stop_of_one_thread() -> None:
    with Program(NEWEST, "threads.py", enable={}) as program:
        program.wait_line("started")
        with attach(program.qualifier, stop_mode="one") as session:
            session.break_at("threads.py", program.line("count"), thread="worker-0")
            stop = session.resume(20)
            assert stop is not None
            states = {each.name: each for each in session.threads()}
            assert states["worker-0"].id == stop.thread_id
            counted = "counts['worker-1']"
            before = int(session.evaluate(counted).value)
            assert int(session.evaluate(f"finish.wait(0.1) or {counted}").value) > before
            assert session.select_thread(stop.thread_id).name == "work"
            session.set_stop_mode("all")
        program.stdin_line("")
        program.wait_line("ended True")


ENTERED = """\
# A program that is over at once.
total = 0  # @first
for number in range(3):
    total += number  # @adds
"""


def _waiting() -> Program:
    options = ["--listen", "127.0.0.1:0", "--no-secret", "--wait"]
    return Program(NEWEST, ENTERED, argv=["-m", "remora", *options, "{script}"])


def _place_of(program: Program) -> str:
    return program.wait_line(r"(tcp://127.0.0.1:\d+) is process \d+, waiting", errors=True)[1]


def test_a_program_that_waits_can_be_told_where_to_stop_before_it_goes_on() -> None:
    with _waiting() as program:
        with attach(_place_of(program), stop_on_entry=True) as session:
            assert session.state.stop is not None
            assert session.state.stop.reason == "entry"
            assert session.stack()[0].line == program.line("first")
            session.break_at(f"program.py:{program.line('adds')}")
            stop = session.resume(10)
            assert stop is not None
            assert (stop.reason, stop.frame and stop.frame.line) == ("breakpoint", program.line("adds"))
            session.clear()
            assert session.resume(10) is None
        assert program.returncode() == 0


def test_several_programs_that_wait_begin_with_a_stop_each() -> None:
    with _waiting() as one, _waiting() as other:
        with attach_all([_place_of(one), _place_of(other)], stop_on_entry=True) as sessions:
            assert [each.state.stop and each.state.stop.reason for each in sessions] == ["entry", "entry"]
        assert (one.returncode(), other.returncode()) == (0, 0)


def test_exec_begins_with_a_stop_when_asked(remora: Remora) -> None:
    with _waiting() as program:
        place, line = _place_of(program), program.line("adds")
        commands = ["where", f"break program.py:{line} if total > 0", "continue", "print number"]
        given = [word for command in commands for word in ("-c", command)]
        ran = remora("exec", place, "--json", "--stop-on-entry", *given)
        where, _set, _event, stopped, printed = ran.lines
        assert where["result"][0]["line"] == program.line("first")
        assert stopped["stop"]["reason"] == "breakpoint"
        assert printed["result"]["value"] == "2"
        assert ran.code == 0
        assert program.returncode() == 0


def test_several_steps_at_once_and_what_is_said_behind_the_end() -> None:
    with _waiting() as program:
        with attach(_place_of(program), stop_on_entry=True) as session:
            stop = session.step_over(10, times=3)
            assert stop is not None
            assert stop.frame is not None
            assert stop.frame.line == program.line("adds") - 1
            assert session.resume(10) is None
            with pytest.raises(ClientError, match="ended"):
                session.step_over(10)
            with pytest.raises(ClientError, match="ended"):
                session.stack()
        assert program.returncode() == 0
