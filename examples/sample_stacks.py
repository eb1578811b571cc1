"""Look a few times at the stacks of all threads of a running program, which it hardly notices.

python sample_stacks.py tcp://HOST:PORT [TIMES]
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from remora_client import ClientError, RequestFailed, attach


def sample(target: str, times: int = 20, pause: float = 0.05) -> Counter[str]:
    """How often each stack was seen: the newest frames first."""
    seen: Counter[str] = Counter()
    with attach(target) as session:
        for _ in range(times):
            for thread in session.threads():
                try:
                    frames = session.stack(thread.id)[:5]
                except RequestFailed:  # it ended in the meantime
                    continue
                seen[f"{thread.name}: " + " < ".join(f"{each.name}:{each.line}" for each in frames)] += 1
            time.sleep(pause)
    return seen


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        for stack, count in sample(sys.argv[1], *map(int, sys.argv[2:3])).most_common():
            print(f"{count:5}  {stack}")
    except KeyboardInterrupt:
        sys.exit(130)
    except (ClientError, RequestFailed, TimeoutError) as error:
        sys.exit(str(error))
