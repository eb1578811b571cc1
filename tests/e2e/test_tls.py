"""TLS with a self-signed certificate, and somebody in the middle."""

from __future__ import annotations

import os
import re
import stat
import subprocess

from tests.e2e.game import SECRET, Game, tls_enable
from tests.support.command import Remora
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.relay import TlsRelay


def bare(fingerprint: str) -> str:
    """The digits alone."""
    return re.sub(r"[^0-9A-F]", "", fingerprint.upper())


def test_a_self_signed_certificate(
    interpreter: Interpreter, remora: Remora, certificate: dict[str, str]
) -> None:
    with Game(interpreter, **tls_enable(certificate)) as game:
        game.say_name()

        refused = remora("ls", game.qualifier)
        assert refused.code == 5
        assert refused.output == ""
        assert certificate["fingerprint"] in bare(refused.errors)

        for trusting in (
            ("--cafile", certificate["certfile"]),
            ("--fingerprint", certificate["fingerprint"]),
        ):
            ran = remora("ls", *trusting, game.qualifier)
            assert (ran.code, ran.errors) == (0, "")
            assert str(game.pid) in ran.output

        wrong = "0" * 64
        assert remora("ls", "--fingerprint", wrong, game.qualifier).code == 5

        options = ("--cafile", certificate["certfile"])
        (thread,) = remora.exec(game.qualifier, "threads", options=options).results()[0]
        assert thread["name"] == "MainThread"
        game.play()


def test_a_person_is_asked_about_the_certificate(
    interpreter: Interpreter, remora: Remora, certificate: dict[str, str]
) -> None:
    with Game(interpreter, **tls_enable(certificate)) as game:
        game.say_name()
        for answer, code in (("no", 5), ("once", 0), ("always", 0)):
            with remora.terminal("ls", game.qualifier) as terminal:
                terminal.wait(r"Trust it\?")
                assert certificate["fingerprint"] in bare(terminal.text)
                terminal.enter(answer)
                assert terminal.returncode() == code, terminal.text
                assert (str(game.pid) in terminal.text) == (code == 0)
        # "always" was for always.
        assert remora("ls", game.qualifier).code == 0
        game.play()


def test_who_is_asked_for_the_secret_too_is_asked_about_the_certificate_once(
    remora: Remora, certificate: dict[str, str]
) -> None:
    with Game(NEWEST, **tls_enable(certificate)) as game:
        game.say_name()
        with remora.terminal("ls", game.qualifier.replace(f"{SECRET}@", "")) as terminal:
            terminal.wait(r"Trust it\?")
            terminal.enter("once")
            terminal.wait("Secret for tcps://")
            terminal.enter(SECRET)
            assert terminal.returncode() == 0, terminal.text
            assert terminal.text.count("Trust it?") == 1
            assert str(game.pid) in terminal.text
        game.play()


def test_the_banner_breaks_between_words_in_eighty_columns(
    remora: Remora, certificate: dict[str, str]
) -> None:
    with Game(NEWEST, **tls_enable(certificate)) as game:
        game.say_name()
        trusted = ("--fingerprint", certificate["fingerprint"])
        with remora.terminal("attach", game.qualifier, *trusted, size=(80, 24)) as terminal:
            terminal.wait("^remora❯")
            told = " ".join(terminal.text.split())
            assert "TLS, certificate trusted by hand · remora" in told
            assert "· engine: " in told
            terminal.enter("quit -c")
            assert terminal.returncode() == 0
        game.play()


def test_a_certificate_that_changed_is_refused(
    remora: Remora, certificate: dict[str, str], other_certificate: dict[str, str]
) -> None:
    with Game(NEWEST, **tls_enable(certificate)) as game:
        game.say_name()
        with TlsRelay(game.address, other_certificate["certfile"], other_certificate["keyfile"]) as relay:
            host, port = relay.address
            pinned = remora(
                "trust", "add", f"tcps://{host}:{port}", "--fingerprint", certificate["fingerprint"]
            )
            assert pinned.code == 0, pinned
            with remora.terminal("ls", f"tcps://{SECRET}@{host}:{port}") as terminal:
                assert terminal.returncode() == 5, terminal.text  # it does not even ask
                assert certificate["fingerprint"] in bare(terminal.text)
                assert other_certificate["fingerprint"] in bare(terminal.text)
        game.play()


def test_ignoring_the_warning_does_not_let_a_man_in_the_middle_in(
    interpreter: Interpreter, remora: Remora, certificate: dict[str, str], other_certificate: dict[str, str]
) -> None:
    with Game(interpreter, **tls_enable(certificate)) as game:
        game.say_name()
        with TlsRelay(game.address, other_certificate["certfile"], other_certificate["keyfile"]) as relay:
            host, port = relay.address
            with remora.terminal("ls", f"tcps://{SECRET}@{host}:{port}") as terminal:
                terminal.wait(r"Trust it\?")
                terminal.enter("once")
                assert terminal.returncode() == 4, terminal.text
                assert str(game.pid) not in terminal.text
            # Whoever sat there has read the login, and neither the secret nor a process was in it.
            assert b"remora/authenticate" in relay.seen
            assert SECRET.encode() not in relay.seen
            assert b"guessing_game" not in relay.seen
        game.play()


def test_plain_words_when_the_scheme_is_wrong(remora: Remora, certificate: dict[str, str]) -> None:
    with Game(NEWEST, **tls_enable(certificate)) as game:
        game.say_name()
        plain = remora("ls", game.qualifier.replace("tcps://", "tcp://"))
        assert plain.code == 3
        assert "tcps://" in plain.errors
        game.play()
    with Game(NEWEST) as game:
        game.say_name()
        secured = remora("ls", game.qualifier.replace("tcp://", "tcps://"))
        assert secured.code == 3
        assert "tcp://" in secured.errors
        game.play()


def test_a_new_key_is_for_its_owner_only(certificate: dict[str, str]) -> None:
    assert stat.S_IMODE(os.stat(certificate["keyfile"]).st_mode) == 0o600
    shown = subprocess.run(
        ["openssl", "x509", "-in", certificate["certfile"], "-noout", "-text"],
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    if shown.returncode == 0:
        assert "IP Address:127.0.0.1" in shown.stdout
