from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_protocol import (
    Event,
    LocalProtocolError,
    MalformedRequest,
    Message,
    RemoteProtocolError,
    Request,
    Response,
    decode_message,
    encode_message,
)
from tests.protocol.messages import messages, values

EVENT = b'{"seq": 1, "type": "event", "event": "x", "body": {"v": %b}}'


@given(messages)
def test_messages_survive(message: Message) -> None:
    data = encode_message(message)
    data.decode("ascii")
    assert decode_message(data) == message


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_a_message_or_a_refusal(data: bytes) -> None:
    for body in (data, EVENT % data):
        with contextlib.suppress(RemoteProtocolError):
            decode_message(body)


envelopes = st.fixed_dictionaries(
    {},
    optional={
        "seq": values,
        "type": st.sampled_from(["request", "response", "event"]) | values,
        "command": values,
        "arguments": values,
        "event": values,
        "body": values,
        "success": values,
        "message": values,
        "request_seq": values,
    },
)


@given(envelopes)
def test_any_object_gives_a_well_shaped_message_or_a_refusal(envelope: dict[str, Any]) -> None:
    try:
        message = decode_message(json.dumps(envelope).encode())
    except RemoteProtocolError:
        return
    assert type(message.seq) is int
    if isinstance(message, Request):
        assert isinstance(message.command, str)
        assert isinstance(message.arguments, dict)
    elif isinstance(message, Event):
        assert isinstance(message.event, str)
        assert isinstance(message.body, dict)
    else:
        assert (type(message.request_seq), type(message.success)) == (int, bool)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"seq": 1, "type": "request", "command": "next"}, Request(1, "next")),
        ({"seq": 1, "type": "request", "command": "next", "arguments": None}, Request(1, "next")),
        ({"seq": 1, "type": "request", "command": "next", "arguments": []}, Request(1, "next")),
        ({"seq": 0, "type": "event", "event": "initialized", "more": 1}, Event(0, "initialized")),
        (
            {"seq": 3, "type": "response", "request_seq": 1, "success": True, "command": "next"},
            Response(3, 1, "next", True),
        ),
        (
            {
                "seq": 3,
                "type": "response",
                "request_seq": 1,
                "success": False,
                "command": "a",
                "message": "b",
            },
            Response(3, 1, "a", False, "b"),
        ),
    ],
)
def test_shapes_that_are_taken(body: dict[str, Any], message: Message) -> None:
    assert decode_message(json.dumps(body).encode()) == message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"seq": true, "type": "event", "event": "x"}',
        b'{"seq": "1", "type": "event", "event": "x"}',
        b'{"seq": 1.0, "type": "event", "event": "x"}',
        b'{"seq": 1, "type": "event"}',
        b'{"seq": 1, "type": "gossip", "event": "x"}',
        b'{"seq": 1, "type": ["event"], "event": "x"}',
        b'{"seq": 1, "type": "request", "command": 1}',
        b'{"seq": 1, "type": "request", "command": "x", "arguments": [1]}',
        b'{"seq": 1, "type": "request", "command": "x", "arguments": "y"}',
        b'{"seq": 1, "type": "response", "command": "x", "success": 1, "request_seq": 1}',
        b'{"seq": 1, "type": "response", "command": "x", "success": true}',
        b'{"seq": 1, "type": "response", "command": "x", "success": true, "request_seq": 1, "message": 2}',
        b'\xef\xbb\xbf{"seq": 1, "type": "event", "event": "x"}',
        '{"seq": 1, "type": "event", "event": "x"}'.encode("utf-16"),
        EVENT % b'"\xff"',
        EVENT % b'"\xed\xa0\x80"',
        EVENT % b"NaN",
        EVENT % b"-Infinity",
        EVENT % b"1e999",
        EVENT % (b"1" * 33),
        EVENT % (b"1" * 60_000),
        EVENT % (b"[" * 60_000),
        EVENT % (b'{"a":' * 20_000),
        EVENT % (b"[" * 64 + b"]" * 64),
        EVENT % b"1,",
        (EVENT % b"1")[:-1],
        (EVENT % b"1") + b"x",
    ],
)
def test_what_is_refused(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode_message(body)
    assert caught.value.code == "bad-request"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("arguments", ["[1]", '"y"', "5", "false"])
def test_a_request_with_wrong_arguments_can_be_refused_by_its_number(arguments: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        decode_message(b'{"seq": 7, "type": "request", "command": "x", "arguments": %s}' % arguments.encode())
    assert caught.value.request == Request(7, "x")
    assert caught.value.code == "bad-request"


def test_a_refusal_does_not_quote_the_message() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode_message(b'{"command": "attach", "arguments": {"secret": "hunter2"},,}')
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


def test_brackets_in_strings_do_not_count() -> None:
    text = '["{' * 200 + '\\"' + "\\" * 5
    event = Event(1, "output", {"output": text, "more": [[{}, []]] * 100})
    assert decode_message(encode_message(event)) == event


def test_nesting_up_to_the_limit_is_taken() -> None:
    for wide in (b"[]", b"[" + b"[]," * 5000 + b"[]]"):
        deep = b"[" * 58 + wide + b"]" * 58
        assert decode_message(EVENT % deep).seq == 1


def test_nesting_beyond_the_limit_is_refused() -> None:
    """Though Python's own parser would take it."""
    for deep in (b"[" * 70 + b"]" * 70, b'{"a":' * 70 + b"1" + b"}" * 70):
        with pytest.raises(RemoteProtocolError, match="nest at most"):
            decode_message(EVENT % deep)


@pytest.mark.parametrize("piece", [b'\\"', b'"', b"[", b"[{", b"[[]", b'"\\', b"1,", b"\\", b"{}[]"])
def test_no_64_kilobytes_take_long(piece: bytes) -> None:
    started = time.process_time()
    for body in (piece * (65_536 // len(piece)), b'"' + piece * (65_535 // len(piece))):
        with pytest.raises(RemoteProtocolError):
            decode_message(body)
    assert time.process_time() - started < 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: {2: {3}}}, b"x"])
def test_what_json_cannot_say_is_our_own_fault(value: object) -> None:
    with pytest.raises(LocalProtocolError):
        encode_message(Event(1, "x", {"v": value}))


def test_a_body_that_holds_itself_is_our_own_fault() -> None:
    body: dict[str, Any] = {}
    body["body"] = body
    with pytest.raises(LocalProtocolError):
        encode_message(Event(1, "x", body))
