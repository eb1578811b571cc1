"""SCRAM-SHA-256 and -PLUS (RFC 5802, 7677): each side proves that it knows the secret, and never sends it.

No I/O and no threads; one object is one login and is good for one only. Which call may follow which is
in the two tables, and anything else fails the login for good. The derivation from the secret takes
milliseconds: the server does it once, in `Verifier.from_secret`, the client in `ScramClient.receive`.
"""

from __future__ import annotations

import enum
import functools
import re
from dataclasses import dataclass, field
from hashlib import pbkdf2_hmac, sha256
from hmac import compare_digest
from hmac import new as new_hmac
from os import urandom
from types import MappingProxyType
from typing import TYPE_CHECKING

from remora_protocol._scram_text import (
    ScramError,
    decode_base64,
    encode_base64,
    escape_user,
    prepare_secret,
    read_attributes,
    unescape_user,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DEFAULT_ITERATIONS",
    "MAX_ITERATIONS",
    "MECHANISM",
    "MECHANISM_PLUS",
    "MIN_ITERATIONS",
    "OBSERVER",
    "USER",
    "ScramClient",
    "ScramError",
    "ScramServer",
    "ScramState",
    "Verifier",
]

MECHANISM = "SCRAM-SHA-256"
MECHANISM_PLUS = "SCRAM-SHA-256-PLUS"

#: The two user names there are: who may do everything, and who may look.
USER = "remora"
OBSERVER = "observer"

DEFAULT_ITERATIONS = 4096
# What a client does for a server that it does not trust yet: no less, or a listener could search the
# secret cheaply (RFC 7677), and no more than about a second of work.
MIN_ITERATIONS = 4096
MAX_ITERATIONS = 1_000_000

_BINDING = "tls-server-end-point"
_DIGEST_SIZE = 32
_MIN_SALT = 8
_MAX_SALT = 256
_NONCE = re.compile(r"[!-+\--~]{8,256}")
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
# So that a user who does not exist has the same salt at every try, as one who exists has.
_MOCK_KEY = urandom(_DIGEST_SIZE)


class ScramState(enum.Enum):
    """How far a login is."""

    START = "start"
    FIRST_DONE = "first-done"
    FINAL_SENT = "final-sent"
    DONE = "done"
    FAILED = "failed"


CLIENT_TRANSITIONS: Mapping[tuple[ScramState, str], ScramState] = MappingProxyType(
    {
        (ScramState.START, "first"): ScramState.FIRST_DONE,
        (ScramState.FIRST_DONE, "receive"): ScramState.FINAL_SENT,
        (ScramState.FINAL_SENT, "finish"): ScramState.DONE,
    }
)
SERVER_TRANSITIONS: Mapping[tuple[ScramState, str], ScramState] = MappingProxyType(
    {
        (ScramState.START, "start"): ScramState.FIRST_DONE,
        (ScramState.FIRST_DONE, "finish"): ScramState.DONE,
    }
)


