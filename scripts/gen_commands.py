"""Makes `docs/commands.md` and a page for each group in `docs/commands` from the table of commands.

`--check` says whether they are fresh.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from remora_client.commands import COMMANDS, GROUPS, Command

DOCS = Path(__file__).resolve().parent.parent / "docs"
MARK = "<!-- GENERATED from the table of commands by scripts/gen_commands.py -->"

HEAD = f"""\
{MARK}
# Commands

Every command works at the prompt of `remora attach` and in `remora exec`, and each has a JSON form there.
At the prompt, three or more letters that begin one command only are enough.

## A command, or Python?

What is no command is Python and runs in the program, in the frame you look at: `x + 1`, `x = 2`, `f(3)`.
Where a word could be both:

* `!text` is Python, `:text` is a command.
* A command's word that goes on as only Python can is Python: `c = 9`, `n + 1`, `list(x)`, `l[0]`.
* A bare word that is both runs the command, and says how to print the variable. With
  `set bare-names variable` it is the variable; with `ask` you are asked, once for each word.
* Python's own words win over aliases: `del x` deletes `x` in the program.

The first word is coloured by what it will do, and the bar at the bottom says it. In scripts, with `-c` and in
`remora exec`, nothing is guessed: a line whose first word is a command is that command. `;;` parts commands.

An empty line repeats `step`, `next`, `until`, `up`, `down` and `list`; `set repeat all` repeats anything.
Ctrl-C pauses a running program, or clears the line; Ctrl-D leaves, and the program runs on.

## Places

`12`, `+3`, `-3`, `app.py:12`, `part/of/app.py:12`, `pkg.mod:12`, `app.py:/text/` (the first line that holds
the text), `function`, `Class.method`. Files are matched by name: as much of the path as tells them apart
will do. Where a line has several places to stop, such as lambdas, `app.py:12#3` is the third of them from the
left, and `app.py:12:40` the one at column 40. The second statement of `a(); b()` is no such place, since no
Python reports it by itself: `stepi` goes on to it, instruction by instruction.
"""


#: What stands at the head of a group's page: a sentence or two, and a picture of `gen_pictures.py`.
INTRODUCTIONS = {
    "running": (
        "Let the program run, by a line, a call, or to a place. A breakpoint on the way stops it, even in a "
        "call that you make yourself.",
        ("call", "A call made at the prompt stops at a breakpoint inside it, one prompt deeper"),
    ),
    "breakpoints": (
        "Say where the program is to stop, if what holds there, and what is to be done then. All of it works "
        "while the program runs.",
        ("breakpoints", "A breakpoint with a condition, a logpoint, one that works once, and what they did"),
    ),
    "stack": (
        "Who called whom, and which of the calls you look at.",
        ("stop", "A stop, a step, and the stack"),
    ),
    "data": (
        "Look at what the program has, and change it. Nothing of it is asked to compute more than what you "
        "typed: properties are not run by looking at an object.",
        ("data", "A value spread over lines, displayed expressions, and what an object is"),
    ),
    "threads": ("Threads, and the tasks of event loops with their chains of awaits.", None),
    "processes": ("Several processes at one prompt. See [many.md](../many.md).", None),
    "sources": (
        "The text that the program runs, whether there is a copy here or not, and the bytecode below it.",
        (
            "sources",
            "The functions of a program, a breakpoint in each that matches, and the source around one",
        ),
    ),
    "session": ("Help, options, files of commands, this machine, and how to leave.", None),
}


def section(each: Command) -> str:
    usage = f"{each.name} {each.usage}".strip()
    also = f"Also: {', '.join(f'`{alias}`' for alias in each.aliases)}.\n\n" if each.aliases else ""
    return f"## {each.name}\n\n    {usage}\n\n{also}{each.help}\n"


def page(group: str, commands: Sequence[Command]) -> str:
    """One group."""
    told, picture = INTRODUCTIONS[group]
    parts = [f"{MARK}\n# {GROUPS[group]}\n", f"{told} All groups: [commands.md](../commands.md).\n"]
    if picture is not None:
        parts.append(f"![{picture[1]}](../pictures/{picture[0]}.svg)\n")
    return "\n".join([*parts, *map(section, commands)])


def index(groups: Mapping[str, Sequence[Command]]) -> str:
    """All commands, a line each."""
    parts = [HEAD]
    for group, commands in groups.items():
        parts.append(f"## {GROUPS[group]}\n\n| command | also | |\n| --- | --- | --- |")
        for each in commands:
            also = " ".join(f"`{alias}`" for alias in each.aliases)
            parts[-1] += f"\n| [{each.name}](commands/{group}.md#{each.name}) | {also} | {each.summary} |"
        parts[-1] += "\n"
    return "\n".join(parts)


def pages() -> dict[Path, str]:
    """Every file, with its text."""
    groups = {group: [each for each in COMMANDS.values() if each.group == group] for group in INTRODUCTIONS}
    made = {DOCS / "commands" / f"{group}.md": page(group, commands) for group, commands in groups.items()}
    return {DOCS / "commands.md": index(groups), **made}


def main() -> int:
    made = pages()
    if "--check" not in sys.argv[1:]:
        for path, text in made.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [path.name for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    stale += [path.name for path in (DOCS / "commands").glob("*") if path not in made]
    print(f"stale: {', '.join(stale)}; run scripts/gen_commands.py" if stale else "commands are fresh")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
