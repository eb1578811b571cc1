"""Snapshots from anybody: what is in the file is believed no more than what a server says."""

from __future__ import annotations

import asyncio
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from remora_client._errors import ClientError
from remora_client._options import ConnectOptions
from remora_client._snapshot import _file as file_module
from remora_client._snapshot._file import (
    FORMAT,
    VERSION,
    Snapshot,
    SnapshotError,
    read_snapshot,
    write_snapshot,
)
from remora_client._targets import open_session
from remora_client.commands import Context, run_script_line
from remora_protocol import RequestFailed

PROCESS = {
    "pid": 4711,
    "ppid": 1,
    "name": "shop.py",
    "argv": ["shop.py"],
    "executable": "/usr/bin/python3",
    "user": "ada",
    "implementation": "cpython",
    "version": "3.12.1",
    "platform": "linux",
    "cwd": "/shop",
    "started": 1700000000.0,
    "state": "running",
    "attachedBy": None,
    "address": None,
}
COMMANDS = (
    "where", "locals", "globals", "print x", "print x.y[0]", "list", "threads", "tasks", "exceptions",
    "status", "sources", "modules", "completions x.", "up", "args", "pp x", "thread apply all where",
)  # fmt: skip


def document(**changes: Any) -> dict[str, Any]:
    value = {
        "name": "x",
        "value": "[1]",
        "type": "list",
        "indexed": 1,
        "children": [{"name": "0", "value": "1"}],
    }
    scope = {"name": "Locals", "hint": "locals", "variables": [value]}
    frame = {"name": "main", "line": 1, "column": 1, "source": 0, "scopes": [scope]}
    return {
        "format": FORMAT,
        "version": VERSION,
        "created": "2026-01-01T00:00:00+00:00",
        "process": PROCESS,
        "stop": {"reason": "breakpoint", "thread": 1},
        "exception": None,
        "threads": [{"id": 1, "name": "MainThread", "state": "stopped", "frames": [frame]}],
        "tasks": [],
        "globals": {},
        "sources": [{"name": "shop.py", "path": "/shop/shop.py"}],
        "complete": True,
        **changes,
    }


def packed(found: Any, texts: dict[str, bytes] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as stream:
        stream.writestr("snapshot.json", found if isinstance(found, bytes) else json.dumps(found))
        for name, text in (texts or {"sources/0.py": b"x = [1]\n"}).items():
            stream.writestr(name, text)
    return out.getvalue()


def look(path: Path) -> list[str]:
    """Open a file and try everything: what each command said, or why it did not."""

    async def scenario() -> list[str]:
        said = []
        async with await open_session(str(path), ConnectOptions()) as session:
            await session.wait_for_stop(5)
            for command in COMMANDS:
                try:
                    found = await run_script_line(Context(session), command)
                    said.append(f"{command}: {found.data}")
                except (ClientError, RequestFailed) as error:
                    said.append(f"{command}: {error}")
        return said

    return asyncio.run(scenario())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.remora"
    size = write_snapshot(str(path), Snapshot(document(), {0: "x = [1]  # \udc80é\n"}))
    assert size == path.stat().st_size
    assert [each.name for each in tmp_path.iterdir()] == ["a.remora"]
    found = read_snapshot(str(path))
    assert found.document == document()
    assert found.texts == {0: "x = [1]  # \\xed\\xb2\\x80é\n"}
    assert look(path)[0] == "where: [{'name': 'main', 'path': '/shop/shop.py', 'line': 1}]"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 200_000, "cannot be read"),
        (b"{}", "does not say that it is one"),
        (b"[]", "does not say that it is one"),
        (document(format="zip"), "does not say that it is one"),
        (document(version=VERSION + 1), "upgrade the client"),
        (document(version="1"), "upgrade the client"),
        (document(version=0), "upgrade the client"),
        (document(threads=None), "no threads"),
        (document(sources={}), "no threads or no sources"),
    ],
)
def test_what_is_refused(tmp_path: Path, found: Any, reason: str) -> None:
    path = tmp_path / "a.remora"
    path.write_bytes(packed(found))
    with pytest.raises(SnapshotError, match=reason):
        read_snapshot(str(path))


