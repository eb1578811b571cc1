"""Every way in which connecting goes wrong: the layer, the exit code, and what to do about it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from remora import _opening
from remora_client import _targets
from remora_client._connecting import _greeting
from remora_client._connecting._connect import ConnectOptions, connect
from remora_client._errors import (
    ConnectError,
    NameNotFound,
    NotARemora,
    PlainPort,
    Refused,
    Rejected,
    SecretNeeded,
    Silent,
    TimedOut,
    TlsPort,
    Unreachable,
    UsageError,
    VersionMismatch,
)
from remora_client._transport import _dial, _met, _tls
from remora_protocol import RequestFailed, encode_frame, hello_body, parse_qualifier
from tests.client.servers import SECRET, Files, Remora, Server

FAST = ConnectOptions(timeout=3)


def try_connect(qualifier: str, options: ConnectOptions = FAST) -> bool:
    """Connects and hangs up; whether it was a Remora."""

    async def run() -> bool:
        link = await connect(parse_qualifier(qualifier), options)
        await link.close()
        return link.is_remora

    return asyncio.run(run())


def failure(qualifier: str, options: ConnectOptions = FAST) -> ConnectError:
    with pytest.raises(ConnectError) as caught:
        try_connect(qualifier, options)
    text = str(caught.value)
    assert SECRET not in text
    assert "\x1b" not in text
    return caught.value


def says(*parts: bytes) -> Callable[[socket.socket], None]:
    """A server that answers the first bytes with something, and hangs up."""

    def handle(sock: socket.socket) -> None:
        sock.recv(65536)
        for part in parts:
            sock.sendall(part)

    return handle


def test_a_good_login() -> None:
    server = Remora()
    with Server(server) as listener:
        assert try_connect(f"tcp://{SECRET}@{listener.place}")
    assert server.logins == 1


def test_a_good_login_over_tls_with_the_authority_given(certificate: Files) -> None:
    server = Remora(certificate=certificate.der)
    with Server(server, certificate.context()) as listener:
        options = ConnectOptions(cafile=certificate.certfile, timeout=3)
        assert try_connect(f"tcps://{SECRET}@{listener.place}", options)
    assert server.logins == 1


# -- names and TCP


def test_a_name_that_nobody_has() -> None:
    error = failure("tcp://nosuch.invalid")
    assert isinstance(error, NameNotFound)
    assert (error.exit_code, error.layer) == (3, "dns")
    assert "nosuch.invalid" in str(error)


def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*arguments: object, **more: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert "name server" in str(failure("tcp://host"))


def test_a_name_look_up_that_hangs_does_not_hang_us(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def look_up(*arguments: object, **more: object) -> list[object]:
        release.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    started = time.monotonic()
    assert isinstance(failure("tcp://host", ConnectOptions(timeout=0.1)), NameNotFound)
    assert time.monotonic() - started < 5
    release.set()


def test_nothing_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        error = failure(f"tcp://{SECRET}@127.0.0.1:{bound.getsockname()[1]}")
    assert isinstance(error, Refused)
    assert error.exit_code == 3
    assert "enable_attach" in error.remedy
    assert "firewall" in error.remedy


@pytest.mark.parametrize(
    ("raised", "kind", "word"),
    [
        (OSError(errno.ENETUNREACH, "Network is unreachable"), Unreachable, "VPN"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), Unreachable, "VPN"),
        (OSError(errno.EACCES, "Permission denied"), Unreachable, "firewall"),
        (TimeoutError(), TimedOut, "firewall"),
        (OSError(errno.EIO, "odd"), ConnectError, "odd"),
    ],
)
def test_other_failures_of_tcp(
    monkeypatch: pytest.MonkeyPatch, raised: OSError, kind: type[ConnectError], word: str
) -> None:
    async def fail(*arguments: object) -> socket.socket:
        raise raised

    monkeypatch.setattr(_dial, "_connect", fail)
    error = failure("tcp://127.0.0.1")
    assert type(error) is kind
    assert error.exit_code == 3
    assert word in str(error)


def test_the_addresses_of_a_name_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds: list[float] = []

    async def look_up(host: str, port: int, timeout: float) -> list[tuple[int, tuple[str, int]]]:
        await asyncio.sleep(0.2)
        return [(socket.AF_INET, (f"192.0.2.{number}", port)) for number in (1, 2, 3)]

    async def say_nothing(family: int, address: object, timeout: float) -> socket.socket:
        seconds.append(timeout)
        await asyncio.sleep(timeout)
        raise TimeoutError

    monkeypatch.setattr(_dial, "resolve", look_up)
    monkeypatch.setattr(_dial, "_connect", say_nothing)
    with pytest.raises(TimedOut, match=r"within 0\.5 s"):
        asyncio.run(_dial.dial("many.invalid", 5678, 0.5))
    assert len(seconds) == 3
    assert sum(seconds) <= 0.3


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a full queue refuses")
def test_a_local_socket_that_takes_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a process that was stopped by a signal, and that many have asked since."""
    path = str(tmp_path / "1.sock")
    monkeypatch.setattr(_targets, "local_sockets", lambda: [(path, 1)])
    silent: list[tuple[int, str]] = []
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as before:
        listener.bind(path)
        listener.listen(0)
        before.connect(path)
        found = asyncio.run(_targets.local_processes(0.3, lambda pid, why: silent.append((pid, why))))
        assert found == []
        assert silent == [(1, "it takes no connection")]
        with pytest.raises(Silent, match="kill -CONT 1"):
            asyncio.run(_targets.link_to("1", ConnectOptions(timeout=0.3)))
        with pytest.raises(TimedOut, match="nobody takes the connection"):
            asyncio.run(connect(parse_qualifier(f"unix://{path}"), ConnectOptions(timeout=0.3)))
        assert os.path.exists(path)  # somebody is behind it


