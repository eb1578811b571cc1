"""Watch a running service, and note the local variables at every exception that nothing caught.

python collect_exceptions.py tcp://HOST:PORT [SECONDS]
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from remora_client import ClientError, ExceptionFilter, RequestFailed, attach

if TYPE_CHECKING:
    from collections.abc import Iterator


def collect(target: str, seconds: float = 60) -> Iterator[dict[str, object]]:
    """One record for each, as they come. The service goes on after each of them."""
    end = time.monotonic() + seconds
    with attach(target) as session:
        session.break_on_exceptions([ExceptionFilter("uncaught")])
        while (left := end - time.monotonic()) > 0:
            try:
                stop = session.resume(left)
            except TimeoutError:
                return
            if stop is None:
                return
            yield {
                "exception": session.exception_info().description,
                "where": [f"{frame.name}:{frame.line}" for frame in session.stack()],
                "locals": {each.name: each.value for each in session.locals()},
            }


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        for record in collect(sys.argv[1], *map(float, sys.argv[2:3])):
            print(json.dumps(record), flush=True)
    except KeyboardInterrupt:
        pass
    except (BrokenPipeError, ClientError, RequestFailed, TimeoutError) as error:
        sys.exit(str(error))
