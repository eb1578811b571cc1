"""Messages of logpoints: text with `{expression}` in it, `!r` and format specs as in f-strings.

Rendered on program threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remora._stopping._conditions import BadExpression, Expression, describe_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["LogMessage"]

_LONGEST = 10_000
"""Characters of one rendered message; the rest is cut, and said to be."""

_CONVERSIONS: dict[str, Callable[[object], str]] = {"r": repr, "s": str, "a": ascii}


@dataclass(frozen=True)
class _Field:
    """One `{expression!conversion:spec}`."""

    expression: Expression
    conversion: str
    spec: str

    def render(self, frame: FrameType, *value: Any) -> str:
        """Its value as text. What goes wrong becomes the text: a log line must not stop the program."""
        try:
            found = self.expression(frame, *value)
            if self.conversion:
                found = _CONVERSIONS[self.conversion](found)
            return format(found, self.spec)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return f"<{describe_error(error)}>"


class LogMessage:
    """A parsed message.

    Raises:
        BadExpression: from the constructor; its text says what is wrong with the message.
    """

    def __init__(self, text: str, *, has_value: bool = False) -> None:
        self._parts = _parse(text, has_value)

    def render(self, frame: FrameType, *value: Any) -> str:
        """The message as it reads in this frame; `value` is what the frame returns or yields."""
        text = "".join(part if isinstance(part, str) else part.render(frame, *value) for part in self._parts)
        if len(text) > _LONGEST:
            return f"{text[:_LONGEST]}… {len(text) - _LONGEST} more characters"
        return text


def _parse(text: str, has_value: bool) -> list[str | _Field]:
    parts: list[str | _Field] = []
    plain: list[str] = []
    position = 0
    while position < len(text):
        character = text[position]
        if text[position : position + 2] in ("{{", "}}"):
            plain.append(character)
            position += 2
        elif character == "{":
            parts.append("".join(plain))
            plain = []
            end = _closing_brace(text, position)
            parts.append(_field(text[position + 1 : end], has_value))
            position = end + 1
        elif character == "}":
            raise BadExpression("a '}' without '{': write '}}' for the character itself")
        else:
            plain.append(character)
            position += 1
    parts.append("".join(plain))
    return [part for part in parts if part != ""]


def _closing_brace(text: str, start: int) -> int:
    """Where the expression that begins at `start` ends: the first '}' that leaves an expression."""
    end = text.find("}", start)
    while end != -1:
        inside = text[start + 1 : end]
        if inside.count("{") <= inside.count("}"):
            return end
        end = text.find("}", end + 1)
    raise BadExpression("a '{' without '}': write '{{' for the character itself")


def _field(inside: str, has_value: bool) -> _Field:
    """Split expression, conversion and spec at the first colon that leaves a valid expression before it."""
    for colon in [place for place, character in enumerate(inside) if character == ":"] + [len(inside)]:
        source, spec = inside[:colon], inside[colon + 1 :]
        conversion = ""
        if len(source) > 2 and source[-2] == "!" and source[-1] in _CONVERSIONS:
            source, conversion = source[:-2], source[-1]
        try:
            return _Field(Expression(source, has_value=has_value), conversion, spec)
        except BadExpression:
            continue
    if not inside.strip():
        raise BadExpression("nothing between '{' and '}'")
    Expression(inside, has_value=has_value)  # raises, with its reason
    raise AssertionError("unreachable")
