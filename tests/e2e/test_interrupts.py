"""Ctrl-C where it is not for the prompt: at questions, while another program has the terminal, in `py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.client.servers import Remora as FakeRemora
from tests.client.servers import Server, process
from tests.support.command import Remora
from tests.support.interpreters import NEWEST
from tests.support.program import Program

assert NEWEST
# As vim does: Ctrl-C is a key of its own, and only it decides what that means.
EDITOR = """\
import signal, time

def interrupted(number, frame):
    global keys
    keys += 1
    print("key", keys, flush=True)

keys = 0
signal.signal(signal.SIGINT, interrupted)
print("edit" + "ing", flush=True)
while keys < 2:
    time.sleep(0.01)
print("sa" + "ved", flush=True)
"""


@pytest.fixture
def program() -> Iterator[Program]:
    with Program(NEWEST, "function_loop.py", enable={}) as found:
        yield found


def test_ctrl_c_belongs_to_whom_the_terminal_was_lent(remora: Remora, program: Program) -> None:
    (remora.folder / "editor.py").write_text(EDITOR)
    with remora.terminal("attach", program.qualifier) as terminal:
        terminal.wait("It is running")
        terminal.enter(f"sh {sys.executable} editor.py")
        terminal.wait("editing")
        terminal.press("\x03")
        terminal.wait("key 1")
        terminal.press("\x03")
        terminal.wait("saved")
        assert "Interrupted" not in terminal.text
        terminal.enter("status")
        terminal.wait(r"phase\s+running")  # nor was the program paused by it
        terminal.press("\x04")
        assert terminal.returncode() == 0


def test_python_that_never_ends_does_not_keep_the_prompt_from_ending(
    remora: Remora, program: Program
) -> None:
    with remora.terminal("attach", program.qualifier) as terminal:
        terminal.wait("It is running")
        terminal.enter("py import time; print('wait' + 'ing'); time.sleep(1000)")
        terminal.rest(1.0)
        terminal.press("\x03")
        terminal.wait("Interrupted")
        terminal.press("\x04")
        assert terminal.returncode() == 0


def test_nor_does_a_command_of_ones_own(remora: Remora, program: Program) -> None:
    folder = remora.configuration / "commands"
    folder.mkdir()
    (folder / "mine.py").write_text(
        "import time\n"
        "from remora_client import command\n\n"
        '@command("forever")\n'
        "def forever(session, arguments):\n"
        '    "Never ends."\n'
        "    time.sleep(1000)\n"
    )
    with remora.terminal("attach", program.qualifier) as terminal:
        terminal.wait("It is running")
        terminal.enter("forever")
        terminal.rest(1.0)
        terminal.press("\x03")
        terminal.wait("Interrupted")
        terminal.press("\x04")
        assert terminal.returncode() == 0


def test_ctrl_c_once_ends_a_question(remora: Remora, program: Program) -> None:
    (remora.folder / ".remorarc").write_text("status\n")
    with remora.terminal("attach", program.qualifier) as terminal:
        terminal.wait("Use them")
        terminal.press("\x03")
        assert terminal.returncode() == 130
    with Server(FakeRemora(secret=None, processes=[process(1), process(2)])) as listener:
        (remora.folder / ".remorarc").unlink()
        with remora.terminal("attach", listener.place) as terminal:
            terminal.wait("Which one")
            terminal.press("\x03")
            assert terminal.returncode() == 130
