"""An old ptvsd is broken by a wrong word, and never mends. None of ours is one; and what others broke."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from pathlib import Path

import pytest

from remora_client import ConnectError, ConnectOptions, Session, attach, processes
from remora_client._errors import CertificateRefused, PlainPort, TlsFailed, VersionMismatch
from tests.client.servers import make_certificate
from tests.support.command import Remora
from tests.support.ptvsd import SECRET, SERVERS, OldGame, OldProgram, OldServer
from tests.support.waiting import until

TLS_CONF = """\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = defaults
[defaults]
MinProtocol = TLSv1
CipherString = DEFAULT:@SECLEVEL=0
"""


@pytest.fixture(params=SERVERS, ids=str)
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OldServer:
    """Runs the test under every old ptvsd, with a configuration of its own for a client in this process."""
    monkeypatch.setenv("REMORA_CONFIG_DIR", str(tmp_path / "configuration"))
    found: OldServer = request.param
    return found


def attached(game: OldProgram, **more: object) -> Session:
    return attach(game.qualifier, source=[str(game.directory)], **more)  # type: ignore[arg-type]


def keepers(configuration: str) -> list[int]:
    """The processes that hold connections for clients with that configuration."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"remora_client._ptvsd" in command and configuration.encode() in environment:
            found.append(int(folder.name))
    return found


def test_looking_does_no_harm(server: OldServer, remora: Remora) -> None:
    with OldGame(server) as game:
        plain, tls = game.qualifier, game.qualifier.replace("tcp:", "tcps:")
        for _ in range(3):
            assert remora("ls", plain).code == 0
            ran = remora("ls", tls)
            assert "does not speak TLS" in ran.errors
        ran = remora("ls", plain.replace(SECRET + "@", ""))
        assert ran.code == 4
        assert "wants a secret" in ran.errors
        ran = remora("doctor", plain)
        assert "ptvsd" in ran.output
        # An endpoint that once was a Remora is spoken to at once; the greeting then comes too late.
        known = remora.configuration / "cache" / "endpoints.json"
        known.write_text(known.read_text().replace("false", "true"))
        ran = remora("ls", plain)
        assert ran.code == 4  # whoever can pose as a ptvsd is not given a Remora's secret
        assert "was a Remora" in ran.errors
        known.unlink()
        game.check_well()
        attached(game).detach()
        game.win()


def test_a_protocol_that_nobody_speaks_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMORA_CONFIG_DIR", str(tmp_path / "configuration"))
    with OldGame(OldServer("2.1.0", "2.7")) as game:
        for _ in range(2):  # the first did no harm
            with pytest.raises(VersionMismatch, match=r"ptvsd 2\.1 \(protocol 4\)"):
                attach(game.qualifier)
            game.check_well()
        game.win()


def test_attaching_and_leaving_in_a_hurry(server: OldServer) -> None:
    with OldGame(server) as game:
        for number in range(8):
            with attached(game) as session:
                session.break_at("guess.py", game.line("judge"))
                game.stdin_line(str(number))
                assert session.wait_for_stop(10)
                with pytest.raises(TimeoutError):
                    session.resume(0.0001)
            game.wait_line(f"VERDICT {number} too low")
        game.check_well()
        game.win()


def test_steps_and_evaluations_in_a_hurry(server: OldServer) -> None:
    with OldGame(server) as game, attached(game) as session:
        session.break_at("guess.py", game.line("judge"))
        for number in range(10):
            game.stdin_line(str(number))
            stop = session.wait_for_stop(10) if number == 0 else session.resume(10)
            assert stop is not None
            for _ in range(3):
                assert session.evaluate("guess * 2").value == str(number * 2)
                assert session.step_over(10)
                assert {each.name for each in session.locals()} >= {"guess", "number"}


def test_two_clients(server: OldServer) -> None:
    with OldGame(server) as game:
        with attached(game) as session:
            session.break_at("guess.py", game.line("judge"))
            with pytest.raises(ConnectError, match="Either somebody is attached") as caught:
                attached(game)
            assert caught.value.exit_code == 4
            assert len(processes(game.qualifier)) == 1  # that is told all the same
            game.stdin_line("1")
            assert session.wait_for_stop(10)
        game.wait_line("VERDICT 1")
        game.check_well()


def test_a_server_whose_debugger_was_lost_is_rescued(server: OldServer, tmp_path: Path) -> None:
    """Client and keeper both killed: what no manners help against."""
    with OldGame(server) as game:
        session = attached(game)
        session.break_at("guess.py", game.line("judge"))
        game.stdin_line("1")
        assert session.wait_for_stop(10)
        (keeper,) = keepers(str(tmp_path))
        os.kill(keeper, signal.SIGKILL)
        session.detach()
        try:
            attached(game).detach()
        except ConnectError as error:
            refused = str(error)
        else:
            assert server.number != 6  # 3.2 now and then notices its loss by itself
            game.wait_line("VERDICT 1")
            return
        assert "believes that it is attached" in refused
        assert ("--rescue" in refused) is (server.number == 6)
        rescue = ConnectOptions(rescue=True)
        if server.number != 6:
            with pytest.raises(ConnectError, match="no way in"):
                attached(game, options=rescue)
            return
        with attached(game, options=rescue) as session:
            game.wait_line("VERDICT 1")
            session.break_at("guess.py", game.line("judge"))
            game.stdin_line("2")
            assert session.wait_for_stop(10)
            assert session.evaluate("guess").value == "2"
        game.wait_line("VERDICT 2")
        game.win()


