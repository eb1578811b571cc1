"""Whose code a file is: the person's own, a library's, or Remora's. Decides what steps enter and stacks show.

A pure function of a file name and of where Python keeps its libraries, remembered per file. Any thread.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from remora._frames import EVALUATED

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["Filters"]

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
_PACKAGES = f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}"


class Filters:
    """Just my code: which frames steps may end in.

    Attributes:
        user_files: files that are known to be the person's own.
        just_my_code: False shows and enters library code as well; Remora's own is always left out.
    """

    def __init__(self, just_my_code: bool = True) -> None:
        self.just_my_code = just_my_code
        self.user_files: set[str] = set()
        self._rules: dict[str, str | None] = {}
        self._libraries = _library_folders()
        self._own_folders = (_OWN_FOLDER, _protocol_folder())

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
        rule = self.rule(frame.f_code.co_filename)
        return rule is None or (not self.just_my_code and rule != "remora")

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


def _protocol_folder() -> str:
    import remora_protocol

    return os.path.dirname(os.path.abspath(remora_protocol.__file__)) + os.sep


def _library_folders() -> tuple[str, ...]:
    """Where this Python's own modules lie. `sysconfig` takes 10 ms to import and knows no more."""
    found = {os.path.dirname(os.path.abspath(os.__file__))}
    for path in sys.path:
        if path.endswith(("lib-dynload", "lib_pypy")) or path.rpartition(os.sep)[2].startswith("lib-python"):
            found.add(os.path.abspath(path))
    found |= {os.path.realpath(path) for path in found}
    return tuple(path + os.sep for path in sorted(found))
