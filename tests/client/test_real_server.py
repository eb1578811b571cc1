"""The client's core against the real server: the failures that both sides have a part in, and a session."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import remora_client
from remora_client import ConnectOptions, ExceptionInfo, aio
from remora_client._errors import AlreadyAttached, Gone, NoSuchProcess, PlainPort, Rejected, TlsPort
from remora_client._model import ExceptionFilter
from tests.client.servers import Files
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program, runtime_folder

SECRET = "s3cret"
PROGRAM = """\
#
import sys, time

def work(number):
    total = 0
    for each in range(number):
        total += each  # @inner
    return total

def fail():
    raise ValueError("no luck")  # @raise

def main():
    count = 0
    words = ["a", "b", "c"]
    while True:
        count += 1
        value = work(count)  # @call
        time.sleep(0.01)  # @sleep
        try:
            fail()
        except ValueError:
            pass
        if count == 10_000_000:
            break

main()
"""


@pytest.fixture
def newest() -> Interpreter:
    assert NEWEST is not None
    return NEWEST


@pytest.fixture
def program(interpreter: Interpreter) -> Iterator[Program]:
    with Program(interpreter, PROGRAM, enable={"secret": SECRET}) as started:
        yield started


def qualifier(program: Program, secret: str = SECRET, scheme: str = "tcp") -> str:
    host, port = program.address
    return f"{scheme}://{secret}@{host}:{port}"


def test_a_session(program: Program) -> None:
    with remora_client.attach(qualifier(program)) as session:
        assert session.process is not None
        assert session.process["pid"] == program.pid
        found = session.break_at("program.py", program.line("inner"), condition="number > 5 and each == 3")
        assert found.verified
        assert found.bound_path == str(program.path)
        stop = session.resume(10)
        assert stop is not None
        assert stop.frame is not None
        assert (stop.reason, stop.frame.name, stop.frame.line) == (
            "breakpoint",
            "work",
            program.line("inner"),
        )
        assert session.evaluate("each").value == "3"
        assert [each.name for each in session.stack()][:3] == ["work", "main", "<module>"]
        assert {each.name for each in session.locals()} >= {"number", "total", "each"}
        session.clear()
        stop = session.step_out(10)
        assert stop is not None
        assert stop.frame is not None
        assert (stop.frame.name, stop.frame.line) == ("main", program.line("call"))
        assert session.return_value() is not None
        stop = session.step_over(10)
        assert stop is not None
        assert stop.frame is not None
        assert stop.frame.line == program.line("sleep")
        session.assign("count", "41")
        assert session.evaluate("count").value == "41"
        (words,) = [each for each in session.locals() if each.name == "words"]
        assert [each.value for each in session.variables(words, 1, 1)] == ["'b'"]
        text = session.source_text(stop.frame.source)
        assert text.text == program.path.read_text()
        with pytest.raises(remora_client.RequestFailed, match="ZeroDivisionError"):
            session.evaluate("1 / 0")


def test_stops_at_exceptions(program: Program) -> None:
    with remora_client.attach(qualifier(program)) as session:
        session.break_on_exceptions([ExceptionFilter("raised", "ValueError")])
        stop = session.resume(10)
        assert stop is not None
        assert stop.reason == "exception"
        info = session.exception_info()
        assert isinstance(info, ExceptionInfo)
        assert "ValueError" in info.type
        assert "no luck" in info.description


def test_who_is_attached_already(program: Program) -> None:
    with remora_client.attach(qualifier(program)) as first:
        with pytest.raises(AlreadyAttached) as caught:
            remora_client.attach(qualifier(program))
        assert caught.value.exit_code == 4
        assert "since" in caught.value.text
        assert "--force" in caught.value.remedy
        with remora_client.attach(qualifier(program), force=True) as second:
            assert second.pause() is not None
            with pytest.raises(Gone, match="took over"):
                first.wait_for_stop(10)


def test_a_wrong_secret_and_the_right_one_after(program: Program) -> None:
    with pytest.raises(Rejected, match="secret"):
        remora_client.processes(qualifier(program, "wrong"))
    # The delay that this costs the next attempt from here is waited for.
    (row,) = remora_client.processes(qualifier(program))
    assert row["pid"] == program.pid


def test_the_debuggee_dies(newest: Interpreter) -> None:
    with Program(newest, PROGRAM, enable={"secret": SECRET}) as program:
        with remora_client.attach(qualifier(program)) as session:
            program.signal(signal.SIGKILL)
            with pytest.raises(Gone) as caught:
                session.wait_for_stop(10)
            assert caught.value.exit_code == 7
        with pytest.raises(remora_client.ConnectError):
            remora_client.attach(qualifier(program))


def test_the_program_ends(newest: Interpreter) -> None:
    with Program(newest, PROGRAM.replace("10_000_000", "count"), enable={"secret": SECRET}) as program:
        program.returncode()
    text = PROGRAM.replace("count == 10_000_000", "sys.stdin.readline()")
    with (
        Program(newest, text, enable={"secret": SECRET}) as program,
        remora_client.attach(qualifier(program)) as session,
    ):
        program.stdin_line("")
        assert session.wait_for_stop(10) is None
        assert session.state.phase == "ended"


def test_the_two_mix_ups_of_tls(newest: Interpreter, certificate: Files) -> None:
    with (
        Program(newest, PROGRAM, enable={"secret": SECRET}) as plain,
        pytest.raises(PlainPort, match="tcp://"),
    ):
        remora_client.processes(qualifier(plain, scheme="tcps"))
    enable = {"secret": SECRET, "certfile": certificate.certfile, "keyfile": certificate.keyfile}
    with Program(newest, PROGRAM, enable=enable) as secured:
        with pytest.raises(TlsPort, match="tcps://"):
            remora_client.processes(qualifier(secured))
        options = ConnectOptions(cafile=certificate.certfile)
        (row,) = remora_client.processes(qualifier(secured, scheme="tcps"), options)
        assert row["pid"] == secured.pid


def test_mutual_tls(newest: Interpreter, certificate: Files) -> None:
    enable = {
        "secret": SECRET,
        "certfile": certificate.certfile,
        "keyfile": certificate.keyfile,
        "client_cafile": certificate.certfile,
    }
    with Program(newest, PROGRAM, enable=enable) as program:
        place = qualifier(program, scheme="tcps")
        with pytest.raises(Rejected, match="certificate"):
            remora_client.processes(place, ConnectOptions(cafile=certificate.certfile))
        options = ConnectOptions(
            cafile=certificate.certfile, certfile=certificate.certfile, keyfile=certificate.keyfile
        )
        assert remora_client.processes(place, options)


def test_an_observer_looks_and_runs_nothing(newest: Interpreter) -> None:
    enable = {"secret": SECRET, "observer_secret": "look"}
    with (
        Program(newest, PROGRAM, enable=enable) as watched,
        remora_client.attach(qualifier(watched)) as driver,
        remora_client.attach(qualifier(watched, "look"), options=ConnectOptions(observe=True)) as observer,
    ):
        driver.break_at("program.py", watched.line("call"))
        assert driver.resume(10) is not None
        assert observer.wait_for_stop(10) is not None
        assert observer.stack()
        with pytest.raises(remora_client.RequestFailed):
            observer.evaluate("1 + 1")
        with pytest.raises(remora_client.RequestFailed):
            observer.resume(1)
        assert driver.evaluate("1 + 1").value == "2"


def test_processes_of_this_machine(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the local door: no secret needed."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime_folder())
    assert program.address
    assert program.pid in [each["pid"] for each in remora_client.processes()]
    with remora_client.attach(program.pid) as session:
        assert session.pause() is not None
    with remora_client.attach(name=f"{program.path.name}", pid=program.pid) as session:
        assert session.process is not None
        assert session.process["pid"] == program.pid
    with pytest.raises(NoSuchProcess, match="no process named nobody"):
        remora_client.attach(name="nobody")
    with pytest.raises(NoSuchProcess, match="itself"):
        remora_client.attach(os.getpid())
    with pytest.raises(NoSuchProcess, match="no process"):
        remora_client.attach(2**30)


def test_an_evaluation_is_called_off(newest: Interpreter) -> None:
    async def scenario(program: Program) -> None:
        async with await aio.attach(qualifier(program)) as session:
            await session.pause()
            with pytest.raises(remora_client.ClientError, match="No answer"):
                await session.evaluate("[each for each in iter(int, 1)]", timeout=0.3)
            assert (await session.evaluate("1 + 1", timeout=10)).value == "2"

    with Program(newest, PROGRAM, enable={"secret": SECRET}) as program:
        asyncio.run(scenario(program))


def test_attaching_to_an_endpoint_met_before_is_quick(newest: Interpreter, tmp_path: Path) -> None:
    with Program(newest, PROGRAM, enable={"secret": SECRET}) as program:
        remora_client.processes(qualifier(program))
        deadline = time.monotonic() + 30  # on a machine that is busy with others, some time is ours alone
        took = 1.0
        while took >= 0.05 and time.monotonic() < deadline:
            started = time.perf_counter()
            with remora_client.attach(qualifier(program), source=[str(tmp_path)]) as session:
                session.pause()
                session.stack()
                took = min(took, time.perf_counter() - started)
        assert took < 0.05
