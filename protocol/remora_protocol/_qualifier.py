"""The text that names where to look: ``[tcp://|tcps://][SECRET@]HOST[:PORT][#PID]``.

Or ``ssh://[USER@]HOST[:PORT][/PID]``, or ``unix:///PATH``: ways that need no secret.

Pure functions for any thread. Nothing in here puts any part of the text into an error: where a person
forgets the ``@HOST``, what we take for a host is the secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Callable

__all__ = ["DEFAULT_PORT", "Qualifier", "QualifierError", "escape_secret", "parse_qualifier"]

DEFAULT_PORT = 5678
_MAX_PID = 2**32 - 1  # Windows counts in 32 bits, everybody else in fewer
_FORM = "[tcp://|tcps://][SECRET@]HOST[:PORT][#PID]"
_EXAMPLE = f"tcps://s3cret@build-7.example:{DEFAULT_PORT}"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_NETWORK = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[^:]*))?", re.DOTALL)
_ESCAPE = re.compile(rb"%(?:([0-9A-Fa-f]{2})|)")
_HOST = re.compile(r"(?!-)[^\x00-\x2c/:;<=>?@\[\\\]^`{|}~\x7f-\xa0\s]{1,253}")
_SSH_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\\+@$-]{0,255}")
_DOTTED = re.compile(r"[0-9]+(\.[0-9]+)*")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class QualifierError(ValueError):
    """What was given is no qualifier. Says what is wrong and shows the right form, never what was given."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem} The form is {_FORM}, for example {_EXAMPLE}")


@dataclass(frozen=True)
class Qualifier:
    """Where a debuggee is, and how to get in.

    Attributes:
        scheme: "tcp" or "tcps", "ssh", "unix"; or "via": a command's standard input and output.
        port: 0 where it is left to the configuration of ssh.
        secret: None when none was given, which is not the same as an empty one.
        pid: which of the processes behind the address, when it says.
        user: of ssh, when it says.
        path: of a Unix socket; or the command, for "via", which no text gives.
    """

    scheme: str
    host: str
    port: int = DEFAULT_PORT
    secret: str | None = field(default=None, repr=False)
    pid: int | None = None
    user: str | None = None
    path: str = ""

    @property
    def is_network(self) -> bool:
        """Whether we connect to a port ourselves, and have to prove a secret there."""
        return self.scheme in ("tcp", "tcps")

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "tcps"

    @property
    def address(self) -> tuple[str, int]:
        """What a socket connects to; IPv6 without brackets."""
        return self.host, self.port

    def __str__(self) -> str:
        if self.scheme == "via":
            return self.path
        if self.scheme == "unix":
            return f"unix://{self.path}" + ("" if self.pid is None else f"#{self.pid}")
        if self.scheme == "ssh":
            return self._ssh_text()
        host = f"[{self.host}]" if ":" in self.host else self.host
        pid = "" if self.pid is None else f"#{self.pid}"
        return f"{self.scheme}://{host}:{self.port}{pid}"

    def _ssh_text(self) -> str:
        user = "" if self.user is None else f"{self.user}@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"ssh://{user}{host}{port}" + ("" if self.pid is None else f"/{self.pid}")


def escape_secret(secret: str) -> str:
    """Write a secret the way a qualifier takes it, whatever characters it has."""
    data = secret.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in data)


def parse_qualifier(text: str, default_port: int = DEFAULT_PORT) -> Qualifier:
    """Read a qualifier.

    The last ``@`` ends the secret, so an ``@``, ``:`` or ``/`` in it needs no escape, though it may have
    one; only ``%`` itself does.

    Raises:
        QualifierError: it is none.
    """
    text = text.strip()
    if not text:
        raise QualifierError("A qualifier is needed.")
    match = _SCHEME.fullmatch(text)
    scheme, rest = ("tcp", text) if match is None else (match[1].lower(), match[2])
    parse = _SCHEMES.get(scheme)
    if parse is None:
        *most, last = (f"{name}://" for name in _SCHEMES)
        known = f"{', '.join(most)} or {last}"
        raise QualifierError(f"What stands before '://' is not known here; it may be {known}.")
    return parse(scheme, rest, default_port)


