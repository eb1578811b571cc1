"""What an `import` that is being typed may go on with, told without importing anything.

These are the modules that the program has loaded, and those of the standard library. What else is installed
is for `_installed.py` to find.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

from remora._inspection._statics import own_dict

__all__ = ["Imported", "imported"]

_BEGIN = r"(?:^|[;:])\s*"
_RENAMED = r"(?:\s+as\s+\w+)?\s*,\s*"
_MODULE = re.compile(rf"{_BEGIN}(?:import\s+(?:[\w.]+{_RENAMED})*|from\s+)(?P<typed>[\w.]*)\Z")
_NAME = re.compile(rf"{_BEGIN}from\s+(?P<module>[\w.]+)\s+import\s+\(?\s*(?:\w+{_RENAMED})*(?P<typed>\w*)\Z")


@dataclass(frozen=True)
class Imported:
    """What is being imported: the package that it is right in, how it begins, and names that are known."""

    package: str
    typed: str
    known: dict[str, Any]


def imported(before: str) -> Imported | None:
    """The `import` that a text ends with; None where it ends with none.

    A name that is known stands with what it is or could be.
    """
    module = _MODULE.search(before)
    if module is not None:
        package, _, typed = module["typed"].rpartition(".")
        return Imported(package, typed, _loaded_in(package))
    name = _NAME.search(before)
    if name is None:
        return None
    defined = own_dict(sys.modules.get(name["module"])) or {}
    return Imported(name["module"], name["typed"], {**_loaded_in(name["module"]), **defined})


def _loaded_in(package: str) -> dict[str, Any]:
    """Those right in a package, of "" those at the top; a module stands for each, whichever."""
    known = [name for name in list(sys.modules) if type(name) is str]
    if not package:
        known += [*sys.builtin_module_names, *getattr(sys, "stdlib_module_names", ())]  # the latter: 3.10
    start = f"{package}." if package else ""
    return {name[len(start) :].partition(".")[0]: sys for name in known if name.startswith(start)}
