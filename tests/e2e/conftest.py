"""What the end-to-end tests share: certificates, as the command makes them."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest

from tests.support.command import Remora


@pytest.fixture
def certificate(remora: Remora, tmp_path: Path) -> dict[str, str]:
    """A self-signed certificate for 127.0.0.1, made by `remora cert new`: its files and its fingerprint."""
    return new_certificate(remora, tmp_path / "certificate")


@pytest.fixture
def other_certificate(remora: Remora, tmp_path: Path) -> dict[str, str]:
    """Another one, for the man in the middle."""
    return new_certificate(remora, tmp_path / "other-certificate")


def new_certificate(remora: Remora, folder: Path) -> dict[str, str]:
    ran = remora("cert", "new", "--host", "127.0.0.1", "--out", folder)
    assert ran.code == 0, ran
    (certfile,) = (path for path in folder.iterdir() if "BEGIN CERTIFICATE" in path.read_text())
    (keyfile,) = (path for path in folder.iterdir() if "PRIVATE KEY" in path.read_text())
    der = ssl.PEM_cert_to_DER_cert(certfile.read_text())
    return {
        "certfile": str(certfile),
        "keyfile": str(keyfile),
        "fingerprint": hashlib.sha256(der).hexdigest().upper(),
    }
