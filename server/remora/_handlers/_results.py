"""What a client has evaluated, by number: `$1`, `$2` …, and `$_` or `_` for the last, until it leaves.

Kept on the program's thread that evaluated it, named on the server's.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

__all__ = ["Results"]

_MOST = 100
"""The latest ones are kept: every one keeps an object of the program alive."""

_USED = re.compile(r"\$(\d+|_)(?!\w)|(?<![\w$.])_(?!\w)")


class Results:
    """The results of one session."""

    def __init__(self) -> None:
        self._values: OrderedDict[int, Any] = OrderedDict()
        self._last = 0

    def keep(self, value: Any) -> int:
        """Remember a value; gives its number."""
        self._last += 1
        self._values[self._last] = value
        while len(self._values) > _MOST:
            self._values.popitem(last=False)
        return self._last

    def named_in(self, text: str) -> dict[str, Any]:
        """Those that a text names, with the `$`; `_` may be a variable, so it is `$_` if anything."""
        found: dict[str, Any] = {}
        for match in _USED.finditer(text):
            word = match[1] or "_"
            number = self._last if word == "_" else int(word)
            if number in self._values:
                found[f"${word}"] = self._values[number]
        return found

    def clear(self) -> None:
        """The client is gone."""
        self._values.clear()
