"""Snapshots: a stopped program's stacks, values and source in a file, and looking at it later.

`_file` is the format, `_adapter` answers DAP from it, `_door` makes a link of that; `_taking` fills one. What
the format is: docs/snapshots.md.
"""

from remora_client._snapshot._door import is_snapshot, link_to_snapshot
from remora_client._snapshot._file import (
    FORMAT,
    VERSION,
    Snapshot,
    SnapshotError,
    read_snapshot,
    write_snapshot,
)

__all__ = [
    "FORMAT",
    "VERSION",
    "Snapshot",
    "SnapshotError",
    "is_snapshot",
    "link_to_snapshot",
    "read_snapshot",
    "write_snapshot",
]
