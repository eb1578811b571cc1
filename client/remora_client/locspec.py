"""What a person may type for a place in the program, read into values. Pure: no file is opened here.

``12``, ``+3``, ``-3``, ``app.py:12``, ``part/of/app.py:12``, ``pkg.mod:12``, ``app.py:/text/`` (the first
line that holds the text), ``func``, ``Class.method``, ``pkg.mod.func``, ``/regex/`` (functions). Where a line
has several places to stop, ``app.py:12:5`` is the one at column 5, and ``app.py:12#2`` the second one.

A file's name may stand in quotes: ``'my app.py':12``. Between them every character is the name's own, also
a backslash, since that is what Windows puts between folders.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, TypeAlias

from remora_client._errors import ClientError
from remora_client._literal import read_literal
from remora_client._records import record

if TYPE_CHECKING:
    from remora_client._model import Moment

__all__ = [
    "BreakSpec",
    "FileLine",
    "FileText",
    "Function",
    "FunctionPattern",
    "Line",
    "Location",
    "LocationError",
    "ModuleLine",
    "Offset",
    "parse_break",
    "parse_hit",
    "parse_location",
    "quoted",
    "split_place",
]

_FORMS = "12, +3, app.py:12, app.py:12#2, pkg.mod:12, app.py:/text/, function, Class.method or /regex/"

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_SPOT = r"(?::(?P<column>\d+)|#(?P<nth>\d+))?"
_BEHIND_LINE = rf":(?P<line>\d+){_SPOT}"
_BEHIND_TEXT = r":/(?P<text>.+)/"
_WITH_LINE = re.compile(rf"(?P<file>.*?[^:]){_BEHIND_LINE}", re.DOTALL)
_WITH_TEXT = re.compile(rf"(?P<file>.*[^:]){_BEHIND_TEXT}", re.DOTALL)
_IN_QUOTES = r"""(?:'[^']*'|"[^"]*")"""
_QUOTED = re.compile(rf"(?P<name>{_IN_QUOTES})(?:{_BEHIND_LINE}|{_BEHIND_TEXT})?", re.DOTALL)
_PLAIN_LINE = re.compile(rf"(?P<line>\d+){_SPOT}")
_HIT_OPERATORS = ("==", ">=", "<=", "!=", ">", "<", "%", "=")
_SOURCE_SUFFIXES = (".py", ".pyw", ".pyi", ".pyx")


class LocationError(ClientError):
    """The text names no place. Raised for what a person typed: its text is for them."""


@record
class Line:
    """A line of the file that is being looked at.

    Of several places on a line, `column` is in the one meant, or it is the `nth` from the left.
    """

    line: int
    column: int | None = None
    nth: int | None = None

    def __str__(self) -> str:
        return f"{self.line}{_suffix(self)}"


@record
class Offset:
    """So many lines from the current one."""

    delta: int

    def __str__(self) -> str:
        return f"{self.delta:+d}"


@record
class FileLine:
    """A line of a file, which is named by as much of its path as is needed."""

    path: str
    line: int
    column: int | None = None
    nth: int | None = None

    def __str__(self) -> str:
        return f"{quoted(self.path)}:{self.line}{_suffix(self)}"


