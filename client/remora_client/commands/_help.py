"""Help, made from the table of commands. Pure."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from remora_client._fragments import clip, sentences, table
from remora_client.commands._table import COMMANDS, GROUPS

if TYPE_CHECKING:
    from collections.abc import Collection

    from remora_client._fragments import Fragments
    from remora_client.commands._table import Command

__all__ = ["command_help", "overview", "search"]

_RULES = (
    "What is no command is Python and runs in the program: x + 1, x = 2, f(3). In doubt: !x is Python, :x a "
    "command. An empty line repeats step, next, until, up, down and list. Ctrl-C pauses, Ctrl-D leaves."
)


def overview(width: int, shown: Collection[Command]) -> Fragments:
    """Commands by group, a line each."""
    out: Fragments = []
    for group, title in GROUPS.items():
        found = [each for each in shown if each.group == group]
        if not found:
            continue
        out.append(("class:heading", f"{title}\n"))
        rows: list[list[Fragments]] = []
        for each in found:
            short = [alias for alias in each.aliases if len(alias) <= 3][:2]
            rows.append(
                [
                    [("class:command", each.name)],
                    [("class:dim", " ".join(short))],
                    [("", _short(each.summary, max(width - 26, 30)))],
                ]
            )
        out += _aligned(rows)
    return [*out, *sentences(_RULES, width, "class:dim")]


def _short(summary: str, width: int) -> str:
    """As much of a summary as fits: as many of its clauses, else as much of the first one."""
    if len(summary) <= width:
        return summary
    clauses = [found.start() for found in re.finditer("[,:;] ", summary) if found.start() < width]
    return f"{summary[: clauses[-1]]}." if clauses else clip(summary, width)


def _aligned(rows: list[list[Fragments]]) -> Fragments:
    """The same columns in every group."""
    for row in rows:
        row[0] = [*row[0], ("", " " * max(13 - len(row[0][0][1]), 0))]
        row[1] = [*row[1], ("", " " * max(6 - len(row[1][0][1]), 0))]
    return table(rows, gap=1, indent=2)


def command_help(each: Command, width: int) -> Fragments:
    """Everything about one command."""
    out: Fragments = [
        ("class:command", each.name),
        ("class:usage", f" {each.usage}" if each.usage else ""),
        ("", "\n"),
    ]
    if each.aliases:
        out.append(("class:dim", f"also: {', '.join(each.aliases)}\n"))
    for paragraph in each.help.split("\n\n"):
        lines = textwrap.wrap(paragraph, width, initial_indent="  ", subsequent_indent="  ")
        out.append(("", "\n" + "".join(f"{line}\n" for line in lines)))
    return out


def search(text: str) -> list[Command]:
    """The commands whose name, aliases or help have a word that begins so, else those that hold the text."""
    wanted = text.casefold()
    told = {each.name: " ".join((*each.words, each.help)).casefold() for each in COMMANDS.values()}
    at_starts = re.compile(rf"(?<!\w){re.escape(wanted)}")
    found = [name for name in told if at_starts.search(told[name])]
    return [COMMANDS[name] for name in found or [name for name in told if wanted in told[name]]]
