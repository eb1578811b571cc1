from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from remora_protocol import (
    MECHANISM,
    MECHANISM_PLUS,
    PROTOCOL_VERSIONS,
    Connection,
    Hello,
    RemoteProtocolError,
    Request,
    RequestFailed,
    Response,
    ScramClient,
    ScramServer,
    Verifier,
    authenticate_arguments,
    authenticate_body,
    choose_mechanism,
    hello_arguments,
    hello_body,
    negotiate,
    read_authenticate_arguments,
    read_authenticate_body,
    read_hello_body,
)
from tests.protocol.messages import values


@pytest.mark.parametrize(
    ("theirs", "ours", "version"),
    [((1, 1), (1, 1), 1), ((1, 5), (2, 3), 3), ((2, 3), (1, 5), 3), ((1, 2), (2, 9), 2), ((3, 4), (1, 3), 3)],
)
def test_the_newest_version_that_both_speak(
    theirs: tuple[int, int], ours: tuple[int, int], version: int
) -> None:
    assert negotiate({"min": theirs[0], "max": theirs[1]}, ours) == version


@pytest.mark.parametrize(
    ("theirs", "ours", "words"),
    [
        ((4, 5), (1, 3), ["1 to 3", "4 to 5", "The server is the older", "where the program runs"]),
        ((1, 1), (2, 3), ["2 to 3", "1 to 1", "The client is the older", "on your own machine"]),
    ],
)
def test_a_mismatch_says_which_side_to_upgrade(
    theirs: tuple[int, int], ours: tuple[int, int], words: list[str]
) -> None:
    with pytest.raises(RequestFailed) as caught:
        negotiate({"min": theirs[0], "max": theirs[1]}, ours)
    assert caught.value.code == "version-mismatch"
    for word in words:
        assert word in caught.value.text


@pytest.mark.parametrize(
    "theirs",
    [
        {},
        {"min": 1},
        {"min": 2, "max": 1},
        {"min": True, "max": 1},
        {"min": "1", "max": "1"},
        {"min": 0, "max": 1},
    ],
)
def test_ranges_that_are_none(theirs: dict[str, Any]) -> None:
    with pytest.raises(RequestFailed) as caught:
        negotiate(theirs)
    assert caught.value.code == "bad-request"


@pytest.mark.parametrize(
    ("offered", "tls", "chosen"),
    [
        ([], False, None),
        ([], True, None),
        ([MECHANISM], False, MECHANISM),
        ([MECHANISM_PLUS], True, MECHANISM_PLUS),
        ([MECHANISM, "SCRAM-SHA-512", MECHANISM_PLUS], True, MECHANISM_PLUS),
    ],
)
def test_the_login_to_use(offered: list[str], tls: bool, chosen: str | None) -> None:
    assert choose_mechanism(offered, tls=tls) == chosen


@pytest.mark.parametrize(
    ("offered", "tls", "words"),
    [
        ([MECHANISM], True, "somebody may stand in between"),
        ([MECHANISM_PLUS], False, f"does not offer the login {MECHANISM}"),
        (["PLAIN"], False, "does not offer"),
        (["PLAIN"], True, "does not offer"),
    ],
)
def test_no_login_that_is_less_than_it_could_be(offered: list[str], tls: bool, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words) as caught:
        choose_mechanism(offered, tls=tls)
    assert caught.value.code == "not-supported"


def test_hello_there_and_back() -> None:
    arguments = hello_arguments("remora", "0.1.0")
    assert arguments["protocol"] == {"min": PROTOCOL_VERSIONS[0], "max": PROTOCOL_VERSIONS[1]}
    body = hello_body(negotiate(arguments["protocol"]), "remora", "0.1.0", [MECHANISM])
    assert read_hello_body(body) == Hello(PROTOCOL_VERSIONS[1], "remora", "0.1.0", (MECHANISM,))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"protocol": 2}, "version-mismatch"),
        ({"protocol": "1"}, "bad-request"),
        ({"server": "remora"}, "bad-request"),
        ({"server": {"name": "remora"}}, "bad-request"),
        ({"mechanisms": None}, "bad-request"),
        ({"mechanisms": [1]}, "bad-request"),
        ({"mechanisms": MECHANISM}, "bad-request"),
    ],
)
def test_hellos_that_are_none(change: dict[str, Any], code: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        read_hello_body({**hello_body(1, "remora", "0.1.0", []), **change})
    assert caught.value.code == code


@pytest.mark.parametrize(
    "arguments",
    [{}, {"mechanism": MECHANISM}, {"mechanism": 1, "data": ""}, {"mechanism": MECHANISM, "data": "!"}],
)
def test_logins_that_are_none(arguments: dict[str, Any]) -> None:
    with pytest.raises(RequestFailed) as caught:
        read_authenticate_arguments(arguments)
    assert caught.value.code == "bad-request"


@given(values)
def test_no_body_raises_anything_else(body: Any) -> None:
    for read in (read_hello_body, read_authenticate_body):
        with pytest.raises(RemoteProtocolError):
            read(body)


@pytest.mark.parametrize("binding", [None, b"hash of the certificate"])
def test_a_whole_login_over_two_connections(binding: bytes | None) -> None:
    here, there = Connection(), Connection()
    login_there = ScramServer(Verifier.from_secret("my secret"), channel_binding=binding)

    def ask(command: str, arguments: dict[str, Any]) -> Any:
        there.receive_data(here.request(command, arguments)[1])
        request = there.next_message()
        assert isinstance(request, Request)
        here.receive_data(there.respond(request, answer(request)))
        response = here.next_message()
        assert isinstance(response, Response)
        return response.body

    def answer(request: Request) -> dict[str, Any]:
        if request.command == "remora/hello":
            version = negotiate(request.arguments["protocol"])
            return hello_body(version, "remora", "0.1.0", login_there.mechanisms)
        mechanism, data = read_authenticate_arguments(request.arguments)
        if login_there.started:
            return authenticate_body(login_there.finish(data), done=True)
        return authenticate_body(login_there.start(mechanism, data), done=False)

    hello = read_hello_body(ask("remora/hello", hello_arguments("remora", "0.1.0")))
    mechanism = choose_mechanism(hello.mechanisms, tls=binding is not None)
    assert mechanism is not None
    login_here = ScramClient("my secret", mechanism, channel_binding=binding)
    body = ask("remora/authenticate", authenticate_arguments(mechanism, login_here.first()))
    server_first, done = read_authenticate_body(body)
    assert not done
    data = login_here.receive(server_first)
    server_final, done = read_authenticate_body(
        ask("remora/authenticate", authenticate_arguments(mechanism, data))
    )
    assert done
    login_here.finish(server_final)
    assert login_there.user == "remora"
