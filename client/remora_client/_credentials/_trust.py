"""Pins: certificates that a person decided to trust, one per host and port.

A pin is a hard rule in both directions: that certificate and no other, whatever the authorities say.
Kept in a file of the configuration folder that only its owner can read.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from remora_client._errors import UsageError
from remora_client._places import config_dir, read_json, write_private
from remora_client._records import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Pin", "add_pin", "find_pin", "load_pins", "normal_fingerprint", "pins_file", "remove_pin"]

_HEX = re.compile(r"[0-9A-F]{64}")


@record
class Pin:
    """A certificate that was accepted for good."""

    sha256: str  # AB:CD:…
    added: str  # date
    subject: str = ""


def pins_file() -> Path:
    """Where they are."""
    return config_dir() / "trusted-certificates.json"


def normal_fingerprint(text: str) -> str:
    """A SHA-256 fingerprint as we write it; with or without colons, blanks, or a leading "SHA256:".

    Raises:
        UsageError: it is none.
    """
    bare = re.sub(r"^sha-?256[:= ]+", "", text.strip(), flags=re.IGNORECASE)
    digits = bare.replace(":", "").replace(" ", "").upper()
    if _HEX.fullmatch(digits) is None:
        raise UsageError("A SHA-256 fingerprint is 64 hexadecimal digits, with or without colons.")
    return ":".join(digits[at : at + 2] for at in range(0, 64, 2))


def load_pins() -> dict[str, Pin]:
    """All pins, by `host:port`.

    Raises:
        UsageError: the file is damaged. It is never taken for empty: that would undo every decision.
    """
    path = pins_file()
    try:
        document = read_json(path)
        return {place: _read_pin(entry) for place, entry in (document or {"pins": {}})["pins"].items()}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, KeyError, TypeError, AttributeError, UsageError):
        raise UsageError(
            f"{path} is damaged.", "Repair it, or remove it to forget every certificate in it."
        ) from None


def _read_pin(entry: Mapping[str, Any]) -> Pin:
    return Pin(
        normal_fingerprint(entry["sha256"]), str(entry.get("added", "")), str(entry.get("subject", ""))
    )


def find_pin(place: str) -> Pin | None:
    """The pin for `host:port`, if there is one."""
    return load_pins().get(place)


def add_pin(place: str, sha256: str, subject: str = "") -> Pin:
    """Pin a certificate, in place of an earlier one. Raises `UsageError`: the file cannot be written."""
    pin = Pin(normal_fingerprint(sha256), dt.datetime.now(dt.UTC).date().isoformat(), subject)
    _save({**load_pins(), place: pin})
    return pin


def remove_pin(place: str) -> bool:
    """Forget one. False: there was none. Raises `UsageError`: the file cannot be written."""
    pins = load_pins()
    if pins.pop(place, None) is None:
        return False
    _save(pins)
    return True


def _save(pins: Mapping[str, Pin]) -> None:
    document = {"pins": {place: asdict(pin) for place, pin in sorted(pins.items())}}
    try:
        write_private(pins_file(), (json.dumps(document, indent=2) + "\n").encode())
    except OSError as error:
        raise UsageError(
            f"{pins_file()} cannot be written: {error.strerror or error}.",
            "Without it, --fingerprint or the answer once trusts a certificate for the time being.",
        ) from None
