"""`remora snapshot`: a running program's stacks, values and source into a file; the program then runs on."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING

from remora_client._errors import ClientError
from remora_client._options import AttachOptions, connect_options
from remora_client._snapshot import SUFFIX
from remora_client._snapshot._file import write_snapshot
from remora_client._snapshot._taking import take_snapshot
from remora_client._targets import open_session
from remora_client._text import visible
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from argparse import Namespace

    from remora_client._sessions._session import Session

__all__ = ["run"]

_PAUSE_SECONDS = 5.0


def run(arguments: Namespace) -> int:
    """Attach, record, detach. Gives the exit code."""
    return asyncio.run(_run(arguments))


async def _run(arguments: Namespace) -> int:
    session = await open_session(
        arguments.target,
        connect_options(arguments),
        AttachOptions(arguments.source, arguments.force),
        pid=arguments.pid,
        name=arguments.name,
    )
    try:
        reason = await _stand_still(session)
        if reason:
            print(f"remora: {visible(reason)} Only its stacks are recorded.", file=sys.stderr)
        path = arguments.output or _name(session)
        snapshot = await take_snapshot(session)
    finally:
        await session.detach()
    size = write_snapshot(path, snapshot)
    threads = len(snapshot.document["threads"])
    print(f"{visible(path)}: {threads} thread{'s' * (threads != 1)}, {size:,} bytes.")
    print(f"To look at it: remora open {visible(path)}")
    return 0


async def _stand_still(session: Session) -> str:
    """Have the program stop. Gives why it does not, where it does not."""
    try:
        if session.stop is None:
            await session.pause()
        if await session.wait_for_stop(_PAUSE_SECONDS) is None:
            raise ClientError("The program ended before it could be recorded.")
    except TimeoutError:
        return "The program does not come to a stop: it waits in C code."
    except RequestFailed as error:
        return f"The program was not stopped: {error}"
    return ""


def _name(session: Session) -> str:
    process = session.process
    if process is None:
        return f"snapshot{SUFFIX}"
    return re.sub(r"[^\w.-]+", "-", f"{process['name']}-{process['pid']}") + SUFFIX
