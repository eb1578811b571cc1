"""Files that list targets, one a line: `@hosts.txt` on a command line stands for all of them.

Blank lines and lines that begin with `#` are passed over. (A `#` further on belongs to the target: it is what
a process id follows.) A file may hold secrets, so no error shows a line of it: only its number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._errors import UsageError
from remora_client._records import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Given", "given"]

_LONGEST = 16 * 1024 * 1024


@record
class Given:
    """A target, and where it was given: "line 7 of hosts.txt", or "" for the command line itself."""

    text: str
    where: str = ""


def given(arguments: Iterable[str]) -> list[Given]:
    """The targets that were given, each once, in order. Raises `UsageError` for an unreadable file."""
    found: dict[str, Given] = {}
    for argument in arguments:
        for one in _lines(argument[1:]) if argument.startswith("@") else [Given(argument)]:
            found.setdefault(one.text, one)
    return list(found.values())


def _lines(path: str) -> Iterator[Given]:
    try:
        with open(path, encoding="utf-8-sig") as stream:
            text = stream.read(_LONGEST)
    except OSError as error:
        raise UsageError(f"The list of hosts {path!r} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        text = "\0"  # raised below: the error caught here holds what was read
    if "\0" in text:
        raise UsageError(f"The list of hosts {path!r} is not UTF-8 text.")
    for number, line in enumerate(text.splitlines(), 1):
        target = line.strip()
        if target and not target.startswith("#"):
            yield Given(target, f"line {number} of {path}")
