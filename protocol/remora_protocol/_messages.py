"""Bodies to Request, Response and Event and back: the envelopes of DAP, with strict shapes.

Pure functions for any thread. Whatever the bytes are, `decode_message` raises nothing but
`RemoteProtocolError`: it runs inside somebody else's program.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from json import JSONDecoder, JSONEncoder
from typing import Any, Union

from remora_protocol._errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "Event",
    "MalformedRequest",
    "Message",
    "Request",
    "Response",
    "decode_message",
    "encode_message",
]

# DAP's deepest bodies have about ten levels.
_MAX_DEPTH = 64
# 64-bit addresses have 20 digits. Long ones cost quadratic time where Python sets no limit of its own.
_MAX_DIGITS = 32
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True)
class Request:
    """Somebody wants something done."""

    seq: int
    command: str
    arguments: dict[str, Any] = field(default_factory=dict)


class MalformedRequest(RemoteProtocolError):
    """A request's arguments are no object. All else is in order: refuse it by its number, and read on.

    Attributes:
        request: the request, without arguments.
    """

    def __init__(self, request: Request, error: RemoteProtocolError) -> None:
        super().__init__(error.code, str(error))
        self.request = request


@dataclass(frozen=True)
class Response:
    """The answer to one request. Without success, `RequestFailed.from_body(message, body)` says why."""

    seq: int
    request_seq: int
    command: str
    success: bool
    message: str | None = None
    body: Any = None


@dataclass(frozen=True)
class Event:
    """Something happened."""

    seq: int
    event: str
    body: dict[str, Any] = field(default_factory=dict)


Message = Union[Request, Response, Event]


def encode_message(message: Message) -> bytes:
    """The JSON of a message, all ASCII: so lone surrogates, which Python's file names have, survive.

    Raises:
        LocalProtocolError: a body holds what JSON cannot say.
    """
    envelope: dict[str, Any]
    if isinstance(message, Request):
        envelope = {"type": "request", "command": message.command, "arguments": message.arguments}
    elif isinstance(message, Event):
        envelope = {"type": "event", "event": message.event, "body": message.body}
    else:
        envelope = {"type": "response", "request_seq": message.request_seq, "success": message.success}
        envelope["command"] = message.command
        if message.message is not None:
            envelope["message"] = message.message
        if message.body is not None:
            envelope["body"] = message.body
    try:
        text = _encode({"seq": message.seq, **envelope})
    except (TypeError, ValueError, RecursionError) as error:
        raise LocalProtocolError(f"This cannot be sent as JSON: {type(error).__name__}: {error}") from error
    return text.encode("ascii")


def decode_message(body: bytes) -> Message:
    """Read one body.

    Raises:
        MalformedRequest: nothing but the arguments of a request is wrong.
        RemoteProtocolError: "bad-request", for whatever else it may be.
    """
    envelope = _parse(body)
    if not isinstance(envelope, dict):
        raise _bad("a message is a JSON object")
    seq = _integer(envelope, "seq")
    kind = envelope.get("type")
    if kind == "request":
        command = _text(envelope, "command")
        try:
            return Request(seq, command, _object(envelope, "arguments"))
        except RemoteProtocolError as error:
            raise MalformedRequest(Request(seq, command), error) from None
    if kind == "event":
        return Event(seq, _text(envelope, "event"), _object(envelope, "body"))
    if kind != "response":
        raise _bad("'type' is one of 'request', 'response', 'event'")
    success = envelope.get("success")
    if not isinstance(success, bool):
        raise _bad("'success' is true or false")
    message = envelope.get("message")
    if message is not None and not isinstance(message, str):
        raise _bad("'message' is a text")
    request_seq = _integer(envelope, "request_seq")
    return Response(seq, request_seq, _text(envelope, "command"), success, message, envelope.get("body"))


def _parse(body: bytes) -> Any:
    if not _is_shallow(body):
        raise _bad(f"brackets match and nest at most {_MAX_DEPTH} deep")
    try:
        text = body.decode("utf-8")
        return _decode(text)
    except (ValueError, RecursionError):
        # The error's own text would quote the body, which may hold a secret (attach's arguments).
        pass
    raise _bad("a message is JSON in UTF-8, with finite numbers of at most 32 digits")


def _is_shallow(body: bytes) -> bool:
    """Whether parsing the body cannot recurse deeper than the limit.

    RecursionError is no protection: a program may have raised its recursion limit, and then the parser,
    written in C, ends that program. Each step below is one pass at C speed, in linear time.
    """
    if body.count(b"[") + body.count(b"{") <= _MAX_DEPTH:
        return True
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside_strings = b"".join(unescaped.split(b'"')[::2])
    brackets = outside_strings.translate(None, _NOT_BRACKETS)
    for _ in range(_MAX_DEPTH):
        if not brackets:
            break
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")  # the innermost level goes
    return not brackets


def _parse_int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("too many digits")
    return int(text)


def _parse_float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):  # 1e999; JSON could not carry it back
        raise ValueError("not finite")
    return number


def _refuse(text: str) -> Any:
    raise ValueError("not JSON, though Python's parser takes it")  # NaN, Infinity


# Made once, and not by way of `json.dumps` and `json.loads`: programs, and tests above all, replace those.
_encode = JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_decode = JSONDecoder(parse_int=_parse_int, parse_float=_parse_float, parse_constant=_refuse).decode


def _bad(rule: str) -> RemoteProtocolError:
    return RemoteProtocolError("bad-request", f"A message breaks the rule: {rule}.")


def _integer(envelope: dict[str, Any], name: str) -> int:
    value = envelope.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _bad(f"'{name}' is a whole number")
    return value


def _text(envelope: dict[str, Any], name: str) -> str:
    value = envelope.get(name)
    if not isinstance(value, str):
        raise _bad(f"'{name}' is a text")
    return value


def _object(envelope: dict[str, Any], name: str) -> dict[str, Any]:
    value = envelope.get(name)
    # Lua and PHP cannot tell an empty object from an empty list, so their DAP clients send [].
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise _bad(f"'{name}' is an object")
    return value
