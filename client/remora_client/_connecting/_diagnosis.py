"""What a connection that came to nothing means: from symptoms to an error with a remedy.

All but `probe_plain` are pure. What the other end said is shown, made visible and cut short.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from remora_client import _ptvsd
from remora_client._errors import (
    AlreadyAttached,
    ConnectError,
    NotARemora,
    PlainPort,
    Refused,
    Rejected,
    Silent,
    Throttled,
    TimedOut,
    TlsPort,
    Unreachable,
    VersionMismatch,
)
from remora_client._text import clip, visible
from remora_client._transport import _dial, _tls
from remora_client._transport._rpc import Rpc
from remora_protocol import RequestFailed, __version__, hello_arguments

if TYPE_CHECKING:
    from remora_client._connecting._connect import Link
    from remora_protocol import RemoteProtocolError, ScramError

__all__ = [
    "greeting_before_tls",
    "greeting_error",
    "hello_garbled",
    "hello_refused",
    "hello_unanswered",
    "login_failed",
    "login_garbled",
    "login_refused",
    "login_unanswered",
    "no_socket",
    "not_a_remora",
    "probe_plain",
]

_PROBE_SECONDS = 2.0
_SHOWN = 72
_SECONDS = re.compile(r"(\d{1,4}(?:\.\d{1,3})?) seconds")


def _said(data: bytes) -> str:
    """A piece of what came, fit to be shown."""
    return clip(visible(data[:200].decode("utf-8", "replace")), _SHOWN)


def _guess(data: bytes) -> str:
    """What speaks like that."""
    lines = (
        (b"HTTP/", "a web server"),
        (b"<!", "a web server"),
        (b"SSH-", "an SSH server"),
        (b"220", "a mail or FTP server"),
        (b"-ERR", "a Redis or POP server"),
        (b"\x15\x03", "a TLS server"),
    )
    return next((guess for sign, guess in lines if sign in data[:300]), "")


def not_a_remora(place: str, said: bytes, why: str = "") -> NotARemora:
    """Something answered, and what it said shows that it is something else."""
    guess = _guess(said)
    text = f"What listens on {place} is not a Remora" + (f": it looks like {guess}." if guess else ".")
    if said:
        text += f" It said: {_said(said)}"
    elif why:
        text += f" {why}"
    return NotARemora(
        text, "Is it the right port? The program prints or returns the one that enable_attach took."
    )


def greeting_error(place: str, greeting: bytes) -> ConnectError | None:
    """Judge what came before we said a word. None: nothing, or DAP, or an old ptvsd."""
    if not greeting:
        return None
    if greeting[:1] in (b"C", b"c") or _ptvsd.greets(greeting):
        return None
    return not_a_remora(place, greeting)


def greeting_before_tls(place: str, greeting: bytes) -> ConnectError:
    """Somebody who speaks first, and plainly, speaks no TLS."""
    if greeting_error(place, greeting) is None:
        return PlainPort(f"{place} does not speak TLS.", f"Use tcp://{place}. Nothing is encrypted then.")
    return not_a_remora(place, greeting)


async def probe_plain(host: str, port: int, left: float) -> ConnectError | None:
    """TLS failed: say a plain hello, to see what it is. None: it says nothing that would explain it."""
    seconds = min(_PROBE_SECONDS, left)
    place = _dial.endpoint(host, port)
    try:
        sock = await _dial.dial(host, port, seconds)
    except ConnectError:
        return None
    reader, writer = await asyncio.open_connection(sock=sock)
    rpc = Rpc(reader, writer, peer=place)
    try:
        await rpc.request("remora/hello", hello_arguments("remora", __version__), seconds)
    except RequestFailed as error:
        if error.code == "tls-required":
            return None
    except Exception:
        said = rpc.head
        if _ptvsd.greets(said):
            return greeting_before_tls(place, said)
        return not_a_remora(place, said) if said and not said.startswith(b"\x15\x03") else None
    finally:
        await rpc.close()
    return PlainPort(
        f"{place} does not speak TLS; a debugger is there without it.",
        f"Use tcp://{place} (nothing is encrypted then), or give enable_attach certfile and keyfile.",
    )


def no_socket(place: str, error: OSError) -> ConnectError:
    """A Unix socket that could not be connected to."""
    if isinstance(error, FileNotFoundError):
        return Unreachable(
            f"{place}: there is no such socket.", "remora ls shows this machine's own processes."
        )
    if isinstance(error, ConnectionRefusedError):
        return Refused(f"{place}: nobody is behind this socket any more.", "Its process has ended.")
    if isinstance(error, PermissionError):
        return Refused(f"{place}: this user may not use the socket.", "It is for its own user only.")
    if isinstance(error, TimeoutError):
        return TimedOut(f"{place}: nobody takes the connection.", "The program may be stopped by a signal.")
    return ConnectError(f"{place}: {error.strerror or error}.")


def hello_refused(link: Link, error: RequestFailed) -> ConnectError:
    """A Remora that does not want to go on."""
    text = visible(str(error))
    if error.code == "version-mismatch":
        return VersionMismatch(f"{link.address}: {text}")
    if error.code == "tls-required":
        return _tls_port(link)
    return _refused(link, error)


def _tls_port(link: Link) -> TlsPort:
    return TlsPort(f"{link.rpc.peer} speaks TLS only.", f"Use tcps://{link.rpc.peer}.")


def hello_unanswered(link: Link) -> ConnectError:
    """No answer to the hello: it hung up, talked nonsense, or kept silent."""
    place, head = link.rpc.peer, link.rpc.head
    if _tls.wants_our_certificate(link.rpc.cause):
        return _tls.client_certificate_error(place, link.options)
    if link.certificate is None and head.startswith(b"\x15\x03"):  # a TLS alert
        return _tls_port(link)
    if head:
        return not_a_remora(place, head)
    if link.rpc.end is None:
        return Silent(
            f"{place} took the connection and then said nothing within {link.options.timeout:g} s.",
            "Something else may listen there; or a forwarded port leads nowhere; or the program is frozen "
            "(stopped by a signal, say).",
        )
    return not_a_remora(
        place,
        b"",
        "It closed the connection without a word, as a forwarded port does that leads nowhere"
        + ("." if link.certificate is not None else ", or a port that wants TLS (tcps://)."),
    )


def hello_garbled(link: Link, error: RemoteProtocolError) -> ConnectError:
    """An answer to the hello that no Remora gives, or not ours."""
    if error.code == "version-mismatch":
        return VersionMismatch(f"{link.address}: {visible(str(error))}", "Upgrade Remora on both sides.")
    return not_a_remora(link.rpc.peer, link.rpc.head)


def _refused(link: Link, error: RequestFailed) -> ConnectError:
    text = visible(str(error))
    if error.code == "auth-throttled":
        found = _SECONDS.search(text)
        return Throttled(
            f"{link.address} takes no login now: {text}",
            "Try again then, with the right secret.",
            seconds=float(found[1]) if found else 0.0,
        )
    if error.code == "already-attached":
        return AlreadyAttached(text, "To take over, add --force.")
    return Rejected(f"{link.address} refused: {text}")


def login_refused(link: Link, error: RequestFailed) -> ConnectError:
    """The server's answer to our proof."""
    if error.code not in ("auth-failed", "auth-required"):
        return _refused(link, error)
    origin = link.secret.origin if link.secret else ""
    text = f"{link.address} rejects the secret given {origin}."
    if "between" in str(error):  # the server saw that our proof is bound to another certificate
        return _intercepted(
            link, f"{link.address} saw that the login is bound to another connection than its own."
        )
    remedy = "Is it the secret that the program passed to enable_attach? An observer's goes with --observe."
    if link.options.observe:
        remedy = (
            "--observe takes the program's observer_secret where it has one, and only else its main one. The "
            "main one goes without --observe."
        )
    if link.certificate_by_hand:
        remedy += (
            " If you are sure of the secret: this looks the same when somebody stands in between, with the "
            "certificate that was accepted by hand. Compare its fingerprint with the server's owner."
        )
    return Rejected(text, remedy)