def test_who_is_cancelled_in_a_handshake_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """At whatever moment, and the connection that was just made is given up."""
    writer = mock.Mock()

    async def open_at_once(**arguments: object) -> tuple[object, object]:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return object(), writer

    async def run() -> None:
        monkeypatch.setattr(asyncio, "open_connection", open_at_once)
        with socket.socket() as sock, pytest.raises(asyncio.CancelledError):
            await _tls._handshake(sock, "host", ssl.create_default_context(), 1)

    asyncio.run(run())
    writer.transport.abort.assert_called_once_with()


def test_a_server_that_says_nothing() -> None:
    with Server(_wait_for_end) as listener:
        error = failure(f"tcp://{listener.place}", ConnectOptions(timeout=0.3))
    assert isinstance(error, TimedOut)
    assert "frozen" in error.remedy


def _wait_for_end(sock: socket.socket) -> None:
    while sock.recv(65536):
        pass


# -- not a Remora


@pytest.mark.parametrize("scheme", ["tcp", "tcps"])
def test_one_deadline_is_for_all_steps(scheme: str) -> None:
    """Who is a little slow at each of them is silent, too; and nobody waits for the goodbye of one who is."""

    def hello(server: Remora, arguments: object) -> dict[str, object]:
        time.sleep(1.5)
        return {"protocol": 1, "server": {"name": "x", "version": "1"}, "mechanisms": ["SCRAM-SHA-256"]}

    def authenticate(server: Remora, arguments: object) -> None:
        time.sleep(1.5)
        raise RequestFailed("auth-failed", "no")

    def mute(sock: socket.socket) -> None:
        while sock.recv(1000):
            pass

    slow = Remora(answers={"remora/hello": hello, "remora/authenticate": authenticate})
    with Server(slow if scheme == "tcp" else mute) as listener:
        began = time.monotonic()
        error = failure(f"{scheme}://{SECRET}@{listener.place}", ConnectOptions(timeout=2))
        assert 1.9 < time.monotonic() - began < 2.9
    assert isinstance(error, TimedOut)
    assert "within 2 s" in str(error)


@pytest.mark.parametrize(
    ("said", "guess"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n", "web server"),
        (b"\x1b]0;owned\x07garbage \x00\xff\r\n\r\n", "not a Remora"),
        (b"-ERR unknown command\r\n", "Redis"),
        (b"", "without a word"),
    ],
)
def test_what_is_not_a_remora_is_shown_and_made_visible(said: bytes, guess: str) -> None:
    with Server(says(said)) as listener:
        error = failure(f"tcp://{listener.place}")
    assert isinstance(error, NotARemora)
    assert error.exit_code == 6
    assert guess in str(error)
    if said.startswith(b"\x1b"):
        assert r"\x1b]0;owned\x07garbage \x00" in str(error)


