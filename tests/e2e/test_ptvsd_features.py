"""Everything that an old ptvsd can do, through the scripting API; and what it cannot, refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remora_client import ClientError, ConnectOptions, RequestFailed, Session, attach
from remora_client._errors import NotStopped
from remora_client._model import ExceptionFilter
from tests.support.ptvsd import SERVERS, OldProgram, OldServer

WORKSHOP = """\
# Does a bit of everything, one round for each line it reads.
import sys
import threading
{enable}
try:
    read = raw_input
except NameError:
    read = input


class Thing(object):
    def __init__(self, size):
        self.size = size
        self.parts = list(range(size))


def measure(thing, factor=2):
    total = 0
    for part in thing.parts:
        total = total + part * factor  # @add
    return total  # @total


def fail(kind):
    try:
        if kind == 'caught':
            raise ValueError('a caught one')  # @caught
        raise KeyError('an uncaught one')  # @uncaught
    except ValueError:
        return 'caught'


def work(name, done):
    local_name = name  # @work
    done.append(local_name)


def threads():
    done = []
    all_ = [threading.Thread(target=work, args=('w%d' % n, done), name='worker-%d' % n) for n in range(3)]
    for each in all_:
        each.start()
    for each in all_:
        each.join()
    return done


# nothing but a comment
def main():
    while True:
        sys.stdout.write('READY\\n')
        sys.stdout.flush()
        word = read()
        if word == 'measure':
            result = measure(Thing(5))
        elif word == 'threads':
            result = threads()
        elif word == 'caught':
            result = fail('caught')
        elif word == 'uncaught':
            result = fail('uncaught')
        elif word == 'break':
            ptvsd.break_into_debugger()
            result = 'broke'
        elif word == 'late':
            import late
            result = late.late(3)
        elif word == 'end':
            break
        sys.stdout.write('RESULT %s\\n' % (result,))  # @result
        sys.stdout.flush()


main()
"""
LATE = """\
def late(value):
    # a comment
    value = value + 1  # @late
    return value
