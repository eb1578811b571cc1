"""What `enable_attach` needs before anything listens: checked arguments, a bound socket, a TLS context.

On the thread that enables. Nothing here stays when one of them fails.
"""

from __future__ import annotations

import os
import socket
import warnings

from remora._errors import InsecureWarning
from remora._interpreter._originals import Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora._enabled import Settings

__all__ = ["Tls", "bind", "check_secrets", "family_of", "is_loopback", "make_tls", "warn_if_insecure"]


def check_secrets(secret: object, observer_secret: object) -> None:
    """See that these can be secrets.

    Raises:
        TypeError: one is no text.
        ValueError: one has what cannot be part of a secret, or there is one for observers only.
    """
    for name, value in (("secret", secret), ("observer_secret", observer_secret)):
        if value is None:
            continue
        if not isinstance(value, str):
            raise TypeError(f"{name} has to be a str or None, not {type(value).__name__}")
        if not (value.isascii() and value.isprintable()):
            from remora_protocol import Verifier

            Verifier.from_secret(value)  # says what cannot be part of a secret
    if secret is None and observer_secret is not None:
        raise ValueError("observer_secret makes no sense without secret: everybody may do everything then")


def warn_if_insecure(
    host: str, certfile: str | None, secret: str | None, deed: str = "listens on", stacklevel: int = 4
) -> None:
    """Warn of what others could do who reach it, at the line of the program that called us."""
    if is_loopback(host) or (certfile and secret is not None):
        return
    missing = []
    if secret is None:
        missing.append("no secret, so anybody who can reach it can run code here: pass one")
    if not certfile:
        missing.append("no TLS, so others can read and change what is sent: pass certfile and keyfile")
    text = f"Remora {deed} {host or 'every interface'} with {'; and with '.join(missing)}."
    remedy = ' Or listen on this machine only, with address=("127.0.0.1", 5678), and come in through ssh -L.'
    if deed != "listens on":
        remedy = ""
    warnings.warn(f"{text}{remedy}", InsecureWarning, stacklevel=stacklevel)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it. A name may begin like an address, and lead anywhere."""
    return host in ("localhost", "::1") or (host.startswith("127.") and set(host) <= set("0123456789."))


class Tls:
    """TLS as it was asked for. The files are read once: they may change, or go, while the program runs.

    Attributes:
        certificate: the text of `certfile`, whose first certificate is our own.
        authority: what is in `client_cafile`, in few words; "" for none.
    """

    def __init__(self, settings: Settings) -> None:
        import hashlib
        import ssl

        assert settings.certfile is not None
        context = self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A client that asks for one handshake after the other could keep our thread busy.
        context.options |= getattr(ssl, "OP_NO_RENEGOTIATION", 0)
        with open(settings.certfile, encoding="ascii", errors="replace") as file:
            self.certificate = file.read()
        if settings.keyfile is not None:
            open(settings.keyfile, "rb").close()  # OpenSSL does not say which file is not there
        try:
            # A text even when there is none: OpenSSL would ask for it on the terminal of the program.
            context.load_cert_chain(settings.certfile, settings.keyfile, settings.password or "")
        except ssl.SSLError as error:
            raise ssl.SSLError(
                error.errno,
                f"{settings.keyfile or settings.certfile} has no key in PEM that fits the certificate in "
                f"{settings.certfile}, or wants another password ({error.reason or 'no reason given'}).",
            ) from None
        self.authority = ""
        if settings.client_cafile is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(settings.client_cafile)
            with open(settings.client_cafile, "rb") as authorities:
                self.authority = hashlib.sha256(authorities.read()).hexdigest()


def make_tls(settings: Settings) -> Tls | None:
    """None without a certificate."""
    if settings.certfile is not None:
        return Tls(settings)
    if settings.keyfile is not None or settings.client_cafile is not None:
        raise ValueError("keyfile and client_cafile need certfile")
    return None


def family_of(host: str) -> int:
    """The address family of a host, as `enable_attach` takes it."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def bind(address: tuple[str, int]) -> Socket:
    """A socket that listens there. Raises `OSError`."""
    host, port = address
    sock = Socket(family_of(host), socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        sock.bind((host, port))
        sock.listen(1024)  # a full queue costs whoever comes next a second
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock
