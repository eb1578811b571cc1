"""What hooks are told, as values that stay what they are. For any thread."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Client", "Stop"]


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


@dataclass(frozen=True)
class Stop:
    """A stop of the program for its debugger, as a hook set with `remora.on_stop` is told of it.

    Attributes:
        reason: DAP's word: breakpoint, step, pause, exception, goto, function breakpoint …
        description: a few words on it, for the person; "" when the reason says it all.
        text: an exception's message, why a condition failed; "" mostly.
        thread: the name of the thread that stopped.
        ident: its number, as `threading.get_ident` gives it.
        all_threads: whether all others are stopped with it.
        function: where it stands, qualified; "" inside native code.
        file: its file.
        line: its line there, 0 when there is none.
        time: when it was told, in seconds since 1970.
    """

    reason: str
    description: str
    text: str
    thread: str
    ident: int
    all_threads: bool
    function: str
    file: str
    line: int
    time: float
