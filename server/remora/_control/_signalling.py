"""Signals for the program, at a moment when its main thread runs none of our code. On the server's thread.

What a signal's handler raises is raised wherever the main thread is. Inside us it would unwind us first and
have our frames in its traceback, and where ctypes called us the interpreter would only print it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from remora._interpreter import _frames

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["send_signal"]

_TRIES, _BETWEEN = 100, 0.01
"""It may be long inside us, in a condition or where it waits for a client; then it is sent there."""


def send_signal(
    number: int, later: Callable[[float, Callable[[], None]], Callable[[], None]], tries: int = _TRIES
) -> None:
    """Send this process a signal soon, as `kill` and Ctrl-C do. `later` runs a function some time on."""
    if tries and _main_is_in_ours():
        later(_BETWEEN, lambda: send_signal(number, later, tries - 1))
    elif sys.platform == "win32" and number == signal.SIGINT:
        import _thread

        _thread.interrupt_main()  # there os.kill would end the process
    else:
        os.kill(os.getpid(), number)


def _main_is_in_ours() -> bool:
    for frame in _frames.walk(_frames.current_frames().get(threading.main_thread().ident or 0)):
        if frame.f_code.co_filename == _frames.LAUNCHER:
            return False
        if frame.f_code.co_filename.startswith(_frames.OWN_FOLDER):
            return True
    return False
