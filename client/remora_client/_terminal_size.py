"""How large the terminal is: what it says itself, and the environment only where there is none to ask.

`shutil.get_terminal_size` has it the other way round. LINES and COLUMNS may be those of long ago: a Python
that has imported readline leaves them behind for all that it starts. Any thread.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from os import terminal_size

__all__ = ["size_of"]


def size_of(stream: TextIO) -> terminal_size:
    """Columns and lines of the terminal that a stream writes to."""
    try:
        found = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):  # no terminal, or no file at all
        return shutil.get_terminal_size()
    return found if found.columns and found.lines else shutil.get_terminal_size()
