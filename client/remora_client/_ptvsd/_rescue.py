"""Freeing a program whose debugger was lost. Only when a person asks for it: it leaves a mark. Event loop.

A ptvsd of protocol 6 that believes it is attached lets a second client in by another door, made for an
interactive window. One request there evaluates an expression on a thread of its own; ours has the server do
to itself what a detach would. The mark: opening that door puts an empty module in the place of
sys.modules['__main__'].
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from remora_client._ptvsd._binary import BinaryCodec
from remora_client._ptvsd._records import Verdict
from remora_client._ptvsd._wire import Ended
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora_client._ptvsd._wire import Wire

__all__ = ["free"]

_SECONDS = 5.0
# The list is evaluated left to right: threads, process, and at last the door behind us.
_FREE = (
    "(lambda d: [d.detach_threads(), d.detach_process(), "
    "d.DebuggerLoop.instance.repl_backend.disconnect_from_debugger()])"
    "(__import__('sys').modules['ptvsd.visualstudio_py_debugger'])"
)


async def free(wire: Wire, place: str, timeout: float) -> None:
    """Have the server let go of everything. The connection is logged in, and ends here."""
    try:
        if not isinstance(wire.codec, BinaryCodec):
            raise RequestFailed(
                "not-supported", f"{place} has no way in for a rescue: ptvsd 2.2 and 3.0 have one."
            )
        async with asyncio.timeout(timeout):
            wire.send(wire.codec.open_window())
            if await wire.next() != Verdict(True):
                return  # nobody is attached, also in its own eyes
        wire.send(wire.codec.list_members(_FREE))
        async with asyncio.timeout(_SECONDS):
            said = b""
            while b"MRES" not in said and b"MERR" not in said:
                said = said[-3:] + await wire.raw()
    except (Ended, TimeoutError) as error:
        reason = str(error) or "no answer"
        raise RequestFailed("failed", f"The rescue of {place} did not come through: {reason}.") from None
    finally:
        wire.abort()
