"""Is a line a debugger command or Python? The one rule, for the prompt, its colours and scripts. Pure.

At the prompt (`classify`):

1. ``!text`` is Python; ``:text`` and ``!!text`` are commands.
2. A line whose first word is no command is Python.
3. So is one that goes on after the word as only Python can, and compiles: ``c = 9``, ``n + 1``, ``list(x)``.
4. A bare word that is both runs the command; `hint` then says how to print the variable.
5. Python's keywords win over aliases (``del x``), not over names (``continue``, ``return``).
6. The start of a name will do from three letters on, if it means one command and no variable.
7. ``OBJ?`` is ``inspect OBJ``, and ``OBJ??`` is ``src OBJ``.
8. ``exit()`` and ``quit()`` are ``quit``, ``help(OBJ)`` is ``inspect OBJ``, unless these are variables.

A script never guesses (`classify_script`): only 1 and 2, and no starts of names.

A command may end with ``--json``, which shows what it gave as JSON, and with ``| PROGRAM``, which sends what
it shows through a program of this machine.
"""

from __future__ import annotations

import ast
import builtins
import codeop
import keyword
import re
import warnings
from typing import TYPE_CHECKING, TypeAlias

from remora_client._records import record
from remora_client.commands._table import COMMANDS, Command, lookup
from remora_client.commands._tail import NO_TAIL, TAKES_COMMANDS, Tail, end_of_string, split_tail

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "CommandLine",
    "Line",
    "PythonLine",
    "classify",
    "classify_script",
    "could_be_python",
    "split_commands",
    "what_enter_repeats",
]

_WORD = re.compile(r"[^\W\d]\w*")
_NEVER_BY_ACCIDENT = frozenset({"detach", "kill", "quit", "restart"})
"""Too costly for a slip of the finger: they have to be spelled out, and no empty line repeats them."""

_BUILTINS = frozenset(dir(builtins))
_AT_HOME = re.compile(r"(exit|quit|help)\s*\(")
# What goes on after the first word as an operator does. Signs and opening brackets are judged one by one.
_OPERATOR = re.compile(r"[=.,;@<>&^|%:]|\*|/|\+|-|!=|(?:if|else|and|or|in|is|not|for)\b")
_FORMAT = re.compile(r"/[a-z]+(?=\s|$)")  # p/x EXPR


@record
class CommandLine:
    """A debugger command and its arguments."""

    command: Command
    arguments: str
    word: str
    hint: str = ""
    tail: Tail = NO_TAIL


@record
class PythonLine:
    """Python for the program to evaluate."""

    text: str


Line: TypeAlias = CommandLine | PythonLine


def classify(
    line: str,
    names: Collection[str] = (),
    *,
    bare_names: str = "command",
    as_variables: Collection[str] = (),
) -> Line:
    """Read one line as typed at the prompt.

    Args:
        line: the line, not empty.
        names: the variables in scope.
        bare_names: "variable" lets a bare word that is both be the variable, "ask" those in `as_variables`;
            with "python" nothing is a command.
        as_variables: words that the person has said to be variables.
    """
    text = line.strip()
    if bare_names == "python":
        return _at_home(text, names) or PythonLine(text)
    if forced := _forced(text):
        return forced
    if asked := _question(text, names) or _at_home(text, names):
        return asked
    match = _WORD.match(text)
    if match is None:
        return PythonLine(text)
    word, rest = match[0], text[match.end() :]
    entry = lookup(word)
    if entry is None:
        entry = _by_start(word, rest, names)
    elif keyword.iskeyword(word) and word != entry.name:
        entry = None
    if entry is None:
        return PythonLine(text)
    arguments, tail = split_tail(entry, rest, names)
    if tail:
        return CommandLine(entry, arguments, word, tail=tail)
    if _goes_on_as_python(entry, text, word, rest, names):
        return PythonLine(text)
    hint = ""
    if not rest.strip() and word in names:
        if bare_names == "variable" or (bare_names == "ask" and word in as_variables):
            return PythonLine(text)
        hint = f"{word} is also a variable: p {word}"
    return CommandLine(entry, rest.strip(), word, hint)


def what_enter_repeats(line: Line, mode: str) -> Line | None:
    """What an empty line after this one runs again, by the option `repeat`. None: nothing."""
    if mode == "off" or not isinstance(line, CommandLine) or line.command.name in _NEVER_BY_ACCIDENT:
        return None
    if not line.command.repeats and mode != "all":
        return None
    if line.command.name == "list":  # it goes on with the listing, wherever that began
        return CommandLine(line.command, "", line.word)
    return line


def classify_script(line: str) -> Line:
    """Read one line of a script, of `-c` or of a file: exact words, no guessing."""
    text = line.strip()
    if forced := _forced(text):
        return forced
    match = _WORD.match(text)
    entry = lookup(match[0]) if match else None
    if match is None or entry is None:
        return PythonLine(text)
    return _told(entry, text[match.end() :], match[0])


def _told(entry: Command, rest: str, word: str) -> CommandLine:
    """A line that says that it is a command: nothing in it is taken for a guess."""
    arguments, tail = split_tail(entry, rest, None)
    return CommandLine(entry, arguments, word, tail=tail)


