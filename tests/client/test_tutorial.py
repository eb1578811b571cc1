"""The tutorial in a real terminal: a person goes all the way, gets hints, errs, ends the game, leaves."""

from __future__ import annotations

from remora_client._learning._lessons import LESSONS
from tests.support.command import Remora
from tests.support.terminal import Terminal

PROMPT = r"^remora❯ *$"


def at_task(terminal: Terminal, number: int) -> None:
    terminal.wait(rf"^# {number}/{len(LESSONS)} ", 40)
    terminal.wait(PROMPT)


def test_all_the_way_by_its_hints(remora: Remora) -> None:
    with remora.terminal("tutorial") as terminal:
        terminal.wait("Welcome", 40)
        for number, lesson in enumerate(LESSONS, 1):
            at_task(terminal, number)
            if number == 3:
                terminal.enter("hint")
                terminal.wait(f"Type: '{lesson.hint}'")
            terminal.enter(lesson.hint)
        terminal.wait("Good job, Ada!")
        terminal.wait("That was all of it")
        assert "`" not in terminal.text
        assert terminal.returncode() == 0
        assert "Traceback" not in terminal.text
        assert "Your guess is too low" in terminal.text  # the 0 that passed the condition by
        assert "guesses_taken = 2  (was " in terminal.text


def test_nobody_is_kept(remora: Remora) -> None:
    with remora.terminal("tutorial", "--task", "2") as terminal:
        at_task(terminal, 2)
        for line in ("what now", "no idea", "x = = 3"):
            terminal.enter(line)
        terminal.wait(f"To go on: '{LESSONS[1].hint}' ")  # three lines that did not help
        terminal.enter("pass")
        at_task(terminal, 3)
        terminal.wait("The game runs. To stop it again")
        terminal.enter(LESSONS[1].hint)
        terminal.wait("it stops at your breakpoint")
        terminal.wait("→")
        terminal.enter("kill -9")
        terminal.wait(r"\[y/N\]")
        terminal.enter("y")
        terminal.wait("Here is a new one", 40)
        terminal.wait("it stops at your breakpoint", 40)  # which the new game has as well
        terminal.wait(PROMPT)
        terminal.enter("guess + 0")
        at_task(terminal, 4)
        terminal.enter("again")
        at_task(terminal, 4)
        terminal.press("\x04")
        terminal.wait("'remora tutorial --task 4' goes on here")
        assert terminal.returncode() == 0


def test_without_a_terminal_it_says_so(remora: Remora) -> None:
    ran = remora("tutorial")
    assert ran.code == 2
    assert "remora demo" in ran.errors
    assert remora("tutorial", "--task", "99").code == 2


def test_a_line_that_failed_is_no_answer(remora: Remora) -> None:
    with remora.terminal("tutorial", "--task", "2") as terminal:
        at_task(terminal, 2)
        terminal.enter("break 19")
        at_task(terminal, 3)
        terminal.enter("what is guess?")  # speaks of the variable
        terminal.wait("NameError")
        terminal.wait(PROMPT)
        assert "# 4/" not in terminal.text
        terminal.enter("p guess")
        at_task(terminal, 4)


def test_a_newcomer_may_list_without_a_number(remora: Remora) -> None:
    with remora.terminal("tutorial") as terminal:
        at_task(terminal, 1)
        terminal.enter("l")  # the game runs, so there is no line to list around
        terminal.wait(r"^ +1 │ import os")
        terminal.wait(PROMPT)
        assert "# 2/" not in terminal.text
        terminal.enter("")  # goes on
        at_task(terminal, 2)


def test_what_to_type_is_coloured_and_in_quotes_where_there_are_no_colours(remora: Remora) -> None:
    with remora.terminal("tutorial", env={"NO_COLOR": "1"}) as terminal:
        terminal.wait("type 'hint'")
        at_task(terminal, 1)
    with remora.terminal("tutorial", env={"NO_COLOR": ""}) as terminal:
        terminal.wait("type hint\\.")
        at_task(terminal, 1)
        row = terminal.row_of("type hint") - 1
        column = terminal.text.splitlines()[row].index("hint")
        cells = terminal.cells()[row]
        assert cells[column].fg != cells[column - 2].fg