@dataclass(frozen=True)
class Verifier:
    """What a server keeps instead of a secret: it can check a proof with it, and make none."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @classmethod
    def from_secret(
        cls, secret: str, salt: bytes | None = None, iterations: int = DEFAULT_ITERATIONS
    ) -> Verifier:
        """Derive from a secret.

        Raises:
            ValueError: the secret holds control characters (a forgotten line end); does not show it.
        """
        salt = urandom(16) if salt is None else salt
        salted = _salt(prepare_secret(secret), salt, iterations)
        return cls(salt, iterations, _hash(_hmac(salted, b"Client Key")), _hmac(salted, b"Server Key"))

    @classmethod
    def mock(cls, user: str, iterations: int) -> Verifier:
        """For a user who does not exist: looks like any other from outside, and no proof fits it."""
        name = user.encode("utf-8", "surrogatepass")
        salt = _hmac(_MOCK_KEY, name)[:16]
        return cls(salt, iterations, urandom(_DIGEST_SIZE), urandom(_DIGEST_SIZE))


class _Exchange:
    """What both sides have in common: a place in a table, and the end of it after any failure."""

    _transitions: Mapping[tuple[ScramState, str], ScramState]

    def __init__(self) -> None:
        self.state = ScramState.START

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state.value}>"

    @property
    def done(self) -> bool:
        """Whether the other side has proved that it knows the secret."""
        return self.state is ScramState.DONE

    def _enter(self, step: str) -> ScramState:
        """The state that `step` leads to; FAILED is where we are until it has been reached."""
        target = self._transitions.get((self.state, step))
        self.state = ScramState.FAILED
        if target is None:
            raise ScramError("wrong-state", "A login message came out of turn.")
        return target


class ScramClient(_Exchange):
    """The side that was told the secret by a person.

    Args:
        secret: as the person gave it.
        mechanism: one of the two, chosen from the server's list.
        channel_binding: `tls_server_end_point` of the server's certificate, None without TLS.
        server_offers_plus: whether the server's list has the other one, of two.
        user: `USER` or `OBSERVER`.

    Raises:
        ValueError: the secret holds control characters, or the mechanism is not to be used in this way.
    """

    _transitions = CLIENT_TRANSITIONS

    def __init__(
        self,
        secret: str,
        mechanism: str,
        *,
        channel_binding: bytes | None = None,
        server_offers_plus: bool = False,
        user: str = USER,
        nonce: str | None = None,
    ) -> None:
        super().__init__()
        if mechanism not in (MECHANISM, MECHANISM_PLUS):
            raise ValueError(f"mechanism must be {MECHANISM} or {MECHANISM_PLUS}")
        plus = mechanism == MECHANISM_PLUS
        if plus and channel_binding is None:
            raise ValueError(f"{MECHANISM_PLUS} needs channel_binding")
        if not plus and channel_binding is not None and server_offers_plus:
            raise ValueError(f"{MECHANISM_PLUS} is offered and possible: to use less is a downgrade")
        flag = f"p={_BINDING}" if plus else "n" if channel_binding is None else "y"
        self._header = f"{flag},,"
        self._binding = channel_binding if plus and channel_binding is not None else b""
        self._secret: bytes | None = prepare_secret(secret)
        self._nonce = _new_nonce() if nonce is None else nonce
        self._first_bare = f"n={escape_user(user)},r={self._nonce}"
        self._signature = b""

    def first(self) -> bytes:
        """The client-first message."""
        target = self._enter("first")
        self.state = target
        return (self._header + self._first_bare).encode("utf-8")

    def receive(self, server_first: bytes) -> bytes:
        """Read the server-first message and return client-final, which holds the proof.

        Raises:
            ScramError: nothing that a server may say, or that a client should act on.
        """
        target = self._enter("receive")
        secret, self._secret = self._secret, None
        assert secret is not None
        text, values = read_attributes(server_first, "rsi")
        nonce, salt, iterations = self._check_first(values)
        salted = salted_secret(secret, salt, iterations)
        client_key = _hmac(salted, b"Client Key")
        binding = encode_base64(self._header.encode("ascii") + self._binding)
        without_proof = f"c={binding},r={nonce}"
        signed = ",".join((self._first_bare, text, without_proof)).encode("utf-8")
        proof = _xor(client_key, _hmac(_hash(client_key), signed))
        self._signature = _hmac(_hmac(salted, b"Server Key"), signed)
        self.state = target
        return f"{without_proof},p={encode_base64(proof)}".encode("ascii")

    def _check_first(self, values: Mapping[str, str]) -> tuple[str, bytes, int]:
        nonce = values["r"]
        # Equal would do for a replay: the server has to add something new.
        if not _NONCE.fullmatch(nonce) or not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise ScramError("nonce", "The server's nonce does not go on from ours: this is no answer to us.")
        salt = decode_base64(values["s"])
        if not _MIN_SALT <= len(salt) <= _MAX_SALT:
            raise ScramError("other-error", "The server's salt is too short or too long.")
        count = values["i"]
        if not _COUNT.fullmatch(count) or not MIN_ITERATIONS <= int(count) <= MAX_ITERATIONS:
            text = f"The server asks for a number of iterations outside {MIN_ITERATIONS} to {MAX_ITERATIONS}."
            raise ScramError("iterations", text)
        return nonce, salt, int(count)

    def finish(self, server_final: bytes) -> None:
        """Read the server-final message.

        Raises:
            ScramError: the server refused us, or did not prove that it knows the secret: then it is not
                what the person wanted to reach, and nothing it says is to be believed.
        """
        target = self._enter("finish")
        if server_final.startswith(b"e="):
            raise ScramError.from_server(server_final)
        _, values = read_attributes(server_final, "v")
        if not compare_digest(decode_base64(values["v"]), self._signature):
            raise ScramError("wrong-signature", "The server did not prove that it knows the secret.")
        self.state = target


class ScramServer(_Exchange):
    """The side that checks.

    Args:
        verifiers: one for everybody (then `USER` is the only user), or one for each user name.
        channel_binding: `tls_server_end_point` of our own certificate over TLS, where only
            SCRAM-SHA-256-PLUS is offered; None without TLS, where only SCRAM-SHA-256 is.
    """

    _transitions = SERVER_TRANSITIONS

    def __init__(
        self,
        verifiers: Verifier | Mapping[str, Verifier],
        *,
        channel_binding: bytes | None = None,
        nonce: str | None = None,
    ) -> None:
        super().__init__()
        self._verifiers = {USER: verifiers} if isinstance(verifiers, Verifier) else dict(verifiers)
        self._binding = channel_binding
        self._own_nonce = _new_nonce() if nonce is None else nonce
        self._user = ""
        self._verifier: Verifier | None = None
        self._nonce = self._header = self._first_bare = self._first = ""

    @property
    def started(self) -> bool:
        """Whether the client's first message was taken, so that `finish` is next."""
        return self.state is ScramState.FIRST_DONE

    @property
    def mechanisms(self) -> list[str]:
        """What to offer."""
        return [MECHANISM if self._binding is None else MECHANISM_PLUS]

    @property
    def user(self) -> str | None:
        """Whose secret was proved, once it was."""
        return self._user if self.done else None

    def start(self, mechanism: str, client_first: bytes) -> bytes:
        """Read the client-first message and return server-first.

        Raises:
            ScramError: it is none, or less than this connection can do (a downgrade).
        """
        target = self._enter("start")
        # The header ends at the second comma; what follows is signed as it came.
        text, values = read_attributes(client_first, "nr", gs2_header=True)
        header, self._first_bare = text[: -len(values["bare"])], values["bare"]
        self._check_header(mechanism, header)
        if not _NONCE.fullmatch(values["r"]):
            raise ScramError("nonce", "The client's nonce is too short, too long, or has other characters.")
        self._user = unescape_user(values["n"])
        some = next(iter(self._verifiers.values()), None)
        iterations = DEFAULT_ITERATIONS if some is None else some.iterations
        mock = Verifier.mock(self._user, iterations)  # always made: to know a name takes no less time
        self._verifier = self._verifiers.get(self._user, mock)
        self._header = header
        self._nonce = values["r"] + self._own_nonce
        salt = encode_base64(self._verifier.salt)
        self._first = f"r={self._nonce},s={salt},i={self._verifier.iterations}"
        self.state = target
        return self._first.encode("ascii")

    def _check_header(self, mechanism: str, header: str) -> None:
        flag = header.partition(",")[0]
        if flag == "y" and self._binding is not None:
            text = f"The client was told that {MECHANISM_PLUS} is not offered: somebody stands in between."
            raise ScramError("server-does-support-channel-binding", text)
        if mechanism not in self.mechanisms:
            raise ScramError("wrong-mechanism", f"The login has to be {self.mechanisms[0]} here.")
        if flag.startswith("p=") != (self._binding is not None):
            raise ScramError(
                "channel-binding-not-supported", "The login's channel binding does not fit its mechanism."
            )
        if flag.startswith("p=") and flag != f"p={_BINDING}":
            raise ScramError(
                "unsupported-channel-binding-type", f"The login's channel binding has to be {_BINDING}."
            )

    def finish(self, client_final: bytes) -> bytes:
        """Check the client-final message and return server-final, our own proof.

        Raises:
            ScramError: "invalid-proof" for a wrong secret and for a user who does not exist.
        """
        target = self._enter("finish")
        verifier = self._verifier
        assert verifier is not None
        text, values = read_attributes(client_final, "crp")
        expected = self._header.encode("utf-8") + (self._binding or b"")
        if not compare_digest(decode_base64(values["c"]), expected):
            text = "The login is bound to another connection than this one: somebody stands in between."
            raise ScramError("channel-bindings-dont-match", text)
        if not compare_digest(values["r"].encode("utf-8"), self._nonce.encode("utf-8")):
            raise ScramError("nonce", "The login answers another question than ours.")
        proof = decode_base64(values["p"])
        if len(proof) != _DIGEST_SIZE:
            raise ScramError("invalid-proof", "The secret is wrong.")
        without_proof = text[: text.rindex(",p=")]
        signed = ",".join((self._first_bare, self._first, without_proof)).encode("utf-8")
        client_key = _xor(proof, _hmac(verifier.stored_key, signed))
        if not compare_digest(_hash(client_key), verifier.stored_key):
            raise ScramError("invalid-proof", "The secret is wrong.")
        self.state = target
        return b"v=" + encode_base64(_hmac(verifier.server_key, signed)).encode("ascii")


def _new_nonce() -> str:
    return encode_base64(urandom(24))


@functools.lru_cache(maxsize=4096)
def salted_secret(secret: bytes, salt: bytes, iterations: int) -> bytes:
    """What a client derives, kept for the next login at the same server, as RFC 5802 (section 3) lets it.

    It lives as long as the client's process, which holds the secret itself, too. A server never calls this.
    """
    return _salt(secret, salt, iterations)


def _salt(secret: bytes, salt: bytes, iterations: int) -> bytes:
    return pbkdf2_hmac("sha256", secret, salt, iterations)


def _hmac(key: bytes, message: bytes) -> bytes:
    return new_hmac(key, message, sha256).digest()


def _hash(data: bytes) -> bytes:
    return sha256(data).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right))
