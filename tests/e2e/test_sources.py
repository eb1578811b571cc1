"""Source by name, whatever the source is: archives, exec, notebooks, frozen modules, encodings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Remora
from tests.support.interpreters import INTERPRETERS, NEWEST, Interpreter
from tests.support.program import Program

assert NEWEST
SOME = [one for one in INTERPRETERS if one in (INTERPRETERS[0], NEWEST) or one.name == "pypy-3.11"]
PROGRAM = """\
import linecache, os, py_compile, sys, zipfile

here = os.path.dirname(os.path.abspath(__file__))


def write(name, data):
    with open(os.path.join(here, name), "wb") as stream:
        stream.write(data)


with zipfile.ZipFile(os.path.join(here, "packed.zip"), "w") as archive:
    archive.writestr("inside/__init__.py", "")
    archive.writestr("inside/deep.py", "def zipped(x):\\n    y = x + 1\\n    return y\\n")
head = b"# -*- coding: latin-1 -*-\\r\\n"
write("latin.py", head + b"def latin(x):\\r\\n\\tname = '\\xe4\\xf6'\\r\\n\\treturn name + x\\r\\n")
write("long.py", b"def long(x):\\n    text = '" + b"a" * 100000 + b"'\\n    return len(text) + x\\n\\x0c\\n")
write("fed.py", b"\\x0c\\ndef fed(x):\\n    y = x  # \\x1c\\n    z = y\\n    return z\\n")
write("bare.py", b"def bare(x):\\n    y = x\\n    return y\\n")
py_compile.compile(os.path.join(here, "bare.py"), os.path.join(here, "bare.pyc"))
os.remove(os.path.join(here, "bare.py"))
sys.path[:0] = [os.path.join(here, "packed.zip"), here]
from inside.deep import zipped
from latin import latin
from long import long
from bare import bare
from fed import fed

cell = "def cell(x):\\n    y = x * 2\\n    return y\\n"
linecache.cache["<ipython-input-7-abc>"] = (len(cell), None, cell.splitlines(True), "<ipython-input-7-abc>")
exec(compile(cell, "<ipython-input-7-abc>", "exec"))
exec(compile("def bald(x):\\n    y = x * 3\\n    return y\\n", "<string>", "exec"))

print("ready", flush=True)
for line in sys.stdin:
    word = line.strip()
    if word == "frozen":
        os.path.join("a", "b")
    else:
        argument = "!" if word == "latin" else 5
        print("gave", ascii(globals()[word](argument)), flush=True)
print("bye", flush=True)
"""


CHANGING = """\
import sys
def work(n):
    double = n * 2  # @double
    return double
print("ready", flush=True)
for line in sys.stdin:
    print("gave", work(len(line)), flush=True)
