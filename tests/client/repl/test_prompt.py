"""The prompt in a real terminal: what a person sees on the screen, key by key."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.support.command import REMORA, Remora, client_environment
from tests.support.interpreters import NEWEST
from tests.support.program import Program
from tests.support.terminal import Terminal

PROGRAM = """\
# It does what its input says.
import sys, time


class Counter:
    def __init__(self):
        self.value = 0

    def add(self, number):
        self.value += number  # @add
        return self.value


def count(number):
    n = number
    counter = Counter()
    for each in range(number):
        counter.add(each)  # @loop
    return n


print("ready", flush=True)
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word == "print":
        for number in range(int(rest)):
            print("line", number, flush=True)
            time.sleep(0.001)
    elif word == "count":
        print("counted", count(int(rest)), flush=True)
    elif word == "say":
        print(rest.encode().decode("unicode_escape"), flush=True)
    elif word == "fail":
        try:
            try:
                {}["name"]
            except KeyError as error:
                problem = ValueError("no such name")
                problem.__notes__ = ["the first", "the second, of\\ntwo lines"]
                raise problem from error
        except ValueError:
            pass
    elif word == "import":
        __import__(rest)
    elif word == "work":
        for number in range(int(rest)):
            time.sleep(0.001)  # @work
            number % 200 or print("work", number, flush=True)
    elif word == "exit":
        sys.exit(int(rest))
