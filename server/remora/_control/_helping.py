"""Notices that an evaluation waits for a lock that another stopped thread may hold, and lets the others run
on until it has it. On the server's thread.

Nobody can ask a lock who holds it. What can be seen is a thread that does not come out of one call, and on
Linux that what it sleeps in is the kernel's wait for a lock. The thread that leads is never let go: there
stands the person.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from remora._interpreter import _frames
from remora._interpreter._originals import monotonic, read_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._control._debugger import Debugger
    from remora._network._loop import Loop

__all__ = ["Help"]

#: So long an evaluation may take before anybody looks whether it is stuck.
_PATIENCE = 0.3
#: So long the other threads are let run for it.
_LONGEST = 3.0
#: After so long the person hears that it still goes on.
_LONG = 5.0
_AGAIN = 0.1
#: The number of the system call `futex`, by machine.
_LOCK_CALLS = {"x86_64": "202", "aarch64": "98"}
_HELPED = "It waited for what another stopped thread had: the others ran on for {:.2f} s, until it came."
_IN_VAIN = (
    "It seems to wait for what a stopped thread has. The others ran on for {:.0f} s, and it did not come."
)


class Help:
    """For one call that a thread runs, until `end`.

    Args:
        say: told, in a sentence, what was done.
        is_patient: somebody waits for the call and may give it up: tell them when it takes long.
    """

    def __init__(
        self,
        loop: Loop,
        debugger: Debugger,
        thread_id: int,
        say: Callable[[str], None],
        *,
        is_patient: bool = False,
    ) -> None:
        self._loop = loop
        self._debugger = debugger
        self._thread_id = thread_id
        self._say = say
        self._seen: tuple[int, int] | None = None
        self._since: float | None = None
        self._timers = [loop.call_later(_PATIENCE, self._look)]
        if is_patient:
            self._timers.append(loop.call_later(_LONG, self._mention))

    def end(self) -> None:
        """The call is over."""
        for timer in self._timers:
            timer.cancel()
        self._stop(_HELPED)

    def _look(self) -> None:
        seen = _find_place(self._debugger, self._thread_id)
        is_stuck = seen is not None and seen == self._seen
        self._seen = seen
        if is_stuck and self._debugger.let_others_help(self._thread_id):
            self._since = monotonic()
            self._timers.append(self._loop.call_later(_LONGEST, lambda: self._stop(_IN_VAIN)))
        else:
            self._timers[0] = self._loop.call_later(_AGAIN, self._look)

    def _stop(self, said: str) -> None:
        if self._since is not None:
            self._debugger.stop_help()
            self._say(said.format(monotonic() - self._since))
            self._since = None

    def _mention(self) -> None:
        self._say(f"This takes longer than {_LONG:g} s. Ctrl-C gives it up.")


def _find_place(debugger: Debugger, thread_id: int) -> tuple[int, int] | None:
    """Where the thread waits inside C code for what may be a lock; None if it does not."""
    for info in debugger.threads():
        if info.id == thread_id:
            frame = _frames.current_frames().get(info.ident)
            if frame is not None and _frames.is_in_call(frame) and _waits_for_lock(info.native_id):
                return id(frame), frame.f_lasti
    return None


def _waits_for_lock(native_id: int | None) -> bool:
    """As far as the system tells; where it does not, perhaps."""
    wanted = _LOCK_CALLS.get(os.uname().machine) if hasattr(os, "uname") else None
    if native_id is None or wanted is None:
        return True
    try:
        return read_file(f"/proc/self/task/{native_id}/syscall").decode("ascii").split(" ", 1)[0] == wanted
    except OSError:
        return True