def _question(text: str, names: Collection[str]) -> CommandLine | None:
    """``OBJ?`` and ``OBJ??``; of a command that is no variable, its help."""
    if not text.endswith("?"):
        return None
    asked = text.removesuffix("?").removesuffix("?").strip()
    if not could_be_python(f"({asked}\n)"):
        return None
    name = "src" if text.endswith("??") else "inspect"
    if not asked or (lookup(asked) is not None and asked not in names):
        name = "help"
    return CommandLine(COMMANDS[name], asked, "")


def _at_home(text: str, names: Collection[str]) -> CommandLine | None:
    """What ends a Python of one's own, and what explains there.

    In the program the one would close its standard input, and the other have a pager wait for keys at it.
    """
    match = _AT_HOME.match(text)
    if match is None or match[1] in names:
        return None
    try:
        call = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
        return None
    if match[1] != "help":
        return CommandLine(COMMANDS["quit"], "", match[1])
    about = text[match.end() : text.rindex(")")].strip()
    return CommandLine(COMMANDS["inspect" if about else "help"], about, "help")


def could_be_python(text: str) -> bool:
    """True when the text compiles, or would if more lines followed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "is" with a literal: the person's business
        try:
            codeop.compile_command(text, "<prompt>", "exec")
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            return False
    return True


def split_commands(line: str) -> list[str]:
    """Split at ``;;``, but not inside strings or brackets, so that no Python is cut."""
    parts, start, depth, position = [], 0, 0, 0
    while position < len(line):
        character = line[position]
        if character in "'\"":
            position = end_of_string(line, position)
            continue
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth = max(0, depth - 1)
        elif character == "#" and (position == 0 or line[position - 1].isspace()):
            position = _end_of_line(line, position)
            continue
        elif line.startswith(";;", position) and not depth and not _takes_the_rest(line[start:position]):
            parts.append(line[start:position])
            start = position = position + 2
            continue
        position += 1
    parts.append(line[start:])
    return [part.strip() for part in parts if part.strip()]


def _takes_the_rest(part: str) -> bool:
    """Is this a command whose argument is other commands? Then what follows `;;` belongs to them."""
    match = _WORD.match(part.lstrip().lstrip(":"))
    entry = lookup(match[0]) if match else None
    return entry is not None and entry.name in TAKES_COMMANDS


def _forced(text: str) -> Line | None:
    marker = next((each for each in ("!!", ":", "!") if text.startswith(each)), None)
    if marker is None:
        return None
    rest = text[len(marker) :].strip()
    if marker == "!":
        return PythonLine(rest)
    match = _WORD.match(rest)
    entry = lookup(match[0]) if match else None
    if match is None or entry is None:
        return None
    return _told(entry, rest[match.end() :], match[0])


def _by_start(word: str, rest: str, names: Collection[str]) -> Command | None:
    if len(word) < 3 or word in names or word in _BUILTINS or keyword.iskeyword(word):
        return None
    if rest[:1] in ("(", "[", ".", "'", '"'):
        return None
    found = [entry for name, entry in COMMANDS.items() if name.startswith(word)]
    return found[0] if len(found) == 1 and found[0].name not in _NEVER_BY_ACCIDENT else None


def _goes_on_as_python(entry: Command, text: str, word: str, rest: str, names: Collection[str]) -> bool:
    """Rule 3: does the line go on after its first word as no argument of this command could?"""
    after = rest.lstrip()
    if not after:
        return False
    attached = rest[0] not in " \t"
    if attached and after[0] in "'\"":  # b'bytes', f"{text}"
        return could_be_python(text)
    if entry.argument == "expression" and word not in names and _FORMAT.match(rest):
        return False
    if after[0] in "([{":
        if attached:
            callable_name = word in names or word in _BUILTINS
            return (callable_name or entry.argument != "expression") and could_be_python(text)
        return entry.argument not in ("expression", "regex", "text", "command") and could_be_python(text)
    if not _OPERATOR.match(after) or _begins_argument(entry, word, rest, names):
        return False
    return could_be_python(text)


def _begins_argument(entry: Command, word: str, rest: str, names: Collection[str]) -> bool:
    """Signs, slashes and words that may be operators, and may as well begin an argument of this command."""
    kind, after = entry.argument, rest.lstrip()
    spaced = rest[0] in " \t"
    option = bool(re.match(r"-[^\W\d]", after)) and spaced
    if option and (word not in names if kind in ("none", "count") else kind != "expression"):
        return True
    if kind in ("file", "text"):
        return spaced and bool(re.match(r"\.{0,2}/\w|\.\w", after))
    if kind == "regex":
        return spaced and after[0] in "^."
    if kind == "expression":
        return spaced and bool(re.match(r"-\S|-\s*\d|~|not\b(?!\s+in\b)", after))
    if kind in ("location", "number", "count", "option"):
        number = spaced and bool(re.match(r"-\d" if kind in ("count", "option") else r"[+-]\d", after))
        regex = kind == "location" and spaced and bool(re.match(r"/[^/]+/\s*(?:$|,|if\b)", after))
        return number or regex
    return False


def _end_of_line(line: str, start: int) -> int:
    end = line.find("\n", start)
    return len(line) if end < 0 else end
