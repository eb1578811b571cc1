"""Every command, typed at the prompt of a real terminal, and what the screen then shows.

One session runs them one after the other: each row is a line and a pattern that has to appear below it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from remora_client.commands import COMMANDS, CommandLine, classify_script
from tests.support.command import Remora
from tests.support.interpreters import NEWEST, ROOT
from tests.support.program import Program
from tests.support.terminal import Terminal

PROGRAM = """\
# A program for every command.
import sys


class Counter:
    def __init__(self):
        self.value = 0

    def add(self, number):
        self.value += number  # @add
        return self.value


def count(number):
    n = number  # @count
    counter = Counter()
    for each in range(number):
        counter.add(each)  # @loop
    try:
        {}["no such key"]  # @error
    except KeyError:
        pass
    return n  # @end


print("ready", flush=True)
for line in sys.stdin:
    print("counted", count(int(line)), flush=True)  # @call
print("bye", flush=True)
"""

#: Words in the rows that stand for lines of the program.
_MARKER = re.compile(r"@(\w+)")

PROMPT = r"^(#\d )?remora❯ *$"
EMPTY = re.compile(r"(#\d )?remora❯ *$", re.MULTILINE)
ASKED = r"\[y/N\] *$"

#: What ends the session, takes every line or needs no stop has a test of its own.
ELSEWHERE = {"detach", "kill", "quit", "pause", "wait", "interact", "tutorial", "proc"}

AT_A_STOP = [
    ("help", r"Run the program"),
    ("help break", r"Stop at a place"),
    ("apropos once", r"tbreak"),
    ("where?", r"Show the stack"),
    ("status", r"phase +stopped"),
    ("where", r"#0  count +program\.py:@loop"),
    ("bt | wc -l", r"^2$"),
    ("where --json", r'"name": "count"'),
    ("up", r"#1  <module>"),
    ("down", r"#0  count"),
    ("top", r"#1  <module>"),
    ("bottom", r"#0  count"),
    ("frame", r"#0  count"),
    ("frame apply all print __name__", r"(?s)#1  <module>\n'__main__'\n#0  count\n'__main__'"),
    ("print n", r"^3$"),
    ("p/x 255", r"^0xff$"),
    ("pp [1, 2]", r"\[1, 2\]"),
    ("whatis n", r"^int$"),
    ("locals", r"number += +3"),
    ("args", r"number += +3"),
    ("globals -v Counter", r"Counter += +<class"),
    ("vars", r"Globals"),
    ("set n = 4", r"n = 4"),
    ("print n + 1", r"^5$"),
    ("display n", r"1: n = 4"),
    ("undisplay 1", r"Nothing is displayed"),
    ("src Counter.add", r"def add"),
    ("Counter.add??", r"def add"),
    ("inspect Counter.add", r"signature +\(self, number\)"),
    ("counter?", r"type +\S*Counter"),
    ("dir counter", r"add +value"),
    ("sizeof [1, 2]", r"bytes, 2 items"),
    ("refs counter", r"local variable +counter"),
    ("completions counter.v", r"^value$"),
    ("clipboard 'some text'", r"9 characters are on the clipboard"),
    ("save 'text' {folder}/saved", r"4 bytes in"),
    ("list", r"def count"),
    ("list Counter", r"^ +\d+ │ class Counter:"),
    ("list nothing_at_all", r"No function or class nothing_at_all"),
    ("src n", r"n is of type int, and has no source text"),
    ("longlist", r"→ +@loop"),
    ("sticky on", r"the whole function"),
    ("sticky off", r"11 lines"),
    ("modules ^sys$", r"^ sys"),
    ("modules ^nothing$", r"No module matches \^nothing\$\."),
    ("ps", r"▸ 1 +\d+ .*program\.py +stopped in count, program\.py:@loop"),
    ("sources program", r"program\.py"),
    ("sources ^nothing", r"No file matches \^nothing\."),
    ("funcs program.py:^Counter", r"Counter\.add +program\.py:"),
    ("edit", r"^edited \+@loop .*program\.py$"),
    ("edit Counter", r"^edited \+5 .*program\.py$"),
    ("edit nothing_at_all", r"No function or class nothing_at_all"),
    ("break program.py:@end if n > 100", r"Breakpoint 2 at program\.py:@end  if n > 100"),
    ("tbreak program.py:@error", r"Breakpoint 3 at program\.py:@error"),
    ("trace program.py:@add 'added {{number}}'", r"Logpoint 4 at program\.py:@add"),
    ("rbreak program.py:^Counter.add$", r"Breakpoint 5 at"),
    ("breakpoints", r"2 .*program\.py:@end"),
    ("bl -v", r"2: .*program\.py:@end is /"),
    ("rb ^nothing_of_the_kind", r"No function's name matches"),
    ("break -proc 2 @end", r"-proc takes all"),
    ("disass Counter.add", r"LOAD_FAST"),
    ("info source", r"path +/.*program\.py"),
    ("locals ^num", r"number += +3"),
    ("disable 5", r"5 .*"),
    ("enable 5", r"5 .*"),
    ("toggle 5", r"5 .*"),
    ("condition 2 n > 200", r"if n > 200"),
    ("ignore 2 3", r"ignores 3 hits first"),
    ("commands 3 print 'at the error'", r"print 'at the error'"),
    ("group io 2 4", r"io: 2, 4"),
    ("why 2", r"matches by name"),
    ("trace Counter.add 'adds {{number}}'", r"Logpoint 6 in Counter\.add"),
    ("clear 6", r"Breakpoint 6 removed"),
    ("catch raised KeyError", r"raised KeyError"),
    ("catch -off", r"[Nn]o"),
    ("clear 5", r"Breakpoint 5 removed"),
    ("save breakpoints {folder}/breakpoints", r"3 breakpoints are in"),
    ("load {folder}/breakpoints", r"Breakpoint \d at program\.py:@end"),
    ("info breakpoints", r"program\.py:@end"),
    ("threads", r"MainThread"),
    ("thread", r"MainThread"),
    ("tasks --json", r"^\[\]$"),
    ("task 1", r"no task 1"),
    ("alias pn print n", r"pn +print n"),
    ("alias two print n + 40 ;; print %1 + 50", r"two +print n"),
    ("two n", r"^44\n54$"),
    ("unalias two", PROMPT),
    ("pn", r"^4$"),
    ("unalias pn", r"remora❯"),
    ("source {folder}/commands", r"^'from a file'$"),
    ("config", r"context +11"),
    ("transcript {folder}/transcript", r"goes to"),
    ("transcript -off", r"No transcript"),
    ("config -save context 13", r"Saved: context = 13"),
    ("config theme monokai", r"theme is monokai"),
    ("config keys vi", r"keys is vi"),
    ("config keys emacs", r"keys is emacs"),
    ("map", r"found by their names"),
    ("fetch program.py", r"class Counter:"),
    ("history 2", r"^fetch program\.py$"),
    ("sh echo from the shell", r"^from the shell$"),
    ("py session.evaluate('n').value", r"^'4'$"),
    ("stdin -own", r"reads its own input"),
    ("restart", r"Only who started"),
    ("call max(3, 7)", r"^7$"),
    ("print $_ + 1", r"^8$"),
    ("skip func nothing", r"Steps pass by library code and these"),
    ("jmc", r"Just my code is on"),
    ("watch -r n if n", r"(?s)cannot stop the program yet.*display -changed n$"),
    ("connect", r"takes what remora attach does"),
    ("jump 1", r"cannot be jumped to from here\.\n +jump -list shows"),
    ("jump -list", r"@loop  +counter\.add"),
    ("exceptions", r"not stand at an exception"),
    ("retval", r"No call"),
    ("next", r"→ +\d+ │ +for each"),
    ("until @loop", r"→ +@loop "),
    ("step", r"→ +@add "),
    ("return", r"returned"),
    ("advance program.py:@error", r"→ +@error "),
    ("jump @count", r"→ +@count "),
    ("restartframe", r"→ +@count |cannot run a call again"),
    ("clear -all", ASKED),
    ("y", r"removed"),
    ("continue program.py:@end", r"→ +@end "),
]


@pytest.fixture
def program() -> Iterator[Program]:
    """It waits for a number on its standard input, and has no secret."""
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")
        yield program


def test_every_command(remora: Remora, program: Program) -> None:
    with _terminal(program, remora) as terminal:
        terminal.enter(f"tbreak program.py:{program.line('loop')}")
        terminal.wait("Breakpoint 1 at")
        program.stdin_line("3")
        terminal.wait(rf"→ +{program.line('loop')} ")
        for line, pattern in AT_A_STOP:
            typed = _filled(line.replace("{{", "{").replace("}}", "}"), program, remora.folder)
            terminal.enter(typed)
            terminal.wait(_filled(pattern, program, remora.folder))
            if pattern == ASKED:
                continue
            terminal.wait(PROMPT)
            terminal.press("\x0c")  # the screen is emptied, or it would soon be full
            terminal.wait_until(lambda: EMPTY.match(terminal.text) is not None, "an empty screen")
        assert "Traceback" not in terminal.text
        assert "A bug in Remora" not in terminal.text
        terminal.enter("quit -c")
        assert terminal.returncode() == 0


def test_commands_line_by_line(remora: Remora, program: Program) -> None:
    with _terminal(program, remora) as terminal:
        terminal.enter("commands")
        terminal.wait("There are no breakpoints yet")
        terminal.enter("commands 99")
        terminal.wait("There is no breakpoint 99")
        terminal.enter(f"break program.py:{program.line('add')}")
        terminal.wait("Breakpoint 1 at")
        terminal.enter("commands 1")
        terminal.wait("^ +… *$")
        for line in ("silent", "print number", "continue"):
            terminal.enter(line)
        terminal.enter("end")
        terminal.wait("on hit: continue")
        program.stdin_line("3")
        terminal.wait(r"(?s)^0$.*^1$.*^2$")
        program.wait_line("counted 3")
        assert "→" not in terminal.text
        terminal.enter("quit -c")
        assert terminal.returncode() == 0


def test_the_tutorial_is_a_command(remora: Remora, program: Program) -> None:
    with _terminal(program, remora) as terminal:
        terminal.enter("tutorial")
        terminal.wait("# 1/", 40)
        terminal.wait(PROMPT)
        terminal.enter("quit -c")
        terminal.wait("goes on here")
        terminal.wait(PROMPT)
        terminal.enter("status")
        terminal.wait(r"name +program\.py")
        terminal.enter("quit -c")
        assert terminal.returncode() == 0


def test_a_project_is_asked_about(remora: Remora, program: Program) -> None:
    (remora.folder / ".remora.toml").write_text('context = 5\nkeys = "vi"\nkeep-breakpoints = "on"\n')
    (remora.folder / ".remorarc").write_text("alias hello sh echo hello from the project\n")
    with remora.terminal("attach", program.qualifier, "--source", str(program.directory)) as terminal:
        terminal.wait("show them")
        terminal.enter("s")
        terminal.wait("^alias hello")
        terminal.enter("y")
        terminal.wait(PROMPT)
        terminal.enter("hello")
        terminal.wait("^hello from the project")
        terminal.enter("config context")
        terminal.wait("context is 5")
        terminal.press("p 12\x1bxxa3\r")  # vi: Esc, twice x, append
        terminal.wait("remora❯ p 3$|remora❯ p3$|remora❯ p *3")
        terminal.enter(f"break program.py:{program.line('end')}")
        terminal.wait("Breakpoint 1 at")
        terminal.kill()  # kept all the same
    with remora.terminal("attach", program.qualifier, "--source", str(program.directory)) as terminal:
        terminal.wait(r"Breakpoint 1 at program\.py:\d+")  # not asked again, and the breakpoint is back
        terminal.wait(PROMPT)
        terminal.enter("quit -c")
        assert terminal.returncode() == 0


def test_while_it_runs_and_leaving(remora: Remora, program: Program) -> None:
    with _terminal(program, remora) as terminal:
        for line, pattern in (
            ("threads", "MainThread"),
            ("where", "running"),
            ("next", "running"),
            ("list", r"^ +1 │ "),
            ("", r"^ +14 │ def count"),
            ("list 2, 3", r"^ +3 │$"),
            ("continue", "running already"),
            ("detach -stopped", "running"),
            ("quit now", "-stopped"),
        ):
            terminal.enter(line)
            terminal.wait(pattern)
        terminal.enter("pause")
        program.stdin_line("2")
        terminal.wait("Paused")
        terminal.enter("detach -stopped")
        assert terminal.returncode() == 0
    arguments = ("attach", program.qualifier, "--source", str(program.directory))
    with remora.terminal(*arguments) as terminal:
        terminal.wait("→|Paused")  # it was left standing, wherever that was
        terminal.enter(f"tbreak program.py:{program.line('count')}")
        terminal.wait("Breakpoint 1 at")
        terminal.enter("continue")
        program.stdin_line("1")
        terminal.wait(rf"→ +{program.line('count')} ")
        terminal.enter("quit -k")
        terminal.wait(r"\[y/N\]")
        terminal.enter("y")
        terminal.wait("The program ended")
        assert terminal.returncode() == 0


def test_none_is_left_out() -> None:
    lines = [classify_script(line) for line, _ in AT_A_STOP]
    typed = {line.command.name for line in lines if isinstance(line, CommandLine)}
    left = set(COMMANDS) - typed - ELSEWHERE
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in sorted(left) if not re.search(rf"""["']{name}\b""", tests)] == []


