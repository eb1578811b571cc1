"""From a logged-in link to a session: choosing the process, and DAP's opening sequence.

Runs on the event loop's thread, once per session.
"""

from __future__ import annotations

import asyncio
import fnmatch
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._errors import AlreadyAttached, AmbiguousProcess, AttachRefused, NoSuchProcess
from remora_client._model import ExceptionFilter
from remora_client._text import visible
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remora_client._connecting._connect import Link
    from remora_client._sessions._returning import Returning
    from remora_protocol import ProcessInfo

__all__ = ["choose_process", "open_process", "start"]

_SECONDS = 20.0
_INITIALIZE: dict[str, Any] = {
    "clientID": "remora",
    "clientName": "Remora",
    "adapterID": "remora",
    "locale": "en",
    "linesStartAt1": True,
    "columnsStartAt1": True,
    "pathFormat": "path",
    "supportsVariableType": True,
    "supportsVariablePaging": True,
}


def _described(process: ProcessInfo) -> str:
    return f"{process['pid']} {visible(process['name'])}"


def choose_process(
    processes: Sequence[ProcessInfo],
    pid: int | None,
    name: str | None,
    choose: Callable[[Sequence[ProcessInfo]], int] | None,
) -> ProcessInfo:
    """The one process that is meant. Raises `NoSuchProcess` or `AmbiguousProcess`."""
    found = [
        each
        for each in processes
        if (pid is None or each["pid"] == pid) and (name is None or fnmatch.fnmatchcase(each["name"], name))
    ]
    listed = "; ".join(_described(each) for each in processes[:20])
    if not found:
        wanted = f"process {pid}" if pid is not None else f"process named {visible(name or '')}"
        raise NoSuchProcess(f"There is no {wanted} here.", f"There are: {listed}." if listed else "")
    if len(found) > 1 and choose is not None:
        picked = choose(found)
        found = [each for each in found if each["pid"] == picked] or found
    if len(found) > 1:
        raise AmbiguousProcess(
            f"{len(found)} processes match: {'; '.join(_described(each) for each in found[:20])}.",
            "Say which with --pid PID or --name GLOB.",
        )
    return found[0]


async def open_process(
    link: Link, pid: int | None, name: str | None, choose: Callable[[Sequence[ProcessInfo]], int] | None
) -> ProcessInfo:
    """Make the link one to the wanted process."""
    process = choose_process(await link.processes(), pid, name, choose)
    await link.open(process["pid"])
    return process


async def start(session: Returning, arguments: dict[str, Any]) -> dict[str, Any]:
    """DAP's opening sequence, in the order that suits servers that answer attach early or late.

    Gives the body of the answer to `attach`.

    The request `attach` is under way while we configure: debugpy answers it only after
    configurationDone, others before they send `initialized`.
    """
    initialized = asyncio.Event()
    remove = session.listen(lambda event, _: initialized.set() if event == "initialized" else None)
    try:
        capabilities = await session.request("initialize", _INITIALIZE, _SECONDS)
        session.state = replace(session.state, capabilities=capabilities)
        attached = asyncio.ensure_future(session.request("attach", arguments, _SECONDS))
        ready = asyncio.ensure_future(initialized.wait())
        try:
            async with asyncio.timeout(_SECONDS):
                await asyncio.wait((attached, ready), return_when=asyncio.FIRST_COMPLETED)
                if attached.done():
                    attached.result()  # raises when it was refused
                await ready
            await _configure(session)
            return await attached
        finally:
            ready.cancel()
            attached.cancel()
    except RequestFailed as error:
        raise _refusal(error, session.link) from None
    except TimeoutError:
        raise AttachRefused(
            f"{session.link.address} did not get ready for a debugger in {_SECONDS:g} s."
        ) from None
    finally:
        remove()


async def _configure(session: Returning) -> None:
    if not session.link.options.observe:  # an observer may not say where to stop
        await _say_where_to_stop(session)
    if session.supports("supportsConfigurationDoneRequest"):
        await session.request("configurationDone", {}, _SECONDS)
        await session.link.rpc.caught_up()  # where the program stands comes right behind the answer


async def _say_where_to_stop(session: Returning) -> None:
    await session.send_breakpoints()
    defaults = [
        ExceptionFilter(str(each["filter"])) for each in session.exception_modes if each.get("default")
    ]
    if session.exception_modes:
        await session.set_exception_filters(defaults if session.filters is None else session.filters)


def _refusal(error: RequestFailed, link: Link) -> AttachRefused:
    text = visible(str(error))
    if link.ptvsd is not None:  # it says itself what can be done, and nobody can be put out there
        return AlreadyAttached(text) if error.code == "already-attached" else AttachRefused(text)
    if error.code == "already-attached":
        return AlreadyAttached(
            text.removesuffix(' Attach with "force" to take over.'),
            "To take over, add --force: the program stays as it is; the other client is told and loses the "
            "session. To look on beside it, add --observe.",
        )
    if error.code == "attach-refused":
        return AttachRefused(text, "Whoever runs the program has it decide so (remora.on_attach): ask them.")
    return AttachRefused(text)
