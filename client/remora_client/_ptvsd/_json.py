"""The JSON dialect: protocol 7 and 8, of ptvsd 3.1 and 3.2. No I/O.

The frames and envelopes are those of DAP. Nearly every request is answered with an empty success before
it is carried out; a second answer without success comes if that fails. So answers are passed on only where
they carry something, and failures always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._ptvsd import _records as r
from remora_client._ptvsd._codec import MOST_TEXT, OPTIONS
from remora_client._ptvsd._signs import GREETING, MAGIC
from remora_protocol import (
    Event,
    FrameDecoder,
    RemoteProtocolError,
    Request,
    Response,
    decode_message,
    encode_frame,
    encode_message,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["NUMBERS", "JsonCodec"]

NUMBERS = (7, 8)
_STEPS = {"in": "legacyStepInto", "over": "legacyStepOver", "out": "legacyStepOut"}
_PYTHON = 0
_SHOWN = 300


class JsonCodec:
    """Protocol 7 or 8: which one, the greeting says."""

    def __init__(self) -> None:
        self.number = 0
        self._decoder = FrameDecoder(MOST_TEXT)
        self._last_seq = 0
        # What an answer will mean, by the number of its request.
        self._answers: dict[int, Callable[[dict[str, Any]], r.Said]] = {}

    # -- reading

    def receive(self, data: bytes) -> None:
        """Store bytes."""
        self._decoder.receive(data)

    def next(self) -> r.Said | None:
        """The next record; None: more bytes are needed."""
        while (body := self._decoder.next_body()) is not None:
            try:
                said = self._read(body)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise RemoteProtocolError(
                    "bad-request",
                    f"It does not keep to ptvsd's JSON protocol: {type(error).__name__}: {error}",
                ) from None
            if said is not None:
                return said
        return None

    def _read(self, body: bytes) -> r.Said | None:
        message = decode_message(body)
        if isinstance(message, Event):
            return self._event(message)
        if not isinstance(message, Response):
            raise RemoteProtocolError("bad-request", "A ptvsd sends no requests.")
        answer = self._answers.pop(message.request_seq, None)
        if not message.success:
            text = (message.message or "").strip()
            return r.CommandFailed(message.command, text[-_SHOWN:])
        return answer(_mapping(message.body)) if answer is not None else None

    def _event(self, message: Event) -> r.Said | None:
        if message.event == GREETING:
            name, number = message.body["debuggerName"], message.body["debuggerProtocolVersion"]
            if name != MAGIC or not isinstance(number, int):
                raise RemoteProtocolError("bad-request", "Its greeting is not ptvsd's.")
            self.number = number
            return r.Greeting(number)
        read = _EVENTS.get(message.event)
        return read(message.body) if read is not None else None  # unknown events do no harm in this dialect

    def _request(
        self,
        command: str,
        arguments: Mapping[str, Any] | None = None,
        answer: Callable[[dict[str, Any]], r.Said] | None = None,
    ) -> bytes:
        self._last_seq += 1
        if answer is not None:
            self._answers[self._last_seq] = answer
        return encode_frame(encode_message(Request(self._last_seq, command, dict(arguments or {}))))

    # -- the handshake

    def _authenticate(self, number: int, secret: str) -> bytes:
        return self._request(
            "legacyRemoteDebuggerAuthenticate",
            {"debuggerName": MAGIC, "debuggerProtocolVersion": number, "clientSecret": secret},
            lambda body: r.Verdict(body["accepted"] is True),
        )

    def refuse(self) -> bytes:
        """A number that the server does not have makes it close by itself."""
        return self._authenticate(0, "")

    def log_in(self, secret: str) -> bytes:
        """Name, number and secret."""
        return self._authenticate(self.number, secret)

    def ask_info(self) -> bytes:
        """What the process is."""
        return self._request("legacyRemoteDebuggerInfo", None, _info)

    def attach(self) -> bytes:
        """Begin the session."""
        return self._request("legacyRemoteDebuggerAttach", {"debugOptions": OPTIONS}, _attached)

    # -- commands

    def set_breakpoint(self, spec: r.BreakpointSpec) -> bytes:
        """Set a breakpoint."""
        more = {
            "conditionKind": 1 if spec.condition else 0,
            "condition": spec.condition,
            "passCountKind": int(spec.kind),
            "passCount": spec.count,
        }
        return self._request("legacySetBreakpoint", _place(spec) | more)

    def remove_breakpoint(self, spec: r.BreakpointSpec) -> bytes:
        """Remove one."""
        return self._request("legacyRemoveBreakpoint", _place(spec))

    def pause(self) -> bytes:
        """Stop all threads."""
        return self._request("legacyBreakAll")

    def resume(self) -> bytes:
        """Resume all threads."""
        return self._request("legacyResumeAll")

    def step(self, kind: r.StepKind, thread: int) -> bytes:
        """Step."""
        return self._request(_STEPS[kind], {"threadId": thread})

    def clear_step(self, thread: int) -> bytes:
        """Forget a step."""
        return self._request("legacyClearStepping", {"threadId": thread})

    def evaluate(
        self, text: str, thread: int, frame: int, ident: int, *, raw: bool = False, module: str = ""
    ) -> bytes:
        """Evaluate or execute: in a frame of a stopped thread, or (8 only) in a module at any time."""
        return self._request(
            "legacyExecuteText",
            {
                "text": text,
                "threadId": thread,
                "frameId": frame,
                "executionId": ident,
                "frameKind": 1,
                "reprKind": int(raw),
                "moduleName": module or None,
                "printResult": False,
            },
        )

    def children(self, text: str, thread: int, frame: int, ident: int) -> bytes:
        """Ask for the children of a value."""
        return self._request(
            "legacyEnumChildren",
            {"text": text, "threadId": thread, "frameId": frame, "executionId": ident, "frameKind": 1},
        )

    def set_line(self, thread: int, line: int) -> bytes:
        """Jump."""
        return self._request(
            "legacySetLineNumber",
            {"threadId": thread, "frameId": 0, "lineNo": line},
            lambda body: r.LineSet(bool(body["result"]), thread, _int(body, "newLineNo")),
        )

    def ask_frames(self, thread: int) -> bytes:
        """Ask for a stack."""
        return self._request("legacyGetThreadFrames", {"threadId": thread})

    def set_exceptions(self, modes: r.ExceptionModes) -> bytes:
        """Say which exceptions stop."""
        named = [{"name": name, "mode": int(mode)} for name, mode in modes.named.items()]
        return self._request(
            "legacySetExceptionInfo", {"defaultBreakOnMode": int(modes.default), "breakOn": named}
        )

    def tell_handlers(self, file: str, ranges: Sequence[r.TryRange]) -> bytes:
        """Say what a file handles."""
        statements = [
            {"lineStart": each.first, "lineEnd": each.end, "expressions": list(each.names or ("*",))}
            for each in ranges
        ]
        return self._request("legacySetExceptionHandlerInfo", {"fileName": file, "statements": statements})

    def ping(self, ident: int) -> bytes:
        """Ask for the hits of a breakpoint that need not exist."""
        return self._request(
            "legacyGetBreakpointHitCount", {"breakpointId": ident}, lambda body: r.Pong(ident)
        )

    def detach(self) -> bytes:
        """Leave."""
        return self._request("legacyDetach")

    def after_detach(self) -> bytes:
        """An unknown command ends the loop, which else would spin once we are gone."""
        return self._request("remoraGoodbye")

    def acknowledge(self) -> bytes:
        """Heard the last word."""
        return self._request("legacyLastAck")


def _place(spec: r.BreakpointSpec) -> dict[str, Any]:
    return {
        "language": _PYTHON,
        "breakpointId": spec.ident,
        "breakpointLineNo": spec.line,
        "breakpointFileName": spec.file,
    }


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{type(value).__name__} where an object belongs")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{type(value).__name__} where a list belongs")
    return value


def _int(body: Mapping[str, Any], key: str) -> int:
    value = body[key]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{key} is no whole number")
    return value


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""


def _text_or_none(body: Mapping[str, Any], key: str) -> str | None:
    value = body.get(key)
    return value if isinstance(value, str) else None


def _info(body: Mapping[str, Any]) -> r.Info:
    return r.Info(
        _int(body, "processId"), _text(body, "executable"), _text(body, "user"), _text(body, "pythonVersion")
    )


def _attached(body: Mapping[str, Any]) -> r.Said:
    if body["accepted"] is not True:
        return r.Verdict(False)
    version = (_int(body, "pythonMajor"), _int(body, "pythonMinor"), _int(body, "pythonMicro"))
    return r.Attached(_int(body, "processId"), version)


def _object(value: Any) -> r.RemoteObject:
    body = _mapping(value)
    return r.RemoteObject(
        _text_or_none(body, "objRepr"),
        _text_or_none(body, "hexRepr"),
        _text(body, "typeName"),
        _int(body, "length"),
        _int(body, "flags"),
    )


def _variables(values: Any) -> Iterator[tuple[str, r.RemoteObject]]:
    for value in _list(values):
        body = _mapping(value)
        yield _text(body, "name"), _object(body["obj"])


def _frame(value: Any) -> r.RemoteFrame:
    body = _mapping(value)
    template = _text(body, "djangoSourceFile")
    return r.RemoteFrame(
        _int(body, "startLine"),
        _int(body, "endLine"),
        _int(body, "djangoSourceLine" if template else "lineNo"),
        _text(body, "frameName"),
        template or _text(body, "fileName"),
        _int(body, "argCount"),
        list(_variables(body["variables"])),
    )


def _frames(body: Mapping[str, Any]) -> r.Said:
    frames = [_frame(each) for each in _list(body["threadFrames"])]
    return r.ThreadFrames(_int(body, "threadId"), _text_or_none(body, "threadName"), frames)


def _exception(body: Mapping[str, Any]) -> r.Said:
    data = _mapping(body["data"])
    return r.ExceptionRaised(
        _int(body, "threadId"),
        _text(data, "typename"),
        _text(data, "message"),
        data.get("breaktype") == "unhandled",
        _text(data, "trace"),
    )


def _children(body: Mapping[str, Any]) -> r.Said:
    found = [
        r.Child(_text(each, "name"), _text_or_none(each, "expression"), _object(each["obj"]))
        for each in map(_mapping, _list(body["children"]))
    ]
    return r.Children(_int(body, "executionId"), found)


def _output(body: Mapping[str, Any]) -> r.Said:
    channel = _text(body, "channel")
    if not channel and isinstance(body.get("isStdOut"), bool):  # 3.2.0
        channel = "stdout" if body["isStdOut"] else "stderr"
    return r.Output(_int(body, "threadId"), _text(body, "output"), channel)


_EVENTS: dict[str, Callable[[dict[str, Any]], r.Said]] = {
    "legacyProcessLoad": lambda body: r.ProcessLoaded(_int(body, "threadId")),
    "legacyThreadCreate": lambda body: r.ThreadSeen(_int(body, "threadId")),
    "legacyThreadExit": lambda body: r.ThreadGone(_int(body, "threadId")),
    "legacyModuleLoad": lambda body: r.ModuleLoaded(_text(body, "moduleFileName")),
    "legacyModulesChanged": lambda body: r.ModulesChanged(),
    "legacyThreadFrameList": _frames,
    "legacyBreakpointSet": lambda body: r.BreakpointBound(_int(body, "breakpointId")),
    "legacyBreakpointFailed": lambda body: r.BreakpointUnbound(_int(body, "breakpointId")),
    "legacyBreakpointHit": lambda body: r.BreakpointHit(_int(body, "breakpointId"), _int(body, "threadId")),
    "legacyStepDone": lambda body: r.StepDone(_int(body, "threadId")),
    "legacyAsyncBreak": lambda body: r.Paused(_int(body, "threadId")),
    "legacyException": _exception,
    "legacyRequestHandlers": lambda body: r.HandlersAsked(_text(body, "fileName")),
    "legacyExecutionResult": lambda body: r.Evaluated(_int(body, "executionId"), _object(body["obj"])),
    "legacyExecutionException": lambda body: r.EvaluationFailed(
        _int(body, "executionId"), _text(body, "exceptionText")
    ),
    "legacyEnumChildrenResult": _children,
    "legacyDebuggerOutput": _output,
    "legacyDetach": lambda body: r.Detached(),
    "legacyLast": lambda body: r.LastAsked(),
}
