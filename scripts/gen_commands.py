"""Makes `docs/commands.md` from the table of commands. `--check` says whether the file is fresh."""

from __future__ import annotations

import sys
from pathlib import Path

from remora_client.commands import COMMANDS, GROUPS, Command

TARGET = Path(__file__).resolve().parent.parent / "docs" / "commands.md"

HEAD = """\
<!-- GENERATED from the table of commands by scripts/gen_commands.py -->
# Commands

Every command works at the prompt of `remora attach` and in `remora exec`, and each has a JSON form there.
At the prompt, three or more letters that begin one command only are enough.

## A command, or Python?

What is no command is Python and runs in the program, in the frame you look at: `x + 1`, `x = 2`, `f(3)`.
Where a word could be both:

* `!text` is Python, `:text` is a command.
* A command's word that goes on as only Python can is Python: `c = 9`, `n + 1`, `list(x)`, `l[0]`.
* A bare word that is both runs the command, and says how to print the variable. With
  `set bare-names variable` it is the variable.
* Python's own words win over aliases: `del x` deletes `x` in the program.

The first word is coloured by what it will do, and the bar at the bottom says it. In scripts, with `-c` and in
`remora exec`, nothing is guessed: a line whose first word is a command is that command. `;;` parts commands.

An empty line repeats `step`, `next`, `until`, `up`, `down` and `list`; `set repeat all` repeats anything.
Ctrl-C pauses a running program, or clears the line; Ctrl-D leaves, and the program runs on.

## Places

`12`, `+3`, `-3`, `app.py:12`, `part/of/app.py:12`, `pkg.mod:12`, `app.py:/text/` (the first line that holds
the text), `function`, `Class.method`. Files are matched by name: as much of the path as tells them apart
will do. Where a line has several places to stop, such as lambdas, `app.py:12#3` is the third of them from the
left, and `app.py:12:40` the one at column 40.
"""


def section(each: Command) -> str:
    usage = f"{each.name} {each.usage}".strip()
    also = f"Also: {', '.join(f'`{alias}`' for alias in each.aliases)}.\n\n" if each.aliases else ""
    return f"### {each.name}\n\n    {usage}\n\n{also}{each.help}\n"


def manual() -> str:
    parts = [HEAD]
    for group, title in GROUPS.items():
        commands = [each for each in COMMANDS.values() if each.group == group]
        if commands:
            parts.append(f"## {title}\n")
            parts += [section(each) for each in commands]
    return "\n".join(parts)


def main() -> int:
    text = manual()
    if "--check" in sys.argv[1:]:
        fresh = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        print(f"{TARGET.name} is {'fresh' if fresh else 'stale: run scripts/gen_commands.py'}")
        return 0 if fresh else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