@record
class FileText:
    """The first line of a file that holds a text."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{quoted(self.path)}:/{self.text}/"


@record
class ModuleLine:
    """A line of a module, named as an ``import`` would name it."""

    module: str
    line: int
    column: int | None = None
    nth: int | None = None

    def __str__(self) -> str:
        return f"{self.module}:{self.line}{_suffix(self)}"


@record
class Function:
    """A function by its dotted name."""

    name: str

    def __str__(self) -> str:
        return self.name


@record
class FunctionPattern:
    """Every function whose name matches a regular expression."""

    pattern: str

    def __str__(self) -> str:
        return f"/{self.pattern}/"


Location: TypeAlias = Line | Offset | FileLine | FileText | ModuleLine | Function | FunctionPattern


@record
class BreakSpec:
    """Everything that can be said about a new breakpoint; no location means the current line."""

    location: Location | None = None
    condition: str | None = None
    hit: str | None = None
    log: str | None = None
    temporary: bool = False
    disabled: bool = False
    name: str = ""
    after: str = ""
    anchor: str | None = None
    at: Moment = "call"
    thread: str | None = None
    task: str | None = None


def parse_location(text: str) -> Location:
    """Reads one location.

    Raises:
        LocationError: the text has none of the known forms.
    """
    text = text.strip()
    if not text:
        raise LocationError(f"A place is missing: {_FORMS}")
    if text[0] in "'\"":
        return _in_quotes(text)
    if plain := _PLAIN_LINE.fullmatch(text):
        return Line(_line(plain["line"]), _column(plain["column"]), _column(plain["nth"]))
    if text[0] in "+-" and text[1:].isdecimal():
        return Offset(int(text))
    if len(text) > 2 and text[0] == text[-1] == "/" and not text.endswith(_SOURCE_SUFFIXES):
        return FunctionPattern(_regex(text[1:-1]))
    if match := _WITH_TEXT.fullmatch(text):
        return FileText(match["file"], match["text"])
    if match := _WITH_LINE.fullmatch(text):
        kind, file = _file_or_module(match["file"])
        return kind(file, _line(match["line"]), _column(match["column"]), _column(match["nth"]))
    if text.endswith(_SOURCE_SUFFIXES) or "/" in text or "\\" in text:
        raise LocationError(f"{text} names a file: say which line, as in {quoted(text)}:12")
    if _DOTTED.fullmatch(text):
        return Function(text)
    raise LocationError(f"{text!r} is no place: {_FORMS}")


def _in_quotes(text: str) -> Location:
    """The place of a file whose name stands in quotes, or all of a place in quotes."""
    match = _QUOTED.fullmatch(text)
    if match is None:
        if text.count(text[0]) < 2:
            raise LocationError(f"{text} lacks its closing quote")
        raise LocationError(
            f"{text} is no place", "Of a file in quotes: 'my app.py':12 or 'my app.py':/text/"
        )
    name = match["name"][1:-1]
    if match["line"] is None and match["text"] is None:
        return parse_location(name)
    if not name:
        raise LocationError(f"the file's name is missing between the quotes: {text}")
    if match["text"] is not None:
        return FileText(name, match["text"])
    kind, file = _file_or_module(name)
    return kind(file, _line(match["line"]), _column(match["column"]), _column(match["nth"]))


def quoted(path: str) -> str:
    """A file's name as `parse_location` reads it: in quotes if it holds what ends a word."""
    if not re.search(r"[\s,'\"]", path) or ("'" in path and '"' in path):
        return path
    return f'"{path}"' if "'" in path else f"'{path}'"


def parse_break(text: str) -> BreakSpec:
    """Reads the arguments of ``break``: options, a location, ``thread`` and ``task``, then ``if EXPR``.

    Options may come behind the location, too; pdb's ``, EXPR`` is read as well.

    Raises:
        LocationError: an option is unknown or lacks its value, or it or the location cannot be read.
    """
    options, rest = _options(text.strip())
    behind, rest = _options_behind(rest)
    options |= behind
    place, condition = _split_condition(rest)
    if condition is not None and not condition:
        raise LocationError("The condition is missing after if.", "As in: break app.py:12 if x > 3")
    place, filters = _filters(place)
    return BreakSpec(
        location=parse_location(place) if place else None,
        condition=condition,
        hit=parse_hit(options["hit"]) if "hit" in options else None,
        log=options.get("log"),
        temporary="tmp" in options,
        disabled="disabled" in options,
        name=options.get("name", ""),
        after=options.get("after", ""),
        anchor=options.get("text"),
        at="return" if "r" in options else "yield" if "y" in options else "call",
        thread=filters.get("thread"),
        task=filters.get("task"),
    )


def split_place(text: str) -> tuple[str, str]:
    """The place that a text begins with, unread, and what stands behind it."""
    match = _WHOLE.match(text) or re.match(r"[^\s,]*", text)
    assert match is not None
    return match[0], text[match.end() :].strip()


def parse_hit(text: str) -> str:
    """Reads by how often: an operator and a number, as the server takes it; a number alone is `>=` it.

    Raises:
        LocationError: it is something else.
    """
    operator = next((each for each in _HIT_OPERATORS if text.startswith(each)), "")
    number = text[len(operator) :].strip()
    if not number.isdecimal():
        raise LocationError(f"{text!r} is no number of hits.", "As in: -hit '>= 3', '== 5' or '% 10'")
    return f"{operator or '>='} {number}"