def _parse_network(scheme: str, rest: str, default_port: int) -> Qualifier:
    before, at, place = rest.rpartition("@")
    place, hash_sign, pid = place.partition("#")
    match = _NETWORK.fullmatch(place[:-1] if place.endswith("/") else place)
    if match is None:
        if place.count(":") > 1:
            raise QualifierError("An IPv6 address is written in brackets, as in [::1]:5678.")
        raise QualifierError("After the secret comes HOST:PORT and nothing else.")
    return Qualifier(
        scheme,
        _parse_host(match["host"]),
        default_port if match["port"] is None else _number(match["port"], 65535, "The port"),
        _unescape(before) if at else None,
        _number(pid, _MAX_PID, "The process id after '#'") if hash_sign else None,
    )


def _parse_ssh(scheme: str, rest: str, _default_port: int) -> Qualifier:
    before, at, place = rest.rpartition("@")
    place, sign, pid = _split_pid(place)
    match = _NETWORK.fullmatch(place)
    if match is None:
        raise QualifierError("After ssh:// comes [USER@]HOST[:PORT][/PID] and nothing else.")
    if at and _SSH_USER.fullmatch(before) is None:
        raise QualifierError("What stands before the '@' after ssh:// is a user's name, and nothing else.")
    host = match["host"]
    name = _parse_host(host)
    return Qualifier(
        scheme,
        # Not in lower case: it may be an alias of the configuration of ssh.
        host if _HOST.fullmatch(host) and not _DOTTED.fullmatch(host) else name,
        0 if match["port"] is None else _number(match["port"], 65535, "The port"),
        None,
        _number(pid, _MAX_PID, "The process id") if pid or sign == "#" else None,
        before if at else None,
    )


def _split_pid(place: str) -> tuple[str, str, str]:
    """After ssh:// the process may stand behind a '/' as well as behind a '#'."""
    return place.partition("/" if "/" in place and "#" not in place else "#")


def _parse_unix(scheme: str, rest: str, _default_port: int) -> Qualifier:
    path, sign, pid = rest.partition("#")
    if not path.startswith("/") or "\0" in path:
        raise QualifierError("After unix:// comes the whole path of a socket, as in unix:///run/x.sock.")
    return Qualifier(
        scheme, "", 0, None, _number(pid, _MAX_PID, "The process id after '#'") if sign else None, None, path
    )


# Each scheme reads what follows its '://' as it likes.
_SCHEMES: dict[str, Callable[[str, str, int], Qualifier]] = {
    "tcp": _parse_network,
    "tcps": _parse_network,
    "ssh": _parse_ssh,
    "unix": _parse_unix,
}


def _parse_host(host: str) -> str:
    if not host:
        raise QualifierError("The host is missing.")
    if host.startswith("["):
        address = _ip_address(host[1:-1])
        if address is None or ":" not in address:
            raise QualifierError("What stands in the brackets is no IPv6 address.")
        return address
    if _DOTTED.fullmatch(host):
        # Resolvers take 1234 for 0.0.4.210, which nobody who typed a process id had in mind.
        address = _ip_address(host)
        if address is None:
            raise QualifierError("The host looks like an IPv4 address, but is none.")
        return address
    if _HOST.fullmatch(host) is None:
        raise QualifierError("The host has a character that no host name has, or is too long.")
    return host.lower()  # one host, one entry among the trusted certificates


def _ip_address(text: str) -> str | None:
    import ipaddress  # 3 ms, and the server never parses a qualifier

    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _number(text: str, most: int, what: str) -> int:
    if re.fullmatch(r"[0-9]{1,10}", text) is None or not 1 <= int(text) <= most:
        raise QualifierError(f"{what} is a number from 1 to {most}.")
    return int(text)


def _unescape(text: str) -> str:
    try:
        data = text.encode("utf-8", "surrogatepass")
        if any(match[1] is None for match in _ESCAPE.finditer(data)):
            raise QualifierError("A '%' in the secret is written '%25'.")
        data = _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode("ascii")), data)
        return data.decode("utf-8", "surrogatepass")
    except UnicodeError:
        pass  # raised below: the error caught here holds the secret
    raise QualifierError("The percent-escapes in the secret are not UTF-8.")
