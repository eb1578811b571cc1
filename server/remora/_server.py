"""What all sessions of this process share, and who of them is attached.

`publish` and `copy_output` run on any thread; everything else on the server's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from remora._log import log
from remora._login import DRIVER_ROLE
from remora._output import Output
from remora._preload import preload
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._debugger import Debugger
    from remora._identity import Identity
    from remora._login import Gate
    from remora._loop import Loop
    from remora._outbox import Outbox
    from remora._sources import Sources
    from remora_protocol import ProcessInfo

    T = TypeVar("T")

__all__ = ["Server"]


class Attached(Protocol):
    """What the server needs to know of a session."""

    outbox: Outbox
    role: str | None
    is_configured: bool

    @property
    def who(self) -> str: ...

    def expel(self, reason: str) -> None: ...
    def say_farewell(self, text: str | None, exit_code: int | None) -> None: ...


class Waiter:
    """A thread of the program that waits for a client. `call` lets it go on."""

    def __init__(self, server: Server, call: Callable[[], None]) -> None:
        self._server = server
        self.call = call
        self.is_attached = False

    def begin(self) -> None:
        """On the server's thread."""
        if self._server.is_attached:
            self.arrive()
        else:
            self._server.waiting.append(self)

    def arrive(self) -> None:
        """A client is there."""
        self.is_attached = True
        self.call()

    def end(self) -> None:
        """Nobody waits any more."""
        if self in self._server.waiting:
            self._server.waiting.remove(self)


class Server:
    """One per enabled process."""

    def __init__(
        self,
        loop: Loop,
        gate: Gate,
        sources: Sources,
        debugger: Debugger,
        identity: Identity,
        *,
        binding: bytes | None,
    ) -> None:
        self.loop = loop
        self.gate = gate
        self.sources = sources
        self.debugger = debugger
        self.identity = identity
        self.binding = binding
        self.redirect_output = True
        self.output = Output(self.copy_output)
        self.driver: Attached | None = None
        self.since = 0.0
        self._attached: tuple[Attached, ...] = ()
        self._held_for_next = self._inherited = False
        self._files: set[str] = set()
        self.waiting: list[Waiter] = []

    # -- any thread -------------------------------------------------------------------------------

    def publish(self, name: str, body: dict[str, Any]) -> None:
        """Tell everybody who is attached that something happened."""
        for session in self._attached:
            session.outbox.put_event(name, body)

    def copy_output(self, category: str, text: str) -> None:
        """Show everybody who is attached what the program printed."""
        for session in self._attached:
            session.outbox.put_text(category, text)

    @property
    def is_attached(self) -> bool:
        """Whether a client that may act is attached and ready."""
        driver = self.driver
        return driver is not None and driver.is_configured

    # -- attaching --------------------------------------------------------------------------------

    def attached_by(self) -> str | None:
        """`who since when`, for the list of processes and for those who come too late."""
        if self.driver is None:
            return None
        return f"{self.driver.who} since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(self.since))}"

    def claim(self, session: Attached, *, force: bool = False) -> None:
        """Make this session the one that debugs; an observer only looks on.

        Raises:
            RequestFailed: "already-attached".
        """
        if session.role != DRIVER_ROLE:
            self._attached = (*self._attached, session)
            return
        previous = self.driver
        if previous is not None:
            if not force:
                raise RequestFailed(
                    "already-attached",
                    f"{self.attached_by()} is attached to process {self.identity.pid}. "
                    'Attach with "force" to take over.',
                )
            self._take_over(previous, session)
        fresh = previous is None and not self._held_for_next
        self._inherited = not fresh
        self._held_for_next = False
        self.driver, self.since = session, time.time()
        self._attached = (*self._attached, session)
        if fresh:
            preload()
            self.debugger.attach(self.publish)
        log.info(f"{session.who} attached")

    def _take_over(self, previous: Attached, session: Attached) -> None:
        """Let the previous client go. What it had stopped stays stopped, its breakpoints do not stay."""
        self._attached = tuple(each for each in self._attached if each is not previous)
        self.driver = None
        self.clear_breakpoints()
        previous.expel(f"{session.who} took over the debugging of process {self.identity.pid}.")

    def configured(self, session: Attached) -> None:
        """The client has said all it wants before the program goes on."""
        if session is not self.driver:
            return
        waiting, self.waiting = self.waiting, []
        for waiter in waiting:
            waiter.arrive()

    def make_waiter(self, call: Callable[[], None]) -> Waiter:
        """Somebody who waits for a client; on any thread."""
        return Waiter(self, call)

    def close(self, farewell: str | None, exit_code: int | None) -> None:
        """The end of the server, with a few words to everybody who is attached."""
        for session in self._attached:
            self._attached = tuple(each for each in self._attached if each is not session)
            session.say_farewell(farewell, exit_code)
        self.driver = None
        self.output.stop()
        self.debugger.detach()
        waiting, self.waiting = self.waiting, []
        for waiter in waiting:
            waiter.call()

    def leave(self, session: Attached, *, keep_stopped: bool = False) -> None:
        """The session is over: nothing of it stays, unless the threads it stopped are to stay stopped."""
        self._attached = tuple(each for each in self._attached if each is not session)
        if not self._attached:
            self.stop_output()
        if session is not self.driver:
            return
        self.driver = None
        log.info(f"{session.who} detached")
        if keep_stopped and self.is_stopped():
            self._held_for_next = True
            self.clear_breakpoints()
        else:
            self.debugger.detach()

    def is_stopped(self) -> bool:
        """Whether the program is held."""
        return any(self.debugger.stop_info(thread.id) is not None for thread in self.debugger.threads())

    def tell_stops(self, session: Attached) -> None:
        """Tell a client that came into a stop of somebody else's where the program stands."""
        if session is not self.driver or not self._inherited:
            return
        self._inherited = False
        stops = [(thread.id, self.debugger.stop_info(thread.id)) for thread in self.debugger.threads()]
        held = [(number, stop) for number, stop in stops if stop is not None]
        if held:
            number, stop = min(held, key=lambda each: (each[1].reason == "pause", each[0]))
            session.outbox.put_event("stopped", stop.body(number, None))

    # -- breakpoints ------------------------------------------------------------------------------

    def remember_file(self, path: str) -> None:
        """A client has set breakpoints in this file."""
        self._files.add(path)

    def clear_breakpoints(self) -> None:
        """Remove every breakpoint, and leave stopped what is stopped."""
        for path in sorted(self._files):
            self.debugger.set_breakpoints(path, [], sha256=None)
        self._files.clear()
        self.debugger.set_function_breakpoints([])
        self.debugger.set_exception_filters([])

    # -- output -----------------------------------------------------------------------------------

    def start_output(self) -> list[str]:
        """Copy what the program prints; the names of streams that cannot be copied."""
        return self.output.start()

    def stop_output(self) -> None:
        """Leave the program's streams alone."""
        self.output.stop()

    def divert_output(self, call: Callable[[], T]) -> T:
        """Run evaluated code: what it prints goes to the client only. On the stopped thread."""
        return self.output.divert(call)

    # -- the process ------------------------------------------------------------------------------

    def processes(self) -> list[ProcessInfo]:
        """The processes that can be reached here: so far, this one."""
        stopped = self.is_stopped()
        return [self.identity.describe("stopped" if stopped else "running", self.attached_by())]
