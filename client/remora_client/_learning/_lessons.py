"""What `remora tutorial` teaches, task after task: what to do, how to know that it was done, a hint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remora_client._learning._game import GUESSED
from remora_client._records import record
from remora_client.commands import CommandLine, PythonLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client.commands import Context, Line

__all__ = ["LESSONS", "Lesson", "Moment"]


@record
class Moment:
    """What a lesson may look at.

    Attributes:
        ctx: the session, and what the person has set up.
        line: what was typed last; None when something happened without that.
        stops: how often the game had stopped when the task was given.
    """

    ctx: Context
    line: Line | None
    stops: int

    @property
    def stopped(self) -> bool:
        """Whether the game stands still."""
        return self.ctx.session.stop is not None

    @property
    def stopped_anew(self) -> bool:
        """Whether it has stopped since the task was given."""
        return self.stopped and self.ctx.session.state.stops > self.stops

    def ran(self, *names: str) -> bool:
        """Whether the last line was one of these commands."""
        return isinstance(self.line, CommandLine) and self.line.command.name in names

    def asked(self, name: str) -> bool:
        """Whether the last line showed a variable, in whatever way."""
        if not self.stopped:
            return False
        if isinstance(self.line, PythonLine):
            text = self.line.text
        elif self.ran("print", "pp", "inspect", "display"):
            assert isinstance(self.line, CommandLine)
            text = self.line.arguments
        else:
            return False
        return re.search(rf"\b{name}\b(?!\s*=[^=])", text) is not None


@record
class Lesson:
    """One task.

    Attributes:
        tell: what it is about, and what to do.
        hint: the line to type.
        done: whether it was done.
        praise: what to say then.
        stopped: the task needs the game to stand still.
        guess: what Ada types into the game when the task was done.
    """

    tell: str
    hint: str
    done: Callable[[Moment], bool]
    praise: str = ""
    stopped: bool = False
    guess: str = ""


def _breakpoint(moment: Moment) -> bool:
    return any(each.verified and each.active for each in moment.ctx.session.breakpoints)


def _condition(moment: Moment) -> bool:
    return any(each.condition for each in moment.ctx.session.breakpoints)


def _is_listed(moment: Moment, line: int) -> bool:
    listing = moment.ctx.listing
    return listing is not None and listing.first <= line <= listing.last


def _is_assigned(moment: Moment) -> bool:
    if not moment.stopped:
        return False
    if moment.ran("set"):
        assert isinstance(moment.line, CommandLine)
        text = moment.line.arguments
    elif isinstance(moment.line, PythonLine):
        text = moment.line.text
    else:
        return False
    return re.match(r"number\s*=\s*15\b", text) is not None


LESSONS = (
    Lesson(
        "A game runs in a process of its own. It has just asked Ada for a guess, and waits. You are attached "
        "to it, and it does not even notice. `list` and a number of a line shows the source around it. Look "
        "at line 18:",
        "list 18",
        lambda moment: moment.ran("list") and _is_listed(moment, 18),
        "That is the text that the program runs, sent by the program itself if you had no copy.",
    ),
    Lesson(
        f"Ada's guess is converted in line {GUESSED - 1}. Set a breakpoint on the line after it, {GUESSED}, "
        "so that the game stops there: `break` and the number. It need not stand still for that:",
        f"break {GUESSED}",
        _breakpoint,
        "The red dot says that it is set. Now Ada guesses 21 …",
        guess="21",
    ),
    Lesson(
        "The game stands still now: the arrow marks the line that runs next. What did Ada guess? Print the "
        "variable guess, with `print` and its name:",
        "print guess",
        lambda moment: moment.asked("guess"),
        "`p` is short for `print`. Many commands have a short form; `help` shows them.",
        stopped=True,
    ),
    Lesson(
        "What number does the game think of? You need not know what it is called. List the variables with "
        "`locals`:",
        "locals",
        lambda moment: moment.ran("locals", "vars", "globals") or moment.asked("number"),
        "There it is: number.",
        stopped=True,
    ),
    Lesson(
        "Have the game run to the `next` line, and stop again:",
        "next",
        lambda moment: moment.stopped_anew and moment.ran("next", "step", "until"),
        "An empty line does it again. `step` goes into functions that are called, `next` does not.",
        stopped=True,
    ),
    Lesson(
        "What is no command is Python, and runs in the game. So cheat, and assign 15 to number:",
        "number = 15",
        _is_assigned,
        "From now on 15 wins. In doubt, `!text` is always Python, and `:text` always a command.",
        stopped=True,
    ),
    Lesson(
        "And `where` are we? Show the stack, with the newest call last:",
        "where",
        lambda moment: moment.ran("where"),
        "Here it is one frame only. With more, `up` and `down` move between them, and `print` follows.",
        stopped=True,
    ),
    Lesson(
        "`display` shows a value at every stop from now on. Have it show how many guesses were taken, "
        "guesses_taken:",
        "display guesses_taken",
        lambda moment: any("guesses_taken" in each.expression for each in moment.ctx.displays.values()),
        "It is shown below the source, and with what it was before when it changes.",
        stopped=True,
    ),
    Lesson(
        "Not every guess is worth a stop. Have breakpoint 1 stop only where guess > 10: `condition`, its "
        "number, and that expression:",
        "condition 1 guess > 10",
        _condition,
        "`break PLACE if EXPR` says both at once.",
    ),
    Lesson(
        "Let the game `continue`. Ada guesses 0, which passes by, and then 21:",
        "continue",
        lambda moment: not moment.stopped,
        "Watch what the game prints, while the prompt stays yours …",
        stopped=True,
        guess="0 21",
    ),
    Lesson(
        "It stopped for 21, and told the count. There are more commands than these. `apropos` finds those "
        "that have to do with a word, for instance with once:",
        "apropos once",
        lambda moment: moment.ran("help", "apropos"),
        "`help` alone lists all; `help COMMAND` explains one.",
        stopped=True,
    ),
    Lesson(
        "Enough. Remove the breakpoint with `clear` and its number:",
        "clear 1",
        lambda moment: not moment.ctx.session.breakpoints,
        "So nothing stops the game any more. Ada will guess 15.",
    ),
    Lesson(
        "Leave with `detach`. The game runs on without you, and Ada wins:",
        "detach",
        lambda moment: False,  # leaving ends the tutorial
    ),
)
