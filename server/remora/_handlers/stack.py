"""Threads, their stacks, and why they stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._control._evaluate import describe
from remora._handlers._jobs import on_thread
from remora._handlers._places import describe_source
from remora._handlers._table import Deferred, handles
from remora._inspection._statics import class_name, module_of
from remora._inspection._values import safe_repr
from remora._stopping._exceptions import family_of, frames_of
from remora._stopping._stops import ShownError
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._interpreter._frames import Frame
    from remora._sessions._session import Session
    from remora._stopping._exceptions import Related
    from remora._stopping._stops import Stop

__all__ = ["threads"]

_MOST_NOTES = 20
_LONGEST_NOTE = 2000  # characters


@handles("threads", looks_only=True)
def threads(session: Session, _arguments: Arguments) -> dict[str, Any]:
    """Every thread of the program, also while it runs."""
    found = session.server.debugger.threads()
    return {
        "threads": [{"id": info.id, "name": info.name, "remora": {"state": info.state}} for info in found]
    }


@handles("stackTrace", looks_only=True)
def stack_trace(session: Session, arguments: Arguments) -> dict[str, Any]:
    """The frames of a thread, newest first; of a running thread, as they are now."""
    frames = session.server.debugger.frames(arguments.number("threadId"))
    start = arguments.number("startFrame", 0)
    levels = arguments.number("levels", 0) or len(frames)
    shown = [_describe(session, frame) for frame in frames[start : start + levels]]
    return {"stackFrames": shown, "totalFrames": len(frames)}


def _describe(session: Session, frame: Frame) -> dict[str, Any]:
    body = {
        "id": frame.id,
        "name": frame.name,
        "line": frame.line,
        "column": frame.column,
        "source": describe_source(session.server.sources, frame.filename),
    }
    code, offset = session.server.debugger.place_of(frame)
    body["instructionPointerReference"] = hex(session.server.debugger.addresses.of(code, offset))
    if frame.subtle:
        body["presentationHint"] = "subtle"
    return body


@handles("exceptionInfo", looks_only=True, capability="supportsExceptionInfoRequest")
def exception_info(session: Session, arguments: Arguments) -> dict[str, Any] | Deferred:
    """The exception that a thread stopped for, with its causes, each with a number of its own."""
    thread = arguments.number("threadId")
    stop, error = _stopped_for(session, thread)

    def build(details: dict[str, Any]) -> dict[str, Any]:
        shown = 1 if stop.shown_error is None else stop.shown_error.number
        return {
            "exceptionId": details["fullTypeName"],
            "description": details["message"],
            "breakMode": stop.break_mode or "always",
            "details": details,
            "remora": {"shown": shown},
        }

    if not session.may_run_code:
        return build(_outline(error))
    return on_thread(session, thread, lambda: _details(family_of(error)), build, timeout=5)


@handles("remora/exception")
def show_exception(session: Session, arguments: Arguments) -> Deferred:
    """Show the frames of one of the exceptions that `exceptionInfo` numbers, and let `$exc` be that one."""
    thread = arguments.number("threadId")
    number = arguments.number("number")
    _, error = _stopped_for(session, thread)

    def build(family: list[Related]) -> dict[str, Any]:
        chosen = next((each for each in family if each.number == number), None)
        if chosen is None:
            raise RequestFailed("not-found", f"There is no exception {number}, only 1 to {len(family)}.")
        frames = frames_of(chosen.error.__traceback__)
        shown = None if number == 1 else ShownError(number, chosen.error, frames)
        session.server.debugger.look_at(thread, shown)
        return {"wasRaised": bool(frames)}

    return on_thread(session, thread, lambda: list(family_of(error).walk()), build, timeout=5)


def _stopped_for(session: Session, thread: int) -> tuple[Stop, BaseException]:
    stop = session.server.debugger.stop_info(thread)
    if stop is None or stop.error is None:
        raise RequestFailed("not-stopped", f"Thread {thread} is not stopped for an exception.")
    return stop, stop.error


def _outline(error: BaseException) -> dict[str, Any]:
    """What can be said of an exception without running any code of its own."""
    kind = type(error)
    name, module = class_name(kind), module_of(kind)
    held = BaseException.__dict__["args"].__get__(error)
    shown = [safe_repr(each, user_code=False) for each in held]
    return {
        "message": ", ".join(shown),
        "typeName": name,
        "fullTypeName": name if module in ("", "builtins") else f"{module}.{name}",
    }


def _details(related: Related) -> dict[str, Any]:
    """DAP's ExceptionDetails. On the stopped thread: `str()` of an exception is the program's code."""
    import traceback

    error = related.error
    kind = type(error)
    module = module_of(kind)
    name = class_name(kind)
    text = "".join(traceback.format_exception(kind, error, error.__traceback__, limit=100, chain=False))
    notes = _notes(error)
    return {
        "message": describe(error).partition(": ")[2],
        "typeName": name,
        "fullTypeName": name if module in ("", "builtins") else f"{module}.{name}",
        "stackTrace": text,
        "innerException": [_details(each) for each in related.inner],
        "remora": {"number": related.number, **({"notes": notes} if notes else {})},
    }


def _notes(error: BaseException) -> list[str]:
    """What `add_note` added; anything can be there."""
    notes = getattr(error, "__notes__", None)
    if type(notes) is not list:
        return []
    return [note[:_LONGEST_NOTE] for note in notes[:_MOST_NOTES] if type(note) is str]
