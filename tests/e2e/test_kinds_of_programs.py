"""Threads, tasks, recursion, hostile values, output: `remora exec` against programs that have them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.command import Remora
from tests.support.interpreters import Interpreter
from tests.support.program import Program

PYPY = "PyPy has no way into a thread that runs already; whoever attaches is told so"


def by_name(variables: list[dict[str, Any]]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in variables}


def test_all_threads_stop_and_go_on(interpreter: Interpreter, remora: Remora) -> None:
    if interpreter.is_pypy:
        pytest.skip(PYPY)
    with Program(interpreter, "threads.py", enable={"secret": None}) as program:
        program.wait_line("started")
        counting = program.line("count")
        ran = remora.exec(
            program.qualifier,
            f"break threads.py:{counting} if name == 'worker-1'",
            "continue",
            "print name",
            "threads",
            "print dict(counts)",
            "print dict(counts)",
        )
        _, _, name, threads, before, after = ran.results()
        assert name["value"] == "'worker-1'"
        assert {"MainThread", "worker-0", "worker-1", "worker-2", "idle"} <= {one["name"] for one in threads}
        assert before == after, "a thread went on counting"
        program.stdin_line("end")
        program.wait_line("^ended True$")
        assert program.returncode() == 0


def test_threads_that_were_there_before_are_debugged(interpreter: Interpreter, remora: Remora) -> None:
    if interpreter.is_pypy:
        pytest.skip(PYPY)
    with Program(interpreter, "late_threads.py") as program:
        place = f"break late_threads.py:{program.line('count')} if start == 1"
        ran = remora.exec(program.qualifier, place, "continue", "print start", "threads")
        assert ran.results()[2]["value"] == "1"
        program.stdin_line("end")
        program.wait_line("^ended$")
        assert program.returncode() == 0


def test_a_step_over_await_stays_with_its_task(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, "asyncio_tasks.py", enable={"secret": None}) as program:
        program.wait_line("started")
        sleeping = program.line("sleep")
        ran = remora.exec(
            program.qualifier,
            f"break asyncio_tasks.py:{sleeping} if name == 'first'",
            "continue",
            "clear 1",
            "next",
            "print name",
        )
        stop = next(line["stop"] for line in ran.lines if line.get("command") == "next")
        assert stop["frame"]["line"] == program.line("after_sleep"), ran
        assert ran.results()[-1]["value"] == "'first'"
        program.stdin_line("end")
        program.wait_line("^ended True$")
        assert program.returncode() == 0


def test_a_deep_stack(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, "recursion.py", enable={"secret": None}) as program:
        program.wait_line("ready")
        place = f"break recursion.py:{program.line('bottom')}"
        commands = [place, "continue", "where", "up", "print depth", "return", "retval"]
        with remora.start_exec(program.qualifier, *commands) as run:
            run.result(place)
            program.stdin_line("word")
            run.stop("continue")
            frames = run.result("where")
            assert [frame["name"] for frame in frames].count("dive") == 41
            run.result("up")
            assert run.result("print depth")["value"] == "1"
            run.stop("return")
            assert "word" in str(run.result("retval"))
            assert run.returncode() == 0
        program.wait_line(r"^word\.+$")
        program.stdin_line("quit")
        assert program.returncode() == 0


def test_hostile_values_are_shown_and_harm_nobody(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, "values.py", enable={"secret": None}) as program:
        program.wait_line("ready")
        place = f"break values.py:{program.line('here')}"
        commands = [place, "continue", "locals", "print plain.name", "print first, rest, keyword, options"]
        with remora.start_exec(program.qualifier, *commands) as run:
            run.result(place)
            program.stdin_line("word")
            run.stop("continue")
            shown = by_name(run.result("locals"))
            assert shown["captured"] == "'word!'"
            assert "deleted" not in shown
            assert "no repr today" in shown["bad_repr"]
            assert all(len(value) < 10_000 for value in shown.values())
            assert run.result("print plain.name")["value"] == "'plain one'"
            assert run.result(commands[-1])["value"] == "('first', (2, 3), 'k', {'flag': True})"
            assert run.returncode() == 0
        program.wait_line("^done$")
        program.stdin_line("quit")
        assert program.returncode() == 0


def test_output_comes_along_and_the_programs_own_stays(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, "output.py", enable={"secret": None}) as program:
        program.wait_line("ready")
        place = f"break output.py:{program.line('print')} if text == 'stop'"
        with remora.start_exec(program.qualifier, place, "continue") as run:
            run.result(place)
            for line in ("out to the one", "err to the other", "out stop"):
                program.stdin_line(line)
            run.stop("continue")
            assert run.returncode() == 0
            told = [line["body"] for line in run.seen if line.get("event") == "output"]
            for category, text in (("stdout", "to the one\n"), ("stderr", "to the other\n")):
                assert "".join(body["output"] for body in told if body["category"] == category) == text
        program.wait_line("^to the one$")
        program.wait_line("^stop$")
        program.stdin_line("quit")
        assert program.returncode() == 0
        assert program.errors == "to the other\n"


def test_a_running_loop_is_stopped_stepped_and_left(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, "function_loop.py", enable={"secret": None}) as program:
        program.wait_line("started")
        ran = remora.exec(
            program.qualifier,
            f"tbreak function_loop.py:{program.line('doubled')}",
            "continue",
            "next",
            "return",
            "next",
            "next",
            "step",
            "set state['running'] = False",
        )
        stops = {line["stop"]["frame"]["line"] for line in ran.lines if "stop" in line}
        assert all(line["ok"] for line in ran.lines if "command" in line), ran
        assert {program.line("doubled"), program.line("step_return"), program.line("after_call")} <= stops
        program.wait_line("^ended True$")
        assert program.returncode() == 0


@pytest.mark.parametrize(
    "commands",
    [
        ["break c_tracer.py:{here}", "continue", "next", "next", "step"],
        ["break c_tracer.py:{here}", "continue", "step", "next", "next", "return"],
        ["break c_tracer.py:{inner} if count == 3", "continue"],
        ["catch raised ValueError", "continue", "step"],
    ],
    ids=["over", "into", "condition", "raised"],
)
def test_a_tracer_in_c_hears_of_every_line(
    commands: list[str], interpreter: Interpreter, remora: Remora
) -> None:
    """As coverage's: what it hears while a client is there is what it hears without one.

    Before 3.12 it may hear twice of a line at which its thread was held.
    """

    def heard() -> list[str]:
        words = program.wait_line("^heard .*$").group().replace(") (", ")|(").split("|")
        return [one for one, before in zip(words, ["", *words], strict=False) if one != before]

    if interpreter.is_pypy:
        pytest.skip("PyPy has no tracers in C")
    with Program(interpreter, "c_tracer.py", enable={"secret": None}) as program:
        program.wait_line("ready")
        program.stdin_line("alone")
        alone = heard()
        assert len(alone) > 40
        places = {marker: program.line(marker) for marker in ("here", "inner")}
        first, *others = [each.format(**places) for each in commands]
        with remora.start_exec(program.qualifier, first, *others) as run:
            run.result(first)
            program.stdin_line("watched")
            for each in others:
                run.stop(each)
            assert run.returncode() == 0
        assert heard() == alone
        program.stdin_line("alone again")
        assert heard() == alone
        program.close_stdin()
        assert program.returncode() == 0
