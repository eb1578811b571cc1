"""Print the arguments of a function's calls for ten seconds, without stopping the program.

python trace_arguments.py tcp://HOST:PORT app.py:5 'value={value}' [SECONDS]
"""

from __future__ import annotations

import contextlib
import sys
import time
from queue import Empty, SimpleQueue
from typing import Any

from remora_client import ClientError, RequestFailed, attach


def trace(target: str, place: str, message: str, seconds: float = 10) -> None:
    """Print what a log point at `place` says; that is the first line of the function's body."""
    end = time.monotonic() + seconds
    heard: SimpleQueue[dict[str, Any]] = SimpleQueue()  # a listener has to return at once
    with attach(target) as session:
        session.listen(lambda event, body: heard.put(body), "output")
        point = session.break_at(place, log_message=message)
        if not point.verified:
            print(f"{place}: {point.message}", file=sys.stderr)
        while (left := end - time.monotonic()) > 0 and not session.state.over:
            with contextlib.suppress(Empty):
                body = heard.get(timeout=min(left, 0.5))
                if body.get("category") == "console":
                    print(body["output"], end="", flush=True)
        if session.state.over:
            print("The program has ended, or is out of reach.", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    try:
        trace(*sys.argv[1:4], *map(float, sys.argv[4:5]))
    except KeyboardInterrupt:
        pass
    except (BrokenPipeError, ClientError, RequestFailed, TimeoutError) as error:
        sys.exit(str(error))
