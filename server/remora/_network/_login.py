"""Who may come in: the secrets, in the form in which a server keeps them, and the price of a wrong one.

Runs on the server's thread. A wrong secret delays the next attempt of the same peer, twice as long each time;
it delays nobody else.
"""

from __future__ import annotations

import hmac
import math
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remora._interpreter._originals import monotonic
from remora_protocol import OBSERVER, USER, RequestFailed, ScramServer, Verifier

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Gate", "Peer"]

DRIVER_ROLE, OBSERVER_ROLE = "driver", "observer"

_MAPPED = bytes(10) + b"\xff\xff"
_FIRST_DELAY = 0.25
_LONGEST_DELAY = 60.0
_FORGET_AFTER = 900.0
_MOST_PEERS = 4096
#: To normalize a text takes time by the square of its length: with as much as a stranger may send, seconds.
_LONGEST_SECRET = 1024


@dataclass(frozen=True)
class Peer:
    """The other end of a connection.

    Attributes:
        name: as people and the log see it, `192.0.2.7:51234`.
        key: what wrong secrets are counted by; a whole /64 of IPv6 is one.
        is_local: it comes from this host.
        is_same_user: the system vouches that it belongs to the user who runs this process.
        is_another_users: the system says that it belongs to somebody else on this machine.
        tls: what it sends is encrypted, on the way to the port at least.
        is_relayed: it came through the owner of our port. That says nothing of what it may do here.
        binding: of the TLS connection to the owner, to which a login here is bound, too.
    """

    name: str
    key: str
    is_local: bool = False
    is_same_user: bool = False
    tls: bool = False
    is_another_users: bool = False
    is_relayed: bool = False
    binding: bytes | None = None

    @classmethod
    def from_address(cls, address: tuple[str, int]) -> Peer:
        """The peer at the far end of a TCP connection."""
        host, port = address[0].partition("%")[0], address[1]
        if ":" not in host:
            return cls(f"{host}:{port}", host, host.startswith("127."))
        packed = socket.inet_pton(socket.AF_INET6, host)
        if packed.startswith(_MAPPED):  # IPv4 that came in through an IPv6 socket
            return cls.from_address((socket.inet_ntop(socket.AF_INET, packed[12:]), port))
        return cls(f"[{host}]:{port}", packed[:8].hex(), host == "::1")


@dataclass
class _Failures:
    count: int
    until: float


class Gate:
    """Checks secrets. Keeps none: only verifiers, from which no secret can be had.

    Args:
        secret: None lets everybody in.
        observer_secret: lets in those who may look and run no code.
    """

    def __init__(
        self, secret: str | None, observer_secret: str | None = None, now: Callable[[], float] = monotonic
    ) -> None:
        self._verifiers: dict[str, Verifier] = {}
        if secret is not None:
            self._verifiers[USER] = Verifier.from_secret(secret)
        if observer_secret is not None:
            self._verifiers[OBSERVER] = Verifier.from_secret(observer_secret)
        self._is_open = secret is None
        self._now = now
        self._failures: dict[str, _Failures] = {}

    @property
    def is_open(self) -> bool:
        """Whether no secret is asked for."""
        return self._is_open

    def holds(self, secret: str | None, observer_secret: str | None) -> bool:
        """Whether it was made with these secrets."""
        wanted = {USER: secret, OBSERVER: observer_secret}
        return all(
            (given is None) == (user not in self._verifiers) and (given is None or self._fits(user, given))
            for user, given in wanted.items()
        )

    def begin(self, binding: bytes | None) -> ScramServer:
        """A new login; `binding` is that of the TLS connection it comes through.

        Where observers have no secret of their own, who knows the main one may come as an observer, too.
        """
        verifiers = self._verifiers
        if USER in verifiers:
            verifiers = {OBSERVER: verifiers[USER], **verifiers}
        return ScramServer(verifiers, channel_binding=binding)

    def role_of_user(self, user: str | None) -> str:
        """What the owner of a proved secret may do."""
        return OBSERVER_ROLE if user == OBSERVER else DRIVER_ROLE

    def role_of_secret(self, secret: str) -> str | None:
        """What the owner of this secret may do; None when it is wrong."""
        if len(secret) > _LONGEST_SECRET:
            return None
        fitting = [user for user in self._verifiers if self._fits(user, secret)]
        return self.role_of_user(fitting[0]) if fitting else None

    def _fits(self, user: str, secret: str) -> bool:
        verifier = self._verifiers[user]
        try:
            other = Verifier.from_secret(secret, verifier.salt, verifier.iterations)
        except ValueError:
            return False
        return hmac.compare_digest(other.stored_key, verifier.stored_key)

    # -- wrong secrets ----------------------------------------------------------------------------

    def check_patience(self, peer: Peer) -> None:
        """Refuse a peer that has to wait after a wrong secret.

        Raises:
            RequestFailed: "auth-throttled", with the seconds left.
        """
        failures = self._failures.get(peer.key)
        left = failures.until - self._now() if failures else 0
        if failures and left > 0:
            wrong = "a wrong secret" if failures.count == 1 else f"{failures.count} wrong secrets"
            left = math.ceil(left * 10) / 10  # never 0.0
            raise RequestFailed(
                "auth-throttled", f"After {wrong} from your address, wait {left:.1f} seconds."
            )

    def failed(self, peer: Peer) -> float:
        """A wrong secret came from this peer; returns the seconds that it has to wait now."""
        now = self._now()
        known = self._failures.pop(peer.key, None)
        count = 1 if known is None or now > known.until + _FORGET_AFTER else known.count + 1
        delay = min(_FIRST_DELAY * 2.0 ** min(count - 1, 16), _LONGEST_DELAY)
        if len(self._failures) >= _MOST_PEERS:
            del self._failures[next(iter(self._failures))]  # the one that failed longest ago
        self._failures[peer.key] = _Failures(count, now + delay)
        return delay

    def succeeded(self, peer: Peer, role: str) -> None:
        """Forget the peer's failures. An observer might as well have been guessing the other secret."""
        if role == DRIVER_ROLE:
            self._failures.pop(peer.key, None)
