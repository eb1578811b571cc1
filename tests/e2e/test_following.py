"""`--follow`: children of every kind are debugged with their parent, or told of, or left alone."""

from __future__ import annotations

import time

import pytest

from tests.support.command import Remora
from tests.support.interpreters import INTERPRETERS, NEWEST, Interpreter
from tests.support.ports import free_port
from tests.support.program import Program

SOME = [one for one in INTERPRETERS if one in (INTERPRETERS[0], NEWEST) or one.name == "pypy-3.11"]

FORKING = """\
#
import os, sys
def work(n):
    return n + 1  # @work
sys.stdin.readline()
children = []
for n in (1, 2):
    child = os.fork()
    if not child:
        os._exit(work(10 * n))  # at once: no debugger would come in time by itself
    children.append(child)
print("statuses", *(os.waitpid(child, 0)[1] >> 8 for child in children), flush=True)
sys.stdin.readline()
"""

SPAWNING = """\
import os, remora, subprocess, sys, time
remora.enable_attach(None, ("127.0.0.1", PORT))
def work(n):
    return n + 1  # @work
if len(sys.argv) < 2:
    print("REMORA_ADDRESS 127.0.0.1 PORT", flush=True)
    sys.stdin.readline()
    CHANGE
    sys.stdin.readline()
else:
    work(10)
    while sys.argv[1] == "again" and not os.path.exists(__file__ + ".end"):
        time.sleep(0.02)
        work(10)
"""


@pytest.mark.parametrize("interpreter", SOME, ids=str)
@pytest.mark.parametrize("local", [False, True])
def test_forked_children_stop_at_a_breakpoint_that_was_set_once(
    interpreter: Interpreter, local: bool, remora: Remora
) -> None:
    if local and interpreter != NEWEST:
        pytest.skip("the way to it has nothing to do with the interpreter")
    with Program(interpreter, FORKING, enable={}, warnings="ignore") as program:
        target = str(program.pid) if local else program.qualifier
        _ = program.address
        breaking = f"break program.py:{program.line('work')}"
        commands = [breaking, "continue", "print n", "continue", "print n", "clear 1", "continue -all"]
        with remora.start_exec(target, *commands, options=("--follow", "attach")) as running:
            running.result(breaking)
            program.stdin_line("")
            values = []
            for _ in range(2):
                running.stop("continue")
                values.append(running.result("print n")["value"])
            assert sorted(values) == ["10", "20"]
            running.result("clear 1")
            program.wait_line("statuses 11 21")
            program.stdin_line("")
            assert program.returncode() == 0


@pytest.mark.parametrize("how", ["subprocess", "shell", "exec"])
def test_new_pythons_are_followed_too(how: str, remora: Remora) -> None:
    """A child waits for the client. A program that executes itself and owned the port cannot know of it."""
    change = {
        "subprocess": "subprocess.run([sys.executable, '-W', 'ignore', __file__, 'child'])",
        # The shell has something to do afterwards, so it stays in between.
        "shell": "subprocess.run(f'{sys.executable} -W ignore {__file__} child; true', shell=True)",
        "exec": "os.execv(sys.executable, [sys.executable, '-W', 'ignore', __file__, 'again'])",
    }[how]
    source = SPAWNING.replace("PORT", str(free_port())).replace("CHANGE", change)
    with Program(NEWEST, source, warnings="ignore") as program:
        breaking = f"break program.py:{program.line('work')}"
        commands = [breaking, "continue", "print n"]
        _ = program.address
        with remora.start_exec(program.qualifier, *commands, options=("--follow", "attach")) as running:
            running.result(breaking)
            program.stdin_line("")
            running.stop("continue", 40)
            assert running.result("print n")["value"] == "10"
            open(f"{program.path}.end", "w").close()
            assert running.returncode() == 0
        if how != "exec":
            program.stdin_line("")
        assert program.returncode() == 0


@pytest.mark.parametrize(
    ("given", "setting", "mode"),
    [
        (["--follow", "list"], "", "list"),
        ([], 'follow = "list"', "list"),
        (["--follow", "off"], 'follow = "list"', "off"),
    ],
)
def test_list_tells_and_off_says_nothing_and_neither_holds_a_child(
    given: list[str], setting: str, mode: str, remora: Remora
) -> None:
    """The setting is for who gives no option."""
    (remora.configuration / "settings.toml").write_text(setting)
    source = FORKING.replace("os._exit(work", "time.sleep(1.5), os._exit(0 * (work").replace("10 * n)", "n))")
    source = source.replace("import os", "import os, time")
    with Program(NEWEST, source, enable={}, warnings="ignore") as program:
        with remora.terminal("attach", program.qualifier, *given) as terminal:
            terminal.wait("running")
            begun = time.monotonic()
            program.stdin_line("")
            if mode == "list":
                terminal.wait(r"program.py \(\d+\) is there")
            program.wait_line("statuses 0 0")
            assert time.monotonic() - begun < 10
            assert ("is there" in terminal.text) == (mode == "list")
            terminal.enter("quit -c")
        program.stdin_line("")
        assert program.returncode() == 0


def test_following_and_everybody_at_once_make_no_sense(remora: Remora) -> None:
    ran = remora("exec", "tcp://127.0.0.1:1", "--all", "--follow", "attach", "-c", "where")
    assert ran.code == 2
    assert "--follow is for what comes of one" in ran.errors
