"""Programs that call a client, for they cannot be connected to: `remora.connect` and `remora listen`."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from tests.support.command import Remora
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.proxy import Proxy
from tests.support.terminal import Terminal

SECRET = "the_secret"
CALLER = """\
import sys, threading, time, warnings
import remora

def work(number):
    return number * 2  # @inner

before = threading.active_count()
started = time.perf_counter()
remora.connect(("{host}", {port}), {secret!r}, give_up={give_up}, **{more})
print("called", round(time.perf_counter() - started, 2), flush=True)
ended = False

def read():
    global ended
    for line in sys.stdin:
        if line == "again\\n":
            remora.connect(("{host}", {port}), {secret!r}, give_up={give_up}, **{more})
        elif line == "off\\n":
            remora.disable_attach()
            print("off", threading.active_count() - before, flush=True)
        else:
            ended = True
            return

threading.Thread(target=read).start()
while not ended:
    work(1)
    time.sleep(0.01)
sys.exit(7)
"""


def calling(
    interpreter: Interpreter, port: int, *, secret: str | None = SECRET, host: str = "127.0.0.1", **more: Any
) -> Program:
    give_up = more.pop("give_up", 60)
    text = CALLER.format(host=host, port=port, secret=secret, give_up=give_up, more=more)
    return Program(interpreter, text)


def end(program: Program) -> None:
    program.stdin_line("end")
    assert program.process.wait(20) == 7
    assert program.errors == ""


@pytest.fixture
def port() -> int:
    return free_port()


def listening(remora: Remora, port: int, *options: str, scheme: str = "tcp") -> Terminal:
    terminal = remora.terminal(
        "listen", *options, f"{scheme}://127.0.0.1:{port}", env={"REMORA_SECRET": SECRET}
    )
    terminal.wait("Waiting at")
    return terminal


def debug(terminal: Terminal, program: Program) -> None:
    """A breakpoint, a stop, a value, and out again."""
    terminal.wait("❯")
    terminal.enter(f"break program.py:{program.line('inner')}")
    terminal.enter("continue")
    terminal.wait(r"Breakpoint \d+  work")
    terminal.enter("detach")
    terminal.wait("runs on")
    assert terminal.returncode() == 0, terminal.text


def test_the_program_comes_first_and_calls_until_somebody_listens(
    interpreter: Interpreter, remora: Remora, port: int
) -> None:
    with calling(interpreter, port) as program:
        assert float(program.wait_line(r"called (\S+)")[1]) < 2
        for _ in range(2):  # and again, when the client has left
            with listening(remora, port) as terminal:
                debug(terminal, program)
        end(program)


def test_the_client_comes_first(remora: Remora, port: int) -> None:
    with listening(remora, port) as terminal, calling(NEWEST, port) as program:
        debug(terminal, program)
        end(program)


def test_over_tls(remora: Remora, port: int, certificate: dict[str, str]) -> None:
    more = {"certfile": certificate["certfile"], "keyfile": certificate["keyfile"]}
    with (
        listening(remora, port, "--fingerprint", certificate["fingerprint"], scheme="tcps") as terminal,
        calling(NEWEST, port, **more) as program,
    ):
        debug(terminal, program)
        end(program)


def test_a_person_is_asked_about_the_certificate(
    remora: Remora, port: int, certificate: dict[str, str]
) -> None:
    more = {"certfile": certificate["certfile"], "keyfile": certificate["keyfile"]}
    with listening(remora, port, scheme="tcps") as terminal, calling(NEWEST, port, **more) as program:
        terminal.wait(r"Trust it\?")
        terminal.enter("once")
        debug(terminal, program)
        end(program)


def test_strangers_call_and_the_right_one_gets_in(remora: Remora, port: int) -> None:
    with listening(remora, port) as terminal:
        with socket.create_connection(("127.0.0.1", port)) as web:
            web.sendall(b"GET / HTTP/1.1\r\n\r\n")
            terminal.wait("was not let in")
        with calling(NEWEST, port, secret="another") as wrong:
            terminal.wait("rejects the secret|not prove")
            end(wrong)
        with calling(NEWEST, port, secret=None) as open_to_all:
            terminal.wait("asks for no secret")
            end(open_to_all)
        with calling(NEWEST, port) as program:
            debug(terminal, program)
            end(program)


def test_those_who_call_and_say_nothing_keep_nobody_out(remora: Remora, port: int) -> None:
    with listening(remora, port) as terminal:
        mute = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        with calling(NEWEST, port) as program:
            terminal.wait("❯", 12)  # they have five seconds each
            debug(terminal, program)
            end(program)
        for sock in mute:
            sock.close()


@pytest.mark.parametrize("scheme", ["tcp", "tcps"])
def test_a_lost_session_comes_back_when_the_program_calls_again(
    remora: Remora, port: int, scheme: str, certificate: dict[str, str]
) -> None:
    more = {name: certificate[name] for name in ("certfile", "keyfile")} if scheme == "tcps" else {}
    with (
        listening(remora, port, "--hold", "30", scheme=scheme) as terminal,
        Proxy(("127.0.0.1", port)) as proxy,
        calling(NEWEST, proxy.address[1], **more) as program,
    ):
        if scheme == "tcps":
            terminal.wait(r"Trust it\?")
            terminal.enter("once")
        terminal.wait("❯")
        terminal.enter(f"break program.py:{program.line('inner')}")
        terminal.enter("continue")
        terminal.wait(r"Breakpoint \d+  work")
        for more_than in (41, 42):
            proxy.cut()
            terminal.wait("Connected again; all is as it was")
            terminal.enter(f"print number + {more_than}")
            terminal.wait(rf"^{more_than + 1}\b")
        terminal.enter("quit -c")
        assert terminal.returncode() == 0
        end(program)


def test_without_a_secret_only_on_this_machine(remora: Remora, port: int) -> None:
    ran = remora("listen", f"tcp://0.0.0.0:{port}")
    assert ran.code == 2, ran
    assert "a secret is needed" in ran.errors
    taken = socket.create_server(("127.0.0.1", port))
    with taken:
        ran = remora("listen", f"tcp://127.0.0.1:{port}", env={"REMORA_SECRET": SECRET})
    assert ran.code == 3, ran
    assert "port free" in ran.errors
    assert remora("listen", "ssh://host", env={"REMORA_SECRET": SECRET}).code == 2


def calls(port: int, seconds: float) -> list[float]:
    """When somebody called in so many seconds; everybody is hung up on."""
    found: list[float] = []
    with socket.create_server(("127.0.0.1", port)) as sock:
        sock.settimeout(0.1)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                caller, _ = sock.accept()
            except TimeoutError:
                continue
            found.append(time.monotonic())
            caller.close()
    return found


def test_it_calls_ever_less_often_gives_up_and_begins_anew(remora: Remora, port: int) -> None:
    with calling(NEWEST, port, give_up=3) as program:
        program.wait_line("called")
        found = calls(port, 4)
        gaps = [later - earlier for earlier, later in zip(found, found[1:], strict=False)]
        assert 2 <= len(found) <= 8, found
        assert all(later > 0.8 * earlier for earlier, later in zip(gaps, gaps[1:], strict=False)), gaps
        assert calls(port, 3) == []  # it has given up, and runs on
        program.stdin_line("again")
        with listening(remora, port) as terminal:
            debug(terminal, program)
        end(program)


@pytest.mark.parametrize("is_there", [False, True])
def test_disabling_leaves_nothing(port: int, is_there: bool) -> None:
    with calling(NEWEST, port) as program:
        program.wait_line("called")
        with socket.create_server(("127.0.0.1", port)) as sock:
            sock.settimeout(10)
            caller = sock.accept()[0] if is_there else None
            program.stdin_line("off")
            # The thread that reads stdin was not there before.
            assert program.wait_line(r"off (\d+)")[1] == "1"
            if caller is not None:
                caller.settimeout(10)
                assert caller.recv(100) == b""
                caller.close()
        assert calls(port, 1) == []
        end(program)


def test_a_name_is_looked_up_and_a_wrong_one_harms_nobody(remora: Remora, port: int) -> None:
    with calling(NEWEST, port, host="localhost") as program, listening(remora, port) as terminal:
        debug(terminal, program)
        end(program)
    text = CALLER.format(host="no-such-host.invalid", port=port, secret=SECRET, give_up=60, more={})
    with Program(NEWEST, text, warnings="default") as program:
        program.wait_line("called")
        program.wait_line("InsecureWarning: Remora calls no-such-host.invalid with no TLS", errors=True)
        program.stdin_line("off")
        assert program.wait_line(r"off (\d+)")[1] == "1"
        program.stdin_line("end")
        assert program.process.wait(20) == 7
