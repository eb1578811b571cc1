"""`remora trust ls|add|rm`: the certificates that a person decided to trust."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from remora_client._credentials import _cert_prompt, _trust
from remora_client._errors import UsageError
from remora_client._options import ConnectOptions
from remora_client._text import visible
from remora_client._transport import _tls
from remora_client._transport._dial import dial, endpoint
from remora_protocol import parse_qualifier

if TYPE_CHECKING:
    import socket
    from argparse import Namespace

    from remora_protocol import Qualifier

__all__ = ["run"]


def run(arguments: Namespace) -> int:
    """Do what `arguments.action` says."""
    if arguments.action == "ls":
        return _list(as_json=arguments.json)
    qualifier = parse_qualifier(arguments.place)
    place = endpoint(*qualifier.address)
    if arguments.action == "rm":
        if not _trust.remove_pin(place):
            print(f"Nothing was trusted for {place}.")
            return 1
        print(f"Forgot the certificate of {place}.")
        return 0
    digest = arguments.digest or arguments.fingerprint
    if digest is None:
        return asyncio.run(_look_and_ask(qualifier, place))
    pin = _trust.add_pin(place, digest)
    print(f"Trusting for {place} only the certificate {pin.sha256}")
    return 0


def _list(*, as_json: bool) -> int:
    pins = _trust.load_pins()
    if as_json:
        print(json.dumps([{"place": place, **asdict(pin)} for place, pin in sorted(pins.items())], indent=2))
        return 0
    for place, pin in sorted(pins.items()):
        print(f"{visible(place)}  since {visible(pin.added) or '?'}  {visible(pin.subject)}\n  {pin.sha256}")
    if not pins:
        print(f"No certificate is trusted by hand (they would be in {_trust.pins_file()}).")
    return 0


async def _look_and_ask(qualifier: Qualifier, place: str) -> int:
    if not _cert_prompt.can_ask():
        raise UsageError(
            "Without a terminal the fingerprint has to be given: remora trust add HOST:PORT SHA256"
        )
    options = ConnectOptions(ask_certificate=_cert_prompt.ask_certificate)

    async def connect() -> socket.socket:
        return await dial(*qualifier.address, options.timeout)

    try:
        streams = await _tls.secure(place, qualifier.host, options, connect)
    except _tls.HandshakeFailed as failed:
        raise _tls.explain(place, failed.error, options) from None
    streams.writer.transport.abort()
    known = _trust.find_pin(place)
    print(f"Trusted: {known.sha256}" if known else f"The certificate of {place} needs no trust by hand.")
    return 0
