"""The debuggee's files on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from remora_client._source._localsource import LocalSources
from remora_protocol import sha256_text


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {
        "app/models.py": "a = 1\n",
        "blog/models.py": "b = 2\n",
        "main.py": "import app\n",
        ".hidden/main.py": "no\n",
        "node_modules/main.py": "no\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_longest_common_end_decides(tree: Path) -> None:
    sources = LocalSources([str(tree)])
    found = sources.match("/srv/site/blog/models.py", None)
    assert found is not None
    assert found.path == str(tree / "blog" / "models.py")
    assert not found.same


def test_equal_names_are_told_apart_by_their_hash(tree: Path) -> None:
    digest = sha256_text(b"b = 2\n")
    found = LocalSources([str(tree)]).match("/srv/models.py", digest)
    assert found is not None
    assert (found.path, found.same) == (str(tree / "blog" / "models.py"), True)


def test_windows_debuggees(tree: Path) -> None:
    found = LocalSources([str(tree)]).match("C:\\Site\\App\\Models.py", None)
    assert found is not None
    assert found.path == str(tree / "app" / "models.py")


def test_what_a_person_types(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree / "app")
    sources = LocalSources([str(tree)])
    for typed, path in (
        ("models.py", "app/models.py"),  # here, before anywhere else
        ("main.py", "main.py"),
        ("blog/models.py", "blog/models.py"),
        (str(tree / "main.py"), "main.py"),
    ):
        found = sources.find(typed)
        assert found is not None
        assert found.path == str(tree / path)
    monkeypatch.chdir(tree)
    assert sources.find("models.py") is None  # two of them: the server decides
    assert sources.find("none.py") is None


def test_files_that_cannot_be_read_are_passed_over(tree: Path) -> None:
    (tree / "bad.py").write_bytes(b"# coding: no-such-codec\n")
    (tree / "latin.py").write_bytes("# coding: latin-1\nx = 'ü'\n".encode("latin-1"))
    sources = LocalSources([str(tree), str(tree / "not-there")])
    assert sources.match("/app/bad.py", None) is None
    latin = sources.match("/app/latin.py", None)
    assert latin is not None
    assert "ü" in latin.text
    assert sources.match("", None) is None


def test_a_path_that_a_server_names_outright_is_not_believed(tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    private, script = elsewhere / "passwd", elsewhere / "tool.py"
    for file in (private, script):
        file.write_text("root:x:0\n", encoding="utf-8")
    sources = LocalSources([str(here)])
    assert sources.match(str(private), None) is None
    assert sources.match(str(private), "0" * 64) is None
    assert sources.match(str(private), sha256_text(b"root:x:0\n")) is not None  # it knows the text already
    assert sources.match(str(script), None) is not None
