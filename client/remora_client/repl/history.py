"""What was typed before: a file a project, shared by its sessions, and without secrets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prompt_toolkit.history import FileHistory

from remora_client._places import project_file
from remora_client.repl.secrecy import may_be_kept

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["ProjectHistory", "history_file"]

_LARGEST = 1_000_000


def history_file(folder: str) -> Path:
    """The file for a project, which is the folder that the client was started in."""
    return project_file("history", folder)


class ProjectHistory(FileHistory):
    """A `FileHistory` that nobody else can read, and that no secret gets into."""

    def __init__(self, path: Path, secrets: Sequence[str] = ()) -> None:
        self._secrets = tuple(secrets)
        self.usable = _prepare(path)
        super().__init__(str(path))

    def append_string(self, string: str) -> None:
        """Remember a line; a secret one is not even in the memory of the arrow keys."""
        if may_be_kept(string, self._secrets):
            super().append_string(string)

    def load_history_strings(self) -> list[str]:
        """What earlier sessions have left, the latest first."""
        try:
            return list(super().load_history_strings())
        except (OSError, ValueError):
            return []

    def store_string(self, string: str) -> None:
        """Add a line to the file; a full or read-only disk must not end the session."""
        if not self.usable:
            return
        try:
            # What was pasted in another encoding comes with surrogates, which are no UTF-8.
            super().store_string(string.encode("utf-8", "backslashreplace").decode("utf-8"))
        except OSError:
            self.usable = False


def _prepare(path: Path) -> bool:
    """Make the file for its owner alone. One that has grown too large starts anew with its last half."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        os.chmod(path, 0o600)
        if path.stat().st_size > _LARGEST:
            kept = path.read_bytes()[-_LARGEST // 2 :]
            path.write_bytes(kept[kept.find(b"\n#") + 1 :])
    except OSError:
        return False
    return True
