"""Where DAP bodies name source files. Bodies are changed in place: they were read from the wire just now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._model import records

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BREAKPOINT_REQUESTS", "change_event_sources", "change_response_sources"]

BREAKPOINT_REQUESTS = frozenset(
    {
        "setBreakpoints",
        "setDataBreakpoints",
        "setExceptionBreakpoints",
        "setFunctionBreakpoints",
        "setInstructionBreakpoints",
    }
)
# In the list of this name, each entry's "source" or "location".
_LISTS = {
    "disassemble": ("instructions", "location"),
    "scopes": ("scopes", "source"),
    "stackTrace": ("stackFrames", "source"),
    **dict.fromkeys(BREAKPOINT_REQUESTS, ("breakpoints", "source")),
}


def change_response_sources(
    command: str, body: Any, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """Put `change(source)` in the place of each `Source` of a response."""
    if not isinstance(body, dict):
        return
    if command in _LISTS:
        name, key = _LISTS[command]
        for each in records(body, name):
            _change(each, key, change)
    elif command == "loadedSources":
        body["sources"] = [change(each) for each in records(body, "sources")]
    elif command == "locations":
        _change(body, "source", change)


def change_event_sources(
    event: str, body: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """The same for an event."""
    if event == "breakpoint" and isinstance(body.get("breakpoint"), dict):
        _change(body["breakpoint"], "source", change)
    elif event in ("loadedSource", "output"):
        _change(body, "source", change)


def _change(holder: dict[str, Any], key: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    if isinstance(holder.get(key), dict):
        holder[key] = change(holder[key])