# The part of a place in which no blank, comma, `if` or `thread` counts: a file in quotes, and what is between
# slashes.
_WHOLE = re.compile(
    rf"(?:(?:{_IN_QUOTES}|[^\s,'\"][^\s,]*)?:)?/(?:[^/\\]|\\.)+/(?=\s|,|$)|{_IN_QUOTES}[^\s,]*"
)
_FILTER = re.compile(r"""(?:^|\s+)(?P<kind>thread|task)\s+(?P<name>'[^']*'|"[^"]*"|\S+)\s*\Z""")


def _filters(place: str) -> tuple[str, dict[str, str]]:
    """Takes ``thread NAME`` and ``task NAME`` off the end of a place."""
    found: dict[str, str] = {}
    start = _end_of_whole(place)
    while match := _FILTER.search(place, start):
        found[match["kind"]] = match["name"].strip("'\"")
        place = place[: match.start()]
    return place.strip(), found


def _file_or_module(name: str) -> tuple[type[FileLine] | type[ModuleLine], str]:
    if name.endswith(_SOURCE_SUFFIXES) or not _DOTTED.fullmatch(name):
        return FileLine, name
    return ModuleLine, name


def _options(text: str) -> tuple[dict[str, str], str]:
    """Takes dash words off the front: ``-tmp -hit '>= 3' a.py:3`` -> {"tmp": "", "hit": ">= 3"}, "a.py:3"."""
    found: dict[str, str] = {}
    while match := re.match(r"-(?P<name>[a-z]+)(?:\s+|(?=,)|$)", text):
        name, text = match["name"], text[match.end() :]
        if name in ("tmp", "disabled", "r", "y"):
            found[name] = ""
        elif name in ("hit", "log", "name", "after", "text", "proc"):
            found[name], text = _quoted(name, text)
            if name == "proc" and found.pop(name) != "all":
                raise LocationError("-proc takes all: of several processes, a breakpoint is set in each")
        else:
            raise LocationError(
                f"-{name} is no option of break: -tmp, -disabled, -hit 'OP N', -log 'TEXT', -name NAME, "
                "-r and -y (where a function returns or yields), -after NUMBER or -text 'TEXT OF THE LINE'"
            )
    return found, text


def _options_behind(text: str) -> tuple[dict[str, str], str]:
    """Takes dash words from behind the place: ``a.py:3 -tmp if x`` -> {"tmp": ""}, "a.py:3 if x"."""
    place, behind = split_place(text)
    if place in ("", "if") or not re.match("-[a-z]", behind):
        return {}, text
    found, rest = _options(behind)
    return found, f"{place} {rest}"


def _quoted(name: str, text: str) -> tuple[str, str]:
    match = re.match(r"""(?P<word>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+)\s*""", text)
    if match is None:
        raise LocationError(f"-{name} needs a value after it, in quotes if it has blanks")
    word = match["word"]
    if word[0] in "'\"":
        with contextlib.suppress(ValueError):
            word = str(read_literal(word))
    return word, text[match.end() :]


def _split_condition(text: str) -> tuple[str, str | None]:
    """Splits the place from the condition. In quotes and between slashes no ``if`` and no comma counts."""
    match = re.compile(r"\s*,\s*|(?:\s+|^)if\b\s*").search(text, _end_of_whole(text))
    if match is None:
        return text.strip(), None
    return text[: match.start()].strip(), text[match.end() :].strip()


def _end_of_whole(text: str) -> int:
    whole = _WHOLE.match(text)
    return whole.end() if whole else 0


def _line(digits: str) -> int:
    number = int(digits) if len(digits) < 10 else 0
    if number < 1:
        raise LocationError(f"{digits} is no line number: the first line is 1.")
    return number


def _column(digits: str | None) -> int | None:
    return int(digits) if digits and len(digits) < 10 else None


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise LocationError(f"/{pattern}/ is no regular expression: {error}") from None
    return pattern


def _suffix(place: Line | FileLine | ModuleLine) -> str:
    if place.nth is not None:
        return f"#{place.nth}"
    return "" if place.column is None else f":{place.column}"