@pytest.mark.parametrize(
    ("greeting", "guess"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"),
        (b"220 mail.example ESMTP\r\n", "mail"),
    ],
)
@pytest.mark.parametrize("scheme", ["tcp", "tcps"])
def test_who_speaks_first_is_told_apart_and_sent_nothing(greeting: bytes, guess: str, scheme: str) -> None:
    got = []

    def greet(sock: socket.socket) -> None:
        sock.sendall(greeting)
        got.append(sock.recv(100))

    with Server(greet) as listener:
        error = failure(f"{scheme}://{listener.place}")
    assert isinstance(error, NotARemora)
    assert guess in str(error)
    assert got in ([], [b""])  # a reset, or at most an end: not a byte of ours


def test_a_greeting_that_comes_while_the_client_is_held_up_is_heard() -> None:
    """It is there when the moments are over in which one is waited for; we have been busy with others."""

    async def run() -> bytes:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)

        def be_busy() -> None:
            theirs.sendall(b"PTVSDBG" + bytes(8))
            time.sleep(0.3)

        with ours, theirs:
            asyncio.get_running_loop().call_later(0.02, be_busy)
            return await _greeting.listen(ours, "host:5678", 10)

    assert asyncio.run(run()).startswith(b"PTVSDBG")


def test_any_other_debug_adapter_will_do() -> None:
    """debugpy sends events first; another one refuses our hello."""
    greeting = encode_frame(b'{"type":"event","seq":1,"event":"output","body":{"output":"hi"}}')

    def greet(sock: socket.socket) -> None:
        sock.sendall(greeting)
        _wait_for_end(sock)

    with Server(greet) as listener:
        assert not try_connect(f"tcp://{listener.place}")

    def no_hello(server: Remora, arguments: object) -> None:
        raise RequestFailed("unknown-command", "What?")

    with Server(Remora(answers={"remora/hello": no_hello})) as listener:
        assert not try_connect(f"tcp://{listener.place}")


def test_an_endpoint_that_was_met_costs_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_greeting, "_SECONDS", 1.5)  # so that a loaded machine cannot make up for it
    with Server(Remora(secret=None)) as listener:
        started = time.monotonic()
        try_connect(f"tcp://{listener.place}")
        first = time.monotonic() - started
        assert _met.is_silent(listener.place)
        started = time.monotonic()
        try_connect(f"tcp://{listener.place}")
        second = time.monotonic() - started
    assert first >= 1.5
    assert second < 1.5


def test_the_cache_of_endpoints_may_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "configuration" / "cache").mkdir(parents=True)
    (tmp_path / "configuration" / "cache" / "endpoints.json").write_text("{broken")
    with Server(Remora(secret=None)) as listener:
        assert try_connect(f"tcp://{listener.place}")


# -- the two mix-ups of TLS


def test_tls_to_a_plain_remora() -> None:
    with Server(Remora()) as listener:
        error = failure(f"tcps://{SECRET}@{listener.place}")
    assert isinstance(error, PlainPort)
    assert error.exit_code == 3
    assert "tcp://" in error.remedy


