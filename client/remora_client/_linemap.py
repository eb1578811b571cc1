"""Where a line of one text is in another version of it. Pure."""

from __future__ import annotations

import difflib

__all__ = ["nearest_like", "same_line"]


def same_line(ours: str, theirs: str, line: int) -> int:
    """The line of `theirs` that holds the statement of a line of `ours`, or is nearest to where it was."""
    left, right = _lines(ours), _lines(theirs)
    index = line - 1
    if not 0 <= index < len(left):
        return line
    for tag, start, end, other, other_end in difflib.SequenceMatcher(
        None, left, right, autojunk=False
    ).get_opcodes():
        if start <= index < end:
            if tag == "equal":
                return other + index - start + 1
            return max(1, min(other + index - start, max(other_end - 1, other)) + 1)
    return line


def nearest_like(text: str, wanted: str, line: int) -> int | None:
    """The line nearest to `line` whose text is `wanted`, blanks around it aside; None: there is none."""
    wanted = wanted.strip()
    found = [number for number, each in enumerate(_lines(text), 1) if each.strip() == wanted]
    return min(found, key=lambda number: abs(number - line), default=None)


def _lines(text: str) -> list[str]:
    return [each.rstrip() for each in text.splitlines()]
