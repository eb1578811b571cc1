"""The texts of SCRAM messages: attributes in their order, base64, user names, SASLprep. Pure functions."""

from __future__ import annotations

import base64
import binascii
import re

__all__ = [
    "ScramError",
    "decode_base64",
    "encode_base64",
    "escape_user",
    "prepare_secret",
    "read_attributes",
    "unescape_user",
]

# The longest real one has about 300 bytes.
_MAX_MESSAGE = 4096
_GS2_HEADER = re.compile(r"(?:n|y|p=[A-Za-z0-9.\-]+),,")
_EXTENSION = re.compile(r"[A-Za-z]=[^,\x00]+")
# server-error-value of RFC 5802, and what each means to a person.
_SERVER_ERRORS = {
    "invalid-encoding": "it could not read the login",
    "extensions-not-supported": "it knows no such extension",
    "invalid-proof": "the secret is wrong",
    "channel-bindings-dont-match": "the login was bound to another connection: somebody stands in between",
    "server-does-support-channel-binding": "a stronger login was hidden from us: somebody stands in between",
    "channel-binding-not-supported": "it cannot bind a login to the connection",
    "unsupported-channel-binding-type": "it cannot bind a login in this way",
    "unknown-user": "it knows no such user",
    "invalid-username-encoding": "it could not read the user name",
    "no-resources": "it is too busy",
    "other-error": "it did not say why",
}


class ScramError(Exception):
    """The login failed and is over; another try needs a new object. The text is for a person.

    Attributes:
        reason: short and stable: RFC 5802's server-error-values, or "wrong-state", "wrong-mechanism",
            "nonce", "iterations", "wrong-signature".
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(reason, text)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[1])

    @classmethod
    def from_server(cls, server_final: bytes) -> ScramError:
        """Read ``e=...``. Words that the RFC does not know are not repeated: anybody may have sent them."""
        value = server_final[2:].split(b",")[0].decode("ascii", "replace")
        reason = value if value in _SERVER_ERRORS else "other-error"
        return cls(reason, f"The server refused the login: {_SERVER_ERRORS[reason]}.")


def read_attributes(message: bytes, names: str, *, gs2_header: bool = False) -> tuple[str, dict[str, str]]:
    """Read a message whose attributes are `names`, in this order and each once.

    Unknown extensions are passed over where the RFC lets them stand: at the end, before a proof. With
    `gs2_header` one comes before, and "bare" in the result is what comes after it.

    Returns:
        The message as text, for the signature, and its attributes.
    """
    if len(message) > _MAX_MESSAGE:
        raise _bad("too long")
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    bare = text
    values: dict[str, str] = {}
    if gs2_header:
        header = _GS2_HEADER.match(text)
        if header is None:
            raise _bad("no header that says how it is bound, or a wish to act as somebody else")
        bare = values["bare"] = text[header.end() :]
    fields = bare.split(",")
    if fields[0].startswith("m="):
        raise ScramError("extensions-not-supported", "The login needs an extension that is not known here.")
    if any(_EXTENSION.fullmatch(item) is None for item in fields):
        raise _bad("not a list of attributes")
    found = "".join(item[0] for item in fields)
    last = 1 if names.endswith("p") else 0
    head, tail = names[: len(names) - last], names[len(names) - last :]
    extensions = found[len(head) : len(found) - last]
    if not found.startswith(head) or not found.endswith(tail) or len(found) < len(names):
        raise _bad("other attributes than expected, or in another order")
    if set(extensions) & set(names + "m"):
        raise _bad("an attribute stands twice, or in the wrong place")
    values.update((item[0], item[2:]) for item in fields)
    return text, values


def decode_base64(text: str) -> bytes:
    """Strict: no white space, no other alphabet, padding in place."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise _bad("not base64") from None
    if encode_base64(data) != text:  # several spellings of one value: leftover bits, extra padding
        raise _bad("not base64")
    return data


def encode_base64(data: bytes) -> str:
    """Without line ends."""
    return base64.b64encode(data).decode("ascii")


def escape_user(user: str) -> str:
    """A user name as an attribute's value."""
    return user.replace("=", "=3D").replace(",", "=2C")


def unescape_user(text: str) -> str:
    """The user name in an attribute's value."""
    if re.search(r"=(?!2C|3D)", text):
        raise ScramError(
            "invalid-username-encoding", "The user name in the login is not written as it should be."
        )
    return text.replace("=2C", ",").replace("=3D", "=")


def prepare_secret(secret: str) -> bytes:
    """SASLprep (RFC 4013), so that a secret typed on another keyboard or system is the same secret.

    Without its rules on text direction and on characters newer than 2002: they guard what is shown, and a
    secret never is.

    Raises:
        ValueError: the secret holds a character that no keyboard types, such as a line end.
    """
    if secret.isascii() and secret.isprintable():
        return secret.encode("ascii")
    import stringprep  # 2 ms, and nearly all secrets are done by now
    import unicodedata

    spaced = "".join(
        " " if stringprep.in_table_c12(c) else c for c in secret if not stringprep.in_table_b1(c)
    )
    prepared = unicodedata.normalize("NFKC", spaced)
    if any(_is_prohibited(c) for c in prepared):
        raise ValueError(
            "The secret holds a control character, such as a line end, or one that stands for nothing."
        )
    return prepared.encode("utf-8")


def _is_prohibited(character: str) -> bool:
    import stringprep as s

    tables = (s.in_table_c12, s.in_table_c21_c22, s.in_table_c3, s.in_table_c4, s.in_table_c5, s.in_table_c6)
    return any(table(character) for table in (*tables, s.in_table_c7, s.in_table_c8, s.in_table_c9))


def _bad(what: str) -> ScramError:
    return ScramError("invalid-encoding", f"A login message is malformed: {what}.")
