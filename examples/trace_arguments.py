"""Print the arguments of a function's calls for ten seconds, without stopping the program.

python trace_arguments.py tcp://HOST:PORT app.py:5 'value={value}' [SECONDS]
"""

from __future__ import annotations

import sys
import time
from typing import Any

from remora_client import attach


def trace(target: str, place: str, message: str, seconds: float = 10) -> list[str]:
    """What the log point at `place` said; `place` is the first line of the function's body."""
    lines: list[str] = []

    def heard(event: str, body: dict[str, Any]) -> None:
        if event == "output" and body.get("category") == "console":
            lines.append(str(body.get("output", "")).rstrip("\n"))

    with attach(target) as session:
        session.listen(heard)
        session.break_at(place, log_message=message)
        time.sleep(seconds)
    return lines


if __name__ == "__main__":
    print(*trace(*sys.argv[1:4], *map(float, sys.argv[4:5])), sep="\n")
