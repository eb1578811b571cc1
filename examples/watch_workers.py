"""Watch one expression in several processes at once.

python watch_workers.py EXPRESSION tcp://HOST:PORT tcp://HOST:PORT …
"""

from __future__ import annotations

import asyncio
import sys

from remora_client.aio import attach


async def look(target: str, expression: str) -> str:
    """The value in one worker, at its next line of Python."""
    async with await attach(target) as session:
        await session.pause()
        return (await session.evaluate(expression)).value


async def watch(expression: str, targets: list[str]) -> list[str | BaseException]:
    """The values, in the order of the targets, or why there is none; all are asked at the same time."""
    looks = (look(target, expression) for target in targets)
    return await asyncio.gather(*looks, return_exceptions=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        values = asyncio.run(watch(sys.argv[1], sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
    for worker, value in zip(sys.argv[2:], values, strict=True):
        print(f"{worker}  {value}")
