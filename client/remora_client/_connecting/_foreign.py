"""Debug adapters that are no Remora: which one it is, from how it greets. Pure."""

from __future__ import annotations

import re

__all__ = ["NO_AUTHENTICATION", "foreign_name"]

NO_AUTHENTICATION = "no authentication: whoever reaches this port may run code in the program"

# debugpy says who it is in a telemetry event, before it is asked anything.
_PACKAGE = re.compile(rb'"packageVersion"\s*:\s*"([0-9A-Za-z.+-]{1,40})"')


def foreign_name(greeting: bytes) -> str:
    """For example "debugpy 1.8.22"; "" when it does not say."""
    if b"debugpy" not in greeting:
        return ""
    version = _PACKAGE.search(greeting)
    return f"debugpy {version[1].decode('ascii')}" if version else "debugpy"
