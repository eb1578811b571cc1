"""A stop of all threads or of one, as scripts and people see it."""

from __future__ import annotations

import re

import pytest

from tests.support.command import Remora
from tests.support.interpreters import INTERPRETERS, NEWEST, Interpreter
from tests.support.program import Program

#: For each engine; on PyPy threads are reached only that start after the breakpoint.
ONE_OF_EACH = [NEWEST, *[each for each in INTERPRETERS if each.name in ("cpython-3.9", "cpython-3.11")]]
#: The count of another thread before and after a moment.
COUNTS = "print (counts['worker-1'], finish.wait(0.05), counts['worker-1'])"


def numbers(result: dict[str, str]) -> tuple[int, int]:
    before, after = re.findall(r"\d+", result["value"])
    return int(before), int(after)


@pytest.mark.parametrize("python", ONE_OF_EACH, ids=str)
def test_a_counter_counts_on_or_stands_still(python: Interpreter, remora: Remora) -> None:
    with Program(python, "threads.py", enable={"secret": None}) as program:
        program.wait_line("started")
        line = program.line("count")
        ran = remora.exec(
            program.qualifier,
            "set stop-mode one",
            f"break threads.py:{line}, name == 'worker-0'",
            *("continue", COUNTS, "threads", "next", "set stop-mode all"),
            *("continue", COUNTS, COUNTS, "threads", "continue -all", "detach"),
        )
        results = ran.results()
        before, after = numbers(results[3])
        assert after > before
        assert [one["state"] for one in results[4] if one["name"] == "worker-1"] == ["running"]
        stops = [one["stop"]["frame"]["line"] for one in ran.lines if "stop" in one]
        assert stops[:3] == [line, program.line("wait"), line]
        before, after = numbers(results[9])
        assert after == before
        assert [one["state"] for one in results[10] if one["name"] == "worker-1"] == ["stopped"]
        told = [one["body"]["allThreadsStopped"] for one in ran.lines if one.get("event") == "stopped"]
        assert told[:3] == [False, False, True]
        program.stdin_line("")
        program.wait_line("ended True")


@pytest.mark.parametrize("python", ONE_OF_EACH, ids=str)
def test_during_a_step_the_others_stand_still_or_run(python: Interpreter, remora: Remora) -> None:
    with Program(python, "threads.py", enable={"secret": None}) as program:
        program.wait_line("started")
        ran = remora.exec(
            program.qualifier,
            f"break threads.py:{program.line('count')}, name == 'worker-0'",
            *("continue", "clear -all", COUNTS),  # by then the last of them has come to its next line
            *("set step-mode one", "next 20", COUNTS, "set step-mode all", "next 20", COUNTS, "detach"),
        )
        results = ran.results()
        _, before = numbers(results[3])
        assert numbers(results[6]) == (before, before)
        after, _ = numbers(results[9])
        assert after > before
        assert [one["stop"]["reason"] for one in ran.lines if "stop" in one] == ["breakpoint", "step", "step"]
        program.stdin_line("")
        program.wait_line("ended True")


def test_a_script_gets_one_stop_after_the_other(remora: Remora) -> None:
    with Program(NEWEST, "threads.py", enable={"secret": None}) as program:
        program.wait_line("started")
        ran = remora.exec(
            program.qualifier,
            *("set stop-mode one", f"break threads.py:{program.line('count')}"),
            *("continue", "print name", "continue", "print name", "continue", "print name"),
        )
        ran.results()
        names = [one["result"]["value"] for one in ran.lines if one.get("command") == "print name"]
        threads = [one["stop"]["thread"] for one in ran.lines if "stop" in one]
        assert len(threads) == 3
        assert len(set(zip(names, threads, strict=True))) == len(set(names)) == len(set(threads))
        assert len(set(names)) > 1  # one that waits is shown before the first comes by again
        program.stdin_line("")
        program.wait_line("ended True")


def test_a_second_thread_stops_while_one_is_looked_at(remora: Remora) -> None:
    with Program(NEWEST, "threads.py", enable={"secret": None}) as program:
        program.wait_line("started")
        count, wait = program.line("count"), program.line("wait")
        with remora.terminal("attach", program.qualifier) as terminal:
            terminal.wait(r"threads\.py")
            terminal.enter("set stop-mode one")
            terminal.wait("stop-mode is one")
            terminal.enter(f"break threads.py:{count}, name == 'worker-0'")
            terminal.wait(rf"^\W*{count}\W+counts\[name\]")
            terminal.enter(f"break threads.py:{wait}, name == 'worker-1'")
            found = terminal.wait(rf"Thread (\d+) stopped, too: breakpoint at threads\.py:{wait}\.")
            terminal.wait(r"stopped: breakpoint \(\+1\)")
            terminal.enter("print name")
            terminal.wait("^'worker-0'$")
            terminal.enter("thread 99")
            terminal.wait("There is no thread 99")
            terminal.enter("thread 1")
            terminal.wait("Thread 1 is running")
            terminal.enter("pause 1")
            terminal.wait("Thread 1 stopped, too: pause")
            terminal.enter(f"thread {found[1]}")
            terminal.wait(rf"^\W*{wait}\W+finish\.wait")
            terminal.enter("print name, 'looks'")
            terminal.wait(r"^\('worker-1', 'looks'\)$")
            terminal.enter("next")
            terminal.wait(rf"→ Step +work at threads\.py:{count - 1}")
            terminal.enter("clear")
            terminal.wait(r"Remove all 2 breakpoints\?")
            terminal.enter("y")
            terminal.wait("(?i)deleted|cleared|removed")
            terminal.enter("continue")
            terminal.wait(rf"^\W*{count}\W+counts\[name\]")
            terminal.enter("print name, 'again'")
            terminal.wait(r"^\('worker-0', 'again'\)$")
            terminal.enter("detach")
            assert terminal.returncode() == 0
        program.stdin_line("")
        program.wait_line("ended True")
