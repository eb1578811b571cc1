"""From an editor's wishes to a link that debugs the wanted process. Runs on the event loop's thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from remora_client._connecting._connect import connect
from remora_client._errors import ClientError
from remora_client._sessions._attach import open_process
from remora_client._snapshot._door import link_to_snapshot
from remora_client._source._localsource import LocalSources
from remora_client._targets import choose_local, link_to

if TYPE_CHECKING:
    from remora_client._bridge._wishes import Wishes
    from remora_client._connecting._connect import Link
    from remora_protocol import ProcessInfo

__all__ = ["reach"]


async def reach(wishes: Wishes) -> tuple[Link, ProcessInfo | None, LocalSources]:
    """Connect, log in, choose the process, and look through the folders meanwhile. Raises a `ClientError`."""
    sources = LocalSources(wishes.source)
    looking = asyncio.create_task(asyncio.to_thread(sources.match, "/remora", None))
    try:
        link, pid = await _connected(wishes)
        try:
            process = await open_process(link, pid, wishes.name, None) if link.is_remora else None
        except BaseException:
            await link.close()
            raise
    except OSError as error:
        raise ClientError(f"No connection: {error.strerror or error}") from None
    finally:
        await looking
    return link, process, sources


async def _connected(wishes: Wishes) -> tuple[Link, int | None]:
    if wishes.snapshot is not None:
        return await link_to_snapshot(wishes.snapshot), None
    if wishes.target is not None:
        pid = wishes.pid if wishes.pid is not None else wishes.target.pid
        return await connect(wishes.target, wishes.options), pid
    pid = wishes.pid
    if pid is None:
        pid = await choose_local(None, wishes.name, None)
    return (await link_to(str(pid), wishes.options))[0], pid