def test_the_keeper_ends_with_its_client(server: OldServer, tmp_path: Path) -> None:
    with OldGame(server) as game:
        with attached(game):
            (keeper,) = keepers(str(tmp_path))
            secret = SECRET.encode()
            assert secret not in Path(f"/proc/{keeper}/cmdline").read_bytes()
            assert secret not in Path(f"/proc/{keeper}/environ").read_bytes()
            os.kill(keeper, signal.SIGINT)  # Ctrl-C in a terminal may reach it: it does not care
            os.kill(keeper, 0)
        until(lambda: not keepers(str(tmp_path)), "the keepers to go")
        with attached(game) as session:
            (keeper,) = keepers(str(tmp_path))
            session.break_at("guess.py", game.line("judge"))
            game.stdin_line("1")
            assert session.wait_for_stop(10)
            os.kill(keeper, signal.SIGTERM)  # asked to go, it leaves as it should
            game.wait_line("VERDICT 1")
        game.check_well()
        attached(game).detach()


LATIN = """\
# -*- coding: latin-1 -*-
import sys, time
{enable}
def say(text):
    sys.stdout.write(text + '\\n')
    sys.stdout.flush()
    return text  # @say
while True:
    say('READY')
    if sys.stdin.readline() == 'latin\\n':
        say('caf\\xe9')
"""


@pytest.mark.parametrize("version", ["2.2.0", "3.0.0", "3.2.1"])
def test_text_of_another_encoding(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 2 prints bytes. Protocol 6 carries them; the server of protocol 8 lets go without a word."""
    monkeypatch.setenv("REMORA_CONFIG_DIR", str(tmp_path / "configuration"))
    server = OldServer(version, "2.7")
    with OldProgram(server, LATIN) as program:
        program.wait_line("READY")
        told: list[str] = []
        with attached(program) as session:
            session.listen(lambda event, body: told.append(body["output"]) if event == "output" else None)
            program.stdin_line("latin")
            program.wait_line("caf")
            if server.number == 6:
                until(lambda: "caf\xe9\n" in "".join(told), "the output")
            else:
                until(lambda: "let go of us" in "".join(told), "the reason")
                until(lambda: session.state.over, "the end of the session")
        program.check_well()
        attached(program).detach()


@pytest.mark.parametrize("python", ["2.7", "3.6"])
@pytest.mark.parametrize("version", ["2.2.0", "3.0.0", "3.2.1"])
def test_old_tls(version: str, python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused with the reason unless asked for; then with the certificate judged as ever."""
    monkeypatch.setenv("REMORA_CONFIG_DIR", str(tmp_path / "configuration"))
    files = make_certificate(tmp_path)
    (tmp_path / "openssl.cnf").write_text(TLS_CONF)
    arguments = f", certfile={files.certfile!r}, keyfile={files.keyfile!r}"
    environment = {"OPENSSL_CONF": str(tmp_path / "openssl.cnf")}
    with OldGame(OldServer(version, python), arguments=arguments, env=environment) as game:
        tls = game.qualifier.replace("tcp:", "tcps:")
        with pytest.raises(TlsFailed, match=r"TLS 1\.0") as old:
            processes(tls)
        assert "--legacy-tls" in str(old.value)
        with pytest.raises(CertificateRefused):
            processes(tls, ConnectOptions(legacy_tls=True))
        with pytest.raises(CertificateRefused):
            processes(tls, ConnectOptions(legacy_tls=True, fingerprint="00" * 32))
        game.check_well()
        notes: list[str] = []
        for trust in (
            ConnectOptions(legacy_tls=True, cafile=files.certfile, note=notes.append),
            ConnectOptions(legacy_tls=True, fingerprint=files.fingerprint, note=notes.append),
        ):
            assert len(processes(tls, trust)) == 1
            with attach(tls, source=[str(game.directory)], options=trust) as session:
                session.break_at("guess.py", game.line("judge"))
                game.stdin_line("1")
                assert session.wait_for_stop(10)
                assert session.evaluate("guess").value == "1"
            game.wait_line("VERDICT 1")
            game.check_well()
        assert notes == []  # nothing went in clear
        game.win()


def test_a_plain_port_is_not_spoken_tls_to(server: OldServer) -> None:
    with OldGame(server) as game:
        with pytest.raises(PlainPort):
            processes(game.qualifier.replace("tcp:", "tcps:"), ConnectOptions(legacy_tls=True))
        game.check_well()
        attached(game).detach()


def test_a_mute_client_holds_the_line(server: OldServer) -> None:
    """One handshake at a time: the next client waits, and harms nobody by that."""
    with OldGame(server) as game:
        attached(game).detach()
        with socket.create_connection(("127.0.0.1", game.port)):
            with pytest.raises(ConnectError):
                processes(game.qualifier, ConnectOptions(timeout=0.5))
        # The mute one's orderly end may have left the server spinning; that was not us.


def test_help_is_about_what_this_server_can_do(server: OldServer, remora: Remora) -> None:
    with OldGame(server) as game:
        shutil.copy(game.path, remora.folder)
        ran = remora.exec(game.qualifier, "help", "status")
        assert ran.code == 0, ran
        commands = ran.results()[0]
        assert "until" not in commands
        assert "restartframe" not in commands
        assert "retval" not in commands
        assert ("jump" in commands) is (server.number >= 8)
        assert "continue" in commands
        game.check_well()
