"""Whose certificate is trusted: chain, name, dates, pins, fingerprints, a person, and a man in the middle."""

from __future__ import annotations

import asyncio
import os
import ssl
import stat
import subprocess
from pathlib import Path
from typing import Any, Literal

import pytest

from remora_client._connecting._connect import ConnectOptions, connect
from remora_client._credentials import _certificates, _trust
from remora_client._credentials._certificates import CertificateProblem
from remora_client._errors import CertificateRefused, ConnectError, Rejected, UsageError
from remora_protocol import parse_qualifier
from tests.client.servers import DAY, SECRET, Files, Remora, Server, make_certificate
from tests.support.relay import TlsRelay

Answer = Literal["no", "once", "always"]


class Person:
    """Answers what is asked, and remembers what was shown."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.shown: list[CertificateProblem] = []

    def __call__(self, problem: CertificateProblem) -> Answer:
        self.shown.append(problem)
        return self.answer


def log_in(place: str, person: Person | None = None, /, **options: Any) -> None:
    async def run() -> None:
        qualifier = parse_qualifier(f"tcps://{SECRET}@{place}")
        link = await connect(qualifier, ConnectOptions(timeout=5, ask_certificate=person, **options))
        await link.close()

    asyncio.run(run())


def refusal(place: str, person: Person | None = None, **options: str) -> CertificateRefused:
    with pytest.raises(CertificateRefused) as caught:
        log_in(place, person, **options)
    assert caught.value.exit_code == 5
    return caught.value


def serve(files: Files) -> Server:
    return Server(Remora(certificate=files.der), files.context())


# -- what is wrong with it, each in words of its own


def test_a_self_signed_certificate_is_refused_without_a_person(certificate: Files) -> None:
    with serve(certificate) as listener:
        error = refusal(listener.place)
    assert "self-signed" in error.text
    assert error.fingerprint == certificate.fingerprint
    assert certificate.fingerprint in error.text
    assert f"--fingerprint {certificate.fingerprint}" in error.remedy
    for shown in ("CN=server", "127.0.0.1", "valid"):
        assert shown in error.text


def test_each_reason_has_its_own_words(tmp_path: Path) -> None:
    authority = make_certificate(tmp_path, "authority", authority=True)
    cases = {
        "expired on": make_certificate(tmp_path, "old", issuer=authority, start=-9 * DAY, end=-DAY),
        "valid only from": make_certificate(tmp_path, "young", issuer=authority, start=DAY, end=2 * DAY),
        "not for 127.0.0.1": make_certificate(tmp_path, "other", issuer=authority, hosts=("other.example",)),
    }
    for words, files in cases.items():
        with serve(files) as listener:
            error = refusal(listener.place, cafile=authority.certfile)
            assert words in error.text
            assert "self-signed" not in error.text
            assert "issuer is not known" not in error.text
    unknown = make_certificate(tmp_path, "unknown", issuer=authority)
    with serve(unknown) as listener:
        assert "issuer is not known here: CN=authority" in refusal(listener.place).text
        log_in(listener.place, cafile=authority.certfile)
        log_in(listener.place, cafile=unknown.certfile)  # itself will do, without its authority


def test_what_a_certificate_says_is_made_visible(tmp_path: Path) -> None:
    evil = make_certificate(tmp_path, "\x1b[2Jgood", hosts=("127.0.0.1",))
    with serve(evil) as listener:
        person = Person("no")
        error = refusal(listener.place, person)
    assert "\x1b" not in str(error)
    assert "\x1b" not in "".join(person.shown[0].certificate.lines())


def test_bytes_that_are_no_certificate_are_described_as_such() -> None:
    described = _certificates.describe(b"\x30\x03\x02\x01\x01")
    assert described.subject == "unreadable"
    assert len(described.sha256) == 95


# -- a person, pins, fingerprints


def test_a_fingerprint_stands_below_itself_where_it_would_be_torn(certificate: Files) -> None:
    with serve(certificate) as listener:
        person = Person("no")
        refusal(listener.place, person)
        shown = person.shown[0].certificate
    assert shown.lines()[-1] == shown.lines(120)[-1] == f"SHA-256      {certificate.fingerprint}"
    upper, lower = shown.lines(78)[-2:]
    assert upper.removeprefix("SHA-256      ") + lower.removeprefix(" " * 13) == certificate.fingerprint
    assert len(upper) <= 78 and upper.endswith(":")
    assert [len(each) for each in shown.lines(38)[-4:]] == [37, 37, 37, 36]


def test_a_person_decides(certificate: Files) -> None:
    with serve(certificate) as listener:
        person = Person("no")
        assert "Nothing was sent" in refusal(listener.place, person).remedy
        (problem,) = person.shown
        assert problem.certificate.sha256 == certificate.fingerprint
        assert any("self-signed" in reason for reason in problem.reasons)

        log_in(listener.place, Person("once"))
        assert _trust.load_pins() == {}
        refusal(listener.place)  # once was once

        log_in(listener.place, Person("always"))
        assert _trust.load_pins()[listener.place].sha256 == certificate.fingerprint
        log_in(listener.place)


def test_a_pin_is_a_hard_stop_when_it_changes(certificate: Files, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "other")
    with serve(other) as listener:
        _trust.add_pin(listener.place, certificate.fingerprint)
        person = Person("always")
        error = refusal(listener.place, person)
        assert person.shown == []  # not a question
        assert certificate.fingerprint in error.text
        assert other.fingerprint in error.text
        assert "trust rm" in error.remedy
        # Not even an authority changes that.
        refusal(listener.place, cafile=other.certfile)


def test_a_fingerprint_decides_alone(certificate: Files) -> None:
    with serve(certificate) as listener:
        log_in(listener.place, fingerprint=certificate.fingerprint.lower().replace(":", ""))
        error = refusal(listener.place, Person("always"), fingerprint="ab" * 32, cafile=certificate.certfile)
        assert certificate.fingerprint in error.text
        with pytest.raises(UsageError):
            log_in(listener.place, fingerprint="abc")


def test_the_answer_holds_for_the_certificate_that_was_shown(certificate: Files, tmp_path: Path) -> None:
    """Whoever swaps the certificate while the person thinks gets nothing."""
    other = make_certificate(tmp_path, "other")
    context = certificate.context()
    with Server(Remora(certificate=certificate.der), context) as listener:

        class Slow(Person):
            def __call__(self, problem: CertificateProblem) -> Answer:
                context.load_cert_chain(other.certfile, other.keyfile)
                return super().__call__(problem)

        assert "another certificate" in refusal(listener.place, Slow("always")).text
        assert _trust.load_pins() == {}


def test_pins_are_private_and_never_taken_for_empty(tmp_path: Path) -> None:
    _trust.add_pin("host:1", "ab" * 32, "CN=x")
    path = _trust.pins_file()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert _trust.remove_pin("host:1")
    assert not _trust.remove_pin("host:1")
    path.write_text("{}broken")
    with pytest.raises(UsageError, match="damaged"):
        _trust.load_pins()


@pytest.mark.parametrize(
    "text", ["AB" * 32, "ab:" * 31 + "ab", "SHA256:" + "ab" * 32, "sha-256 = " + "AB " * 32]
)
def test_fingerprints_as_people_write_them(text: str) -> None:
    assert _trust.normal_fingerprint(text) == ":".join(["AB"] * 32)


# -- somebody in the middle


@pytest.mark.parametrize("trusted", ["once", "always", "fingerprint"])
def test_a_relay_fails_even_when_its_certificate_was_accepted(
    certificate: Files, tmp_path: Path, trusted: str
) -> None:
    other = make_certificate(tmp_path, "other")
    server = Remora(certificate=certificate.der)
    with (
        Server(server, certificate.context()) as listener,
        TlsRelay(("127.0.0.1", listener.port), other.certfile, other.keyfile) as relay,
    ):
        place = f"127.0.0.1:{relay.address[1]}"
        given = {"fingerprint": other.fingerprint} if trusted == "fingerprint" else {}
        with pytest.raises(Rejected) as caught:
            log_in(place, Person("once" if trusted == "once" else "always"), **given)
        assert b"remora/authenticate" in relay.seen
        assert SECRET.encode() not in relay.seen
    assert caught.value.exit_code == 4
    assert "Somebody stands between" in caught.value.text
    assert server.logins == 0


def test_a_relay_that_hides_the_bound_login(certificate: Files) -> None:
    """It offers less, in the hope that the client makes do with it."""
    weaker = {"mechanisms": ["SCRAM-SHA-256"], "protocol": 1, "server": {"name": "remora", "version": "1"}}
    server = Remora(certificate=certificate.der, answers={"remora/hello": lambda *_: weaker})
    with Server(server, certificate.context()) as listener, pytest.raises(Rejected, match="in between"):
        log_in(listener.place, fingerprint=certificate.fingerprint)
    assert server.asked("remora/authenticate") == []


def test_a_relay_that_asks_for_no_secret(certificate: Files) -> None:
    server = Remora(secret=None, certificate=certificate.der)
    with Server(server, certificate.context()) as listener:
        with pytest.raises(Rejected, match="not proved"):
            log_in(listener.place, fingerprint=certificate.fingerprint)
        with pytest.raises(Rejected, match="not proved"):
            log_in(listener.place, cafile=certificate.certfile)  # an authority vouches for a name, no more


# -- client certificates


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_mutual_tls(certificate: Files, tmp_path: Path, version: ssl.TLSVersion) -> None:
    authority = make_certificate(tmp_path, "authority", authority=True)
    ours = make_certificate(tmp_path, "ours", issuer=authority)
    foreign = make_certificate(tmp_path, "foreign")
    context = certificate.context(client_cafile=authority.certfile)
    context.maximum_version = version
    with Server(Remora(certificate=certificate.der), context) as listener:
        log_in(listener.place, cafile=certificate.certfile, certfile=ours.certfile, keyfile=ours.keyfile)
        files = {"certfile": foreign.certfile, "keyfile": foreign.keyfile}
        options: dict[str, Any]
        for options, word in (({}, "--cert"), (files, "not accept")):
            with pytest.raises(ConnectError) as caught:
                log_in(listener.place, cafile=certificate.certfile, **options)
            assert caught.value.exit_code in (3, 4)
            assert word in str(caught.value)


def test_files_that_cannot_be_used(certificate: Files, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    other = make_certificate(tmp_path, "other")
    options: dict[str, Any]
    with serve(certificate) as listener:
        for options in (
            {"cafile": str(tmp_path / "none")},
            {"cafile": str(tmp_path / "empty")},
            {"certfile": str(tmp_path / "none")},
            {"certfile": certificate.certfile, "keyfile": other.keyfile},
        ):
            with pytest.raises(UsageError, match="cannot be used"):
                log_in(listener.place, **options)


# -- certificates that we make


def test_a_new_certificate_works_with_cafile(tmp_path: Path) -> None:
    pem, key, digest = _certificates.make_self_signed(["127.0.0.1", "::1", "localhost", "bücher.example"])
    (tmp_path / "new.crt").write_bytes(pem)
    (tmp_path / "new.key").write_bytes(key)
    der = ssl.PEM_cert_to_DER_cert(pem.decode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "new.crt", tmp_path / "new.key")
    assert _certificates.fingerprint(der) == digest
    names = _certificates.describe(der).names
    assert set(names) == {"127.0.0.1", "::1", "localhost", "xn--bcher-kva.example"}
    with Server(Remora(certificate=der), context) as listener:
        log_in(listener.place, cafile=str(tmp_path / "new.crt"))
        for strict in _strict_pythons():
            _check_with(strict, listener.port, tmp_path / "new.crt")


def test_a_new_certificate_is_one_for_clients_too(certificate: Files, tmp_path: Path) -> None:
    pem, key, _ = _certificates.make_self_signed(["desk-3.example"])
    (tmp_path / "new.crt").write_bytes(pem)
    (tmp_path / "new.key").write_bytes(key)
    context = certificate.context(client_cafile=str(tmp_path / "new.crt"))
    with Server(Remora(certificate=certificate.der), context) as listener:
        files = {"certfile": str(tmp_path / "new.crt"), "keyfile": str(tmp_path / "new.key")}
        log_in(listener.place, cafile=certificate.certfile, **files)


def _strict_pythons() -> list[str]:
    """From 3.13 on Python checks certificates by the letter of RFC 5280."""
    from tests.support.interpreters import INTERPRETERS

    return [
        each.path for each in INTERPRETERS if each.version >= (3, 13) and each.implementation == "cpython"
    ]


def _check_with(python: str, port: int, cafile: Path) -> None:
    program = (
        "import socket, ssl, sys; context = ssl.create_default_context(cafile=sys.argv[2]);"
        "connection = socket.create_connection(('127.0.0.1', int(sys.argv[1])));"
        "context.wrap_socket(connection, server_hostname='127.0.0.1')"
    )
    subprocess.run([python, "-c", program, str(port), str(cafile)], check=True, timeout=30)
