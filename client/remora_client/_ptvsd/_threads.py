"""The threads of a program in an old ptvsd: which stand still, which are on their way. Pure.

Nothing on the wire says that a thread has woken up. A second command that wakes one which is still on its
way out of a stop breaks the server, so it is reckoned here how long to wait: until each has shown life, or
has had the time to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora_client._ptvsd._records import RemoteFrame

__all__ = ["WAKE_SECONDS", "ThreadRecord", "Threads"]

# How long a thread may take to wake up after a resume; before that, waking it again breaks the server.
WAKE_SECONDS = 0.15
# Between a thread's last stack and its standing still.
_HALT_SECONDS = 0.03


@dataclass
class ThreadRecord:
    """What is known of one thread."""

    name: str = ""
    frames: Sequence[RemoteFrame] = ()
    halted: bool = False  # it stands still in the debugger: it can evaluate, and a resume wakes it
    told_why: bool = False  # a reason came for that; else it was stopped along with another
    halted_at: float = field(default=0.0, repr=False)

    @property
    def silent(self) -> bool:
        """It was stopped along with another: no reason has come, and none may come."""
        return self.halted and not self.told_why


class Threads(dict[int, ThreadRecord]):
    """All threads, by the server's numbers."""

    def __init__(self) -> None:
        super().__init__()
        self._waking: set[int] = set()
        self._resumed_at = 0.0

    @property
    def running(self) -> bool:
        """No thread has told why it stands still."""
        return not any(each.told_why for each in self.values())

    def seen(self, thread: int) -> ThreadRecord:
        """The record of a thread, made if it is new."""
        return self.setdefault(thread, ThreadRecord())

    def gone(self, thread: int) -> None:
        """A thread has ended."""
        self.pop(thread, None)
        self._waking.discard(thread)

    def alive(self, thread: int) -> None:
        """A thread has shown life since the resume."""
        self._waking.discard(thread)

    def halted(self, thread: int, name: str, now: float) -> ThreadRecord:
        """A thread has sent its own stack: it is about to stand still."""
        record = self.seen(thread)
        record.name, record.halted, record.told_why, record.halted_at = name, True, False, now
        self.alive(thread)
        return record

    def stopped(self, thread: int) -> None:
        """A thread has told why it stands still."""
        record = self.seen(thread)
        record.halted = record.told_why = True
        self.alive(thread)

    def resumed(self, now: float) -> None:
        """All are about to be woken."""
        self._waking = {ident for ident, each in self.items() if each.halted}
        self._resumed_at = now
        for each in self.values():
            each.halted = each.told_why = False

    def heard_of_resume(self, now: float) -> None:
        """The server has carried the resume out: their time begins."""
        if self._waking:
            self._resumed_at = max(self._resumed_at, now)

    def unsettled(self, now: float) -> float:
        """Seconds until no thread can be on its way out of, or into, a stop."""
        waits = [each.halted_at + _HALT_SECONDS - now for each in self.values() if each.silent]
        if self._waking:
            waits.append(self._resumed_at + WAKE_SECONDS - now)
        return max([0.0, *waits])

    def answerer(self) -> int | None:
        """One that stands still and has a frame: it can evaluate."""
        return next((ident for ident, each in self.items() if each.halted and each.frames), None)
