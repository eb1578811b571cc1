"""Whose code a file is: the person's own, a library's, or Remora's. Decides what steps enter and stacks show.

A pure function of a file name and of where Python keeps its libraries, remembered per file. Any thread.
"""

from __future__ import annotations

import fnmatch
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remora._interpreter._frames import EVALUATED, OWN_FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, FrameType

__all__ = ["Filters", "Rule", "Skip", "own_folders"]

_PACKAGES = f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}"


@dataclass(frozen=True)
class Skip:
    """What else steps are to pass by: `kind` is file, function or module; `pattern` is for its name."""

    kind: str
    pattern: str


@dataclass(frozen=True)
class Rule:
    """Whose code some is, whatever its place says: that of the files, or of the module, of this pattern.

    Attributes:
        kind: path, of which the last part alone may match, or module, which takes in those below it.
        is_own: whether it is the person's own.
    """

    kind: str
    pattern: str
    is_own: bool


class Filters:
    """Just my code, and what the person does not want to see: which frames steps may end in.

    Attributes:
        user_files: files that are known to be the person's own.
        just_my_code: False shows and enters library code as well; Remora's own is always left out.
    """

    def __init__(self) -> None:
        self.just_my_code = True
        self.user_files: set[str] = set()
        self._skips: list[tuple[str, re.Pattern[str]]] = []
        self._said: list[tuple[str, re.Pattern[str], bool]] = []
        self._rules: dict[str, str | None] = {}
        self._libraries = _library_folders()
        self._own_folders = own_folders()

    def rule(self, filename: str) -> str | None:
        """Why this file is not the person's own code: the rule's name; None when it is."""
        try:
            return self._rules[filename]
        except KeyError:
            rule = self._rules[filename] = self._find_rule(filename)
            if rule is None:
                self.user_files.add(filename)
            return rule

    def is_user(self, frame: FrameType) -> bool:
        """Whether a step may end in this frame."""
        return self.passed_by(frame.f_code, frame.f_globals) is None

    def is_yours(self, frame: FrameType) -> bool:
        """Whether this is a frame of the person's own code, whatever steps pass by."""
        return self.rule(frame.f_code.co_filename) is None

    def passed_by(self, code: CodeType, namespace: dict[str, Any]) -> str | None:
        """The rule by which steps pass code of a module by; None when they may end in it."""
        rule = self.rule(code.co_filename)
        if rule == "remora":
            return rule
        is_own = self._is_said_own(code, namespace) if self._said else None
        if is_own is False:
            return "rules"
        if rule is not None and self.just_my_code and is_own is None:
            return rule
        return self._skipped(code, namespace) if self._skips else None

    def skip(self, skips: Sequence[Skip]) -> None:
        """Replace what steps pass by beside the rules."""
        self._skips = [(each.kind, re.compile(fnmatch.translate(each.pattern))) for each in skips]

    def set_rules(self, rules: Sequence[Rule]) -> None:
        """Replace what is said of some code; the first that matches counts."""
        self._said = [(each.kind, re.compile(fnmatch.translate(each.pattern)), each.is_own) for each in rules]

    def _is_said_own(self, code: CodeType, namespace: dict[str, Any]) -> bool | None:
        module = str(namespace.get("__name__", ""))
        names = {
            "path": (code.co_filename, os.path.basename(code.co_filename)),
            "module": (module, *(module[: dot.start()] for dot in re.finditer(r"\.", module))),
        }
        for kind, pattern, is_own in self._said:
            if any(map(pattern.match, names[kind])):
                return is_own
        return None

    def _skipped(self, code: CodeType, namespace: dict[str, Any]) -> str | None:
        names = {
            "file": (code.co_filename, os.path.basename(code.co_filename)),
            "function": (code.co_name, getattr(code, "co_qualname", code.co_name)),
            "module": (str(namespace.get("__name__", "")),),
        }
        for kind, pattern in self._skips:
            if any(map(pattern.match, names.get(kind, ()))):
                return f"skip {kind}"
        return None

    def is_not_own(self, frame: FrameType) -> bool:
        """Whether this is a frame of the program or of its libraries."""
        return not self.is_own(frame)

    def is_own(self, frame: FrameType) -> bool:
        """Whether this is a frame of Remora, which is never shown."""
        return self.rule(frame.f_code.co_filename) == "remora"

    def _find_rule(self, filename: str) -> str | None:
        if filename.startswith("<frozen "):
            return "frozen"
        if filename == EVALUATED:
            return "remora"
        if filename.startswith("<"):
            return None if _has_text(filename) else "no source"
        path = os.path.abspath(filename)
        if path.startswith(self._own_folders):
            return "remora"
        if any(packages in path for packages in _PACKAGES):
            return "site-packages"
        if path.startswith(self._libraries):
            return "stdlib"
        return None


def _has_text(filename: str) -> bool:
    """Whether somebody gave linecache a text for what is no file: a notebook's cell, a doctest."""
    linecache = sys.modules.get("linecache")
    return filename in getattr(linecache, "cache", ())


def own_folders() -> tuple[str, ...]:
    """Where Remora's own files lie, each with a separator behind it."""
    import remora_protocol

    return OWN_FOLDER, os.path.dirname(os.path.abspath(remora_protocol.__file__)) + os.sep


def _library_folders() -> tuple[str, ...]:
    """Where this Python's own modules lie. `sysconfig` takes 10 ms to import and knows no more."""
    found = {os.path.dirname(os.path.abspath(os.__file__))}
    for path in sys.path:
        if path.endswith(("lib-dynload", "lib_pypy")) or path.rpartition(os.sep)[2].startswith("lib-python"):
            found.add(os.path.abspath(path))
    found |= {os.path.realpath(path) for path in found}
    return tuple(path + os.sep for path in sorted(found))
