"""Every way in which the server turns somebody away: what they are told, in a form that they can read."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from remora_protocol import encode_frame
from tests.server.certificates import make_certificate
from tests.support.dap import DapClient, Refused, trusting_context
from tests.support.interpreters import NEWEST
from tests.support.program import Program

SECRET = "open sesame"

IDLE = """\
#
import sys
for line in sys.stdin:
    pass
"""


def start(enable: dict[str, object], **more: object) -> Program:
    assert NEWEST is not None
    return Program(NEWEST, IDLE, enable=enable, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plain() -> Iterator[Program]:
    with start({"secret": SECRET}) as program:
        yield program


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def encrypted(certificate: Path) -> Iterator[Program]:
    with start({"secret": SECRET, "certfile": str(certificate)}) as program:
        yield program


def exchange(address: tuple[str, int], data: bytes) -> bytes:
    """Send, and read all that comes until the other end hangs up."""
    with socket.create_connection(address, 20) as sock:
        sock.sendall(data)
        received = b""
        while more := sock.recv(65536):
            received += more
        return received


def first_frame(received: bytes) -> dict[str, object]:
    _, _, body = received.partition(b"\r\n\r\n")
    return dict(json.loads(body))


@pytest.mark.parametrize("request_line", [b"GET / HTTP/1.1", b"POST /x HTTP/1.1", b"CONNECT host:1 HTTP/1.1"])
def test_http_is_answered_in_http(plain: Program, request_line: bytes) -> None:
    answer = exchange(plain.address, request_line + b"\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"remora attach tcp://" in answer


def test_http_within_tls_is_answered_in_http(encrypted: Program) -> None:
    with socket.create_connection(encrypted.address, 10) as sock:
        with trusting_context().wrap_socket(sock) as secured:
            secured.sendall(b"GET / HTTP/1.1\r\n\r\n")
            answer = secured.recv(4096)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"remora attach tcps://" in answer


@pytest.mark.parametrize("rubbish", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00\xff\x00\xff", b"\n", b"hello"])
def test_rubbish_is_answered_with_a_line(plain: Program, rubbish: bytes) -> None:
    answer = exchange(plain.address, rubbish)
    assert answer.startswith(b"This port belongs to Remora")
    assert answer.endswith(b"\r\n")


def test_tls_on_a_plain_port_gets_an_alert(plain: Program) -> None:
    with socket.create_connection(plain.address, 10) as sock:
        with pytest.raises(ssl.SSLError, match=r"(?i)alert.handshake.failure"):
            trusting_context().wrap_socket(sock)


def test_a_frame_on_a_tls_port_is_told_to_use_tls(encrypted: Program) -> None:
    hello = {"seq": 7, "type": "request", "command": "remora/hello", "arguments": {}}
    answer = first_frame(exchange(encrypted.address, encode_frame(json.dumps(hello).encode())))
    assert answer["message"] == "tls-required"
    assert answer["request_seq"] == 7
    assert "tcps://" in json.dumps(answer)


def test_a_frame_that_comes_in_pieces_is_one_frame(plain: Program) -> None:
    with DapClient.connect(plain.address, login=False) as client:
        body = json.dumps(
            {"seq": 1, "type": "request", "command": "remora/open", "arguments": {"pid": 1}}
        ).encode()
        for byte in encode_frame(body):
            client.send_bytes(bytes([byte]))
        with pytest.raises(Refused, match="auth-required"):
            client.finish(1)


@pytest.mark.parametrize(
    "command",
    ["threads", "evaluate", "setBreakpoints", "remora/processes", "remora/open", "configurationDone"],
)
def test_nothing_is_answered_before_the_login(plain: Program, command: str) -> None:
    with DapClient.connect(plain.address, login=False) as client:
        with pytest.raises(Refused) as caught:
            client.request(command)
        assert caught.value.code == "auth-required"


def test_the_server_says_nothing_until_it_is_asked(plain: Program) -> None:
    with socket.create_connection(plain.address, 10) as sock:
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            sock.recv(1)


def test_an_unknown_request_is_named(plain: Program) -> None:
    with DapClient.connect(plain.address, SECRET) as client:
        with pytest.raises(Refused, match=r"unknown-command.*'fly'"):
            client.request("fly")


@pytest.mark.parametrize("arguments", ["x", 5, [1], True])
def test_arguments_that_are_no_object_are_refused_and_the_connection_lives_on(
    plain: Program, arguments: object
) -> None:
    with DapClient.connect(plain.address, SECRET) as client:
        client.send({"seq": 500, "type": "request", "command": "threads", "arguments": arguments})
        with pytest.raises(Refused, match="'arguments' is an object") as caught:
            client.finish(500)
        assert caught.value.code == "bad-request"
        client.request("remora/processes")


def test_who_has_not_logged_in_has_only_so_many_of_these(plain: Program) -> None:
    wrong = {"seq": 1, "type": "request", "command": "x", "arguments": "y"}
    received = exchange(plain.address, encode_frame(json.dumps(wrong).encode()) * 20)
    assert received.count(b"bad-request: ") == 16


def test_a_version_that_nobody_speaks_is_refused_with_both_ranges(plain: Program) -> None:
    with DapClient.connect(plain.address, login=False) as client:
        with pytest.raises(Refused, match=r"versions 1 to 1 .* 7 to 9.*[Uu]pgrade") as caught:
            client.hello(protocol={"min": 7, "max": 9})
        assert caught.value.code == "version-mismatch"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"Content-Length: 99999999999\r\n\r\n", "too-large"),
        (b"Content-Length: 70000\r\n\r\n", "too-large"),
        (b"Content-Length: x\r\n\r\n", "bad-request"),
        (b"Content-Length: 3\r\n\r\n{x}", "bad-request"),
        (b"Content-Length: 2\r\n\r\n[]", "bad-request"),
        (encode_frame(b"[" * 200 + b"]" * 200), "bad-request"),
    ],
)
def test_a_malformed_message_is_answered_and_ends_the_connection(
    plain: Program, frame: bytes, code: str
) -> None:
    answer = first_frame(exchange(plain.address, frame))
    assert answer["success"] is False
    assert answer["message"] == code


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("setBreakpoints", {}),
        ("setBreakpoints", {"source": {"path": 3}}),
        ("setBreakpoints", {"source": {"path": "x.py"}, "breakpoints": [{"line": "1"}]}),
        ("setBreakpoints", {"source": {"path": "x.py"}, "breakpoints": 7}),
        ("stackTrace", {"threadId": None}),
        ("evaluate", {"expression": ["x"]}),
    ],
)
def test_wrong_arguments_are_named(plain: Program, command: str, arguments: dict[str, object]) -> None:
    with DapClient.connect(plain.address, SECRET) as client:
        client.attach()
        with pytest.raises(Refused) as caught:
            client.request(command, arguments)
        assert caught.value.code == "bad-request"
        client.request("threads")


def test_a_wrong_secret_is_refused_and_delays_the_next_attempt() -> None:
    with start({"secret": SECRET}) as program:
        with pytest.raises(Refused) as caught:
            DapClient.connect(program.address, "wrong")
        assert caught.value.code == "auth-failed"
        with pytest.raises(Refused, match=r"wait [0-9.]+ seconds") as caught:
            DapClient.connect(program.address, SECRET)
        assert caught.value.code == "auth-throttled"
        wait = float(re.search(r"wait ([0-9.]+) seconds", caught.value.text)[1])  # type: ignore[index]
        assert wait <= 0.3
        # Others are not made to wait for it.
        with socket.create_connection(program.address, 10, source_address=("127.0.0.2", 0)) as sock:
            other = DapClient(sock)
            other.login(SECRET)
        deadline = time.monotonic() + 5
        while True:
            try:
                DapClient.connect(program.address, SECRET).close()
                break
            except Refused as refused:
                if refused.code != "auth-throttled" or time.monotonic() > deadline:
                    raise


def test_two_hundred_idle_connections_do_not_keep_a_good_client_out() -> None:
    with start({"secret": SECRET}) as program:
        idle = [socket.create_connection(program.address, 10) for _ in range(200)]
        try:
            begun = time.monotonic()
            with DapClient.connect(program.address, SECRET) as client:
                client.request("remora/processes")
            assert time.monotonic() - begun < 5  # not only when the idle ones are let go, after ten seconds
        finally:
            for sock in idle:
                sock.close()


def test_who_does_not_log_in_is_let_go_after_ten_seconds(plain: Program) -> None:
    begun = time.monotonic()
    assert exchange(plain.address, b"Content-Len") == b""
    assert 9 < time.monotonic() - begun < 14


def test_another_process_is_not_to_be_found_here(plain: Program) -> None:
    with DapClient.connect(plain.address, SECRET) as client:
        assert client.request("remora/open", pid=plain.pid) == {}
        with pytest.raises(Refused) as caught:
            client.request("remora/open", pid=1)
        assert caught.value.code == "no-such-process"


def test_a_second_client_hears_who_is_there_and_can_take_over(plain: Program) -> None:
    with (
        DapClient.connect(plain.address, SECRET) as first,
        DapClient.connect(plain.address, SECRET) as second,
    ):
        first.attach()
        second.initialize()
        with pytest.raises(
            Refused, match=r"tests@127\.0\.0\.1:\d+ since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
        ) as caught:
            second.request("attach")
        assert caught.value.code == "already-attached"
        second.attach(initialize=False, force=True)
        told = first.expect_event("output", category="important")
        assert "took over" in told["output"]
        first.expect_event("terminated")
        first.wait_closed()
        second.request("threads")


def test_the_secret_is_in_no_log_and_no_list(tmp_path: Path) -> None:
    log = tmp_path / "remora.log"
    with start({"secret": SECRET}, env={"REMORA_LOG": f"{log}:debug"}) as program:
        with pytest.raises(Refused):
            DapClient.connect(program.address, "not " + SECRET)
        with socket.create_connection(program.address, 10, source_address=("127.0.0.3", 0)) as sock:
            client = DapClient(sock)
            client.initialize()
            client.attach(initialize=False, secret=SECRET)
            processes = client.request("remora/processes")
        assert SECRET not in json.dumps(processes)
        exchange(program.address, b"GET / HTTP/1.1\r\n\r\n")
        text = log.read_text()
    assert SECRET not in text
    assert re.search(r"warning tests@127\.0\.0\.1:\d+ refused: The secret is wrong", text)
    assert re.search(r"warning 127\.0\.0\.1:\d+ refused: it speaks HTTP", text)
    assert re.search(r"info tests@127\.0\.0\.3:\d+ attached", text)


def test_every_refusal_is_logged_with_who_and_why(tmp_path: Path) -> None:
    log = tmp_path / "remora.log"
    enable: dict[str, object] = {"secret": SECRET, "observer_secret": "look only"}
    with start(enable, env={"REMORA_LOG": str(log)}) as program:
        with DapClient.connect(program.address, login=False) as client:
            for attempt in (
                lambda: client.hello(protocol={"min": 7, "max": 9}),
                lambda: client.request("threads"),
            ):
                with pytest.raises(Refused):
                    attempt()
        with DapClient.connect(program.address, SECRET).attach():
            with DapClient.connect(program.address, SECRET) as second:
                with pytest.raises(Refused):
                    second.attach()
            with DapClient.connect(program.address, login=False) as observer:
                observer.login("look only", user="observer")
                observer.attach()
                with pytest.raises(Refused):
                    observer.evaluate("1 + 1")
        for _ in range(2):
            with pytest.raises(Refused):
                DapClient.connect(program.address, "wrong")
        with contextlib.suppress(ConnectionError), DapClient.connect(program.address, login=False) as client:
            client.send_bytes(b"Content-Length: x\r\n\r\n")
            client.wait_closed()
        text = log.read_text()
    for why in (
        r"hello refused: version-mismatch: .*versions 1 to 1",
        r"threads refused: auth-required",
        r"attach refused: already-attached",
        r"evaluate refused: not-supported: An observer",
        r"refused: The secret is wrong",
        r"(refused: auth-throttled|has to wait)",
        r"malformed message|refused: ",
    ):
        assert re.search(rf"warning \S*127\.0\.0\.1:\d+.*{why}", text), (why, text)
    assert SECRET not in text
    assert "look only" not in text
