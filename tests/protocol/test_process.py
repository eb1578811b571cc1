from __future__ import annotations

from typing import Any

import pytest

from remora_protocol import ProcessInfo, RemoteProtocolError, read_processes

PROCESS: ProcessInfo = {
    "pid": 12,
    "ppid": 1,
    "name": "worker",
    "argv": ["worker.py", "--fast"],
    "executable": "/usr/bin/python3",
    "user": "ada",
    "implementation": "CPython",
    "version": "3.13.0",
    "platform": "Linux",
    "cwd": "/srv",
    "started": 1763880000.5,
    "state": "running",
    "attachedBy": None,
    "address": "127.0.0.1:5678",
}


def test_processes_are_read() -> None:
    assert read_processes({"processes": [PROCESS, {**PROCESS, "pid": 13, "more": 1}]})[1]["pid"] == 13
    assert read_processes({"processes": []}) == []


@pytest.mark.parametrize("ancestors", [{}, True, 1, ["1"], [True], None])
def test_what_may_be_missing_is_checked_where_it_is_there(ancestors: Any) -> None:
    assert read_processes({"processes": [{**PROCESS, "ancestors": [9, 8]}]})[0]["ancestors"] == [9, 8]
    with pytest.raises(RemoteProtocolError, match="malformed"):
        read_processes({"processes": [{**PROCESS, "ancestors": ancestors}]})


@pytest.mark.parametrize("key", sorted(ProcessInfo.__required_keys__))
@pytest.mark.parametrize("value", [{}, True, [1]])
def test_every_key_is_checked(key: str, value: Any) -> None:
    row: dict[str, Any] = {**PROCESS}
    for wrong in ({**row, key: value}, {name: row[name] for name in row if name != key}):
        with pytest.raises(RemoteProtocolError, match="malformed"):
            read_processes({"processes": [wrong]})


@pytest.mark.parametrize("body", [None, [], {}, {"processes": {}}, {"processes": [1]}, {"processes": [{}]}])
def test_lists_that_are_none(body: Any) -> None:
    with pytest.raises(RemoteProtocolError, match="malformed"):
        read_processes(body)
