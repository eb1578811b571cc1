"""What binds a login to its TLS connection: the server's certificate, as RFC 5929 hashes it.

A pure function for any thread. It reads just enough of the certificate's DER to learn which hash its
issuer signed with, and never fails: what it cannot read is hashed with SHA-256, the same on both sides.
"""

from __future__ import annotations

import hashlib
from types import MappingProxyType

__all__ = ["tls_server_end_point"]

_SEQUENCE, _OID, _EXPLICIT_0 = 0x30, 0x06, 0xA0
_RSA_PSS = "1.2.840.113549.1.1.10"

# By the object identifier of the signature. MD5, SHA-1 and what names no hash (Ed25519, Ed448) are left
# out: RFC 5929 says SHA-256 for the first two and nothing for the others.
_HASHES = MappingProxyType(
    {
        "1.2.840.113549.1.1.12": "sha384",  # RSA
        "1.2.840.113549.1.1.13": "sha512",
        "1.2.840.113549.1.1.14": "sha224",
        "1.2.840.10045.4.3.1": "sha224",  # ECDSA
        "1.2.840.10045.4.3.3": "sha384",
        "1.2.840.10045.4.3.4": "sha512",
        "2.16.840.1.101.3.4.3.1": "sha224",  # DSA
        "2.16.840.1.101.3.4.3.3": "sha384",
        "2.16.840.1.101.3.4.3.4": "sha512",
        "2.16.840.1.101.3.4.3.9": "sha3_224",  # ECDSA with SHA-3
        "2.16.840.1.101.3.4.3.10": "sha3_256",
        "2.16.840.1.101.3.4.3.11": "sha3_384",
        "2.16.840.1.101.3.4.3.12": "sha3_512",
        "2.16.840.1.101.3.4.3.13": "sha3_224",  # RSA with SHA-3
        "2.16.840.1.101.3.4.3.14": "sha3_256",
        "2.16.840.1.101.3.4.3.15": "sha3_384",
        "2.16.840.1.101.3.4.3.16": "sha3_512",
        "2.16.840.1.101.3.4.2.2": "sha384",  # the hashes themselves, as RSA-PSS names them
        "2.16.840.1.101.3.4.2.3": "sha512",
        "2.16.840.1.101.3.4.2.4": "sha224",
        "2.16.840.1.101.3.4.2.7": "sha3_224",
        "2.16.840.1.101.3.4.2.8": "sha3_256",
        "2.16.840.1.101.3.4.2.9": "sha3_384",
        "2.16.840.1.101.3.4.2.10": "sha3_512",
    }
)


def tls_server_end_point(certificate_der: bytes) -> bytes:
    """The channel binding data of a connection whose server showed this certificate."""
    try:
        identifier = _signature_hash(certificate_der)
    except ValueError:
        identifier = ""
    return hashlib.new(_HASHES.get(identifier, "sha256"), certificate_der).digest()


def _signature_hash(der: bytes) -> str:
    """What names the hash: the signature, or with RSA-PSS its parameters. ValueError: no certificate."""
    certificate, _ = _read(der, 0, _SEQUENCE)
    _, after_body = _read(certificate, 0, _SEQUENCE)
    algorithm, _ = _read(certificate, after_body, _SEQUENCE)
    identifier, after = _read(algorithm, 0, _OID)
    if _dotted(identifier) != _RSA_PSS:
        return _dotted(identifier)
    parameters, _ = _read(algorithm, after, _SEQUENCE)
    named, _ = _read(parameters, 0, _EXPLICIT_0)  # left out, it is SHA-1: ValueError, and so SHA-256
    hash_algorithm, _ = _read(named, 0, _SEQUENCE)
    return _dotted(_read(hash_algorithm, 0, _OID)[0])


def _read(data: bytes, start: int, tag: int) -> tuple[bytes, int]:
    """The content of the element at `start`, which has to be of this kind, and where the next one starts."""
    head = data[start : start + 2]
    if len(head) < 2 or head[0] != tag:
        raise ValueError("another element was expected here")
    length, body = head[1], start + 2
    if length >= 0x80:  # long form: so many bytes of length follow
        size = length & 0x7F
        length, body = int.from_bytes(data[body : body + size], "big"), body + size
    if body + length > len(data):
        raise ValueError("the element is cut")
    return data[body : body + length], body + length


def _dotted(identifier: bytes) -> str:
    numbers, number = [], 0
    for byte in identifier[:64]:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(number)
            number = 0
    if not numbers:
        raise ValueError("the object identifier is empty")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))
