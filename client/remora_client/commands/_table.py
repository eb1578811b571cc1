"""The table of commands, each declared once: aliases, group, kind of argument, help (its docstring).

`help`, completion, the manual, the lexer's colours and the rule that tells commands from Python all read it.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from remora_client._errors import ClientError
from remora_client._records import record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from remora_client._fragments import Fragments
    from remora_client._sessions._session import Session
    from remora_client.commands._context import Context

__all__ = [
    "COMMANDS",
    "GROUPS",
    "Argument",
    "Command",
    "CommandError",
    "Result",
    "command",
    "lookup",
    "no_arguments",
    "words",
]

Argument: TypeAlias = Literal[
    "none",
    "count",
    "number",
    "location",
    "expression",
    "breakpoint",
    "thread",
    "process",
    "file",
    "command",
    "option",
    "regex",
    "text",
]
GROUPS = {
    "running": "Run the program",
    "breakpoints": "Stop the program",
    "stack": "Where it is",
    "data": "Look at data",
    "threads": "Threads",
    "processes": "Processes",
    "sources": "Source",
    "session": "This session",
    "own": "Your own",
}


_SHORT = 72  # columns that a summary may take


class CommandError(ClientError):
    """A command cannot do what it was asked. Raised by commands, for the person who typed it."""

    code = "command"


@record
class Result:
    """What a command gave: `data` is its JSON form, `text` what a person sees."""

    data: Any = None
    text: Fragments = field(default_factory=list)
    resumed: bool = False  # the program was let go: a script now waits for the next stop
    left: bool = False  # the session is over: detach was asked for
    anyone: bool = False  # of a group, whichever process stops next is what a script waits for


Function: TypeAlias = "Callable[[Context, str], Awaitable[Result]]"


@record
class Command:
    """One row of the table."""

    name: str
    aliases: tuple[str, ...]
    group: str
    usage: str
    argument: Argument
    repeats: bool
    needs: str
    function: Function

    def offered(self, session: Session) -> bool:
        """Whether it makes sense with the server that a session is with."""
        return not self.needs or session.supports(self.needs) or session.has(self.needs)

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that calls this command, the name first."""
        return (self.name, *self.aliases)

    @property
    def help(self) -> str:
        """The whole help text."""
        return inspect.cleandoc(self.function.__doc__ or "")

    @property
    def summary(self) -> str:
        """The first sentence of the help."""
        first = re.split(r"(?<=[.])\s", self.help.partition("\n")[0])[0]
        return first if len(first) <= _SHORT else re.split("[:;] ", first)[0].removesuffix(".") + "."


COMMANDS: dict[str, Command] = {}
_WORDS: dict[str, Command] = {}


def command(
    name: str,
    *aliases: str,
    group: str,
    usage: str = "",
    argument: Argument = "none",
    repeats: bool = False,
    needs: str = "",
) -> Callable[[Function], Function]:
    """Put a function into the table.

    Args:
        name: what the command is called; scripts and the JSON form use it.
        aliases: other words for it.
        group: a key of `GROUPS`.
        usage: its arguments, as help shows them.
        argument: what the arguments are, for completion and for telling a command from Python.
        repeats: an empty line runs it again.
        needs: a capability of DAP, or a request of Remora's: help and completion leave the command out
            with a server that has not got it.
    """

    def enter(function: Function) -> Function:
        entry = Command(name, aliases, group, usage, argument, repeats, needs, function)
        if group not in GROUPS:
            raise ValueError(f"no such group: {group}")
        for word in entry.words:
            if word in _WORDS:
                raise ValueError(f"{word} already is {_WORDS[word].name}")
            _WORDS[word] = entry
        COMMANDS[name] = entry
        return function

    return enter


def no_arguments(name: str, arguments: str) -> None:
    """Refuse arguments that a command does not have."""
    if arguments:
        raise CommandError(f"{name} takes no arguments.", f"For Python, write !{name} {arguments}")


def lookup(word: str) -> Command | None:
    """The command of that exact name or alias."""
    return _WORDS.get(word)


def words() -> Iterable[str]:
    """Every name and alias."""
    return _WORDS.keys()
