"""Which exceptions stop the program: DAP's filters as ptvsd's modes. Pure."""

from __future__ import annotations

import re
from typing import Any

from remora_client._literal import read_literal
from remora_client._ptvsd._records import ExceptionMode, ExceptionModes, ExceptionRaised
from remora_protocol import RequestFailed

__all__ = ["FILTERS", "describe", "modes_for"]

FILTERS = [
    {
        "filter": "raised",
        "label": "Raised",
        "description": "at every exception where it is raised",
        "supportsCondition": True,
        "conditionDescription": "names of types, as in ValueError, app.errors.Broken",
        "default": False,
    },
    {
        "filter": "uncaught",
        "label": "Uncaught",
        "description": "at exceptions that no code around them handles, as far as its text tells",
        "supportsCondition": True,
        "conditionDescription": "names of types, as in ValueError, app.errors.Broken",
        "default": False,
    },
]
_MODES = {"raised": ExceptionMode.RAISED, "uncaught": ExceptionMode.UNHANDLED}
_NAMES = re.compile(r"\s*[^\W\d]\w*(?:\.[^\W\d]\w*)*(?:\s*,\s*[^\W\d]\w*(?:\.[^\W\d]\w*)*)*\s*\Z")


def modes_for(arguments: dict[str, Any]) -> ExceptionModes:
    """The modes for the arguments of setExceptionBreakpoints. Raises `RequestFailed`."""
    default = ExceptionMode.NEVER
    named: dict[str, ExceptionMode] = {}
    for name in arguments.get("filters") or ():
        default = _stronger(default, _mode(name))
    for option in arguments.get("filterOptions") or ():
        mode, condition = _mode(option.get("filterId")), option.get("condition")
        if not condition:
            default = _stronger(default, mode)
            continue
        if not _NAMES.match(condition):
            raise RequestFailed(
                "not-supported", f"ptvsd narrows exceptions by names of types only, not by {condition!r}."
            )
        for name in condition.split(","):
            for full in _full_names(name.strip()):
                named[full] = _stronger(named.get(full, ExceptionMode.NEVER), mode)
    return ExceptionModes(default, named)


def _mode(name: Any) -> ExceptionMode:
    mode = _MODES.get(name)
    if mode is None:
        raise RequestFailed("not-supported", f"ptvsd has no exception filter {name!r}.")
    return mode


def _stronger(one: ExceptionMode, other: ExceptionMode) -> ExceptionMode:
    """Raised covers uncaught: what is raised stops, whether it is caught or not."""
    if ExceptionMode.RAISED in (one, other):
        return ExceptionMode.RAISED
    return max(one, other)


def _full_names(name: str) -> list[str]:
    """A type of the main script is known by its module, and a built-in one by its bare name."""
    return [name] if "." in name else [name, f"__main__.{name}"]


def describe(raised: ExceptionRaised) -> dict[str, Any]:
    """DAP's exceptionInfo."""
    return {
        "exceptionId": raised.type,
        "description": raised.text,
        "breakMode": "unhandled" if raised.unhandled else "always",
        "details": {
            "message": raised.text,
            "typeName": raised.type.rpartition(".")[2],
            "fullTypeName": raised.type,
            "stackTrace": _trace(raised.trace),
        },
    }


def _trace(text: str) -> str:
    """As Python would print it; the server's lines are reprs with commas between them."""
    lines = []
    for line in text.splitlines():
        try:
            file, number, function, code = read_literal(f"({line},)")
        except ValueError:
            lines.append(line)
            continue
        lines.append(f'File "{file}", line {number}, in {function}')
        lines += [f"  {code}"] if code else []
    return "\n".join(lines)
