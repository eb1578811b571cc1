"""What an `import` that is being typed may go on with, told without importing or reading a folder.

These are the modules that the program has loaded, and those of the standard library: to find all that are
installed would mean to search disks in the program's name.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from remora._inspection._statics import own_dict

__all__ = ["imported"]

_BEGIN = r"(?:^|[;:])\s*"
_RENAMED = r"(?:\s+as\s+\w+)?\s*,\s*"
_MODULE = re.compile(rf"{_BEGIN}(?:import\s+(?:[\w.]+{_RENAMED})*|from\s+)(?P<typed>[\w.]*)\Z")
_NAME = re.compile(rf"{_BEGIN}from\s+(?P<module>[\w.]+)\s+import\s+\(?\s*(?:\w+{_RENAMED})*(?P<typed>\w*)\Z")


def imported(before: str) -> tuple[dict[str, Any], str] | None:
    """The names that can be next, each with what it is or could be, and the beginning of one that is typed.

    None where the text is no import.
    """
    module = _MODULE.search(before)
    if module is not None:
        package, _, typed = module["typed"].rpartition(".")
        return _modules_in(package), typed
    name = _NAME.search(before)
    if name is None:
        return None
    return {**_modules_in(name["module"]), **(own_dict(sys.modules.get(name["module"])) or {})}, name["typed"]


def _modules_in(package: str) -> dict[str, Any]:
    """Those right in a package, of "" those at the top; a module stands for each, whichever."""
    known = [name for name in list(sys.modules) if type(name) is str]
    if not package:
        known += [*sys.builtin_module_names, *getattr(sys, "stdlib_module_names", ())]  # the latter: 3.10
    start = f"{package}." if package else ""
    return {name[len(start) :].partition(".")[0]: sys for name in known if name.startswith(start)}
