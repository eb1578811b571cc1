from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_protocol import (
    AFTER_LOGIN_LIMIT,
    BEFORE_LOGIN_LIMIT,
    Connection,
    Event,
    LocalProtocolError,
    Message,
    RemoteProtocolError,
    Request,
    RequestFailed,
    Response,
    encode_frame,
)
from tests.protocol.messages import bodies


def all_messages(connection: Connection) -> Iterator[Message]:
    while (message := connection.next_message()) is not None:
        yield message


def deliver(data: bytes, to: Connection) -> Message:
    to.receive_data(data)
    (message,) = all_messages(to)
    return message


def test_a_conversation() -> None:
    client, server = Connection(), Connection()
    seq, data = client.request("evaluate", {"expression": "1 + 1"})
    request = deliver(data, server)
    assert request == Request(seq, "evaluate", {"expression": "1 + 1"})
    assert isinstance(request, Request)
    assert client.open_requests == {1: "evaluate"}

    assert deliver(server.event("stopped", {"threadId": 1}), client) == Event(1, "stopped", {"threadId": 1})
    answer = deliver(server.respond(request, {"result": "2"}), client)
    assert answer == Response(2, seq, "evaluate", True, None, {"result": "2"})
    assert client.open_requests == {}


def test_both_sides_may_ask_at_once() -> None:
    left, right = Connection(), Connection()
    _, question = left.request("a")
    _, other_question = right.request("b")
    asked, other_asked = deliver(question, right), deliver(other_question, left)
    assert isinstance(asked, Request)
    assert isinstance(other_asked, Request)
    assert deliver(right.respond(asked), left) == Response(2, 1, "a", True)
    assert deliver(left.respond(other_asked), right) == Response(2, 1, "b", True)


def test_a_refusal_arrives_as_it_was_made() -> None:
    client, server = Connection(), Connection()
    request = deliver(client.request("next")[1], server)
    assert isinstance(request, Request)
    answer = deliver(server.fail(request, RequestFailed("not-stopped", "Pause {it} first.")), client)
    assert isinstance(answer, Response)
    assert not answer.success
    error = RequestFailed.from_body(answer.message, answer.body)
    assert (error.code, error.text) == ("not-stopped", "Pause {it} first.")


def test_responses_may_come_in_any_order_and_once() -> None:
    client, server = Connection(), Connection()
    requests = [deliver(client.request(name)[1], server) for name in "abc"]
    answers = [server.respond(request) for request in requests if isinstance(request, Request)]
    for data in reversed(answers):
        deliver(data, client)
    client.receive_data(answers[0])
    with pytest.raises(RemoteProtocolError, match="not open") as caught:
        client.next_message()
    assert caught.value.code == "bad-request"


def test_a_body_that_cannot_be_sent_leaves_no_trace() -> None:
    connection = Connection()
    for send in (connection.request, connection.event):
        with pytest.raises(LocalProtocolError):
            send("x", {"v": object()})
    assert connection.open_requests == {}
    assert connection.request("x")[0] == 1


def test_the_end_of_the_stream() -> None:
    client, server = Connection(), Connection()
    server.receive_data(client.event("a") + client.event("b")[:-1])
    server.receive_data(b"")
    assert server.closed
    assert [type(message) for message in all_messages(server)] == [Event]
    assert server.truncated
    server.receive_data(b"")
    with pytest.raises(LocalProtocolError):
        server.receive_data(b"x")


def test_a_clean_end_is_not_truncated() -> None:
    client, server = Connection(), Connection()
    server.receive_data(client.event("a"))
    assert not server.closed
    server.receive_data(b"")
    assert len(list(all_messages(server))) == 1
    assert (server.closed, server.truncated) == (True, False)


def test_the_limit_can_be_raised_after_the_login() -> None:
    client, server = Connection(), Connection()
    assert server.limit == BEFORE_LOGIN_LIMIT
    large = client.event("output", {"output": "x" * BEFORE_LOGIN_LIMIT})
    server.receive_data(client.event("login") + large)
    server.next_message()
    server.limit = AFTER_LOGIN_LIMIT
    assert isinstance(server.next_message(), Event)
    stranger = Connection()
    stranger.receive_data(large)
    with pytest.raises(RemoteProtocolError) as caught:
        stranger.next_message()
    assert caught.value.code == "too-large"


def test_a_bad_message_spoils_only_itself() -> None:
    connection = Connection()
    connection.receive_data(encode_frame(b"{}") + Connection().event("a"))
    with pytest.raises(RemoteProtocolError):
        connection.next_message()
    assert connection.next_message() == Event(1, "a")


def test_repr_shows_no_message() -> None:
    connection = Connection()
    connection.request("attach", {"secret": "hunter2"})
    assert repr(connection) == "<Connection open, 1 sent, 1 unanswered>"


@given(st.lists(st.tuples(st.sampled_from("qe"), bodies), max_size=6), st.integers(1, 40))
def test_two_connections_joined_by_a_slow_link(sends: list[tuple[str, dict[str, object]]], size: int) -> None:
    left, right = Connection(AFTER_LOGIN_LIMIT), Connection(AFTER_LOGIN_LIMIT)
    frames = [left.event("e", body) if kind == "e" else left.request("q", body)[1] for kind, body in sends]
    link = b"".join(frames)
    back = b""
    received = []
    for start in range(0, len(link), size):
        right.receive_data(link[start : start + size])
        for message in all_messages(right):
            received.append(message.arguments if isinstance(message, Request) else message.body)
            if isinstance(message, Request):
                back += right.respond(message, message.arguments)
    assert received == [body for _, body in sends]
    for start in range(0, len(back), size):
        left.receive_data(back[start : start + size])
    answers = [message.body for message in all_messages(left) if isinstance(message, Response)]
    assert answers == [body for kind, body in sends if kind == "q"]
    assert left.open_requests == {}
