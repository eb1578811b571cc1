"""TLS to a server, and the decision whether its certificate is trusted. Runs on the event loop.

The rule, in order: `--fingerprint` or a pin decides alone, for or against. Else the chain, the names and
the dates are checked as every client does. Else a person is asked, if there is one, with the connection
closed; the connection that follows must show that very certificate.
"""

from __future__ import annotations

import asyncio
import ssl
import warnings
from typing import TYPE_CHECKING

from remora_client._credentials._trust import add_pin, find_pin, normal_fingerprint
from remora_client._errors import CertificateRefused, ClientError, Rejected, TimedOut, TlsFailed, UsageError
from remora_client._records import record
from remora_client._text import visible

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from remora_client._credentials._certificates import CertificateProblem
    from remora_client._options import ConnectOptions

    Dial = Callable[[], Awaitable[socket.socket]]

__all__ = [
    "HandshakeFailed",
    "TlsStreams",
    "client_certificate_error",
    "explain",
    "old_version",
    "secure",
    "too_old",
    "wants_our_certificate",
]

# What servers send when they miss our certificate, or do not like it. OpenSSL's names for TLS alerts.
_OUR_CERTIFICATE = (
    "CERTIFICATE_REQUIRED",
    "BAD_CERTIFICATE",
    "UNKNOWN_CA",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_UNKNOWN",
    "UNSUPPORTED_CERTIFICATE",
    "CERTIFICATE_REVOKED",
    "ALERT_ACCESS_DENIED",
)