def test_interact(remora: Remora, program: Program) -> None:
    with _terminal(program, remora) as terminal:
        terminal.enter(f"tbreak program.py:{program.line('loop')}")
        terminal.wait("Breakpoint 1 at")
        program.stdin_line("3")
        terminal.wait("→")
        terminal.enter("interact")
        terminal.wait("^>>> *$")
        terminal.enter("n")
        terminal.wait("^3$")
        terminal.enter("where = 5; where")
        terminal.wait("^5$")
        terminal.enter("where")
        terminal.wait("NameError|^5$")
        terminal.enter("help(counter.add)")  # the program's own would start a pager there
        terminal.wait(r"signature +\(number\)")
        terminal.press("\x04")
        terminal.wait("Commands again")
        terminal.wait("^remora❯ *$")
        terminal.enter("interact")
        terminal.wait("^>>> *$")
        terminal.enter("exit()")
        terminal.wait("Commands again")
        terminal.wait("^remora❯ *$")
        terminal.enter("n")
        terminal.wait("→")
        terminal.enter("quit -c")
        assert terminal.returncode() == 0


def _filled(text: str, program: Program, folder: Path) -> str:
    found = _MARKER.sub(lambda match: str(program.line(match[1])), text)
    return found.replace("{folder}", os.fspath(folder))


def _terminal(program: Program, remora: Remora) -> Terminal:
    editor = remora.folder / "editor"
    editor.write_text('#!/bin/sh\necho edited "$@"\n')
    editor.chmod(0o755)
    (remora.folder / "commands").write_text("print 'from a file'\n")
    terminal = remora.terminal(
        "attach", program.qualifier, "--source", str(program.directory), env={"VISUAL": str(editor)}
    )
    terminal.wait("remora❯")
    return terminal
