"""`remora attach` and `remora exec` with several processes: at the prompt, and line by line in JSON."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema

from tests.support.command import Remora
from tests.support.interpreters import ROOT
from tests.support.workers import Worker, workers

SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "exec-schema.json").read_text(encoding="utf-8"))


def test_exec_says_of_every_line_which_process_it_is_about(remora: Remora) -> None:
    with workers(2) as programs:
        one, two = programs
        place = f"{one.path}:{one.line('work')}"
        commands = [
            f"break {place}",
            "continue",
            "print double",
            "ps",
            "proc all print 1 + 1",
            "continue -all",
        ]
        arguments = [part for command in commands for part in ("-c", command)]
        with remora.start("exec", one.qualifier, two.qualifier, "--json", *arguments) as running:
            assert running.result(f"break {place}")["verified"]
            two.stdin_line("21")
            stop = running.answer("continue")
            assert (stop["pid"], stop["host"]) == (two.pid, "127.0.0.1")
            assert stop["stop"]["reason"] == "breakpoint"
            printed = running.answer("print double")
            assert (printed["result"]["value"], printed["pid"]) == ("42", two.pid)
            listed = running.result("ps")
            assert [(each["number"], each["pid"], each["state"], each["current"]) for each in listed] == [
                (1, one.pid, "running", False),
                (2, two.pid, "stopped", True),
            ]
            both = running.result("proc all print 1 + 1")
            assert ["result" in each for each in both] == [False, True]  # the first is running
            two.wait_line("did 42")
            one.stdin_line("3")
            stop = running.answer("continue -all")
            assert stop["pid"] == one.pid
            assert running.returncode() == 0
            one.wait_line("did 6")
            validator = jsonschema.Draft202012Validator(SCHEMA)
            for line in running.seen:
                validator.validate(line)
            outputs = [line for line in running.seen if line.get("event") == "output"]
            assert {line["pid"] for line in outputs} <= {one.pid, two.pid}


def test_exec_of_one_process_says_which_it_is(remora: Remora) -> None:
    with Worker() as worker:
        (line,) = [each for each in remora.exec(worker.qualifier, "status").lines if "command" in each]
        assert (line["pid"], line["host"]) == (worker.pid, "127.0.0.1")


def test_exec_tells_who_joins_and_who_leaves(remora: Remora) -> None:
    with Worker("late-1") as first:
        first.wait_line("worker")
        options = ["exec", "--all", "--name", "late-*", "--json", "-c", "break work", "-c", "continue"]
        with remora.start(*options, "-c", "continue -all") as running:
            running.result("break work")
            with Worker("late-2") as second:
                while (line := running.line()).get("event") != "remora/joined":
                    pass
                assert (line["pid"], line["body"]["name"]) == (second.pid, "late-2")
                second.stdin_line("4")
                assert running.answer("continue")["pid"] == second.pid
                second.wait_line("did 8")
                second.close_stdin()
                while (line := running.line()).get("event") != "remora/left":
                    pass
                assert line["pid"] == second.pid
            first.stdin_line("5")
            assert running.answer("continue -all")["pid"] == first.pid


def test_all_or_none_with_exec(remora: Remora) -> None:
    with Worker() as worker:
        ran = remora("exec", worker.qualifier, "tcp://127.0.0.1:1", "-c", "status")
        assert (ran.code, ran.output) == (3, "")
        assert ran.errors.count("refused") == 1
        ran = remora("exec", "--all", worker.qualifier, "tcp://127.0.0.1:1", "-c", "ps")
        assert ran.code == 0
        assert "refused" in ran.errors
        assert str(worker.pid) in ran.output
        alone = remora("exec", worker.qualifier, "-c", "ps")
        assert alone.code == 0
        assert re.match(rf"▸ 1 +{worker.pid} .*running$", alone.output.strip())
        assert "Only one process" in remora("exec", worker.qualifier, "-c", "proc 1").errors


def test_hooks_run_in_whichever_process_stops(remora: Remora) -> None:
    with workers(2) as programs:
        options = ["-c", "status", "--on-uncaught", "print line", "--timeout", "60"]
        with remora.start("exec", *(each.qualifier for each in programs), "--json", *options) as running:
            running.result("status")
            for each in programs:
                each.stdin_line("x")
            seen: set[int] = set()
            left: set[int] = set()
            while len(left) < 2:
                line = running.line()
                if "command" in line:
                    seen.add(line["pid"])
                if line.get("event") == "remora/left":
                    left.add(line["pid"])
            assert seen == left == {each.pid for each in programs}
            assert running.returncode() == 0


def test_the_prompt_with_several_processes(remora: Remora) -> None:
    with workers(2) as programs:
        one, two = programs
        with remora.terminal("attach", one.qualifier, two.qualifier) as terminal:
            terminal.wait("Attached to 2 processes")
            terminal.wait("1 remora❯")
            terminal.enter(f"break {one.path}:{one.line('work')}")
            terminal.wait("Breakpoint 1")
            two.stdin_line("21")
            terminal.wait("Process 2, worker-2")
            terminal.wait("2 remora❯")
            terminal.enter("print double")
            terminal.wait("42")
            one.stdin_line("1")
            terminal.wait("Process 1 stopped, too")
            terminal.enter("ps")
            terminal.wait("stopped in work")
            terminal.enter("proc 1 print double")
            terminal.wait("2 remora❯")
            terminal.enter("proc 1")
            terminal.wait("1 remora❯")
            terminal.enter("continue -all")
            terminal.wait(r"\[2 worker-2\] out")
            terminal.wait(r"\[1 worker-1\] out")
            two.close_stdin()
            terminal.wait("Process 2 ended")
            one.close_stdin()
            terminal.wait("All processes have ended.")
            assert terminal.returncode() == 0