_OLD = {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1"}


class HandshakeFailed(Exception):
    """The TLS handshake failed for a reason other than the certificate: it may be no TLS port at all."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


@record
class TlsStreams:
    """A connection with its certificate judged."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    certificate: bytes  # DER, of this very connection
    by_hand: bool  # trusted because a person or a fingerprint said so, not an authority


@record
class _Expected:
    sha256: str
    why: str  # where the expectation comes from
    changed: str  # what to do when another certificate comes


async def secure(place: str, host: str, options: ConnectOptions, dial: Dial) -> TlsStreams:
    """Connect with TLS, to a server whose certificate is trusted in the end.

    Args:
        place: `host:port`, under which a pin is kept.
        dial: gives a new connected socket; called again after a person was asked.

    Raises:
        CertificateRefused: it is not.
        HandshakeFailed: it did not come to a certificate.
    """
    expected = _expected(place, options)
    if expected is not None:
        return await _connect_expecting(expected, place, host, options, dial)
    try:
        context = _context(options, verify=True)  # before there is a socket: its files may be missing
        reader, writer = await _handshake(await dial(), host, context, options.left)
        return TlsStreams(reader, writer, await _certificate(reader, writer), by_hand=False)
    except ssl.SSLCertVerificationError as error:
        failed = error
    problem = await _look(place, host, options, await dial(), failed)
    answer = options.ask_certificate(problem) if options.ask_certificate is not None else None
    options.restart_clock()
    if answer not in ("once", "always"):
        raise _untrusted(problem, asked=answer is not None)
    accepted = _Expected(problem.certificate.sha256, "the one that you were shown", "Try again.")
    streams = await _connect_expecting(accepted, place, host, options, dial)
    if answer == "always":
        add_pin(place, problem.certificate.sha256, problem.certificate.subject)
    return streams


def _expected(place: str, options: ConnectOptions) -> _Expected | None:
    if options.fingerprint is not None:
        wanted = normal_fingerprint(options.fingerprint)
        return _Expected(wanted, "given with --fingerprint", "If it was renewed, give the new fingerprint.")
    pin = find_pin(place)
    if pin is None:
        return None
    return _Expected(
        pin.sha256,
        f"pinned on {visible(pin.added) or 'an unknown day'}",
        "If the server's owner says that it was replaced: remora trust rm " + place,
    )


async def _connect_expecting(
    expected: _Expected, place: str, host: str, options: ConnectOptions, dial: Dial
) -> TlsStreams:
    from remora_client._credentials._certificates import fingerprint

    context = _context(options, verify=False)
    reader, writer = await _handshake(await dial(), host, context, options.left)
    der = await _certificate(reader, writer)
    shown = fingerprint(der)
    if shown != expected.sha256:
        writer.transport.abort()
        raise CertificateRefused(
            f"{place} shows another certificate than the one {expected.why}. Nothing was sent to it.\n"
            f"  expected  {expected.sha256}\n"
            f"  shown     {shown}",
            f"Somebody may stand in between. {expected.changed}",
            fingerprint=shown,
        )
    return TlsStreams(reader, writer, der, by_hand=True)


async def _look(
    place: str, host: str, options: ConnectOptions, sock: socket.socket, error: ssl.SSLCertVerificationError
) -> CertificateProblem:
    """Fetch the certificate that failed, on a connection that carries nothing else."""
    from remora_client._credentials import _certificates

    reader, writer = await _handshake(sock, host, _context(options, verify=False), options.left)
    der = await _certificate(reader, writer)
    writer.transport.abort()
    certificate = _certificates.describe(der)
    why = _certificates.reasons(certificate, host, error.verify_code, error.verify_message)
    return _certificates.CertificateProblem(place, certificate, why)


def _untrusted(problem: CertificateProblem, *, asked: bool) -> CertificateRefused:
    lines = [f"The certificate of {problem.place} is not trusted. {' '.join(problem.reasons)}"]
    digest = problem.certificate.sha256
    if asked:
        return CertificateRefused(lines[0], "Nothing was sent to it.", fingerprint=digest)
    lines += [f"  {line}" for line in problem.certificate.lines()]
    remedy = (
        "Compare the fingerprint with the server's owner. If it is the same, add --fingerprint "
        f"{digest}, or trust it for good: remora trust add {problem.place} {digest}. "
        "A certificate file of your own authority goes with --cafile."
    )
    return CertificateRefused("\n".join(lines), remedy, fingerprint=digest)


def _context(options: ConnectOptions, *, verify: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.cafile)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "it holds no PEM certificate"
        raise UsageError(f"The file {options.cafile} given with --cafile cannot be used: {reason}.") from None
    if options.legacy_tls:
        _allow_old(context)
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The same judgement on every Python: 3.13 began to refuse certificates for formal faults, and to take
    # a server's own certificate in the cafile for enough, which is what people who have one mean.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.certfile is not None:
        try:
            context.load_cert_chain(options.certfile, options.keyfile)
        except OSError as error:
            reason = "they do not fit together" if isinstance(error, ssl.SSLError) else error.strerror
            raise UsageError(f"Our own certificate (--cert, --key) cannot be used: {reason}.") from None
    return context


async def _handshake(
    sock: socket.socket, host: str, context: ssl.SSLContext, timeout: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        reader, writer = await asyncio.open_connection(
            sock=sock, ssl=context, server_hostname=host.rstrip("."), ssl_handshake_timeout=timeout
        )
    except ssl.SSLCertVerificationError:
        await _settle()
        raise
    except (OSError, EOFError, ValueError, UnicodeError) as error:
        await _settle()
        raise HandshakeFailed(error) from None
    try:
        await _settle()
    except asyncio.CancelledError:
        writer.transport.abort()
        raise
    return reader, writer


async def _settle() -> None:
    """Let a transport that has failed close its socket, so that no warning is left behind; and one that has
    not hear what the server thinks of our certificate, which in TLS 1.3 comes behind the handshake.
    """
    await asyncio.sleep(0)


async def _certificate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    try:
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    except ValueError as error:
        # In TLS 1.3 the server judges our certificate after the handshake: its refusal is here already.
        raise HandshakeFailed(await _refusal(reader) or error) from None
    if not isinstance(der, bytes):
        writer.transport.abort()
        raise TlsFailed("The server showed no certificate.")
    return der


async def _refusal(reader: asyncio.StreamReader) -> Exception | None:
    """The error that the connection is about to end with."""
    try:
        async with asyncio.timeout(1):
            await reader.read(1)
    except (OSError, TimeoutError) as error:
        return error
    return None


def wants_our_certificate(error: BaseException | None) -> bool:
    """Whether an error of TLS means that the server does not let us in without (another) certificate."""
    reason = str(getattr(error, "reason", "") or "")
    return any(name in reason for name in _OUR_CERTIFICATE)


def explain(place: str, error: Exception, options: ConnectOptions) -> ClientError:
    """What a handshake that failed with a server that does speak TLS means."""
    if wants_our_certificate(error):
        return client_certificate_error(place, options)
    if isinstance(error, (ConnectionAbortedError, TimeoutError)):  # asyncio's handshake time-out
        return TimedOut(f"{place} did not finish the TLS handshake within {options.timeout:g} s.")
    reason = str(getattr(error, "reason", "") or "") or str(error) or type(error).__name__
    if "HANDSHAKE_FAILURE" in reason and options.certfile is None:
        remedy = "It may want a certificate of ours: --cert FILE --key FILE. Or its TLS is too old."
    else:
        remedy = "Remora needs TLS 1.2 or later."
    return TlsFailed(f"{place} and we cannot agree on TLS: {visible(reason)}.", remedy)


def _allow_old(context: ssl.SSLContext) -> None:
    """TLS 1.0 signs with SHA-1 and MD5, which OpenSSL 3 allows on its lowest level only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")


async def old_version(host: str, options: ConnectOptions, dial: Dial) -> str:
    """Which TLS a server speaks that speaks nothing newer than 1.1; "" else. Nothing is sent to it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _allow_old(context)
    try:
        _, writer = await _handshake(await dial(), host, context, options.left)
    except (HandshakeFailed, ClientError):
        return ""
    version = str(writer.get_extra_info("ssl_object").version())
    writer.transport.abort()
    return version if version in _OLD else ""


def too_old(place: str, version: str) -> TlsFailed:
    """The server speaks a TLS that was given up for good reasons."""
    return TlsFailed(
        f"{place} speaks nothing newer than {_OLD[version]}, as an old ptvsd does. Who stands in "
        "between can break that with enough effort, and then knows the secret. Nothing was sent to it.",
        "If the way there is safe enough, add --legacy-tls; the certificate is checked all the same. Safer: "
        "an ssh tunnel, and tcp:// through it.",
    )


def client_certificate_error(place: str, options: ConnectOptions) -> Rejected:
    """The server asks for a client certificate (mutual TLS)."""
    if options.certfile is None:
        return Rejected(
            f"{place} lets only clients in that have a certificate.",
            "Give yours with --cert FILE --key FILE; the server's owner knows which authority must sign it.",
        )
    return Rejected(
        f"{place} does not accept our certificate {options.certfile}.",
        "It has to be signed by the authority in the server's client_cafile, and be valid today.",
    )
