"""Where a line of one text is in another version of it. Pure."""

from __future__ import annotations

import difflib

from remora_protocol import split_source

__all__ = ["nearest_like", "same_line"]


def same_line(ours: str, theirs: str, line: int) -> int:
    """The line of `theirs` that holds the statement of a line of `ours`, or is nearest to where it was.

    Of texts that have little in common neither is a version of the other: two files of one name. There the
    line is what it is.
    """
    left, right = _lines(ours), _lines(theirs)
    index = line - 1
    if not 0 <= index < len(left):
        return line
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    if not _are_versions(matcher, left, right):
        return line
    for tag, start, end, other, other_end in matcher.get_opcodes():
        if start <= index < end:
            if tag == "equal":
                return other + index - start + 1
            return max(1, min(other + index - start, max(other_end - 1, other)) + 1)
    return line


def _are_versions(matcher: difflib.SequenceMatcher[str], left: list[str], right: list[str]) -> bool:
    """Whether at least half of the shorter text is in the other one, too; blank lines are in any."""
    common = sum(_count(left[start : start + size]) for start, _, size in matcher.get_matching_blocks())
    return 2 * common >= min(_count(left), _count(right))


def _count(lines: list[str]) -> int:
    return sum(1 for each in lines if each)


def nearest_like(text: str, wanted: str, line: int) -> int | None:
    """The line nearest to `line` whose text is `wanted`, blanks around it aside; None: there is none."""
    wanted = wanted.strip()
    found = [number for number, each in enumerate(_lines(text), 1) if each.strip() == wanted]
    return min(found, key=lambda number: abs(number - line), default=None)


def _lines(text: str) -> list[str]:
    return [each.rstrip() for each in split_source(text)]
