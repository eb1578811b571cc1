"""`remora exec` as shells use it, without a terminal: from make, into jq, from command files and pipes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command import REMORA, Remora, client_environment
from tests.support.interpreters import NEWEST
from tests.support.program import Program

assert NEWEST
MAKEFILE = """\
.SHELLFLAGS := -eu -c
PLACE ?= tcp://localhost:5678

# Fails the build when the program is not in a good state.
check: ; $(REMORA) exec $(PLACE) --json --timeout 20 -c pause -c 'print state["running"]' > state.ndjson

stack.txt: ; $(REMORA) exec $(PLACE) -c pause -c where > $@

nobody: ; $(REMORA) exec tcp://127.0.0.1:1 -c where

wrong: ; $(REMORA) exec $(PLACE) -c pause -c 'print nonsense'
"""


@pytest.fixture
def program():
    with Program(NEWEST, "function_loop.py", enable={}) as found:
        yield found


def tool(name: str) -> str:
    return shutil.which(name) or pytest.skip(f"{name} is not on PATH")


def make(remora: Remora, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (remora.folder / "Makefile").write_text(MAKEFILE)
    given = [f"{name}={value}" for name, value in {"REMORA": REMORA, **variables}.items()]
    return subprocess.run(
        [tool("make"), "--no-print-directory", "-s", target, *given],
        cwd=remora.folder,
        env=client_environment(remora.configuration),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_from_a_makefile(remora: Remora, program: Program) -> None:
    done = make(remora, "check", PLACE=program.qualifier)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    lines = [json.loads(line) for line in (remora.folder / "state.ndjson").read_text().splitlines()]
    assert [line["result"] for line in lines if "command" in line][-1] == {"value": "True", "type": "bool"}
    done = make(remora, "stack.txt", PLACE=program.qualifier)
    assert done.returncode == 0
    text = (remora.folder / "stack.txt").read_text()
    assert "spin" in text
    assert "\x1b" not in text  # no terminal, no colours


def test_make_sees_what_failed(remora: Remora, program: Program) -> None:
    done = make(remora, "wrong", PLACE=program.qualifier)
    assert done.returncode == 2
    assert "Error 1" in done.stderr
    assert "print nonsense: NameError" in done.stderr
    done = make(remora, "nobody")
    assert done.returncode == 2
    assert "Error 3" in done.stderr
    assert "refused the connection" in done.stderr


def jq(query: str, text: str, *options: str) -> list[str]:
    done = subprocess.run(
        [tool("jq"), *options, query], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done
    return done.stdout.splitlines()


def test_into_jq(remora: Remora, program: Program) -> None:
    at = f"function_loop.py:{program.line('doubled')}"
    ran = remora.exec(program.qualifier, f"break {at}", "continue", "where", "locals", "threads")
    assert ran.code == 0, ran
    assert jq('select(.command == "threads").result[].name', ran.output, "-r") == ["MainThread"]
    assert jq('select(.stop).stop.frame | "\\(.name):\\(.line)"', ran.output, "-r") == [
        f"step:{program.line('doubled')}"
    ]
    assert jq('select(.command == "locals").result | map(.name)', ran.output, "-c") == ['["value"]']
    assert jq("[.[] | select(.ok == false)] | length", ran.output, "-s") == ["0"]
    assert "stopped" in jq("select(.event).event", ran.output, "-r")


def test_in_a_pipe_whose_reader_ends_early(remora: Remora, program: Program) -> None:
    look = "-c pause -c where -c 'globals -v' -c where"
    command = f"'{REMORA}' exec {program.qualifier} {look} | head -n 1; echo done"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=remora.folder,
        env=client_environment(remora.configuration),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.endswith("done\n")
    assert "Traceback" not in done.stderr
    ran = remora.exec(program.qualifier, "status")  # it runs on
    assert ran.results()[0]["phase"] == "running"


def shell(remora: Remora, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=remora.folder,
        env=client_environment(remora.configuration, {"REMORA": REMORA}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("json_", ["--json", ""])
def test_hooks_end_when_nobody_reads_any_more(remora: Remora, program: Program, json_: str) -> None:
    """Without a limit of their own, and also when it is an event that nobody reads."""
    watch = f"exec {program.qualifier} {json_} --on-stop 'print value'"
    look = f"-c 'break function_loop.py:{program.line('doubled')}'"
    done = shell(remora, f'"$REMORA" {watch} {look} | head -n 1; echo "${{PIPESTATUS[0]}}"')
    assert done.stdout.splitlines()[-1] == "0"
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == ""
    assert remora.exec(program.qualifier, "status").results()[0]["phase"] == "running"


def test_where_output_cannot_go(remora: Remora, program: Program) -> None:
    look = f'"$REMORA" exec {program.qualifier} -c pause -c where'
    for closed in (">&-", ">&- 2>&- <&-", "<&- > /dev/null"):
        done = shell(remora, f"{look} --json {closed}")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), closed
    for options in ("--json", "", "--json --on-stop where"):
        done = shell(remora, f"{look} {options} > /dev/full")
        assert done.returncode == 1
        assert "The output cannot be written: " in done.stderr
        assert len(done.stderr.splitlines()) == 1, done
    assert remora.exec(program.qualifier, "status").results()[0]["phase"] == "running"


def test_a_command_file_says_the_line_that_failed(remora: Remora, program: Program) -> None:
    script = remora.folder / "look.remora-commands"
    script.write_text("# where it is\npause\n\nwhere\nprint state ;; print nonsense\nthreads\n")
    ran = remora("exec", program.qualifier, "-x", str(script))
    assert ran.code == 1
    assert f"{script}:5: print nonsense: NameError" in ran.errors
    assert "MainThread" not in ran.output  # nothing after it ran
    nested = remora.folder / "nested"
    nested.write_text(f"pause\nsource {script}\n")
    ran = remora("exec", program.qualifier, "-x", str(nested))
    assert f"{nested}:2: source {script}: {script.name}:5: " in ran.errors


def test_commands_from_standard_input(remora: Remora, program: Program) -> None:
    done = subprocess.run(
        [REMORA, "exec", program.qualifier, "--json", "-x", "-"],
        input="pause\nprint 6 * 7\n",
        cwd=remora.folder,
        env=client_environment(remora.configuration),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done
    assert json.loads(done.stdout.splitlines()[-1])["result"]["value"] == "42"


def test_a_session_is_recorded_and_done_again(remora: Remora, program: Program, tmp_path: Path) -> None:
    record = tmp_path / "record"
    at = f"function_loop.py:{program.line('doubled')}"
    typed = [f"break {at}", "continue", "print value >= 0", "!value + 0", "clear -all"]
    ran = remora.exec(program.qualifier, f"record {record}", *typed, "record -off", "where")
    assert ran.code == 0, ran
    assert record.read_text().splitlines()[1:] == typed
    again = remora("exec", program.qualifier, "--json", "-x", str(record))
    assert again.code == 0, again
    assert [line["command"] for line in again.lines if "command" in line] == typed
    assert again.results()[2] == ran.results()[3] == {"value": "True", "type": "bool"}
    assert (
        remora.exec(program.qualifier, "record /nowhere/x").lines[-1]["error"].startswith("/nowhere/x cannot")
    )
