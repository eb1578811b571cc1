"""File names, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from remora_client._bridge._paths import Mapping, Paths
from remora_client._source._localsource import LocalSources
from remora_protocol import sha256_text

TEXT = b"print(1)\n"
SHA = sha256_text(TEXT)


def make(folder: Path, *mappings: Mapping, notes: list[str] | None = None) -> Paths:
    return Paths(mappings, LocalSources([str(folder)]), (notes if notes is not None else []).append)


def remote(path: str, sha256: str | None = SHA) -> dict[str, object]:
    body: dict[str, object] = {"name": path.rpartition("/")[2], "path": path, "sourceReference": 3}
    if sha256:
        body["checksums"] = [{"algorithm": "SHA256", "checksum": sha256}]
    return body


@pytest.mark.parametrize(
    ("mapping", "local", "there"),
    [
        (Mapping("/home/me/app", "/srv/app"), "/home/me/app/a/b.py", "/srv/app/a/b.py"),
        (Mapping("/home/me/app/", "/srv/app/"), "/home/me/app/b.py", "/srv/app/b.py"),
        (Mapping("/home/me/app", "C:\\srv\\app"), "/home/me/app/a/b.py", "C:\\srv\\app\\a\\b.py"),
        (Mapping("/", "/srv/x"), "/a.py", "/srv/x/a.py"),
    ],
)
def test_mappings_go_both_ways(mapping: Mapping, local: str, there: str) -> None:
    assert mapping.to_remote(local) == there
    assert mapping.to_local(there) == local


def test_a_mapping_leaves_other_paths_alone() -> None:
    mapping = Mapping("/home/me/app", "/srv/app")
    assert mapping.to_remote("/home/me/application/b.py") is None
    assert mapping.to_local("/srv/other/b.py") is None
    assert Mapping("/home/me", "C:\\Srv").to_local("c:\\srv\\A.py") == "/home/me/A.py"


def test_a_file_that_is_here_is_called_by_its_local_name(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "app.py").write_bytes(TEXT)
    paths = make(tmp_path)
    local = str(tmp_path / "pkg" / "app.py")
    assert paths.to_editor(remote("/srv/pkg/app.py")) == {"name": "app.py", "path": local}
    # What was learnt goes back.
    assert paths.to_server({"path": local})["path"] == "/srv/pkg/app.py"


def test_a_file_with_another_text_is_the_servers(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(TEXT)
    notes: list[str] = []
    paths = make(tmp_path, notes=notes)
    other = remote("/srv/app.py", "0" * 64)
    assert paths.to_editor(other) == other
    assert paths.to_editor(other) == other
    assert len(notes) == 1
    assert "app.py" in notes[0]


def test_a_file_that_is_not_here_keeps_its_reference(tmp_path: Path) -> None:
    body = remote("/srv/elsewhere.py")
    assert make(tmp_path).to_editor(body) == body


def test_mappings_win_over_names(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "app.py").write_bytes(TEXT)
    paths = make(tmp_path, Mapping(str(tmp_path / "two"), "/srv"))
    local = str(tmp_path / "two" / "app.py")
    assert paths.to_editor(remote("/srv/app.py"))["path"] == local
    sent = paths.to_server({"path": local})
    assert sent["path"] == "/srv/app.py"
    assert sent["checksums"] == [{"algorithm": "SHA256", "checksum": SHA}]


def test_a_document_of_the_servers_goes_back_as_it_came(tmp_path: Path) -> None:
    source = {"path": "/srv/app.py", "sourceReference": 3}
    assert make(tmp_path).to_server(source) == source


def test_a_server_that_sends_no_hash_is_believed(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(TEXT)
    assert make(tmp_path).to_editor(remote("/srv/app.py", None))["path"] == str(tmp_path / "app.py")
