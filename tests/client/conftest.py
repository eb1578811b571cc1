"""What the client's tests share: folders of their own, and certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client.servers import Files, make_certificate


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the person who runs the tests is read or changed."""
    monkeypatch.setenv("REMORA_CONFIG_DIR", str(tmp_path / "configuration"))
    monkeypatch.delenv("REMORA_SECRET", raising=False)


@pytest.fixture
def certificate(tmp_path: Path) -> Files:
    """A self-signed certificate for 127.0.0.1."""
    return make_certificate(tmp_path)