def test_tls_to_a_web_server() -> None:
    with Server(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as listener:
        assert isinstance(failure(f"tcps://{listener.place}"), NotARemora)


def test_plain_to_a_tls_port(certificate: Files) -> None:
    with Server(Remora(certificate=certificate.der), certificate.context()) as listener:
        error = failure(f"tcp://{SECRET}@{listener.place}")
    # A bare ssl server says nothing that could be read; a Remora does, below.
    assert isinstance(error, (TlsPort, NotARemora))
    assert "tcps://" in str(error)


def test_plain_to_a_remora_with_tls() -> None:
    def refuse(server: Remora, arguments: object) -> None:
        raise RequestFailed("tls-required", "This port speaks TLS.")

    with Server(Remora(answers={"remora/hello": refuse})) as listener:
        error = failure(f"tcp://{listener.place}")
    assert isinstance(error, TlsPort)
    assert f"tcps://{listener.place}" in error.remedy


def test_a_tls_alert_means_tls() -> None:
    with Server(says(b"\x15\x03\x03\x00\x02\x02\x46")) as listener:
        assert isinstance(failure(f"tcp://{listener.place}"), TlsPort)


# -- hello and login


def test_versions_that_do_not_fit() -> None:
    def refuse(server: Remora, arguments: object) -> None:
        raise RequestFailed("version-mismatch", "The server speaks 7 to 8 and the client 1 to 1: upgrade.")

    for hello in (refuse, lambda server, arguments: hello_body(99, "remora", "9", [])):
        with Server(Remora(answers={"remora/hello": hello})) as listener:
            error = failure(f"tcp://{listener.place}")
        assert isinstance(error, VersionMismatch)
        assert error.exit_code == 6


def test_a_wrong_secret() -> None:
    with Server(Remora("another")) as listener:
        error = failure(f"tcp://{SECRET}@{listener.place}")
    assert isinstance(error, Rejected)
    assert error.exit_code == 4
    assert "secret" in str(error)
    assert "between" not in str(error)  # no talk of attackers where it is a typing error


def test_too_many_attempts() -> None:
    def refuse(server: Remora, arguments: object) -> None:
        raise RequestFailed("auth-throttled", "Wait 4 seconds.")

    with Server(Remora(answers={"remora/authenticate": refuse})) as listener:
        error = failure(f"tcp://{SECRET}@{listener.place}")
    assert error.exit_code == 4
    assert "Wait 4 seconds" in str(error)


def test_a_short_wait_is_waited_for() -> None:
    tries = []

    def refuse_once(server: Remora, arguments: dict[str, str]) -> object:
        tries.append(arguments)
        if len(tries) == 1:
            raise RequestFailed("auth-throttled", "After 1 wrong secrets, wait 0.1 seconds before the next.")
        raise RequestFailed("auth-failed", "no")

    with Server(Remora(answers={"remora/authenticate": refuse_once})) as listener:
        assert "rejects the secret" in str(failure(f"tcp://{SECRET}@{listener.place}"))
    assert len(tries) == 2


def test_no_secret_and_nobody_to_ask() -> None:
    with Server(Remora()) as listener:
        error = failure(f"tcp://{listener.place}")
    assert isinstance(error, SecretNeeded)
    assert error.exit_code == 4
    assert "REMORA_SECRET" in error.remedy


def test_where_a_secret_comes_from_and_in_which_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    file.write_text("from file\n")
    for given, expected in (("qualifier@", "qualifier"), ("", "from file")):
        monkeypatch.setenv("REMORA_SECRET", "from environment")
        with Server(Remora(expected)) as listener:
            options = ConnectOptions(secret_file=str(file), timeout=3, ask_secret=lambda place: "asked")
            assert try_connect(f"tcp://{given}{listener.place}", options)
    asked = ConnectOptions(timeout=3, ask_secret=lambda place: "asked")
    with Server(Remora("from environment")) as listener:
        assert try_connect(f"tcp://{listener.place}", asked)
    monkeypatch.delenv("REMORA_SECRET")
    with Server(Remora("asked")) as listener:
        assert try_connect(f"tcp://{listener.place}", asked)
        assert listener.connections == 2  # nobody can type within a server's ten seconds


def test_a_secret_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        try_connect("tcp://127.0.0.1", ConnectOptions(secret_file=str(tmp_path / "none")))


def test_a_server_that_does_not_know_the_secret() -> None:
    """It copies the honest one's words and cannot copy the proof."""

    def fake(server: Remora, arguments: dict[str, str]) -> dict[str, object]:
        first = base64.b64decode(arguments["data"]).decode()
        if first.startswith("n,"):
            nonce = first.rpartition("r=")[2] + "more"
            answer = f"r={nonce},s={base64.b64encode(b'salt-salt').decode()},i=4096"
            return {"data": base64.b64encode(answer.encode()).decode(), "done": False}
        answer = "v=" + base64.b64encode(b"x" * 32).decode()
        return {"data": base64.b64encode(answer.encode()).decode(), "done": True}

    with Server(Remora(answers={"remora/authenticate": fake})) as listener:
        error = failure(f"tcp://{SECRET}@{listener.place}")
    assert error.exit_code == 4
    assert "did not prove" in str(error)


def test_a_server_that_asks_for_no_secret_does_not_get_past_one_that_was_given() -> None:
    def not_known(server: Remora, arguments: object) -> None:
        raise RequestFailed("unknown-command", "what?")

    for server in (Remora(secret=None), Remora(answers={"remora/hello": not_known})):
        with Server(server) as listener:
            error = failure(f"tcp://{SECRET}@{listener.place}")
        assert error.exit_code == 4
        assert "asks for no secret" in str(error)
        assert SECRET not in str(error)


def test_who_was_a_remora_is_sent_no_secret_when_it_greets_as_a_ptvsd() -> None:
    """An old ptvsd gets the secret in clear, so whoever stands in between would like to pose as one."""
    heard = b""

    def liar(sock: socket.socket) -> None:
        nonlocal heard
        if listener.connections == 1:
            Remora()(sock)
            return
        sock.sendall(b"PTVSDBG\0\0\0\0\0\0\0\x08")
        with contextlib.suppress(OSError):
            while data := sock.recv(4096):
                heard += data

    with Server(liar) as listener:
        place = f"tcp://{SECRET}@{listener.place}"
        assert try_connect(place)
        error = failure(place)
    assert error.exit_code == 4
    assert "was a Remora" in str(error)
    assert SECRET.encode() not in heard


# -- hostile servers


@pytest.mark.parametrize(
    "answer",
    [
        b"Content-Length: 10000000000\r\n\r\n",
        b"Content-Length: 70000\r\n\r\n" + b"x" * 70000,
        b"Content-Length: " + b"9" * 5000,
        encode_frame(b"[" * 30000 + b"]" * 30000),
        encode_frame(b'{"type":"response","seq":1,"request_seq":99,"command":"x","success":true}'),
        encode_frame(b'{"type":"response","seq":1,"request_seq":1,"command":"x","success":true,"body":7}'),
        encode_frame(b"not JSON"),
        encode_frame(b'{"type":"event","seq":1,"event":"output"}') * 1000,
    ],
    ids=["huge", "too-large", "endless-header", "nesting", "unasked", "no-object", "no-json", "flood"],
)
def test_a_hostile_server_gets_nowhere(answer: bytes) -> None:
    with Server(says(answer)) as listener:
        error = failure(f"tcp://{listener.place}")
    assert error.exit_code in (3, 6)


def test_a_big_answer_before_the_login_is_not_waited_for() -> None:
    def promise(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"Content-Length: 100000\r\n\r\n")
        sock.recv(65536)

    with Server(promise) as listener:
        began = time.monotonic()
        error = failure(f"tcp://{SECRET}@{listener.place}", ConnectOptions(timeout=15))
        assert time.monotonic() - began < 10
    assert isinstance(error, NotARemora)


def test_an_endless_flood_is_cut_off() -> None:
    """Long before the time-out: what is not logged in has nothing to tell."""

    def flood(sock: socket.socket) -> None:
        sock.recv(65536)
        while True:
            sock.sendall(encode_frame(b'{"type":"event","seq":1,"event":"output"}') * 10)

    started = time.monotonic()
    with Server(flood) as listener:
        assert isinstance(failure(f"tcp://{listener.place}", ConnectOptions(timeout=10)), NotARemora)
    assert time.monotonic() - started < 5


def test_iterations_that_would_keep_us_busy_are_refused() -> None:
    def fake(server: Remora, arguments: dict[str, str]) -> dict[str, object]:
        nonce = base64.b64decode(arguments["data"]).decode().rpartition("r=")[2] + "more"
        answer = f"r={nonce},s={base64.b64encode(b'salt-salt').decode()},i=999999999"
        return {"data": base64.b64encode(answer.encode()).decode(), "done": False}

    started = time.monotonic()
    with Server(Remora(answers={"remora/authenticate": fake})) as listener:
        assert isinstance(failure(f"tcp://{SECRET}@{listener.place}"), Rejected)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("look", [_dial.is_loopback, _opening.is_loopback], ids=["client", "server"])
def test_a_name_that_begins_like_an_address_of_this_machine_is_not_one(look: Callable[[str], bool]) -> None:
    assert all(look(host) for host in ("127.0.0.1", "127.8.9.10", "localhost", "::1"))
    assert not any(look(host) for host in ("127.example.com", "127.0.0.1.example.com", "192.0.2.7", "", "::"))
