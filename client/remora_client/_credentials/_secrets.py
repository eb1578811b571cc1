"""Where the secret comes from: the qualifier, a file, the environment, the person, in this order.

It is never in an argument vector of anything that we start, and never in an error's text.
"""

from __future__ import annotations

import os
from dataclasses import field
from typing import TYPE_CHECKING

from remora_client._errors import UsageError
from remora_client._records import record

if TYPE_CHECKING:
    from remora_client._options import ConnectOptions
    from remora_protocol import Qualifier

__all__ = ["ENVIRONMENT", "Secret", "find_secret"]

ENVIRONMENT = "REMORA_SECRET"
_LONGEST = 64 * 1024


@record
class Secret:
    """A secret, and who gave it (for messages)."""

    text: str = field(repr=False)
    origin: str


def find_secret(qualifier: Qualifier, options: ConnectOptions) -> Secret | None:
    """The secret that was given, if any. Asking is the caller's business.

    Raises:
        UsageError: the file cannot be read, or is empty.
    """
    if qualifier.secret is not None:
        return Secret(qualifier.secret, "in the qualifier")
    if options.secret_file is not None:
        return Secret(_read(options.secret_file), f"from {options.secret_file}")
    environment = os.environ.get(ENVIRONMENT)
    if environment:
        return Secret(environment, f"from {ENVIRONMENT}")
    return None


def _read(path: str) -> str:
    """The first line, without its line end."""
    try:
        with open(path, encoding="utf-8-sig", newline=None) as stream:
            secret = stream.readline(_LONGEST).rstrip("\n")
    except OSError as error:
        raise UsageError(f"The secret file {path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        secret = None  # raised below: the error caught here holds what was read
    if secret is None:
        raise UsageError(f"The secret file {path} is not UTF-8 text.")
    if not secret:
        raise UsageError(f"The secret file {path} has no secret: its first line is empty.")
    return secret