def _intercepted(link: Link, text: str) -> Rejected:
    place = link.rpc.peer
    return Rejected(
        f"Somebody stands between this machine and the server. {text} The secret was not given away.",
        f"Do not accept that certificate. If it was pinned: remora trust rm {place}",
    )


def login_failed(link: Link, error: ScramError) -> ConnectError:
    """The server failed to prove itself to us, or broke the rules of the login."""
    if error.reason == "channel-bindings-dont-match":
        return _intercepted(
            link, f"{link.address} saw that the login is bound to another connection than its own."
        )
    if error.reason in ("wrong-signature", "invalid-proof"):
        return Rejected(
            f"{link.address} did not prove that it knows the secret.",
            "It is not the server that you mean. Nothing but a useless proof was sent to it.",
        )
    return Rejected(f"The login to {link.address} failed: {visible(str(error))}")


def login_garbled(link: Link, error: RemoteProtocolError) -> ConnectError:
    """The login's messages make no sense, or offer less than they must."""
    if error.code == "not-supported":
        return Rejected(
            f"{link.address}: {visible(str(error))}", "Are both sides of the same version of Remora?"
        )
    return NotARemora(f"{link.address} does not keep to the protocol: {visible(str(error))}")


def login_unanswered(link: Link, error: Exception) -> ConnectError:
    """It went away in the middle of the login."""
    if link.rpc.end is None:
        return TimedOut(f"{link.address} did not finish the login within {link.options.timeout:g} s.")
    if link.rpc.protocol_error is not None:
        return login_garbled(link, link.rpc.protocol_error)
    return Rejected(
        f"{link.address} hung up during the login.",
        "It may be busy with too many logins. Try again in a moment.",
    )
