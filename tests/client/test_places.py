"""Where the client keeps things: the same folders as platformdirs names, without its import on Linux."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from remora_client import _places

FOLDERS = {
    "CONFIG": (_places.config_dir, platformdirs.user_config_dir),
    "CACHE": (_places.cache_dir, platformdirs.user_cache_dir),
    "STATE": (_places.state_dir, platformdirs.user_state_dir),
}


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("value", [None, "", "/elsewhere/of mine"])
def test_the_folders_of_platformdirs(monkeypatch: pytest.MonkeyPatch, kind: str, value: str | None) -> None:
    monkeypatch.delenv("REMORA_CONFIG_DIR", raising=False)
    monkeypatch.delenv(f"XDG_{kind}_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv(f"XDG_{kind}_HOME", value)
    ours, theirs = FOLDERS[kind]
    assert str(ours()) == theirs("remora", appauthor=False)


def test_a_relative_folder_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REMORA_CONFIG_DIR", raising=False)
    monkeypatch.setenv("HOME", "/home/of/somebody")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert _places.config_dir() == Path("/home/of/somebody/.config/remora")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs has to say")
def test_nothing_is_imported_for_it() -> None:
    code = (
        "import sys; from remora_client._places import config_dir; config_dir(); "
        "sys.exit('platformdirs' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, env={"HOME": "/"}).returncode == 0
