"""The bodies of ``remora/hello`` and ``remora/authenticate``: written here, and checked here when read.

Pure functions for any thread. What the server reads is refused with `RequestFailed`, which it answers;
what the client reads, with `RemoteProtocolError`, after which it hangs up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remora_protocol._errors import RemoteProtocolError, RequestFailed
from remora_protocol._scram import MECHANISM, MECHANISM_PLUS
from remora_protocol._scram_text import ScramError, decode_base64, encode_base64

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "PROTOCOL_VERSIONS",
    "Hello",
    "authenticate_arguments",
    "authenticate_body",
    "choose_mechanism",
    "hello_arguments",
    "hello_body",
    "negotiate",
    "read_authenticate_arguments",
    "read_authenticate_body",
    "read_hello_body",
]

#: The oldest and the newest version of the protocol that this code speaks.
PROTOCOL_VERSIONS = (1, 1)


@dataclass(frozen=True)
class Hello:
    """What a server said of itself.

    Attributes:
        mechanisms: empty when it asks for no secret.
    """

    protocol: int
    server_name: str
    server_version: str
    mechanisms: tuple[str, ...]


def hello_arguments(name: str, version: str) -> dict[str, Any]:
    """What a client sends first."""
    least, most = PROTOCOL_VERSIONS
    return {"protocol": {"min": least, "max": most}, "client": {"name": name, "version": version}}


def negotiate(theirs: Mapping[str, Any], ours: tuple[int, int] = PROTOCOL_VERSIONS) -> int:
    """Choose the version to speak, on the server, from the `protocol` of a client's hello.

    Raises:
        RequestFailed: "version-mismatch", with both ranges and the side to upgrade; or "bad-request".
    """
    least, most = _version(theirs.get("min")), _version(theirs.get("max"))
    if least is None or most is None or least > most:
        raise RequestFailed("bad-request", "A hello has protocol: {min, max}, two whole numbers from 1 up.")
    if least <= ours[1] and ours[0] <= most:
        return min(most, ours[1])
    older, where = (
        ("server", "where the program runs") if ours[1] < least else ("client", "on your own machine")
    )
    text = (
        f"The server speaks versions {ours[0]} to {ours[1]} of Remora's protocol and the client "
        f"{least} to {most}. The {older} is the older one: upgrade Remora {where}."
    )
    raise RequestFailed("version-mismatch", text)


def hello_body(protocol: int, name: str, version: str, mechanisms: Sequence[str]) -> dict[str, Any]:
    """What a server answers."""
    return {
        "protocol": protocol,
        "server": {"name": name, "version": version},
        "mechanisms": list(mechanisms),
    }


def read_hello_body(body: Any) -> Hello:
    """What the server answered, checked.

    Raises:
        RemoteProtocolError: it is no answer to a hello, or has a version that we did not offer.
    """
    body = body if isinstance(body, dict) else {}
    protocol, server, mechanisms = _version(body.get("protocol")), body.get("server"), body.get("mechanisms")
    server = server if isinstance(server, dict) else {}
    name, version = server.get("name"), server.get("version")
    if not isinstance(name, str) or not isinstance(version, str) or protocol is None:
        raise RemoteProtocolError(
            "bad-request", "The server's hello does not say who it is: it may be no Remora."
        )
    if not PROTOCOL_VERSIONS[0] <= protocol <= PROTOCOL_VERSIONS[1]:
        raise RemoteProtocolError(
            "version-mismatch", "The server chose a protocol version that was not offered."
        )
    if not isinstance(mechanisms, list) or not all(isinstance(item, str) for item in mechanisms):
        raise RemoteProtocolError("bad-request", "The server's hello does not say how to log in.")
    return Hello(protocol, name, version, tuple(mechanisms))


def choose_mechanism(offered: Sequence[str], *, tls: bool) -> str | None:
    """Which login to use, on the client; None when none is asked for.

    Over TLS nothing less than the bound one will do: every Remora offers it there, so where it is missing
    somebody in between has taken it away.

    Raises:
        RemoteProtocolError: "not-supported": nothing on the list will do.
    """
    if not offered:
        return None
    wanted = MECHANISM_PLUS if tls else MECHANISM
    if wanted in offered:
        return wanted
    if tls and MECHANISM in offered:
        text = (
            "The server offers only a login that is not bound to this TLS connection, as no Remora does: "
            "somebody may stand in between. Nothing was sent that could help them."
        )
        raise RemoteProtocolError("not-supported", text)
    raise RemoteProtocolError("not-supported", f"The server does not offer the login {wanted}.")


def authenticate_arguments(mechanism: str, data: bytes) -> dict[str, Any]:
    """One of the client's two login messages."""
    return {"mechanism": mechanism, "data": encode_base64(data)}


def read_authenticate_arguments(arguments: Mapping[str, Any]) -> tuple[str, bytes]:
    """Mechanism and message, on the server.

    Raises:
        RequestFailed: "bad-request".
    """
    mechanism, data = arguments.get("mechanism"), _read_data(arguments)
    if not isinstance(mechanism, str) or data is None:
        raise RequestFailed("bad-request", "A login has mechanism, a text, and data, in base64.")
    return mechanism, data


def authenticate_body(data: bytes, *, done: bool) -> dict[str, Any]:
    """One of the server's two login messages."""
    return {"data": encode_base64(data), "done": done}


def read_authenticate_body(body: Any) -> tuple[bytes, bool]:
    """Message, and whether it was the last, on the client.

    Raises:
        RemoteProtocolError: "bad-request".
    """
    body = body if isinstance(body, dict) else {}
    data, done = _read_data(body), body.get("done")
    if data is None or not isinstance(done, bool):
        raise RemoteProtocolError("bad-request", "The server's answer to the login is malformed.")
    return data, done


def _read_data(holder: Mapping[str, Any]) -> bytes | None:
    text = holder.get("data")
    try:
        return decode_base64(text) if isinstance(text, str) else None
    except ScramError:
        return None


def _version(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return int(value) if whole and 1 <= value <= 1_000_000 else None
