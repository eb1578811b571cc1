"""The records of the program's `logging`, told to a client that asked for them. On the program's threads.

No handler is added: `basicConfig` would then do nothing any more. What is covered is how a logger calls its
handlers, after these have been called; without a lock, and without a look at the program's levels, which
decide first what becomes a record at all.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[str, dict[str, Any]], None]

__all__ = ["LogRecords"]

_LONGEST = 10_000


class LogRecords:
    """Off until `start`.

    Args:
        tell: called with the name and the body of an event; must not block.
        display_path: the path of a file as clients know it.
    """

    def __init__(self, tell: Tell, display_path: Callable[[str], str]) -> None:
        self._tell = tell
        self._display_path = display_path
        self._level = 0
        self._logger: Any = None
        self._before: Any = None
        self._cover: Any = None

    def start(self, level: str) -> None:
        """Tell of records from this level up. On the server's thread.

        Raises:
            RequestFailed: the program does not use `logging`, or has no such level.
        """
        logging: Any = sys.modules.get("logging")
        if not hasattr(logging, "Logger") or not hasattr(logging, "getLevelName"):
            raise RequestFailed("failed", "The program has not imported logging by now.")
        number = int(level) if level.isdecimal() else logging._nameToLevel.get(level.upper())
        if number is None:
            names = ", ".join(sorted(logging._nameToLevel, key=logging._nameToLevel.get))
            raise RequestFailed("bad-request", f"There is no level {level!r}; there are {names}.")
        self.stop()
        self._level = number
        self._logger = logging.Logger
        before = self._before = logging.Logger.callHandlers

        def call_handlers(logger: Any, record: Any) -> None:
            before(logger, record)
            if record.levelno >= self._level and self._cover is not None:
                self._pass_on(record)

        self._cover = logging.Logger.callHandlers = call_handlers

    def stop(self) -> None:
        """Tell of none. Where somebody has covered ours in turn it stays, and tells nothing."""
        if self._logger is not None and self._logger.callHandlers is self._cover:
            self._logger.callHandlers = self._before
        self._logger = self._before = self._cover = None

    def _pass_on(self, record: Any) -> None:
        try:
            message = str(record.getMessage())[:_LONGEST]
            name, level = str(record.name), str(record.levelname)
            path = self._display_path(str(record.pathname))
            body = {
                "category": "console",
                "output": f"{level} {name}: {message}\n",
                "source": {"name": path.replace("\\", "/").rpartition("/")[2], "path": path},
                "line": int(record.lineno),
                "remora": {
                    "log": {
                        "logger": name,
                        "level": level,
                        "function": str(record.funcName),
                        "thread": str(record.threadName),
                        "message": message,
                    }
                },
            }
        except Exception:
            return  # the program's handlers have said so already
        self._tell("output", body)
