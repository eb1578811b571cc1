"""What can go wrong on the way to a debuggee, one small class each, with its exit code.

The text of every error says what happened, where, and what to do next. It is for a person, and may
hold pieces of what the other end said: those pieces went through `_text.visible` first.
"""

from __future__ import annotations

import errno
from typing import ClassVar

__all__ = [
    "AlreadyAttached",
    "AmbiguousProcess",
    "AttachRefused",
    "CertificateRefused",
    "ClientError",
    "ConnectError",
    "Gone",
    "ListRefused",
    "NameNotFound",
    "NoSuchProcess",
    "NotARemora",
    "NotStopped",
    "PlainPort",
    "Refused",
    "Rejected",
    "SecretNeeded",
    "Silent",
    "Throttled",
    "TimedOut",
    "TlsFailed",
    "TlsPort",
    "Unreachable",
    "UsageError",
    "VersionMismatch",
    "is_of_output",
]


_FULL = {getattr(errno, name, None) for name in ("EPIPE", "ENOSPC", "EDQUOT", "EFBIG", "EIO")}


def is_of_output(error: BaseException) -> bool:
    """Whether it says that what we print can go nowhere: a full disk, a pipe that nobody reads any more."""
    return isinstance(error, OSError) and error.errno in _FULL


class ClientError(Exception):
    """Something that the person should read; `remedy` is what to do next ("" when there is nothing)."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "failed"  # stable, for programs

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.text}\n  {self.remedy}" if self.remedy else self.text


class UsageError(ClientError):
    """What was asked for makes no sense as typed."""

    exit_code = 2
    code = "usage"


class NotStopped(ClientError):
    """A frame was needed, and the program is running. `pause` first."""

    code = "not-stopped"


class ConnectError(ClientError):
    """No session came about. `layer` says how far it got."""

    exit_code = 3
    code = "cannot-connect"
    layer: ClassVar[str] = "tcp"


class NameNotFound(ConnectError):
    """The host's name has no address."""

    code = "name-not-found"
    layer = "dns"


class Refused(ConnectError):
    """The host is there, and nothing listens on the port."""

    code = "refused"


class Unreachable(ConnectError):
    """The network has no way to the host."""

    code = "unreachable"


class TimedOut(ConnectError):
    """No answer in time. A firewall that drops packets looks like this."""

    code = "timed-out"


class Silent(TimedOut):
    """It took the connection, and has said nothing since."""

    layer = "protocol"


class TlsPort(ConnectError):
    """We spoke plainly to a port that wants TLS: use tcps://."""

    code = "tls-required"
    layer = "tls"


class PlainPort(ConnectError):
    """We spoke TLS to a port that does not: use tcp://, or give the server a certificate."""

    code = "not-tls"
    layer = "tls"


class TlsFailed(ConnectError):
    """Both speak TLS and cannot agree."""

    code = "tls-failed"
    layer = "tls"


class Rejected(ConnectError):
    """The server does not let us in: wrong secret, too many attempts, no client certificate."""

    exit_code = 4
    code = "rejected"
    layer = "login"


class Throttled(Rejected):
    """Wrong secrets came from here, so that it makes us wait. `seconds` is how long, 0 if it did not say."""

    code = "auth-throttled"

    def __init__(self, text: str, remedy: str = "", *, seconds: float = 0.0) -> None:
        super().__init__(text, remedy)
        self.seconds = seconds


class SecretNeeded(Rejected):
    """The server wants a secret, and we have none and may not ask."""

    code = "auth-required"


class AttachRefused(Rejected):
    """We are logged in, and the process refuses to be debugged."""

    code = "attach-refused"
    layer = "attach"


class AlreadyAttached(AttachRefused):
    """Somebody else debugs this process now; `--force` takes over."""

    code = "already-attached"


class CertificateRefused(ConnectError):
    """The server's certificate is not trusted, or is not the one that was pinned."""

    exit_code = 5
    code = "certificate"
    layer = "certificate"

    def __init__(self, text: str, remedy: str = "", *, fingerprint: str = "") -> None:
        super().__init__(text, remedy)
        self.fingerprint = fingerprint


class NotARemora(ConnectError):
    """Something answered, and it is not a Remora."""

    exit_code = 6
    code = "not-a-remora"
    layer = "protocol"


class VersionMismatch(ConnectError):
    """A Remora with no protocol version in common."""

    exit_code = 6
    code = "version-mismatch"
    layer = "protocol"


class ListRefused(ConnectError):
    """We are logged in, and are not told which processes there are."""

    code = "list-refused"
    layer = "process"


class NoSuchProcess(ConnectError):
    """No process there matches what was asked for."""

    code = "no-such-process"
    layer = "process"


class AmbiguousProcess(ConnectError):
    """Several processes match, and nobody can be asked which: `--pid` or `--name` tells."""

    exit_code = 2
    code = "ambiguous-process"
    layer = "process"


class Gone(ConnectError):
    """The debuggee, or the way to it, went away in the middle of a session."""

    exit_code = 7
    code = "gone"
    layer = "session"