"""


def stop_in(remora: Remora, program: Program, word: str, place: str, *commands: str) -> list[Any]:
    """What commands give at a breakpoint that `word` leads to."""
    with remora.start_exec(program.qualifier, f"break {place}", "continue", *commands) as running:
        made = running.result(f"break {place}")
        program.stdin_line(word)
        stop = running.stop("continue")
        results = [running.result(command) for command in commands]
        assert running.returncode() == 0
    return [made, stop, *results]


def test_every_kind_of_source(interpreter: Interpreter, remora: Remora) -> None:
    """The client's folder is empty: all text comes from the program."""
    with Program(interpreter, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")

        made, stop, listed, value = stop_in(
            remora, program, "zipped", "inside/deep.py:2", "list 1, 3", "print x"
        )
        assert made["verified"]
        assert Path(made["path"]).parts[-3:] == ("packed.zip", "inside", "deep.py")
        assert listed["lines"][1] == "    y = x + 1"
        assert value["value"] == "5"

        made, stop, listed = stop_in(remora, program, "latin", "latin.py:3", "list 1, 4")
        assert listed["lines"][2] == "\tname = 'äö'"
        assert stop["frame"]["line"] == 3

        made, stop, listed = stop_in(remora, program, "long", "long.py:3", "list 1, 3")
        assert len(listed["lines"][1]) > 100_000

        made, stop, listed = stop_in(remora, program, "fed", "fed.py:/z = y/", "list 1, 4")
        assert (made["line"], stop["frame"]["line"], listed["lines"][3]) == (4, 4, "    z = y")

        made, stop, listed = stop_in(remora, program, "cell", "<ipython-input-7-abc>:2", "longlist")
        assert listed["lines"] == ["def cell(x):", "    y = x * 2", "    return y"]

        made, stop, frames, value = stop_in(remora, program, "bald", "bald", "where", "print x")
        assert frames[0]["path"] == "<string>"
        assert value["value"] == "5"

        made, stop, frames, value = stop_in(remora, program, "bare", "bare", "where", "print x")
        assert frames[0]["name"] == "bare"
        assert value["value"] == "5"


def test_no_source_is_said_and_hinders_nothing(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")
        with remora.terminal("attach", program.qualifier) as terminal:
            terminal.wait("remora❯")
            assert (
                "frozen" not in terminal.text.lower()
            )  # nothing is said of frozen modules that nobody asked for
            terminal.enter("break bald")
            terminal.wait("Breakpoint 1 in")
            program.stdin_line("bald")
            terminal.wait("no source text for <string>")
            terminal.enter("list")
            terminal.wait("There is no source text")
            terminal.enter("next")
            terminal.wait("Step  bald at")
            terminal.enter("print y")
            terminal.wait("^15$")
            terminal.enter("clear 1")
            terminal.wait("removed")
            terminal.enter("quit -c")
            assert terminal.returncode() == 0
        program.wait_line("gave 15")


def test_a_frozen_module(interpreter: Interpreter, remora: Remora) -> None:
    """`os.path` is frozen into newer interpreters; a breakpoint in it works by its file's name."""
    with Program(interpreter, PROGRAM, enable={"secret": None}) as program:
        program.wait_line("ready")
        _, stop, value = stop_in(remora, program, "frozen", "posixpath.join", "print a")
        assert stop["frame"]["name"] == "join"
        assert value["value"] == "'a'"


def test_what_is_near_is_the_programs(remora: Remora) -> None:
    """Remora has files of nearly this name, and so has Python: neither is what was meant."""
    with Program(NEWEST, "function_loop.py", enable={}, name="source.py") as program:
        ran = remora.exec(program.qualifier, "break sources.py:3", "break decoders.py:3")
        near, far = ran.results()
        assert near["message"] == f"No loaded file has this name yet. Nearest: {program.path}."
        assert far["message"] == "No loaded file has this name yet."


@pytest.mark.parametrize("interpreter", SOME, ids=str)
def test_a_script_that_was_edited_while_it_ran(interpreter: Interpreter, remora: Remora) -> None:
    with Program(interpreter, CHANGING, enable={"secret": None}) as program:
        program.wait_line("ready")
        line = program.line("double")
        script = Path(program.path)
        script.write_text("# new\n# lines\n" + script.read_text())
        with remora.terminal("attach", program.qualifier) as terminal:
            terminal.wait("remora❯")
            terminal.enter(f"break program.py:{line + 2}")
            terminal.wait(r"in the same function\.\s+The file has changed since the program loaded it")
            terminal.enter(f"break program.py:{line}")
            terminal.wait(
                r"The\s+file\s+has\s+changed\s+since\s+the\s+program\s+loaded\s+it: lines are those"
            )
            program.stdin_line("four")
            terminal.wait(r"program\.py: changed since the program loaded it, so text")
            terminal.wait(rf"work at program.py:{line}")
            terminal.enter("print n")
            terminal.wait("^5$")
            terminal.enter("quit -c")
            assert terminal.returncode() == 0
        program.wait_line("gave 10")
