"""Wait until an expression is true at a line of a running program, dump what is there, and let it run on.

python wait_for_value.py tcp://HOST:PORT app.py:12 'total > 1000'
"""

from __future__ import annotations

import json
import sys

from remora_client import ClientError, RequestFailed, attach


def dump(target: str, place: str, condition: str, timeout: float = 30) -> dict[str, object]:
    """The stack, and the local variables of the newest frame, at the moment when the condition holds."""
    with attach(target) as session:
        point = session.break_at(place, condition=condition)
        if point.reason == "failed":
            raise ClientError(f"{place}: {point.message}")
        if not point.verified:  # it may be, when the file is loaded
            print(f"{place}: {point.message}", file=sys.stderr)
        stop = session.resume(timeout)
        if stop is None:
            return {"ended": True}
        if stop.text:  # the condition could not be asked
            raise ClientError(stop.text)
        return {
            "stack": [f"{frame.name} {frame.path}:{frame.line}" for frame in session.stack()],
            "locals": {each.name: each.value for each in session.locals()},
        }


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        print(json.dumps(dump(*sys.argv[1:4]), indent=2))
    except KeyboardInterrupt:
        sys.exit(130)
    except (ClientError, RequestFailed, TimeoutError) as error:
        sys.exit(str(error))
