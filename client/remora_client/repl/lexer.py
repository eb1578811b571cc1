"""Colours while typing: the first word shows what the line will do, and Python looks like Python."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from prompt_toolkit.document import Document
from prompt_toolkit.lexers import Lexer, PygmentsLexer

from remora_client.commands import CommandLine, classify
from remora_client.render import python_line
from remora_client.repl.validator import pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.formatted_text import StyleAndTextTuples

__all__ = ["LineLexer"]

_LIKE_PYTHON = ("expression",)


class LineLexer(Lexer):
    """Lexes by the same rule that runs the line.

    Args:
        names: gives the variables in scope.
        bare_names: gives the option of that name.
        as_variables: gives the bare words that the person has said to be variables.
    """

    def __init__(
        self,
        names: Callable[[], frozenset[str]],
        bare_names: Callable[[], str],
        as_variables: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._names = names
        self._as_variables = as_variables
        self._bare_names = bare_names

    @cached_property
    def _python(self) -> PygmentsLexer:
        from pygments.lexers.python import PythonLexer  # not before the first key

        return PygmentsLexer(PythonLexer, sync_from_start=True)

    def load(self) -> None:
        """Get ready for Python, in any thread: its first line would have to wait for that."""
        self._python.lex_document(Document("x"))(0)

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Give the styled text of each line."""
        text = document.text
        if not text:
            return lambda _: []
        lines = [line for piece in self._pieces(text) for line in self._lex(piece)]
        return lambda number: lines[number] if number < len(lines) else []

    def _pieces(self, text: str) -> list[str]:
        return [text] if self._bare_names() == "python" else pieces(text, self._names())

    def _lex(self, text: str) -> list[StyleAndTextTuples]:
        """Each line of one piece."""
        first, newline, _ = text.partition("\n")
        found = first.strip() and classify(
            first, self._names(), bare_names=self._bare_names(), as_variables=self._as_variables()
        )
        styled = _command(first, found) if isinstance(found, CommandLine) else None
        if styled is not None and not newline:
            return [styled]
        python = self._python.lex_document(Document(text))
        lines = [python(number) for number in range(text.count("\n") + 1)]
        return lines if styled is None else [styled, *lines[1:]]

    def invalidation_hash(self) -> object:
        """Lex again when the variables in scope have changed."""
        return self._names()


def _command(text: str, found: CommandLine) -> StyleAndTextTuples:
    at = text.index(found.word)
    before, rest = text[:at], text[at + len(found.word) :]
    out: StyleAndTextTuples = [("class:dim", before), ("class:line-command", found.word)]
    if found.command.argument in _LIKE_PYTHON:
        blanks = rest[: len(rest) - len(rest.lstrip())]
        out += [("", blanks), *python_line(rest[len(blanks) :])]
    else:
        out.append(("", rest))
    return out
