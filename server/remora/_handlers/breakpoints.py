"""Breakpoints of all kinds, and where one can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._handlers._places import describe_source, read_source, wanted_sha256
from remora._handlers._table import handles
from remora._stopping._breakpoints import ExceptionFilter, FunctionBreakpoint, SourceBreakpoint
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._sessions._session import Session
    from remora._stopping._breakpoints import Breakpoint

__all__ = ["set_breakpoints"]


@handles("setBreakpoints")
def set_breakpoints(session: Session, arguments: Arguments) -> dict[str, Any]:
    """All breakpoints of one file; those that are not named are removed."""
    server = session.server
    source = arguments.child("source")
    path = read_source(server.sources, source)
    specs = [
        SourceBreakpoint(line=each.number("line"), column=each.optional_number("column"), **_conditions(each))
        for each in arguments.children("breakpoints")
    ]
    server.remember_file(path)
    found = server.debugger.set_breakpoints(path, specs, sha256=wanted_sha256(source))
    return {"breakpoints": [_body(session, each, path) for each in found]}


@handles("setFunctionBreakpoints", capability="supportsFunctionBreakpoints")
def set_function_breakpoints(session: Session, arguments: Arguments) -> dict[str, Any]:
    """All breakpoints on functions, by name, where they are called, return or yield."""
    specs = [
        FunctionBreakpoint(name=each.text("name"), at=_moment(each.text("at", "call")), **_conditions(each))
        for each in arguments.children("breakpoints")
    ]
    found = session.server.debugger.set_function_breakpoints(specs)
    return {"breakpoints": [_body(session, each) for each in found]}


@handles("setExceptionBreakpoints")
def set_exception_breakpoints(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Which exceptions stop the program."""
    filters = [ExceptionFilter(name) for name in arguments.texts("filters")]
    filters += [
        ExceptionFilter(each.text("filterId"), each.text("condition", "") or None)
        for each in arguments.children("filterOptions")
    ]
    found = session.server.debugger.set_exception_filters(filters)
    return {"breakpoints": [_body(session, each) for each in found]}


@handles("breakpointLocations", looks_only=True, capability="supportsBreakpointLocationsRequest")
def breakpoint_locations(session: Session, arguments: Arguments) -> dict[str, Any]:
    """The lines of a range that can stop; where a line has several places, each with its column."""
    sources = session.server.sources
    source = arguments.child("source")
    first = arguments.number("line")
    last = arguments.number("endLine", first)
    found: set[tuple[int, int]] = set()
    for filename in sources.resolve(read_source(sources, source), wanted_sha256(source)):
        lines = sources.lines(filename)
        if lines is not None:
            for line in lines.executable:
                if first <= line <= last:
                    found.update((line, spot.column) for spot in sources.spots(filename, line))
                    found.add((line, 0))
    several = {line for line, column in found if column}
    return {
        "breakpoints": [
            {"line": line, "column": column} if column else {"line": line}
            for line, column in sorted(found)
            if column or line not in several
        ]
    }


def _conditions(asked: Arguments) -> dict[str, Any]:
    """What breakpoints on lines and on functions may say about when they stop, and what they do."""
    return {
        "condition": asked.text("condition", "") or None,
        "hit_condition": asked.text("hitCondition", "") or None,
        "log_message": asked.text("logMessage", "") or None,
        "thread": asked.text("thread", "") or None,
        "task": asked.text("task", "") or None,
        "temporary": asked.flag("temporary"),
    }


def _moment(text: str) -> Any:
    if text not in ("call", "return", "yield"):
        raise RequestFailed(
            "bad-request", f"A function is not stopped at its {text!r}, but call, return, yield."
        )
    return text


def _body(session: Session, found: Breakpoint, asked: str | None = None) -> dict[str, Any]:
    sources = session.server.sources
    if found.filename is None:
        return found.body(asked)
    body = found.body(sources.display_path(found.filename))
    body["source"] = describe_source(sources, found.filename)
    return body
