"""Which lines that were typed may be written down. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["may_be_kept"]

_QUALIFIER = re.compile(r"\btcps?://[^\s@]+@|^\W*(connect|attach|target)\s.*@", re.IGNORECASE)
_SECRET_WORD = re.compile(
    r"(secret|passw(or)?d|passphrase|token|api_?key|credential|private_?key)\w*[\"'\]]*\s*(=|:|,)",
    re.IGNORECASE,
)


def may_be_kept(line: str, secrets: Sequence[str] = ()) -> bool:
    """Not what begins with a blank, and nothing that holds or sets a secret."""
    if line.startswith(" ") or not line.strip():
        return False
    if any(secret and secret in line for secret in secrets):
        return False
    return not _QUALIFIER.search(line) and not _SECRET_WORD.search(line)