"""


class Workshop(OldProgram):
    """The program, with a file beside it that it imports late."""

    def __init__(self, server: OldServer, **more: Any) -> None:
        super().__init__(server, WORKSHOP, name="workshop.py", **more)
        (self.directory / "late.py").write_text(LATE)
        self.wait_line("READY")

    def attach(self, **more: Any) -> Session:
        return attach(self.qualifier, source=[str(self.directory)], options=ConnectOptions(), **more)


@pytest.fixture(params=SERVERS, ids=str)
def shop(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workshop]:
    """The program under every old ptvsd; alive and idle afterwards, and still to be attached to."""
    monkeypatch.setenv("REMORA_CONFIG_DIR", str(tmp_path / "configuration"))
    with Workshop(request.param) as shop:
        yield shop
        if shop.process.poll() is None:
            shop.check_well()
            shop.attach().detach()


def names(variables: Any) -> dict[str, str]:
    return {each.name: each.value for each in variables}


class Heard:
    """The events of a session, and waiting for one of them."""

    def __init__(self, session: Session) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._arrived = threading.Condition()
        session.listen(self._hear)

    def _hear(self, event: str, body: dict[str, Any]) -> None:
        with self._arrived:
            self.events.append((event, body))
            self._arrived.notify_all()

    def output(self) -> str:
        return "".join(body["output"] for event, body in self.events if event == "output")

    def wait_output(self, text: str, timeout: float = 10) -> str:
        with self._arrived:
            assert self._arrived.wait_for(lambda: text in self.output(), timeout), self.events
        return self.output()


def test_conditions_hits_and_logpoints(shop: Workshop) -> None:
    with shop.attach() as session:
        heard = Heard(session)
        line = shop.line("add")
        made = session.break_at("workshop.py", line, condition="part == 3")
        shop.stdin_line("measure")
        stop = session.wait_for_stop(10)
        assert stop is not None
        assert session.evaluate("part").value == "3"
        session.clear([made.number])
        run_to_result(shop, session, "RESULT 20")
        session.break_at("workshop.py", line, hit_condition="== 2")
        shop.stdin_line("measure")
        assert session.wait_for_stop(10)
        assert session.evaluate("part").value == "1"
        session.clear()
        session.break_at("workshop.py", line, log_message="part {part} of {len(thing.parts)} {{x}} {nope}")
        run_to_result(shop, session, "RESULT 20")
        shop.stdin_line("measure")
        shop.wait_line("RESULT 20")
        told = heard.wait_output("part 4 of 5")
        assert "part 0 of 5 {x} <name 'nope' is not defined>\n" in told
        with pytest.raises(ClientError, match="==, >=, > and %"):
            session.break_at("workshop.py", line, hit_condition="< 3")


def run_on(session: Session) -> None:
    """Let it run, without waiting for the next stop."""
    with pytest.raises(TimeoutError):
        session.resume(0.05)


def run_to_result(shop: Workshop, session: Session, text: str) -> None:
    """Let it run to the end of its round."""
    run_on(session)
    shop.wait_line(text)


def test_a_line_without_code_is_moved_or_refused(shop: Workshop) -> None:
    with shop.attach() as session:
        comment = shop.line_with("# nothing but a comment")
        moved = session.break_at("workshop.py", comment)
        assert (moved.verified, moved.bound_line) == (True, comment + 1)
        assert f"moved from line {comment} to {comment + 1}" in (moved.message or "")
        with pytest.raises(ClientError, match="no code"):
            session.break_at("workshop.py", 9999)
        missing = session.break_at("workship.py", 3)
        assert (missing.verified, missing.reason) == (False, "pending")
        assert "workshop.py" in (missing.message or "")


def test_a_file_that_is_loaded_late(shop: Workshop) -> None:
    with shop.attach() as session:
        made = session.break_at("late.py", 2)
        assert not made.verified
        assert made.bound_line == 3
        shop.stdin_line("late")
        stop = session.wait_for_stop(10)
        assert stop is not None and stop.frame is not None
        assert (stop.frame.name, stop.frame.line) == ("late", 3)
        assert session.breakpoints[0].verified
        assert names(session.locals()) == {"value": "3"}


def test_threads_are_stopped_together_and_named(shop: Workshop) -> None:
    with shop.attach() as session:
        session.break_at("workshop.py", shop.line("work"))
        shop.stdin_line("threads")
        seen = set()
        stop = session.wait_for_stop(10)
        for remaining in (2, 1, 0):
            assert stop is not None and stop.frame is not None
            assert stop.frame.name == "work"
            seen.add(session.evaluate("name").value)
            known = {each.name for each in session.threads()}
            assert "MainThread" in known
            assert any(name.startswith("worker-") for name in known)
            # Of other threads the server takes a snapshot, in which there may be nothing.
            assert session.stack(stop.thread_id)[0].name == "work"
            if remaining:
                stop = session.resume(10)
        assert len(seen) == 3
        run_on(session)
        shop.wait_line("RESULT")


def test_exceptions(shop: Workshop) -> None:
    with shop.attach() as session:
        session.break_on_exceptions([ExceptionFilter("uncaught")])
        shop.stdin_line("caught")
        shop.wait_line("RESULT caught")  # no stop
        session.break_on_exceptions([ExceptionFilter("raised", "ValueError")])
        shop.stdin_line("caught")
        stop = session.wait_for_stop(10)
        assert stop is not None and stop.frame is not None
        assert (stop.reason, stop.frame.line) == ("exception", shop.line("caught"))
        info = session.exception_info()
        assert (info.type, info.description) == ("ValueError", "a caught one")
        session.break_on_exceptions([ExceptionFilter("uncaught")])
        run_to_result(shop, session, "RESULT caught")
        shop.stdin_line("uncaught")
        stop = session.wait_for_stop(10)
        assert stop is not None and stop.frame is not None
        assert (stop.reason, stop.frame.line) == ("exception", shop.line("uncaught"))
        assert session.exception_info().type == "KeyError"
        assert names(session.locals())["kind"] == "'uncaught'"
        with pytest.raises(RequestFailed, match="names of types"):
            session.break_on_exceptions([ExceptionFilter("raised", "$exc.args")])
    assert shop.returncode() == 1


def test_values_are_looked_into_and_changed(shop: Workshop) -> None:
    with shop.attach() as session:
        session.break_at("workshop.py", shop.line("total"))
        shop.stdin_line("measure")
        assert session.wait_for_stop(10)
        arguments, locals_, globals_ = session.scopes()
        assert names(session.variables(arguments))["factor"] == "2"
        assert names(session.variables(locals_)) == {"total": "20", "part": "4"}
        assert "Thing" in names(session.variables(globals_))
        (thing,) = (each for each in session.variables(arguments) if each.name == "thing")
        assert thing.type == "Thing"
        inside = {each.name: each for each in session.variables(thing)}
        assert inside["size"].value == "5"
        assert names(session.variables(inside["parts"])) == {f"[{n}]": str(n) for n in range(5)}
        assert names(session.variables(inside["parts"], 3, 2)) == {"[3]": "3", "[4]": "4"}

        assert session.assign("total", "total + 1").value == "21"
        session.assign("thing.size", "'big'")
        assert session.evaluate("thing.size").value == "'big'"
        outer = session.stack()[1]
        assert session.evaluate("word", outer).value == "'measure'"
        session.assign("word", "'changed'", outer)
        assert session.evaluate("word", outer).value == "'changed'"
        session.execute("import os; seven = 3 + 4")
        assert session.evaluate("'x' * 100000", context="clipboard").value == repr("x" * 100000)
        with pytest.raises(RequestFailed, match="not defined") as caught:
            session.evaluate("nope")
        assert caught.value.code == "evaluation-failed"
        found = session.request(
            "completions", {"text": "thing.pa", "column": 9, "frameId": session.stack()[0].id}
        )
        assert [each["label"] for each in found["targets"]] == ["parts"]
        run_to_result(shop, session, "RESULT 21")


def test_files_modules_and_source(shop: Workshop) -> None:
    with shop.attach() as session:
        session.break_at("workshop.py", shop.line("total"))
        shop.stdin_line("measure")
        stop = session.wait_for_stop(10)
        assert stop is not None and stop.frame is not None
        text = session.request("source", {"source": {"path": stop.frame.path}})["content"]
        assert text == shop.path.read_text()
        loaded = {each["path"] for each in session.request("loadedSources")["sources"]}
        assert str(shop.path) in loaded
        assert not any(path.endswith(".pyc") for path in loaded)
        modules = {each["name"] for each in session.request("modules")["modules"]}
        assert {"workshop", "threading", "ptvsd"} <= modules


def test_pause_steps_and_the_programs_own_stops(shop: Workshop) -> None:
    with shop.attach() as session:
        threading.Timer(0.2, lambda: shop.stdin_line("measure")).start()
        stop = session.pause(10)
        assert stop is not None and stop.reason == "pause"
        session.break_at("workshop.py", shop.line("total"))
        stop = session.resume(10)
        assert stop is not None and stop.frame is not None and stop.frame.name == "measure"
        stop = session.step_over(10)
        assert stop is not None and stop.frame is not None and stop.frame.name == "main"
        run_to_result(shop, session, "RESULT 20")
        shop.stdin_line("break")
        stop = session.wait_for_stop(10)
        assert stop is not None and stop.frame is not None
        assert (stop.description, stop.frame.name) == ("break_into_debugger", "main")


def test_output_comes_once_however_often_somebody_attached(shop: Workshop) -> None:
    for _ in range(3):
        with shop.attach() as session:
            heard = Heard(session)
            shop.stdin_line("caught")
            shop.wait_line("RESULT caught")
            told = heard.wait_output("READY")
            assert told.count("RESULT caught") == 1
            assert told.count("READY") == 1
    with shop.attach(redirect_output=False) as session:
        heard = Heard(session)
        shop.stdin_line("caught")
        shop.wait_line("RESULT caught")
        shop.wait_line("READY")
        session.threads()  # behind any output
        assert heard.output() == ""


def test_what_cannot_be_done_is_refused_with_the_reason(shop: Workshop) -> None:
    number = shop.server.number
    with shop.attach() as session:
        capabilities = session.state.capabilities
        assert capabilities["remora"]["limits"]
        for request, capability in (
            ("setFunctionBreakpoints", "supportsFunctionBreakpoints"),
            ("restartFrame", "supportsRestartFrame"),
            ("stepInTargets", "supportsStepInTargetsRequest"),
            ("terminate", "supportsTerminateRequest"),
            ("setDataBreakpoints", "supportsDataBreakpoints"),
        ):
            assert not capabilities.get(capability)
            with pytest.raises(RequestFailed, match="ptvsd") as caught:
                session.request(request, {})
            assert caught.value.code == "not-supported"
        if number < 8:
            with pytest.raises(NotStopped):
                session.evaluate("1 + 1")
        else:
            assert session.evaluate("1 + 1").value == "2"
            assert session.stack(1)[-1].name == "<module>"


def test_jumping(shop: Workshop) -> None:
    with shop.attach() as session:
        session.break_at("workshop.py", shop.line("total"))
        shop.stdin_line("measure")
        assert session.wait_for_stop(10)
        line = shop.line("total") - 3
        if shop.server.number < 8:
            with pytest.raises(RequestFailed, match="deadlocks"):
                session.goto(line)
            return
        stop = session.goto(line)
        assert stop is not None and stop.frame is not None and stop.frame.line == line
        with pytest.raises(Exception, match=r"jump|cannot"):
            session.goto(shop.line("add"))
        session.clear()
        session.evaluate("thing.parts.append(100)", context="repl")
        run_to_result(shop, session, "RESULT 220")


def test_the_program_is_ended(shop: Workshop) -> None:
    with shop.attach() as session:
        session.break_at("workshop.py", shop.line("total"))
        shop.stdin_line("measure")
        assert session.wait_for_stop(10)
        session.request("disconnect", {"terminateDebuggee": True})
    assert shop.returncode() == 1
