"""Reading certificates so that a person can judge them, and making self-signed ones.

The only module that uses `cryptography`. A certificate comes from an unknown server: whatever cannot
be read is shown as unknown, and all text goes through `visible`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import ipaddress
from typing import TYPE_CHECKING, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from remora_client._records import record
from remora_client._text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Answer",
    "Certificate",
    "CertificateProblem",
    "describe",
    "fingerprint",
    "make_self_signed",
    "reasons",
]

Answer = Literal["no", "once", "always"]  # of a person, to whether a certificate is to be trusted

_DAYS = 825  # what the strictest clients take
_LABEL = 13  # columns before what is said of a certificate


@record
class Certificate:
    """What there is to see of a certificate. Texts are safe to show."""

    subject: str
    names: tuple[str, ...]
    issuer: str
    not_before: dt.datetime | None
    not_after: dt.datetime | None
    sha256: str
    self_signed: bool

    @property
    def dates(self) -> str:
        """From when to when it is valid."""
        if self.not_before is None or self.not_after is None:
            return "unknown"
        return f"{self.not_before:%Y-%m-%d} to {self.not_after:%Y-%m-%d}"

    def lines(self, width: int = 0) -> list[str]:
        """For a person who is to decide. A fingerprint that would not fit is on several. 0: any width."""
        digits = self.sha256
        size = next((each for each in (len(digits), 48, 24) if not width or each + _LABEL <= width), 24)
        upper, *lower = (digits[at : at + size] for at in range(0, len(digits), size))
        return [
            f"subject      {self.subject}",
            f"names        {', '.join(self.names) or 'none'}",
            f"issuer       {self.issuer}{' (itself)' if self.self_signed else ''}",
            f"valid        {self.dates}",
            f"SHA-256      {upper}",
            *(" " * _LABEL + each for each in lower),
        ]


@record
class CertificateProblem:
    """A certificate that does not prove whom we talk to, and why."""

    place: str  # host:port
    certificate: Certificate
    reasons: tuple[str, ...]


def fingerprint(der: bytes) -> str:
    """SHA-256 in the form that openssl and browsers show: AB:CD:…"""
    return hashlib.sha256(der).digest().hex(":").upper()


def describe(der: bytes) -> Certificate:
    """Read a certificate, as far as that goes."""
    digest = fingerprint(der)
    try:
        certificate = x509.load_der_x509_certificate(der)
        subject, issuer = _name(certificate.subject), _name(certificate.issuer)
        return Certificate(
            subject,
            tuple(_alternative_names(certificate)),
            issuer,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            digest,
            certificate.subject == certificate.issuer,
        )
    except (ValueError, TypeError, OverflowError, x509.UnsupportedGeneralNameType):
        return Certificate("unreadable", (), "unreadable", None, None, digest, False)


def _name(name: x509.Name) -> str:
    return visible(name.rfc4514_string()) or "empty"


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    with contextlib.suppress(x509.ExtensionNotFound, x509.DuplicateExtension):
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = found.get_values_for_type(x509.IPAddress)
        names = [*found.get_values_for_type(x509.DNSName), *(str(each) for each in addresses)]
        return [visible(each) for each in names[:50]]
    return []


def reasons(certificate: Certificate, host: str, verify_code: int, verify_message: str) -> tuple[str, ...]:
    """Everything that is wrong, not only what OpenSSL met first."""
    now = dt.datetime.now(dt.UTC)
    found: list[str] = []
    if certificate.not_after is not None and certificate.not_after < now:
        found.append(f"It expired on {certificate.not_after:%Y-%m-%d}.")
    if certificate.not_before is not None and certificate.not_before > now:
        found.append(f"It is valid only from {certificate.not_before:%Y-%m-%d} on.")
    if not _names_host(certificate.names, host):
        found.append(
            f"It is not for {visible(host)}: it names {', '.join(certificate.names) or 'no host at all'}."
        )
    if certificate.self_signed:
        found.append("It is self-signed: nobody but itself says that it is genuine.")
    elif verify_code in _UNKNOWN_ISSUER:
        found.append(f"Its issuer is not known here: {certificate.issuer}.")
    return tuple(found) or (f"{visible(verify_message).capitalize()}.",)


# OpenSSL's X509_V_ERR_ numbers for "no way from here to an authority that is trusted".
_UNKNOWN_ISSUER = frozenset({2, 19, 20, 21, 24, 27})


def _names_host(names: Sequence[str], host: str) -> bool:
    """A judgement for the message only; OpenSSL has already made the one that counts."""
    host = host.casefold().rstrip(".")
    for name in names:
        pattern = name.casefold().rstrip(".")
        if pattern == host or (pattern.startswith("*.") and pattern[2:] == host.partition(".")[2]):
            return True
    return False


def make_self_signed(hosts: Sequence[str], days: int = _DAYS) -> tuple[bytes, bytes, str]:
    """A new certificate for some hosts and its key, as PEM, and its fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    now = dt.datetime.now(dt.UTC)
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))  # clocks differ
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        # A certificate that is its own authority: that is what `--cafile` wants.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_KEY_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage(_USES), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    encoding = serialization.Encoding.PEM
    pem = certificate.public_bytes(encoding)
    key_pem = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, key_pem, fingerprint(certificate.public_bytes(serialization.Encoding.DER))


#: A client may show one, too, to a server with `client_cafile`.
_USES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
_KEY_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return x509.DNSName(host.encode("idna").decode("ascii"))
