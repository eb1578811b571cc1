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


async def watch(expression: str, targets: list[str]) -> list[str]:
    """The values, in the order of the targets; all are asked at the same time."""
    return list(await asyncio.gather(*(look(target, expression) for target in targets)))


if __name__ == "__main__":
    for worker, value in zip(sys.argv[2:], asyncio.run(watch(sys.argv[1], sys.argv[2:])), strict=True):
        print(f"{worker}  {value}")
