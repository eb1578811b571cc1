"""Reading Python source of any version without compiling it: where a program can stop, what it handles.

The old ptvsd checks no line: a breakpoint on a comment is "bound" and never hit. And it asks its client
which exceptions a file handles. Both have to be read from the text, which may be Python 2, which no parser
of this Python takes. So this looks at lines, strings, brackets and indentation only. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from remora_client._ptvsd._records import TryRange

__all__ = ["Placement", "Statement", "place", "statements", "try_ranges"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_STRING_ONLY = re.compile(r"(?:[A-Za-z]{0,2}\"\"\s*)+\Z")
_WORD = re.compile(r"[^\W\d]\w*")
_HEADER_ONLY = re.compile(r"(?:else|finally)\s*:\s*\Z")
_DECLARATION = re.compile(r"(?:global|nonlocal)\b")
_EXCEPT = re.compile(r"except\b(?P<what>.*?):[^:]*\Z", re.DOTALL)
_CAUGHT = re.compile(r"(?P<types>\([^()]*\)|[\w.]+)(?:\s*(?:,|\bas\b)\s*[\w.\[\]]+)?\Z")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*\Z")


@dataclass(frozen=True)
class Statement:
    """A logical line: physical lines, indentation, and its text with strings emptied and comments gone."""

    first: int
    last: int
    indent: int
    text: str

    @property
    def word(self) -> str:
        """The word that it begins with."""
        match = _WORD.match(self.text)
        return match[0] if match else ""

    @property
    def runs(self) -> bool:
        """Whether Python makes code for it that a debugger can stop at."""
        return not (
            _HEADER_ONLY.match(self.text) or _DECLARATION.match(self.text) or _STRING_ONLY.match(self.text)
        )


@dataclass(frozen=True)
class Placement:
    """Where a breakpoint goes. `line` None: nowhere. The message tells of a move or a refusal."""

    line: int | None
    message: str = ""


class _Scanner:
    """Goes through the text once, a physical line at a time."""

    def __init__(self) -> None:
        self.found: list[Statement] = []
        self._parts: list[str] = []
        self._first = 0
        self._indent = 0
        self._depth = 0
        self._quote = ""  # the string we are in the middle of

    def line(self, number: int, text: str) -> None:
        if not self._parts:
            stripped = text.strip(" \t\f")
            if not stripped or stripped[0] == "#":
                return
            self._first = number
            expanded = text.replace("\f", "").expandtabs(8)
            self._indent = len(expanded) - len(expanded.lstrip(" "))
        joined = self._scan(text)
        if not (joined or self._depth or self._quote):
            self.finish(number)

    def finish(self, number: int) -> None:
        text = "".join(self._parts).strip()
        if text:
            self.found.append(Statement(self._first, number, self._indent, text))
        self._parts, self._depth, self._quote = [], 0, ""

    def _scan(self, text: str) -> bool:
        """Take one line in; true when a backslash joins the next one to it."""
        at = 0
        while at < len(text):
            if self._quote:
                at = self._inside(text, at)
                continue
            character = text[at]
            if character == "#":
                break
            if character in "'\"":
                self._quote = character * 3 if text.startswith(character * 3, at) else character
                at += len(self._quote)
                continue
            if character == "\\" and at == len(text) - 1:
                self._parts.append(" ")
                return True
            self._depth += (character in "([{") - (character in ")]}")
            self._depth = max(self._depth, 0)
            self._parts.append(character)
            at += 1
        if len(self._quote) == 1:  # a string that is not closed ends with its line
            if text.endswith("\\"):
                return True
            self._close()
        self._parts.append(" ")
        return False

    def _inside(self, text: str, at: int) -> int:
        """The end of the string, or of the line."""
        while at < len(text):
            if text[at] == "\\":
                at += 2
            elif text.startswith(self._quote, at):
                at += len(self._quote)
                self._close()
                break
            else:
                at += 1
        return at

    def _close(self) -> None:
        self._parts.append('""')
        self._quote = ""


def statements(text: str) -> list[Statement]:
    """All statements in order; of `a; b` one, and of a compound one its head."""
    scanner = _Scanner()
    lines = _LINE_END.split(text.removeprefix("\ufeff"))
    for number, line in enumerate(lines, 1):
        scanner.line(number, line)
    scanner.finish(len(lines))
    return scanner.found


def place(text: str, line: int, stops: frozenset[int] = frozenset()) -> Placement:
    """Where a breakpoint for a line goes: there, or on the next line of that function that can be stopped at.

    Args:
        stops: the lines that have code, where the program's own Python has told; else they are read from
            the text.
    """
    found = statements(text)
    if not stops:
        stops = frozenset(each.first for each in found if each.runs)
    if line in stops:
        return Placement(line)
    held = next((each for each in found if each.first <= line <= each.last), None)
    if held is not None and held.first in stops:
        return Placement(held.first, f"moved from line {line} to {held.first}, where its statement begins")
    first, last = _function_around(found, line, len(_LINE_END.split(text)))
    after = min((each for each in stops if line < each <= last), default=None)
    if after is not None and (first, last) == _function_around(found, after, last):
        return Placement(after, f"moved from line {line} to {after}")
    return Placement(None, f"there is no code on line {line}, and none below it in the same function")


def _function_around(found: list[Statement], line: int, end: int) -> tuple[int, int]:
    """The innermost function's first and last line; else the file's."""
    best = (1, end)
    for index, each in enumerate(found):
        if each.first >= line:
            break
        if each.word != "def" and not each.text.startswith("async def"):
            continue
        body = [each.last]
        for inner in found[index + 1 :]:
            if inner.indent <= each.indent:
                break
            body.append(inner.last)
        if line <= body[-1]:
            best = (each.first, body[-1])
    return best


def try_ranges(text: str) -> list[TryRange]:
    """What the text handles, in the form that ptvsd asks for. Blocks with `finally` only handle nothing."""
    found = statements(text)
    ranges = []
    for index, each in enumerate(found):
        if each.word != "try":
            continue
        end, names = None, []
        for later in found[index + 1 :]:
            if later.indent > each.indent:
                continue
            if later.indent < each.indent or later.word not in ("except", "else", "finally"):
                break
            if later.word == "except":
                end = later.first if end is None else end
                names += _caught(later.text)
        if end is not None:
            ranges.append(TryRange(each.first, end, tuple(dict.fromkeys(names))))
    return ranges


def _caught(text: str) -> list[str]:
    """The names in the head of an except clause; "*" for all, and for what cannot be told."""
    clause = _EXCEPT.match(text)
    what = clause["what"].strip() if clause else ""
    caught = _CAUGHT.match(what)
    if caught is None:
        return ["*"]
    names = [name.strip() for name in caught["types"].strip("()").split(",") if name.strip()]
    return names if names and all(map(_DOTTED.match, names)) else ["*"]
