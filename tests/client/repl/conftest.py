"""What the prompt's tests share: a `remora` command with folders of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import Remora


@pytest.fixture
def remora(tmp_path: Path) -> Remora:
    configuration, folder = tmp_path / "configuration", tmp_path / "client"
    configuration.mkdir()
    folder.mkdir()
    return Remora(configuration, folder)
