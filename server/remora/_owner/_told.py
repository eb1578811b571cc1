"""What hooks are told, as values that stay what they are. For any thread."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Client"]


@dataclass(frozen=True)
class Client:
    """A client that wants to attach, as a hook set with `remora.on_attach` is told of it.

    What a client says of itself (`name` and `version`) is its word only.

    Attributes:
        name: of the program that the person uses, "" when it does not say.
        version: of that, "" when it does not say.
        peer: where it comes from, "192.0.2.7:51234"; on this machine it may be "pid 4711".
        role: "driver", or "observer", who may only look.
        is_local: it comes from this machine.
        is_same_user: it came in by this user's own door, which asks for no secret.
        tls: the connection is encrypted.
        takes_over: somebody else is attached, and would have to go.
        returns: it was attached before, lost the connection, and goes on where it was.
        time: when it asked, in seconds since 1970.
    """

    name: str
    version: str
    peer: str
    role: str
    is_local: bool
    is_same_user: bool
    tls: bool
    takes_over: bool
    returns: bool
    time: float
