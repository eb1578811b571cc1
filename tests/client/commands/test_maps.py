"""map and fetch: the same files on two machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from remora_client._errors import ClientError
from remora_client._source._localsource import LocalSources
from tests.client.commands.conftest import Debugging


def test_a_map_moves_breakpoints(debugging: Debugging, tmp_path: Path) -> None:
    """A copy of another name's folder: only the map says that it is the same file."""
    copy = tmp_path / "checkout" / "program.py"
    copy.parent.mkdir()
    copy.write_text(debugging.program.path.read_text())
    debugging.session.sources = LocalSources([str(tmp_path)])
    remote = str(debugging.program.directory)
    assert debugging.run(f"map {remote} {copy.parent}") == [{"theirs": remote, "ours": str(copy.parent)}]
    assert debugging.run(f"map -t {debugging.program.path}")["ours"] == str(copy)
    assert debugging.run(f"map -t {copy}")["theirs"] == str(debugging.program.path)
    made = debugging.run(f"b {copy}:{debugging.line('loop')}")
    assert made["path"] == str(debugging.program.path)
    debugging.to("for")
    debugging.run("next")
    assert debugging.at("loop")
    assert debugging.run(f"map -d {remote}") == []
    with pytest.raises(ClientError, match="not mapped"):
        debugging.run(f"map -d {remote}")
    with pytest.raises(ClientError, match="no folder"):
        debugging.run(f"map /app {tmp_path}/nowhere")
    with pytest.raises(ClientError, match="As in"):
        debugging.run("map one")


def test_a_guess(debugging: Debugging, tmp_path: Path) -> None:
    copy = tmp_path / "checkout" / "program.py"
    copy.parent.mkdir()
    copy.write_text(debugging.program.path.read_text())
    remote = debugging.program.path
    debugging.to("loop")  # the program's text is known to the server
    remote.rename(remote.with_suffix(".away"))
    debugging.session.sources = LocalSources([str(tmp_path)])
    (found,) = debugging.run("map -guess")
    assert found == {"theirs": str(remote.parent), "ours": str(copy.parent), "files": 1}


def test_fetch(debugging: Debugging, tmp_path: Path) -> None:
    whole = debugging.program.path.read_text()
    assert debugging.run("fetch program.py")["text"] == whole
    assert "def walk(depth):" in debugging.text
    saved = Path(debugging.run(f"fetch program.py -save {tmp_path / 'got'}")["file"])
    assert saved == tmp_path / "got" / "program.py"
    assert saved.read_text() == whole
    asked: list[str] = []

    async def refuse(question: str) -> bool:
        asked.append(question)
        return False

    debugging.ctx.confirm = refuse
    debugging.run(f"fetch program.py -save {tmp_path / 'got'}")  # the same: nothing to ask
    assert asked == []
    saved.write_text("my own changes")
    assert debugging.run(f"fetch program.py -save {tmp_path / 'got'}") is None
    assert asked == [f"{saved} has another text. Replace it?"]
    assert saved.read_text() == "my own changes"
    debugging.ctx.confirm = None
    files = debugging.run(f"fetch -save {tmp_path / 'all'}")["files"]
    Path(files[0]).write_text("my own changes")
    debugging.ctx.confirm = refuse
    assert debugging.run(f"fetch -save {tmp_path / 'all'}") is None
    assert asked[1:] == ["1 file there has another text. Replace?"]
    debugging.ctx.confirm = None
    assert [Path(each).name for each in files].count("program.py") == 1
    assert all(each.startswith(str(tmp_path / "all")) for each in files)
    with pytest.raises(ClientError, match="No loaded file"):
        debugging.run("fetch nowhere.py")
    with pytest.raises(ClientError, match="a folder"):
        debugging.run("fetch program.py -save")
    debugging.to("loop")
    assert debugging.run("fetch")["path"] == str(debugging.program.path)
