"""How to connect: what the command line and the scripting API say about it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._certificates import CertificateProblem

__all__ = ["ConnectOptions"]


def _ignore(text: str) -> None:
    """Drop a note."""


@dataclass(frozen=True)
class ConnectOptions:
    """Everything that `connect` wants to know beside the qualifier.

    Attributes:
        secret_file: a file whose first line is the secret.
        cafile: PEM file of authorities to trust instead of the system's.
        fingerprint: SHA-256 of the one certificate to trust, hex, colons allowed.
        certfile, keyfile: our own certificate, for servers that want one.
        timeout: seconds for each step: name, TCP, TLS, hello, login.
        ask_secret: asks the person for a secret, given the address; None: never ask.
        ask_certificate: shows a problem and asks; None: never ask, refuse.
        note: told things worth knowing that are no errors.
    """

    secret_file: str | None = None
    cafile: str | None = None
    fingerprint: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    timeout: float = 10.0
    ask_secret: Callable[[str], str | None] | None = None
    ask_certificate: Callable[[CertificateProblem], Literal["no", "once", "always"]] | None = None
    note: Callable[[str], None] = _ignore
