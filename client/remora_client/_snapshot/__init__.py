"""Snapshots: a stopped program's stacks, values and source in a file, and looking at it later.

`_file` is the format, `_adapter` answers DAP from it, `_door` makes a link of that; `_taking` fills one. What
the format is: docs/snapshots.md. Nothing but `_name`, which tells what is one, is imported here.
"""

from remora_client._snapshot._name import SUFFIX, is_snapshot

__all__ = ["SUFFIX", "is_snapshot"]
