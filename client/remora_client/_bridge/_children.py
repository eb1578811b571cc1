"""Child processes of the program: the editor is asked to debug them too, or told where they are.

Other debug adapters say themselves when a child wants a session. A Remora's port is watched for that, over a
connection of its own. Where the editor is going to attach, a new child waits for it in `enable_attach`, three
seconds at most; where it cannot, no child waits. Everything runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._connecting._connect import connect, connect_local
from remora_client._errors import ClientError, NoSuchProcess
from remora_client._sessions._debugpy import let_child_go
from remora_client._targets import local_sockets
from remora_client._text import visible
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._bridge._editor import Editor
    from remora_client._bridge._wishes import Wishes
    from remora_client._connecting._connect import Link
    from remora_protocol import ProcessInfo, Request

__all__ = ["Children"]

_READY_SECONDS = 2.0
_AGAIN = 1.0  # seconds: when the port's owner has ended, another takes the port over
# What says which process, for a child is another one; and a child is not to stop because its parent did.
_OF_THE_PARENT = frozenset(
    {"connect", "host", "port", "processId", "processName", "qualifier", "stopOnEntry"}
)


class Children:
    """What to do about the children of one program.

    Attributes:
        can_start: the editor knows `startDebugging`.
    """

    def __init__(self, editor: Editor, say: Callable[[str], None]) -> None:
        self.can_start = False
        self._editor = editor
        self._say = say
        self._link: Link | None = None
        self._wishes: Wishes | None = None
        self._watching: asyncio.Task[None] | None = None
        self._letting_go: set[asyncio.Task[None]] = set()
        self._heard_from = asyncio.Event()  # the port watches for us, or there is none that could

    def follow(self, link: Link, wishes: Wishes, process: ProcessInfo | None) -> None:
        """From here on, the children of this process."""
        self._link, self._wishes = link, wishes
        if process is None or link.is_snapshot or wishes.raw.get("subProcess") is False:
            return
        if wishes.options.via is not None:  # to run the person's command once more is not ours to decide
            return
        self._watching = asyncio.get_running_loop().create_task(self._watch(wishes, process["pid"]))

    async def ready(self) -> None:
        """Wait until no child can be missed any more; not for long."""
        if self._watching is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_READY_SECONDS):
                    await self._heard_from.wait()

    def asked(self, request: Request) -> bool:
        """A server asks for a session of its own for a child."""
        if request.command != "startDebugging" or self._link is None:
            return False
        self._link.rpc.respond(request)
        configuration = request.arguments.get("configuration")
        if isinstance(configuration, dict):
            self.start(configuration)
        return True

    def waits(self, configuration: dict[str, Any]) -> None:
        """A child of debugpy's waits for a client: the editor, or else us, for a moment."""
        if self.can_start:
            self.start(configuration)
        elif self._link is not None:
            self._letting_go.add(
                asyncio.get_running_loop().create_task(self._let_go(self._link, configuration))
            )

    async def _let_go(self, link: Link, configuration: dict[str, Any]) -> None:
        name = visible(str(configuration.get("name") or "child process"))
        if await let_child_go(link, configuration):
            self._say(
                f"{name} was started and runs on without a debugger: this editor starts no second session."
            )
        else:
            self._say(f"{name} waits for a debugger; attach to it with: {_place(configuration)}")

    def start(self, configuration: dict[str, Any]) -> None:
        """Have a child debugged: `configuration` is what an attach to it takes."""
        assert self._wishes is not None
        name = str(configuration.get("name") or "child process")
        if not self.can_start:
            self._say(f"{name} was started; attach to it with: {_place(configuration)}")
            return
        own = {key: value for key, value in self._wishes.raw.items() if key not in _OF_THE_PARENT}
        merged = {**own, **configuration, "request": "attach", "name": name}
        self._editor.request(
            "startDebugging", {"request": "attach", "configuration": merged}, lambda response: None
        )

    async def close(self) -> None:
        """Look after no more children."""
        for task in self._letting_go:
            task.cancel()
        await asyncio.gather(*self._letting_go, return_exceptions=True)
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None
            self._heard_from.clear()

    # -- the children of a Remora -----------------------------------------------------------------

    async def _watch(self, wishes: Wishes, pid: int) -> None:
        """Hear of the processes that come, for as long as there is a port to ask."""
        target = str(pid)
        while True:
            try:
                link = await _second_link(wishes, target)
                try:
                    target = await self._watch_with(link, wishes, pid) or str(pid)
                finally:
                    await link.close()
            except RequestFailed:
                self._heard_from.set()
                return  # a Remora that is older than this
            except (ClientError, OSError):
                self._heard_from.set()  # not now, at any rate
                target = str(pid)
            await asyncio.sleep(_AGAIN if target == str(pid) else 0)

    async def _watch_with(self, link: Link, wishes: Wishes, pid: int) -> str | None:
        """Watch until the connection ends. Gives whom to ask instead, if it is somebody else's port."""
        ended = asyncio.Event()
        link.rpc.on_end = ended.set
        link.rpc.on_event = lambda name, body: self._heard(name, body, wishes, pid)
        follow = [pid] if self.can_start else []
        body = await link.rpc.request("remora/watch", {"follow": follow}, link.options.timeout)
        owner = body.get("owner")
        if isinstance(owner, int) and wishes.target is None:
            return str(owner)
        self._heard_from.set()
        await ended.wait()
        return None

    def _heard(self, name: str, body: dict[str, Any], wishes: Wishes, pid: int) -> None:
        found = body.get("process")
        if name != "remora/process" or body.get("reason") != "new" or not isinstance(found, dict):
            return
        child = found.get("pid")
        # Children of children are the affair of the sessions that these get.
        if not isinstance(child, int) or pid not in (found.get("ppid"), child):
            return
        configuration: dict[str, Any] = {
            "name": f"{visible(str(found.get('name')))} {child}",
            "processId": child,
        }
        if wishes.target is not None:
            configuration["qualifier"] = str(replace(wishes.target, pid=None))
            if wishes.target.secret is not None and self.can_start:
                # It may have been part of the qualifier that the editor wrote.
                configuration["secret"] = wishes.target.secret
        self.start(configuration)


async def _second_link(wishes: Wishes, target: str) -> Link:
    """Another connection to the port that the program is behind, or to a process of this machine."""
    if wishes.target is not None:
        return await connect(replace(wishes.target, pid=None), wishes.options)
    for door, pid in local_sockets():
        if str(pid) == target:
            return await connect_local(door, pid)
    raise NoSuchProcess(f"Process {target} takes no debugger any more.")


def _place(configuration: dict[str, Any]) -> str:
    """Where a child is, for a person."""
    pid = configuration.get("processId")
    if configuration.get("qualifier"):
        return f"{configuration['qualifier']}" + (f"#{pid}" if pid else "")
    connect = configuration.get("connect")
    if isinstance(connect, dict):
        return f"tcp://{connect.get('host', '127.0.0.1')}:{connect.get('port')}"
    return str(pid or "")