def test_a_file_that_swells_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.remora"
    for limit, texts in (
        ("_MOST_JSON", None),
        ("_MOST_SOURCE", {"sources/0.py": b"x" * 200_000}),
        ("_MOST_IN_ALL", {"sources/0.py": b"x" * 200_000}),
    ):
        path.write_bytes(packed(json.dumps(document()).encode() + b" " * (0 if texts else 200_000), texts))
        assert path.stat().st_size < 10_000
        read_snapshot(str(path))
        with monkeypatch.context() as patched:
            patched.setattr(file_module, limit, 100_000)
            with pytest.raises(SnapshotError, match="bigger than"):
                read_snapshot(str(path))


def test_a_header_that_lies_about_the_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.remora"
    data = packed(document(), {"sources/0.py": b"x" * 200_000})
    path.write_bytes(data.replace((200_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    monkeypatch.setattr(file_module, "_MOST_SOURCE", 100_000)
    with pytest.raises(SnapshotError):
        read_snapshot(str(path))


def test_other_members_are_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "a.remora"
    path.write_bytes(packed(document(), {"../../evil.py": b"x", "sources/1.py": b"x", "/etc/passwd": b"x"}))
    assert read_snapshot(str(path)).texts == {}
    assert [each.name for each in tmp_path.iterdir()] == ["a.remora"]
    path.write_bytes(packed(document(), {f"{number}": b"" for number in range(3000)}))
    with pytest.raises(SnapshotError, match="more than 2000 files"):
        read_snapshot(str(path))


@pytest.mark.parametrize(
    "changes",
    [
        {"process": None},
        {"process": {**PROCESS, "argv": "x"}},
        {"process": {"pid": 1}},
    ],
)
def test_a_process_that_is_none(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "a.remora"
    path.write_bytes(packed(document(**changes)))
    with pytest.raises(SnapshotError, match="what the process was"):
        look(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"threads": []},
        {
            "threads": [
                None,
                3,
                {},
                {"id": -1},
                {"id": 2, "frames": [None, {}, {"source": 99}, {"source": -1}]},
            ]
        },
        {"threads": [{"id": 1, "frames": [{"scopes": [{"variables": [{}, {"children": [7]}]}, 3]}]}]},
        {"stop": {"thread": 77, "reason": 3, "text": ["x"]}},
        {"stop": "here"},
        {"globals": []},
        {"globals": {"0": "x"}},
        {"sources": [None, 3]},
        {"exception": {"details": {"innerException": "x"}}},
        {"tasks": "x"},
        {"tasks": [{"frames": 3}]},
        {"created": 3, "complete": "x"},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_what_is_of_the_wrong_kind_harms_nobody(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "a.remora"
    path.write_bytes(packed(document(**changes)))
    assert len(look(path)) == len(COMMANDS)


def test_deep_values_and_long_expressions(tmp_path: Path) -> None:
    value: dict[str, Any] = {"name": "x", "value": "[]", "type": "list"}
    for _ in range(150):
        value = {**value, "children": [{**value, "name": "0", "expression": "x" + "[0]" * 5000}]}
        if len(json.dumps(value)) > 2_000_000:
            break
    scope = {"name": "Locals", "hint": "locals", "variables": [value]}
    frames = [{"name": "main", "line": 1, "source": 0, "scopes": [scope]}]
    path = tmp_path / "a.remora"
    path.write_bytes(packed(document(threads=[{"id": 1, "name": "m", "frames": frames}])))
    assert len(look(path)) == len(COMMANDS)


def test_bytes_at_random_give_an_error_of_ours_or_a_snapshot(tmp_path: Path) -> None:
    path, data = tmp_path / "a.remora", packed(document())
    chance = random.Random(20)
    refused = 0
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(chance.choice((1, 1, 3, 20))):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        path.write_bytes(bytes(broken[: chance.choice((len(broken), chance.randrange(len(broken))))]))
        try:
            read_snapshot(str(path))
        except SnapshotError:
            refused += 1
    assert refused > 100
