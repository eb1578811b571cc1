from __future__ import annotations

import datetime as dt
import hashlib
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from remora_protocol import tls_server_end_point
from remora_protocol._channel_binding import _dotted, _read

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "build-7.example")])
YEAR = dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)


def certificate(key: object, algorithm: object, **options: object) -> bytes:
    builder = x509.CertificateBuilder(NAME, NAME, key.public_key(), 7, *YEAR)  # type: ignore[attr-defined]
    return builder.sign(key, algorithm, **options).public_bytes(Encoding.DER)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [RSA, EC], ids=["rsa", "ec"])
@pytest.mark.parametrize("name", ["SHA224", "SHA256", "SHA384", "SHA512", "SHA3_256", "SHA3_384", "SHA3_512"])
def test_the_hash_is_that_of_the_signature(key: object, name: str) -> None:
    der = certificate(key, getattr(hashes, name)())
    assert tls_server_end_point(der) == hashlib.new(name.lower(), der).digest()


@pytest.mark.parametrize("name", ["SHA256", "SHA384", "SHA512"])
def test_with_rsa_pss_the_parameters_name_it(name: str) -> None:
    algorithm = getattr(hashes, name)()
    pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
    der = certificate(RSA, algorithm, rsa_padding=pss)
    assert tls_server_end_point(der) == hashlib.new(name.lower(), der).digest()


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()])
def test_signatures_without_a_hash_count_as_sha256(key: object) -> None:
    der = certificate(key, None)
    assert tls_server_end_point(der) == hashlib.sha256(der).digest()


def test_a_weak_hash_is_replaced() -> None:
    der = certificate(RSA, hashes.SHA384())
    sha384, sha1, md5 = (bytes.fromhex("2a864886f70d0101") + bytes([last]) for last in (12, 5, 4))
    assert der.count(sha384) == 2
    for weak in (sha1, md5):
        old = der.replace(sha384, weak)
        assert tls_server_end_point(old) == hashlib.sha256(old).digest()


def test_pem_and_der_are_one_certificate() -> None:
    der = certificate(EC, hashes.SHA256())
    assert ssl.PEM_cert_to_DER_cert(ssl.DER_cert_to_PEM_cert(der)) == der


@given(st.binary(max_size=400))
def test_any_bytes_give_a_hash(data: bytes) -> None:
    assert tls_server_end_point(data) == hashlib.sha256(data).digest()


DER = certificate(EC, hashes.SHA384())


@given(st.integers(0, len(DER) - 1), st.integers(0, 255), st.integers(0, len(DER)))
def test_a_damaged_certificate_gives_a_hash(place: int, byte: int, end: int) -> None:
    damaged = (DER[:place] + bytes([byte]) + DER[place + 1 :])[:end]
    assert tls_server_end_point(damaged) in {
        hashlib.new(name, damaged).digest() for name in ("sha224", "sha256", "sha384", "sha512")
    }


@pytest.mark.parametrize(
    ("data", "content", "after"),
    [
        (b"\x30\x00", b"", 2),
        (b"\x30\x02ab", b"ab", 4),
        (b"\x30\x81\x02abc", b"ab", 5),
        (b"\x30\x84\x00\x00\x00\x01a", b"a", 7),
    ],
)
def test_elements_are_read(data: bytes, content: bytes, after: int) -> None:
    assert _read(data, 0, 0x30) == (content, after)


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x31\x00", b"\x30\x01", b"\x30\x82\x01", b"\x30\xff" + b"\xff" * 9]
)
def test_broken_elements_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="element"):
        _read(data, 0, 0x30)


def test_object_identifiers_are_read() -> None:
    assert _dotted(bytes.fromhex("2a864886f70d01010b")) == "1.2.840.113549.1.1.11"
    assert _dotted(bytes.fromhex("608648016503040302")) == "2.16.840.1.101.3.4.3.2"
    assert _dotted(bytes.fromhex("883703")) == "2.999.3"
