"""Child processes of the program: the editor is asked to debug them too, or told where they are.

A child is never held up by this. Everything runs on the event loop's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._bridge._editor import Editor
    from remora_client._bridge._wishes import Wishes
    from remora_client._connect import Link
    from remora_protocol import ProcessInfo, Request

__all__ = ["Children"]


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

    def follow(self, link: Link, wishes: Wishes, process: ProcessInfo | None) -> None:
        """From here on, the children of this process."""
        self._link, self._wishes = link, wishes

    def asked(self, request: Request) -> bool:
        """A server asks for a session of its own for a child."""
        if request.command != "startDebugging" or self._link is None:
            return False
        self._link.rpc.respond(request)
        configuration = request.arguments.get("configuration")
        if isinstance(configuration, dict):
            self.start(configuration)
        return True

    def start(self, configuration: dict[str, Any]) -> None:
        """Have a child debugged: `configuration` is what an attach to it takes."""
        assert self._wishes is not None
        name = str(configuration.get("name") or "child process")
        if not self.can_start:
            self._say(f"{name} was started; attach to it with: {_place(configuration)}")
            return
        own = {key: value for key, value in self._wishes.raw.items() if key not in ("qualifier", "processId")}
        merged = {**own, **configuration, "request": "attach", "name": name}
        self._editor.request(
            "startDebugging", {"request": "attach", "configuration": merged}, lambda response: None
        )

    async def close(self) -> None:
        """Look after no more children."""


def _place(configuration: dict[str, Any]) -> str:
    """Where a child is, for a person."""
    if configuration.get("qualifier"):
        pid = configuration.get("processId")
        return f"{configuration['qualifier']}" + (f"#{pid}" if pid else "")
    connect = configuration.get("connect")
    if isinstance(connect, dict):
        return f"tcp://{connect.get('host', '127.0.0.1')}:{connect.get('port')}"
    return str(configuration.get("processId", ""))