print("bye", flush=True)
"""
SECRET = "my_secret"


@pytest.fixture
def program() -> Iterator[Program]:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": SECRET}) as started:
        started.wait_line("ready")
        yield started


def place(program: Program) -> str:
    host, port = program.address
    return f"tcp://{SECRET}@{host}:{port}"


@pytest.fixture
def terminal(remora: Remora, program: Program) -> Iterator[Terminal]:
    with remora.terminal("attach", place(program), "--source", str(program.directory)) as opened:
        opened.wait("remora❯")
        yield opened


def stop_in_loop(terminal: Terminal, program: Program, number: int = 3) -> None:
    line = program.line("loop")
    terminal.enter(f"tbreak program.py:{line}")
    terminal.wait("Breakpoint 1 at")
    program.stdin_line(f"count {number}")
    terminal.wait(rf"→ +{line} ")
    terminal.wait("remora❯")


def leave(terminal: Terminal) -> None:
    terminal.enter("quit -c")
    assert terminal.returncode() == 0
    assert "Traceback" not in terminal.text


def bar(terminal: Terminal) -> str:
    return terminal.text.splitlines()[-1]


def test_the_banner_and_the_bar(terminal: Terminal, program: Program) -> None:
    host, port = program.address
    assert re.search(rf"Attached to program\.py  pid {program.pid} · CPython 3\.", terminal.text)
    assert f"tcp://{host}:{port}  not encrypted" in terminal.text
    assert SECRET not in terminal.text
    terminal.wait(rf"{host}:{port} {program.pid} program\.py · running")
    stop_in_loop(terminal, program)
    terminal.wait(r"stopped: breakpoint · count program\.py:\d+")
    terminal.press("wher")
    terminal.wait("where: Show the stack")
    terminal.press("\x03x + 1")
    terminal.wait("Python$")
    terminal.press("\x03")
    leave(terminal)


def test_a_line_being_typed_survives_a_flood(terminal: Terminal, program: Program) -> None:
    program.stdin_line("print 400")
    terminal.wait("out ┊ line 20$")
    for key in "print 'typed":
        terminal.child.send(key)
        terminal.wait("out ┊ line")
    terminal.wait("out ┊ line 399$")
    terminal.wait(r"remora❯ print 'typed$")
    terminal.press(" on'")
    terminal.wait(r"remora❯ print 'typed on'$")
    lines = [int(each) for each in re.findall(r"out ┊ line (\d+)", terminal.text)]
    assert lines == list(range(lines[0], 400))  # the first ones may have scrolled away
    terminal.press("\x03")
    leave(terminal)


def test_ctrl_c_clears_a_line_and_pauses_on_an_empty_one(terminal: Terminal, program: Program) -> None:
    terminal.press("half a li")
    terminal.wait("remora❯ half a li")
    terminal.press("\x03")
    terminal.wait(r"remora❯$")
    assert "running" in bar(terminal)
    program.stdin_line("print 100000")
    terminal.wait("out ┊ line")
    terminal.press("\x03")
    terminal.wait("Paused")
    terminal.enter("p number >= 0")
    terminal.wait("^True$")
    terminal.press("\x03")
    terminal.wait("stands still")
    leave(terminal)
    program.wait_line("line 500")  # it runs on
    program.signal(signal.SIGKILL)


def test_a_line_of_a_program_that_runs_is_one_of_its_script(terminal: Terminal, program: Program) -> None:
    line = program.line("loop")
    terminal.enter(f"break {line}")
    terminal.wait(f"Breakpoint 1 at program.py:{line}$")
    terminal.enter(f"list {line}")
    terminal.wait(rf"^● +{line} │")
    leave(terminal)


def test_what_another_call_has_changed_stands_beside_no_line_of_it(remora: Remora, program: Program) -> None:
    with remora.terminal("attach", place(program), size=(80, 40)) as terminal:
        terminal.see("remora❯")
        line = program.line("loop")
        terminal.enter(f"break program.py:{line}")
        terminal.see("Breakpoint 1 at")
        program.stdin_line("count 1")
        terminal.see(rf"→ +{line} │")
        terminal.enter(f"break program.py:{line - 2}")
        terminal.see("Breakpoint 2 at")
        terminal.enter("continue")
        program.stdin_line("count 7")
        terminal.see(rf"→ +{line - 2} │ .* ┊ .*number = 7")
        leave(terminal)


def test_what_a_line_has_changed_stands_beside_it(remora: Remora, program: Program) -> None:
    with remora.terminal("attach", place(program), size=(80, 24)) as terminal:
        terminal.see("remora❯")
        line = program.line("loop")
        terminal.enter(f"tbreak program.py:{line - 2}")
        terminal.see("Breakpoint 1 at")
        program.stdin_line("count 3")
        terminal.see(rf"→ +{line - 2} │ +counter = Counter")
        terminal.enter("next")
        terminal.see(rf"→ +{line - 1} │ .* ┊ number = 3$")
        terminal.enter("next")
        terminal.see(rf"^ +{line - 1} │ .* ┊ each = 0$")
        terminal.see(rf"→ +{line} │")
        rows = terminal.text.splitlines()
        assert len([row for row in rows if "→ Step" in row]) >= 1
        assert max(map(len, rows)) <= 80
        leave(terminal)


def test_an_exception_with_its_notes_and_its_chain(remora: Remora, program: Program) -> None:
    with remora.terminal("attach", place(program), size=(80, 40)) as terminal:
        terminal.see("remora❯")
        terminal.enter("catch raised ValueError")
        terminal.see("Stops at exceptions")
        program.stdin_line("fail")
        terminal.see("^✖ ValueError raised|^✖ .*ValueError")
        terminal.see(r"^  ValueError: no such name  \[1\] ←$")
        terminal.see("^    note: the first$")
        terminal.see("^    note: the second, of\n +two lines$")
        terminal.see(r"^    from KeyError: 'name'  \[2\]$")
        terminal.enter("exceptions")
        terminal.see(r"^ValueError: no such name  \[1\] ←$")
        leave(terminal)


def test_enter_repeats_steps_and_never_continue(terminal: Terminal, program: Program) -> None:
    stop_in_loop(terminal, program, 10)
    terminal.enter("p each")
    terminal.wait("^0$")
    terminal.enter("")  # print is not repeated
    terminal.enter("next")
    terminal.wait("→ Step")
    for _ in range(3):
        terminal.enter("")
        terminal.wait("→ Step")
    terminal.enter("p each")
    terminal.wait("^2$")
    terminal.enter("list")
    terminal.wait("class Counter|def count")
    first = terminal.recent
    terminal.enter("")
    terminal.wait(r"elif word == \"say\"")
    assert terminal.recent != first
    terminal.enter("continue")
    program.wait_line("counted 10")
    terminal.enter("")
    terminal.enter("where")
    terminal.wait("The program is running")
    leave(terminal)


def test_the_prompt_is_free_while_a_breakpoint_is_passed(terminal: Terminal, program: Program) -> None:
    terminal.enter(f"b program.py:{program.line('loop')}")
    terminal.wait("Breakpoint 1 at")
    program.stdin_line("count 10")
    terminal.wait("→")
    terminal.enter("c 3")
    terminal.wait("Breakpoint 1 is passed 2 times")
    terminal.wait("→")
    terminal.enter("p each")
    terminal.wait("^3$")
    terminal.enter("c")  # it was for once
    terminal.wait("→")
    terminal.enter("p each")
    terminal.wait("^4$")
    terminal.enter("breakpoints")
    terminal.wait(r"^ 1  ●  program\.py:\d+  hit 3 times$")
    terminal.wait("^remora❯ *$")
    terminal.enter("ignore 1 2")
    terminal.wait(r"^ 1  ●  program\.py:\d+  ignores 2 hits first  hit 3 times$")
    terminal.enter("condition 1 -hit '>= 3'")
    terminal.wait(r"^ 1  ●  program\.py:\d+  on hit >= 3  hit 3 times$")
    terminal.enter("ignore 1 2")
    terminal.wait("Breakpoint 1 goes by its number of hits already")
    terminal.enter("condition 1 -hit")
    terminal.wait(r"^ 1  ●  program\.py:\d+  hit 3 times$")
    terminal.wait("^remora❯ *$")
    terminal.enter("c 100")  # more often than the program comes by
    program.wait_line("counted 10")
    terminal.enter("where")
    terminal.wait("The program is running")
    leave(terminal)


def test_the_prompt_is_free_while_steps_are_counted(terminal: Terminal, program: Program) -> None:
    terminal.enter(f"tbreak program.py:{program.line('work')}")
    terminal.wait("Breakpoint 1 at")
    program.stdin_line("work 100000")
    terminal.wait("→")
    terminal.enter("next 90000")
    terminal.wait("work 200$")
    terminal.enter("where")
    terminal.wait(r"The program is running, to step \d+ of 90000\.\n +pause ends that\.")
    terminal.enter("step")
    terminal.wait(r"The program is running, to step \d+")
    terminal.enter("break count")
    terminal.wait("Breakpoint 2 in count at")
    terminal.press("\x03")
    terminal.wait("‖ Paused|→ Step")
    terminal.enter("p number < 29999")
    terminal.wait("^True$")
    terminal.enter("n 4")
    terminal.wait("→ Step")
    leave(terminal)


def test_the_prompt_is_free_while_stops_are_counted(terminal: Terminal, program: Program) -> None:
    terminal.enter(f"break program.py:{program.line('work')} -hit '% 2'")
    terminal.wait("Breakpoint 1 at")
    program.stdin_line("work 100000")
    terminal.wait("→")
    terminal.enter("c 3")
    terminal.wait("→")
    terminal.enter("p number")
    terminal.wait("^7$")
    terminal.enter("c 40000")
    terminal.wait("work 200$")
    terminal.enter("where")
    terminal.wait(r"The program is running, to stop \d+ of 40000")
    terminal.enter("clear 1")  # so there is nothing more to count
    terminal.wait("work [1-9]")
    terminal.enter("pause")
    terminal.wait("‖ Paused")
    leave(terminal)


def test_a_file_of_commands_shows_each_answer_in_its_turn(
    terminal: Terminal, program: Program, tmp_path: Path
) -> None:
    stop_in_loop(terminal, program)
    (tmp_path / "file").write_text("p 41 + 1\nnext 2\np each + 70\nnonsense here\np 99\n")
    terminal.enter(f"source {tmp_path / 'file'}")
    terminal.wait("^file:4: SyntaxError")
    shown = terminal.recent
    assert re.search(r"^42$.*→ Step.*^71$.*^file:4", shown, re.MULTILINE | re.DOTALL), shown
    assert shown.count("→ Step") == 1
    assert not re.search("^99$", shown, re.MULTILINE)
    leave(terminal)


def test_a_word_that_is_both_runs_the_command_and_says_so(terminal: Terminal, program: Program) -> None:
    stop_in_loop(terminal, program)
    terminal.enter("n")
    terminal.wait("n is also a variable: p n")
    terminal.wait("→ Step")
    terminal.enter("n + 1")
    terminal.wait("^4$")
    terminal.enter("n = 7")
    terminal.enter("p n")
    terminal.wait("^7$")
    terminal.enter("set bare-names variable")
    terminal.wait("bare-names is variable")
    terminal.enter("n")
    terminal.wait("^7$")
    terminal.enter("continue")
    program.wait_line("counted 7")
    leave(terminal)


def test_python_of_several_lines(terminal: Terminal, program: Program) -> None:
    stop_in_loop(terminal, program)
    terminal.enter("total = [1,")
    terminal.wait("…$")
    terminal.enter("2]")
    terminal.enter("total")
    terminal.wait(r"^\[1, 2\]$")
    terminal.enter("for each in total:")
    terminal.wait("…$")
    terminal.enter("n += each")
    terminal.enter("")
    terminal.enter("p n")
    terminal.wait("^6$")
    terminal.press("\x1b[200~def double(x):\n    y = x * 2\n\n    return y\n\x1b[201~")
    terminal.wait("return y")
    terminal.press("\r")
    terminal.enter("double(21)")
    terminal.wait("^42$")
    leave(terminal)


def test_an_open_bracket_behind_a_command_goes_on(terminal: Terminal, program: Program) -> None:
    stop_in_loop(terminal, program)
    for first in ("print (each,", "frame 0 p (each,", "set number = [each,"):
        terminal.enter(first)
        terminal.wait("…$")
        terminal.enter("41 + 1]" if "[" in first else "41 + 1)")
        terminal.wait(r"[(\[]0, 42[)\]]$")
    leave(terminal)


def test_pasted_commands_are_run_one_by_one(terminal: Terminal, program: Program) -> None:
    stop_in_loop(terminal, program)
    terminal.press("\x1b[200~each += 40\np (each,\n    1)\n\nif each:\n    each += 2\np each\x1b[201~")
    terminal.wait("… p each")
    terminal.press("\r")
    terminal.wait(r"^\(40, 1\)$")
    terminal.wait("^42$")
    leave(terminal)


def test_completion(terminal: Terminal, program: Program) -> None:
    stop_in_loop(terminal, program)
    terminal.press("p counter.va\t")
    terminal.wait(r"remora❯ p counter\.value")
    terminal.press("\x03n.\t")  # n is a command, too
    terminal.wait("bit_length")
    terminal.press("\x03brea\t")
    terminal.wait(r"breakpoints +List")
    terminal.press("\x03whati\t")
    terminal.wait("remora❯ whatis")
    terminal.press("\x03b program.py:\t")
    terminal.wait(r"Counter\.add")
    terminal.press("\x03b prog\t")
    terminal.wait(r"remora❯ b program\.py:")
    terminal.press("\x03set conte\t")
    terminal.wait(r"remora❯ set context")
    terminal.press("\x03")
    leave(terminal)


def test_breakpoints_while_it_runs(terminal: Terminal, program: Program) -> None:
    terminal.enter("b later.py:3")
    terminal.wait("○ Breakpoint 1 at later.py:3  pending")
    terminal.enter(f"b program.py:{program.line('add')} if number == 2")
    terminal.wait("● Breakpoint 2 at program.py")
    program.stdin_line("count 4")
    terminal.wait("● Breakpoint 2  Counter.add at program.py")
    terminal.enter("up")
    terminal.wait("#1  count at .*program.py")
    terminal.wait("#1 remora❯")
    terminal.enter("clear")
    terminal.wait(r"Remove all 2 breakpoints\? \[y/N\]")
    terminal.enter("y")
    terminal.wait("Breakpoints 1, 2 removed")
    terminal.enter("c")
    program.wait_line("counted 4")
    leave(terminal)


def test_of_breakpoints_only_those_that_waited_are_told_to_be_set(
    terminal: Terminal, program: Program
) -> None:
    (program.directory / "later.py").write_text("a = 1\nb = 2\nc = 3\n")
    terminal.enter(f"b program.py:{program.line('add')}")
    terminal.wait("● Breakpoint 1 at program.py")
    terminal.enter("b later.py:3")
    terminal.wait("○ Breakpoint 2 at later.py:3  pending")
    program.stdin_line("import later")
    terminal.wait(r"^Breakpoint 2 is set: .*later\.py:3")
    terminal.wait(r"●→ +3 │ c = 3")
    assert "Breakpoint 1 is set" not in terminal.text  # it was before
    leave(terminal)


def test_commands_of_a_breakpoint_run_by_themselves(terminal: Terminal, program: Program) -> None:
    terminal.enter(f"b program.py:{program.line('loop')}")
    terminal.wait("Breakpoint 1 at")
    terminal.enter("on 1 p each * 100 ;; continue")
    terminal.wait(r"on hit: p each \* 100 ;; continue")
    program.stdin_line("count 3")
    terminal.wait("^200$")
    program.wait_line("counted 3")
    leave(terminal)


def test_control_characters_of_the_program_stay_text(terminal: Terminal, program: Program) -> None:
    program.stdin_line(r"say \x1b[2J\x1b]0;owned\x07\u202eend")
    terminal.wait(r"out ┊ \\x1b\[2J\\x1b\]0;owned\\x07\\u202eend")
    leave(terminal)


def test_ctrl_d_leaves_and_the_program_runs_on(terminal: Terminal, program: Program) -> None:
    stop_in_loop(terminal, program)
    terminal.press("\x04")
    assert terminal.returncode() == 0
    program.wait_line("counted 3")
    assert program.process.poll() is None


def test_the_end_of_the_program_ends_the_prompt(terminal: Terminal, program: Program) -> None:
    program.stdin_line("exit 3")
    terminal.wait("The program ended")
    assert terminal.returncode() == 0


def test_a_program_that_is_killed(terminal: Terminal, program: Program) -> None:
    terminal.press("half a li")
    program.signal(signal.SIGKILL)
    terminal.wait("The session is over: ")
    assert terminal.returncode() == 7
    assert "Traceback" not in terminal.text


def test_history_is_kept_without_secrets(terminal: Terminal, program: Program, remora: Remora) -> None:
    stop_in_loop(terminal, program)
    for line in ("p 'first'", f"p '{SECRET}'", "password = 'hush'", "p 'last'"):
        terminal.enter(line)
    terminal.wait("'last'$")
    leave(terminal)
    (kept,) = (remora.configuration / "state" / "history").iterdir()
    text = kept.read_text()
    assert "+p 'first'" in text
    assert SECRET not in text
    assert "hush" not in text
    with remora.terminal("attach", place(program)) as again:
        again.wait("remora❯")
        again.press("\x1b[A")  # the arrow up
        again.wait("remora❯ quit")
        again.press("\x12fir")
        again.wait("p 'first'")
        again.press("\x03\x03")
        again.press("\x04")
        assert again.returncode() == 0


def test_commands_at_the_start(remora: Remora, program: Program) -> None:
    script = remora.folder / "script"
    script.write_text(f"b program.py:{program.line('loop')}\n")
    with remora.terminal("attach", place(program), "-x", str(script), "-c", "bl", "-c", "nope 1") as terminal:
        terminal.wait("❯ b program.py")
        terminal.wait("Breakpoint 1 at program.py")
        terminal.wait("SyntaxError|running")
        terminal.wait("remora❯")
        leave(terminal)


def test_a_transcript(terminal: Terminal, program: Program, remora: Remora) -> None:
    stop_in_loop(terminal, program)
    terminal.enter("transcript told")
    terminal.wait("told, too")
    terminal.enter("p 6 * 7")
    terminal.wait("^42$")
    terminal.enter("")
    terminal.wait("^remora❯ *$")
    terminal.enter(f"len('{SECRET}')")
    terminal.wait("^9$")
    terminal.enter("transcript -off")
    leave(terminal)
    told = (remora.folder / "told").read_text()
    assert "remora> p 6 * 7\n42\nremora> \nremora> (a secret)\n9\n" in told
    assert SECRET not in told


def test_a_long_answer_is_paged(terminal: Terminal, program: Program) -> None:
    terminal.child.setwinsize(24, 120)
    terminal.enter("help")
    terminal.wait(r"— \d+ more lines: Enter, or q —")
    assert "This session" not in terminal.text
    terminal.press("q")
    stop_in_loop(terminal, program)
    terminal.enter("p -a 'x' * 4000")  # one line
    terminal.wait(r"— \d+ more lines: Enter, or q —")
    terminal.press("q")
    terminal.enter("set pager off")
    terminal.enter("help")
    terminal.wait("This session")
    leave(terminal)


def test_the_terminal_is_asked_how_large_it_is(remora: Remora, program: Program) -> None:
    environment = {"LINES": "24"}  # as whoever imported readline leaves it to all its children
    with remora.terminal("attach", place(program), env=environment) as terminal:
        terminal.wait("remora❯")
        terminal.enter("help")
        terminal.wait("This session")  # 250 rows have room for it
        assert "more lines" not in terminal.text
        leave(terminal)


@pytest.mark.parametrize("colors", [True, False])
def test_colours(remora: Remora, program: Program, colors: bool) -> None:
    environment = {"NO_COLOR": "" if colors else "1"}
    with remora.terminal("attach", place(program), env=environment) as terminal:
        terminal.wait("remora❯")
        stop_in_loop(terminal, program)
        terminal.press("p 'x'")
        terminal.wait("p 'x'")
        cells = [cell for row in terminal._screen.buffer.values() for cell in row.values()]
        seen = {cell.fg for cell in cells}
        assert ("red" in seen) is colors
        assert (seen == {"default"}) is not colors
        terminal.press("\x03")
        leave(terminal)


def test_a_dumb_terminal(remora: Remora, program: Program) -> None:
    environment: Any = {**client_environment(remora.configuration), "TERM": "dumb"}
    child: Any = pexpect.spawn(
        REMORA, ["attach", place(program)], env=environment, cwd=str(remora.folder), timeout=20
    )
    seen = b""

    def expect(pattern: str) -> None:
        nonlocal seen
        child.expect(pattern.encode())
        seen += child.before + child.after

    expect(r"\(running\) ")
    child.sendline(f"tbreak program.py:{program.line('loop')}")
    expect("Breakpoint 1 at")
    program.stdin_line("count 3")
    expect(r"guess|for each in")
    expect(r"\(remora\) ")
    child.sendline("p each")
    expect("\r\n0\r\n")
    child.sendline("p (each,")
    expect(r"\.\.\. ")
    child.sendline("42)")
    expect(r"\(0, 42\)")
    child.sendline("p (each,")
    expect(r"\.\.\. ")
    child.sendline("")
    expect("never closed")
    child.sendline("n")
    expect("Step")
    expect(r"\(remora\) ")
    child.sendline("")
    expect("Step")
    child.sendline("c")
    expect("counted 3")
    program.stdin_line("print 100000")
    expect("line 20")
    child.sendintr()
    expect("Paused")
    child.sendline("quit -c")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert b"\x1b" not in seen + child.before
    program.signal(signal.SIGKILL)


def test_lines_from_a_pipe(remora: Remora, program: Program) -> None:
    program.stdin_line("print 100000")
    program.wait_line("line 20")
    given = "pause\np 6 * 7\nnope\nwhere\n"
    ran = subprocess.run(
        [REMORA, "attach", place(program)],
        input=given,
        cwd=remora.folder,
        env=client_environment(remora.configuration),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran
    assert ran.stderr == ""
    assert "\n42\n" in ran.stdout
    assert "NameError" in ran.stdout
    assert "\x1b" not in ran.stdout
    assert program.process.poll() is None


def test_what_cannot_be_attached_to_is_said_in_a_line(remora: Remora) -> None:
    with remora.terminal("attach", "tcp://127.0.0.1:1") as terminal:
        terminal.wait("(?i)refused")
        assert terminal.returncode() == 3
        assert "Traceback" not in terminal.text


def test_nobody_elses_folder_is_written_to(remora: Remora, terminal: Terminal) -> None:
    leave(terminal)
    assert os.listdir(remora.folder) == []


def test_a_mistake_that_nobody_waits_for_is_a_sentence(remora: Remora, program: Program) -> None:
    own = remora.configuration / "commands"
    own.mkdir()
    (own / "late.py").write_text(
        "import asyncio\n"
        "from remora_client import command\n"
        "@command('late')\n"
        "async def late(session, arguments):\n"
        "    'Go wrong a little later.'\n"
        "    asyncio.get_running_loop().call_later(0.01, lambda: 1 / 0)\n"
    )
    with remora.terminal("attach", place(program)) as terminal:
        terminal.wait("remora❯")
        terminal.enter("late")
        terminal.wait("A bug in Remora, please report it: ZeroDivisionError")
        assert "Press ENTER" not in terminal.text
        leave(terminal)
