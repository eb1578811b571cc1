"""`remora cert new`: a self-signed certificate for a server, and what to do with it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from remora_client._credentials._certificates import make_self_signed
from remora_client._errors import UsageError
from remora_client._places import write_private

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["run"]


def run(arguments: Namespace) -> int:
    """Write NAME.crt and NAME.key, and say what comes next."""
    hosts: list[str] = arguments.hosts
    folder = Path(arguments.out)
    stem = re.sub(r"[^A-Za-z0-9.-]", "_", hosts[0]).strip("._") or "remora"
    certificate, key = folder / f"{stem}.crt", folder / f"{stem}.key"
    for path in (certificate, key):
        if path.exists() and not arguments.replace:
            raise UsageError(f"{path} is there already.", "Add --replace to overwrite it, or --out DIR.")
    if not 0 < arguments.days <= 36500:
        raise UsageError("--days takes a number from 1 to 36500.")
    try:
        pem, key_pem, digest = make_self_signed(hosts, arguments.days)
    except ValueError as error:  # UnicodeError is one
        raise UsageError(f"{', '.join(hosts)!r} cannot be in a certificate: {error}.") from None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_private(key, key_pem)
        write_private(certificate, pem)
        os.chmod(certificate, 0o644)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}.") from None
    host = hosts[0].strip("[]")
    place = f"[{host}]" if ":" in host else host
    print(f"""\
certificate  {certificate}
key          {key}  (keep it on the server; nobody else may read it)
SHA-256      {digest}

In the program:   remora.enable_attach(secret, certfile={str(certificate)!r}, keyfile={str(key)!r})
From anywhere:    remora attach --cafile {certificate} tcps://{place}
or, without the file, with the fingerprint above:
                  remora attach --fingerprint {digest} tcps://{place}""")
    return 0
