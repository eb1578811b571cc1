"""Which loaded file a path means: the one rule by which both sides match source files, by name.

Pure functions for any thread. The two machines share no file system, so paths are compared, not opened:
the same last component, then the longest common run of trailing components, then the same text.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["match_by_name", "near_matches", "sha256_text", "split_source"]

_DRIVE = re.compile(r"[A-Za-z]:(?:[\\/]|$)")
# Every package has one of these: without its folder such a name says nothing.
_COMMON_NAMES = frozenset({"__init__.py", "__main__.py"})
_MOST_NEAR = 3


def match_by_name(
    wanted: str,
    candidates: Sequence[str],
    *,
    wanted_sha256: str | None = None,
    sha256_of: Callable[[str], str | None] | None = None,
) -> list[str]:
    """The candidates that `wanted` means, in their order: none, one, or several that are equally good.

    Args:
        wanted: a path of the other machine, or the end of one, or a bare file name.
        candidates: paths of one machine.
        wanted_sha256: `sha256_text` of what the person sees.
        sha256_of: the same for a candidate, None if it has no text. Asked only to tell equals apart.
    """
    runs = [_common_run(wanted, candidate) for candidate in candidates]
    longest = max(runs, default=0)
    if not longest:
        return []
    best = [candidate for candidate, run in zip(candidates, runs) if run == longest]
    if len(best) > 1 and wanted_sha256 is not None and sha256_of is not None:
        same = [candidate for candidate in best if sha256_of(candidate) == wanted_sha256]
        best = same or best
    return best


def near_matches(wanted: str, candidates: Sequence[str]) -> list[str]:
    """Up to three candidates whose file name is nearly the wanted one, best first: to suggest, not to use."""
    import difflib  # only when a breakpoint found nothing

    name = (_components(wanted, _is_windows(wanted)) or [""])[-1].casefold()
    by_name: dict[str, list[str]] = {}
    for candidate in candidates:
        parts = _components(candidate, _is_windows(candidate))
        if parts and not _common_run(wanted, candidate):
            by_name.setdefault(parts[-1].casefold(), []).append(candidate)
    names = difflib.get_close_matches(name, by_name, n=_MOST_NEAR, cutoff=0.75)
    return [candidate for near in names for candidate in by_name[near]][:_MOST_NEAR]


def sha256_text(data: bytes) -> str:
    """The hash by which texts are compared, in hex.

    Of the text, not of the bytes: a checkout on Windows has other line ends, some editors put a mark
    before UTF-8, and Python itself shows neither once it has loaded a file.
    """
    text = data[3:] if data.startswith(b"\xef\xbb\xbf") else data
    return sha256(text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).hexdigest()


def split_source(text: str) -> list[str]:
    """The lines of a source text as Python counts them: a form feed and the like do not end one."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def _common_run(left: str, right: str) -> int:
    """How many trailing components the two have in common; 0 when they cannot mean the same file."""
    left_windows, right_windows = _is_windows(left), _is_windows(right)
    left_parts, right_parts = _components(left, left_windows), _components(right, right_windows)
    if left_windows or right_windows:
        left_parts = [part.casefold() for part in left_parts]
        right_parts = [part.casefold() for part in right_parts]
    run = 0
    for one, other in zip(reversed(left_parts), reversed(right_parts)):
        if one != other:
            break
        run += 1
    if run == 1 and left_parts[-1] in _COMMON_NAMES and len(left_parts) > 1 and len(right_parts) > 1:
        return 0
    return run


def _is_windows(path: str) -> bool:
    return bool(_DRIVE.match(path)) or ("\\" in path and not path.startswith("/"))


def _components(path: str, windows: bool) -> list[str]:
    """The parts of a path; the root is one, so that a whole path is a longer match than the end of one."""
    parts: list[str] = ["/"] if path.startswith("/") else []
    for part in (path.replace("\\", "/") if windows else path).split("/"):
        if part == ".." and parts and parts[-1] != "/":
            parts.pop()
        elif part not in ("", ".", ".."):
            parts.append(part)
    return parts
