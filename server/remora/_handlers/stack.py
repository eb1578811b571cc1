"""Threads, their stacks, and why they stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._evaluate import describe
from remora._handlers._jobs import on_thread
from remora._handlers._places import describe_source
from remora._handlers._table import Deferred, handles
from remora._statics import class_name, is_a, module_of
from remora._values import safe_repr
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora._frames import Frame
    from remora._handlers._arguments import Arguments
    from remora._session import Session

__all__ = ["threads"]

_MOST_CHAINED = 20
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
    """The exception that a thread stopped for, with its causes."""
    thread = arguments.number("threadId")
    stop = session.server.debugger.stop_info(thread)
    error = None if stop is None else stop.error
    if stop is None or error is None:
        raise RequestFailed("not-stopped", f"Thread {thread} is not stopped for an exception.")

    def build(details: dict[str, Any]) -> dict[str, Any]:
        return {
            "exceptionId": details["fullTypeName"],
            "description": details["message"],
            "breakMode": stop.break_mode or "always",
            "details": details,
        }

    if not session.may_run_code:
        return build(_outline(error))
    return on_thread(session, thread, lambda: _details(error, set()), build, timeout=5)


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


def _details(error: BaseException, seen: set[int]) -> dict[str, Any]:
    """DAP's ExceptionDetails. On the stopped thread: `str()` of an exception is the program's code."""
    import traceback

    seen.add(id(error))
    kind = type(error)
    module = module_of(kind)
    name = class_name(kind)
    text = "".join(traceback.format_exception(kind, error, error.__traceback__, limit=100, chain=False))
    inner = [each for each in _chained(error) if id(each) not in seen and len(seen) < _MOST_CHAINED]
    return {
        "message": describe(error).partition(": ")[2],
        "typeName": name,
        "fullTypeName": name if module in ("", "builtins") else f"{module}.{name}",
        "stackTrace": text,
        "innerException": [_details(each, seen) for each in inner],
        **({"remora": {"notes": notes}} if (notes := _notes(error)) else {}),
    }


def _notes(error: BaseException) -> list[str]:
    """What `add_note` added; anything can be there."""
    notes = getattr(error, "__notes__", None)
    if type(notes) is not list:
        return []
    return [note[:_LONGEST_NOTE] for note in notes[:_MOST_NOTES] if type(note) is str]


def _chained(error: BaseException) -> list[BaseException]:
    grouped = getattr(error, "exceptions", None) if type(error).__name__.endswith("Group") else None
    found = [each for each in grouped if is_a(each, BaseException)] if isinstance(grouped, tuple) else []
    if error.__cause__ is not None:
        found.append(error.__cause__)
    elif error.__context__ is not None and not error.__suppress_context__:
        found.append(error.__context__)
    return found
