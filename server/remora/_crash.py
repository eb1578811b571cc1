"""Where exceptions end that nobody caught: in threads, in tasks, and in what Python can only ignore.

On the program's threads. The program's own hooks come first, so that the traceback is printed as ever.
"""

from __future__ import annotations

import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["CrashHooks"]


class CrashHooks:
    """Our places behind the program's hooks, until `remove`.

    Args:
        show: called with each such exception; may wait.
    """

    def __init__(self, show: Callable[[BaseException], None]) -> None:
        self._show = show
        self._removed = False
        self._places: list[tuple[Any, str, Any, Any]] = []
        self._cover(sys, "excepthook", lambda _kind, error, _traceback: error)
        self._cover(threading, "excepthook", lambda arguments: arguments.exc_value)
        self._cover(sys, "unraisablehook", lambda arguments: arguments.exc_value)
        loops = sys.modules.get("asyncio.base_events")
        if loops is not None:  # not imported for this: most programs have no loop
            kind = loops.BaseEventLoop
            self._cover(kind, "call_exception_handler", lambda _loop, context: context.get("exception"))

    def _cover(self, owner: Any, name: str, error_of: Callable[..., Any]) -> None:
        before = getattr(owner, name)

        def hook(*arguments: Any) -> None:
            before(*arguments)
            self._meet(error_of(*arguments))

        setattr(owner, name, hook)
        self._places.append((owner, name, before, hook))

    def _meet(self, error: BaseException | None) -> None:
        # Ctrl-C is no crash, and what was never raised has nothing to look at.
        if self._removed or not isinstance(error, Exception) or error.__traceback__ is None:
            return
        try:
            self._show(error)
        except KeyboardInterrupt:
            pass  # whoever sits there does not want to wait

    def remove(self) -> None:
        """Put the program's hooks back, unless others lie over ours: then ours only pass on."""
        self._removed = True
        for owner, name, before, hook in self._places:
            if getattr(owner, name) is hook:
                setattr(owner, name, before)
