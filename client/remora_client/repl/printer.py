"""Puts formatted text on the terminal, or into a pipe: colours where they are wanted, ASCII where they must.

Used on the event loop's thread.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO, cast

from remora_client._fragments import Fragments, part, per_line, plain, width_of
from remora_client._terminal_size import size_of
from remora_client._text import visible_block
from remora_client.repl.background import detect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prompt_toolkit.styles import BaseStyle

    from remora_client.repl.background import Background

__all__ = ["Printer", "is_dumb", "output_lines", "wants_color"]

# What a terminal without Unicode shows instead.
_ASCII = str.maketrans(
    {
        "│": "|",
        "┊": "|",
        "→": ">",
        "▸": ">",
        "▾": "v",
        "←": "<",
        "↑": "^",
        "↓": "v",
        "●": "*",
        "○": "o",
        "✖": "x",
        "✔": "+",
        "‖": "=",
        "↩": "<-",
        "…": "...",
        "·": "-",
        "❯": ">",
        "—": "-",
        "─": "-",
        "🔒": "",
    }
)
_STREAMS = {"stdout": "out", "stderr": "err"}


def is_dumb(environment: Mapping[str, str] = os.environ) -> bool:
    """A terminal that moves no cursor and knows no colours."""
    return environment.get("TERM", "") in ("dumb", "unknown")


def wants_color(
    stream: TextIO, *, forbidden: bool = False, environment: Mapping[str, str] = os.environ
) -> bool:
    """Colours only on a terminal that has them, and only if nobody said NO_COLOR."""
    if forbidden or environment.get("NO_COLOR") or is_dumb(environment):
        return False
    return stream.isatty()


def output_lines(category: str, text: str) -> Fragments:
    """What the program printed, a mark before every line that tells its stream."""
    name = _STREAMS.get(category, "log")
    bar = f"class:output.{category if category in _STREAMS else 'console'}"
    out: Fragments = []
    for line in visible_block(text).removesuffix("\n").split("\n"):
        out += [(bar, f"{name} ┊ "), ("", line), ("", "\n")]
    return out


class Printer:
    """One place to print to."""

    def __init__(self, stream: TextIO | None = None, *, color: bool | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.color = wants_color(self.stream) if color is None else color
        self.transcript: str | None = None
        self.sink: Callable[[Fragments], None] | None = None  # takes what is printed, while panes are shown
        self.theme = "terminal"
        self.background: Background | None = None
        self._asked = False  # whether the terminal was asked for its background
        self._found: Background | None = None
        encoding = getattr(self.stream, "encoding", None) or "ascii"
        self.unicode = encoding.lower().replace("-", "").startswith("utf")
        self._encoding = encoding

    def choose(self, theme: str, background: str, *, may_ask: bool) -> None:
        """Take other colours.

        Args:
            theme: "terminal", or a style of pygments.
            background: "light", "dark", or "auto" to find it out.
            may_ask: no prompt reads keys now, which would take the terminal's answer for some.
        """
        self.theme = theme
        if may_ask and self.color and background == "auto" and not self._asked:
            self._asked = True
            self._found = detect()
        self.background = self._found if background == "auto" else cast("Background", background)

    def style(self) -> BaseStyle:
        """The colours for prompt_toolkit."""
        from remora_client.repl.style import style

        return style(self.theme, self.background)

    def text(self, text: str) -> str:
        """The text in characters that this place can show."""
        if self.unicode:
            return text.encode("utf-8", "backslashreplace").decode("utf-8")
        return text.translate(_ASCII).encode(self._encoding, "backslashreplace").decode(self._encoding)

    def fragments(self, fragments: Fragments) -> Fragments:
        """The same for formatted text; without colours the styles go."""
        if not self.unicode and self.stream.isatty():
            fragments = self._fitting(fragments)
        return [(style if self.color else "", self.text(text)) for style, text in fragments]

    def _fitting(self, fragments: Fragments) -> Fragments:
        width = size_of(self.stream).columns
        out: Fragments = []
        for number, line in enumerate(per_line(fragments)):
            out += [("", "\n")] if number else []
            out += self.row(line, width)
        return out + ([("", "\n")] if plain(fragments).endswith("\n") else [])

    def row(self, line: Fragments, width: int) -> Fragments:
        """One line in characters that this place can show.

        ASCII takes more columns: a line that fitted only because something was cut off loses more there.
        """
        shown = [(style, self.text(text)) for style, text in line]
        text = plain(line)
        if self.unicode or width_of(text) > width:
            return shown
        mark = text.rfind("…")
        for kept in range(mark - 1, -1, -1):
            if len(plain(shown)) <= width:
                break
            less = part(line, 0, kept) + part(line, mark, len(text))
            shown = [(style, self.text(piece)) for style, piece in less]
        return shown

    def print(self, fragments: Fragments, *, again: bool = False) -> None:
        """Print formatted text, which ends its own lines. `again`: the transcript has it already."""
        if not fragments:
            return
        shown = self.fragments(fragments)
        if not again:
            self._copy(shown)
        if self.sink is not None:
            self.sink(fragments)
            return
        if not self.color:
            self.stream.write(plain(shown))
            self.stream.flush()
            return
        from prompt_toolkit import print_formatted_text
        from prompt_toolkit.formatted_text import FormattedText

        print_formatted_text(
            FormattedText(shown),
            style=self.style(),
            end="",
            file=self.stream,
            include_default_pygments_style=False,
        )

    def record(self, text: str) -> None:
        """Copy into the transcript what is on the screen without us, such as a line that was typed."""
        self._copy([("", text)])

    def _copy(self, fragments: Fragments) -> None:
        if self.transcript is None:
            return
        try:
            with open(self.transcript, "a", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(plain(fragments))
        except OSError:
            self.transcript = None  # a full disk must not end the session
