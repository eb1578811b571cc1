"""One program being debugged, as a script sees it. Everything runs on the caller's event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._model import LogRecord
from remora_client._scripting._looking import Looking
from remora_client._scripting._running import Running
from remora_client._snapshot._file import write_snapshot
from remora_client._snapshot._taking import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._sessions import _session
    from remora_client._sessions._state import State
    from remora_protocol import ProcessInfo

__all__ = ["Session"]


class Session(Running, Looking):
    """One program being debugged. Use it in a `with` block: leaving it detaches, and the program runs on.

    Whatever makes the program run (`resume`, the steps, `goto`) waits for the next stop and returns it, or
    None when the program ended. `timeout` is in seconds; when it passes, `TimeoutError` is raised and the
    program runs on.
    """

    def __init__(self, core: _session.Session) -> None:
        super().__init__(core)
        self._end_logs: Callable[[], None] = _no_more

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.detach()

    def __repr__(self) -> str:
        return f"<Session {self._core.link.address}, {self._core.state.phase}>"

    @property
    def state(self) -> State:
        """What is known of the program now."""
        return self._core.state

    @property
    def process(self) -> ProcessInfo | None:
        """What the process says of itself (None from servers other than Remora)."""
        return self._core.process

    # -- what goes in and out

    async def logs(
        self, level: str | int | None, listener: Callable[[LogRecord], object] | None = None
    ) -> None:
        """Have records of the program's `logging` told, from a level up; None: no more of them.

        They come as "output" events, and `listener` is called with each; it must return at once, and must not
        use the session. Only what the program's own levels let through becomes a record at all.
        """
        await self._core.request("remora/logging", {} if level is None else {"level": str(level)})
        self._end_logs()
        self._end_logs = _no_more
        if level is not None and listener is not None:
            tell = listener

            def take(event: str, body: dict[str, Any]) -> None:
                found = LogRecord.from_dap(body) if event == "output" else None
                if found is not None:
                    tell(found)

            self._end_logs = self._core.listen(take)

    async def take_input(self, *, own: bool = False) -> None:
        """Have the program read only what `send_input` gives it; with `own`, its own standard input again."""
        await self._core.request("remora/input", {"from": "program" if own else "client"})

    async def send_input(self, line: str) -> None:
        """Give the program a line to read, before what its own standard input has for it.

        What it has not read when you detach is taken back: see `unread_input`.
        """
        await self._core.give_input(line)

    async def unread_input(self) -> int:
        """How many of the lines of `send_input` the program has not read yet."""
        return await self._core.unread_input()

    async def request(
        self, command: str, arguments: dict[str, Any] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Any request of the Debug Adapter Protocol, as it is."""
        return await self._core.request(command, arguments, timeout)

    async def snapshot(self, path: str) -> None:
        """Write all stacks, what is in them, and the source to a file; `attach(path)` opens it later.

        Raises:
            ClientError: the file cannot be written.
        """
        write_snapshot(path, await take_snapshot(self._core))

    # -- events and the end

    def listen(self, listener: Callable[[str, dict[str, Any]], None], *events: str) -> Callable[[], None]:
        """Call `listener(event, body)` for every event, or for those named: "output", "stopped", "exited" …

        It must return at once, and must not use the session. Returns what ends it.
        """
        if not events:
            return self._core.listen(listener)
        return self._core.listen(lambda event, body: listener(event, body) if event in events else None)

    async def terminate(self, *, force: bool = False) -> None:
        """End the program: softly, as Ctrl-C would, or with `force` at once."""
        await self._core.terminate(force=force)

    async def detach(self, *, keep_stopped: bool = False) -> None:
        """Leave the program running. Safe to call twice.

        With `keep_stopped` what stands still goes on standing, for whoever attaches next.
        """
        await self._core.detach(keep_stopped=keep_stopped)


def _no_more() -> None:
    """What ends nothing."""
