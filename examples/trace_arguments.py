"""Print the arguments of a function's calls for ten seconds, without stopping the program.

python trace_arguments.py tcp://HOST:PORT app.py:5 'value={value}' [SECONDS]
"""

from __future__ import annotations

import sys
import time
from typing import Any

from remora_client import ClientError, RequestFailed, attach


def trace(target: str, place: str, message: str, seconds: float = 10) -> None:
    """Print what a log point at `place` says; that is the first line of the function's body."""

    def heard(event: str, body: dict[str, Any]) -> None:
        if event == "output" and body.get("category") == "console":
            print(body["output"], end="", flush=True)

    with attach(target) as session:
        session.listen(heard)
        point = session.break_at(place, log_message=message)
        if not point.verified:
            print(f"{place}: {point.message}", file=sys.stderr)
        time.sleep(seconds)


if __name__ == "__main__":
    try:
        trace(*sys.argv[1:4], *map(float, sys.argv[4:5]))
    except (ClientError, RequestFailed, TimeoutError) as error:
        sys.exit(str(error))
