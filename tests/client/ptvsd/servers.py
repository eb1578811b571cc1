"""The servers' side of both dialects, written apart from the client's: neither hides the other's mistakes."""

from __future__ import annotations

import json
import struct
from typing import Any

from remora_client._ptvsd import _records as r


def integer(value: int) -> bytes:
    return struct.pack(">q", value)


def text(value: str | bytes | None) -> bytes:
    """A text as the server sends it: with a prefix, null, or a Python 2 byte string."""
    if value is None:
        return b"N"
    data = value.encode() if isinstance(value, str) else value
    return (b"U" if isinstance(value, str) else b"A") + integer(len(data)) + data


def value(of: r.RemoteObject) -> bytes:
    return text(of.text) + text(of.hex) + text(of.type) + integer(of.length) + integer(of.flags)


def frame(of: r.RemoteFrame) -> bytes:
    data = integer(of.first_line) + integer(of.last_line) + integer(of.line) + text(of.name) + text(of.file)
    data += integer(of.argument_count) + integer(1) + integer(len(of.variables))
    return data + b"".join(text(name) + value(each) for name, each in of.variables)


def to_binary(said: r.Said) -> bytes:
    """An event in protocol 6."""
    match said:
        case r.ThreadSeen(thread):
            return b"NEWT" + integer(thread)
        case r.ThreadGone(thread):
            return b"EXTT" + integer(thread)
        case r.ModuleLoaded(file):
            return b"MODL" + integer(1) + text(file)
        case r.ProcessLoaded(thread):
            return b"LOAD" + integer(thread)
        case r.ThreadFrames(thread, name, frames):
            return (
                b"THRF" + integer(thread) + text(name) + integer(len(frames)) + b"".join(map(frame, frames))
            )
        case r.BreakpointBound(ident):
            return b"BRKS" + integer(ident)
        case r.BreakpointUnbound(ident):
            return b"BRKF" + integer(ident)
        case r.BreakpointHit(ident, thread):
            return b"BRKH" + integer(ident) + integer(thread)
        case r.StepDone(thread):
            return b"STPD" + integer(thread)
        case r.Paused(thread):
            return b"ASBR" + integer(thread)
        case r.ExceptionRaised(thread, kind, what, unhandled, ""):
            return b"EXCP" + text(kind) + integer(thread) + integer(unhandled) + text(what)
        case r.ExceptionRaised(thread, kind, what, unhandled, trace):
            pairs = {"typename": kind, "message": what, "trace": trace}
            if unhandled:
                pairs["breaktype"] = "unhandled"
            data = b"".join(text(key) + text(each) for key, each in pairs.items())
            return b"EXC2" + integer(thread) + integer(len(pairs)) + data
        case r.HandlersAsked(file):
            return b"REQH" + text(file)
        case r.Evaluated(ident, of):
            return b"EXCR" + integer(ident) + value(of)
        case r.EvaluationFailed(ident, what):
            return b"EXCE" + integer(ident) + text(what)
        case r.Children(ident, children):
            rows = b"".join(text(each.name) + text(each.expression) + value(each.value) for each in children)
            return b"CHLD" + integer(ident) + integer(len(children)) + rows
        case r.LineSet(done, thread, line):
            return b"SETL" + integer(done) + integer(thread) + integer(line)
        case r.Output(thread, what):
            return b"OUTP" + integer(thread) + text(what)
        case r.Pong(ident):
            return b"BKHC" + integer(ident) + integer(0)
        case r.LastAsked():
            return b"LAST"
        case r.Detached():
            return b"DETC"
    raise NotImplementedError(said)


def as_object(of: r.RemoteObject) -> dict[str, Any]:
    return {
        "objRepr": of.text,
        "hexRepr": of.hex,
        "typeName": of.type,
        "length": of.length,
        "flags": of.flags,
    }


def _as_frame(of: r.RemoteFrame) -> dict[str, Any]:
    return {
        "startLine": of.first_line,
        "endLine": of.last_line,
        "lineNo": of.line,
        "frameName": of.name,
        "fileName": of.file,
        "argCount": of.argument_count,
        "frameKind": 1,
        "variables": [{"name": name, "obj": as_object(each)} for name, each in of.variables],
    }


def to_json(said: r.Said) -> bytes:
    """An event in protocol 7 and 8."""
    body: dict[str, Any]
    match said:
        case r.ThreadSeen(thread):
            name, body = "legacyThreadCreate", {"threadId": thread}
        case r.ThreadGone(thread):
            name, body = "legacyThreadExit", {"threadId": thread}
        case r.ModuleLoaded(file):
            name, body = "legacyModuleLoad", {"moduleId": 1, "moduleFileName": file}
        case r.ProcessLoaded(thread):
            name, body = "legacyProcessLoad", {"threadId": thread}
        case r.ThreadFrames(thread, thread_name, frames):
            name = "legacyThreadFrameList"
            rows = [_as_frame(each) for each in frames]
            body = {"threadId": thread, "threadName": thread_name, "threadFrames": rows}
        case r.BreakpointBound(ident):
            name, body = "legacyBreakpointSet", {"breakpointId": ident}
        case r.BreakpointUnbound(ident):
            name, body = "legacyBreakpointFailed", {"breakpointId": ident}
        case r.BreakpointHit(ident, thread):
            name, body = "legacyBreakpointHit", {"breakpointId": ident, "threadId": thread}
        case r.StepDone(thread):
            name, body = "legacyStepDone", {"threadId": thread}
        case r.Paused(thread):
            name, body = "legacyAsyncBreak", {"threadId": thread}
        case r.ExceptionRaised(thread, kind, what, unhandled, trace):
            data = {"typename": kind, "message": what, "trace": trace}
            if unhandled:
                data["breaktype"] = "unhandled"
            name, body = "legacyException", {"threadId": thread, "data": data}
        case r.HandlersAsked(file):
            name, body = "legacyRequestHandlers", {"fileName": file}
        case r.Evaluated(ident, of):
            name, body = "legacyExecutionResult", {"executionId": ident, "obj": as_object(of)}
        case r.EvaluationFailed(ident, what):
            name, body = "legacyExecutionException", {"executionId": ident, "exceptionText": what}
        case r.Children(ident, children):
            rows = [
                {"name": each.name, "expression": each.expression, "obj": as_object(each.value)}
                for each in children
            ]
            name, body = "legacyEnumChildrenResult", {"executionId": ident, "children": rows}
        case r.Output(thread, what, channel):
            name, body = "legacyDebuggerOutput", {"threadId": thread, "output": what, "channel": channel}
        case r.LastAsked():
            name, body = "legacyLast", {}
        case r.Detached():
            name, body = "legacyDetach", {}
        case _:
            raise NotImplementedError(said)
    return json_frame({"type": "event", "seq": 0, "event": name, "body": body})


def json_frame(message: dict[str, Any]) -> bytes:
    data = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(data) + data
