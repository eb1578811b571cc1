"""Whose fault it was: ours, the peer's, or nobody's: a request that was refused. For any thread; no state."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ERROR_IDS", "LocalProtocolError", "ProtocolError", "RemoteProtocolError", "RequestFailed"]

#: Every stable code, and the number that stands for it in ``body.error.id``. Scripts compare both, so
#: a number is never given to another code, and a new code gets a new number at the end.
ERROR_IDS: Mapping[str, int] = MappingProxyType(
    {
        "auth-required": 1,
        "auth-failed": 2,
        "auth-throttled": 3,
        "tls-required": 4,
        "not-tls": 5,
        "version-mismatch": 6,
        "already-attached": 7,
        "no-such-process": 8,
        "not-stopped": 9,
        "bad-request": 10,
        "unknown-command": 11,
        "too-large": 12,
        "internal-error": 13,
        "evaluation-failed": 14,
        "not-supported": 15,
        "cancelled": 16,
        "not-found": 17,
        "failed": 18,
        "attach-refused": 19,
    }
)

# What DAP itself names in a response's `message`, in our words.
_DAP_MESSAGES = MappingProxyType({"cancelled": "cancelled", "notStopped": "not-stopped"})

_VARIABLE = re.compile(r"\{([^{}]+)\}")


class ProtocolError(Exception):
    """The rules of the wire were broken. Catch one of the two subclasses, which say by whom."""


class LocalProtocolError(ProtocolError):
    """We asked a protocol object for something it cannot do now; nothing was sent. Fix the caller."""


class RemoteProtocolError(ProtocolError):
    """The peer sent what the protocol does not allow. Say so if there is still a way to, then hang up.

    Attributes:
        code: one of `ERROR_IDS`, for the error response.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[1])


class RequestFailed(Exception):
    """A request was refused, and the text is for the person who made it. The connection lives on.

    Attributes:
        code: one of `ERROR_IDS`; "failed" when the peer is no Remora and gave none.
        text: what happened and what to do about it. Also what `str()` gives.
        show_user: False when it is of no interest to a person (a cancelled completion).
    """

    def __init__(self, code: str, text: str, show_user: bool = True) -> None:
        super().__init__(code, text, show_user)
        self.code = code
        self.text = text
        self.show_user = show_user

    def __str__(self) -> str:
        return self.text

    def to_body(self) -> dict[str, Any]:
        """The body of the error response; its `message` is the code.

        DAP lets ``{name}`` in a format stand for a variable. We send no variables, and no client that
        we know replaces a name that has none, so braces in the text arrive as they are.
        """
        identifier = ERROR_IDS.get(self.code, ERROR_IDS["internal-error"])
        text = f"{self.code}: {self.text}"
        return {"error": {"id": identifier, "format": text, "showUser": self.show_user}}

    @classmethod
    def from_body(cls, message: str | None, body: Any) -> RequestFailed:
        """Read an error response back: ours, or any other DAP adapter's, however little it says."""
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            error = {}
        known = message in ERROR_IDS
        code = message if message is not None and known else _DAP_MESSAGES.get(message or "", "failed")
        text = error.get("format")
        if not isinstance(text, str) or not text:
            text = message or "The other side refused the request and did not say why."
        variables = error.get("variables")
        if isinstance(variables, dict):
            text = _VARIABLE.sub(lambda match: str(variables.get(match[1], match[0])), text)
        if known and text.startswith(f"{code}: "):
            text = text[len(code) + 2 :]
        return cls(code, text, error.get("showUser") is not False)
