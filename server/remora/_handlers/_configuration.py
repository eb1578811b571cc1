"""What an editor's configuration asks of `attach` by the names that debuggers for Python have in common.

Read and checked as a whole before anything is done. What is known elsewhere and is not done here is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remora._inspection._presentation import KINDS, WAYS, Presentation
from remora._source._filters import Rule
from remora._stopping._exceptions import ExitMatcher
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Container

    from remora._handlers._arguments import Arguments

__all__ = ["Configuration", "read_configuration"]

_NOT_DONE = ("autoReload", "django", "jinja", "logToFile")


@dataclass(frozen=True)
class Configuration:
    """See docs/editors.md for what each of these is called and does.

    Attributes:
        note: what to tell the person about what is not done; empty: nothing.
    """

    rules: list[Rule]
    presentation: Presentation | None
    exits: ExitMatcher | None
    shows_returned: bool
    steps_alone: bool
    note: str


def read_configuration(arguments: Arguments) -> Configuration:
    """Raises `RequestFailed` for what makes no sense."""
    return Configuration(
        rules=[_read_rule(each) for each in arguments.children("rules")],
        presentation=_read_presentation(arguments),
        exits=_read_exits(arguments.all.get("breakOnSystemExit")),
        shows_returned=arguments.flag("showReturnValue", True),
        steps_alone=not arguments.flag("steppingResumesAllThreads", True),
        note=_note(arguments.all),
    )


def _read_rule(given: Arguments) -> Rule:
    path, module = given.optional_text("path"), given.optional_text("module")
    if (path is None) == (module is None):
        raise RequestFailed(
            "bad-request", 'attach: each of rules is {"path" or "module": pattern, "include": true or false}.'
        )
    is_own = given.flag("include", True)
    return Rule("module", module, is_own) if module is not None else Rule("path", path or "", is_own)


def _read_presentation(arguments: Arguments) -> Presentation | None:
    if not arguments.all.get("variablePresentation"):
        return None
    given = arguments.child("variablePresentation")
    for name in ("all", *KINDS):
        if given.text(name, "inline") not in WAYS:
            raise RequestFailed(
                "bad-request", f"attach: variablePresentation shows {name} as one of {', '.join(WAYS)}."
            )
    otherwise = given.text("all", "inline")
    return Presentation({kind: given.text(kind, otherwise) for kind in KINDS})


def _read_exits(value: Any) -> ExitMatcher | None:
    if value is None or value is False:
        return None
    if value is True:
        return ExitMatcher()
    if type(value) is not list:
        raise _bad_exits()
    return ExitMatcher([_read_codes(each) for each in value])


def _read_codes(value: Any) -> Container[object]:
    if value is None or type(value) is int:
        return (value,)
    first, last = (value.get("from"), value.get("to")) if type(value) is dict else (None, None)
    if type(first) is not int or type(last) is not int:
        raise _bad_exits()
    return range(first, last + 1)


def _bad_exits() -> RequestFailed:
    return RequestFailed(
        "bad-request",
        "attach: breakOnSystemExit is true, false or a list of exit codes, "
        'each a number, null or {"from": number, "to": number}.',
    )


def _note(given: dict[str, Any]) -> str:
    ignored = [name for name in _NOT_DONE if _is_wanted(given.get(name))]
    if not ignored:
        return ""
    logs = " For a log use remora dap -v, or REMORA_LOG=FILE:debug in the program." * ("logToFile" in ignored)
    return f"Of the configuration, Remora does not use: {', '.join(ignored)}.{logs}"


def _is_wanted(value: Any) -> bool:
    return bool(value.get("enable")) if type(value) is dict else bool(value)
