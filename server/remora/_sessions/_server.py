"""What all sessions of this process share, and who of them is attached.

`publish` and `divert_output` run on any thread; everything else on the server's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from remora._interpreter._originals import monotonic
from remora._log import log
from remora._network._login import DRIVER_ROLE, OBSERVER_ROLE
from remora._network._watchers import Watchers
from remora._owner._hooks import hooks
from remora._sessions._absent import Absent, same_token
from remora._sessions._asking import Asking
from remora._sessions._delivery import Delivery
from remora._sessions._stop_hook import StopTeller
from remora._sessions._waiter import Waiter, Waiters
from remora._streams._input import ClientInput
from remora._streams._logging import LogRecords
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._commands._host import Host
    from remora._control._debugger import Debugger
    from remora._identity import Identity
    from remora._network._login import Gate, Peer
    from remora._network._loop import Loop, Timer
    from remora._network._port import Port
    from remora._network._transport import Transport
    from remora._sessions._absent import Attached
    from remora._source._sources import Sources
    from remora_protocol import ProcessInfo

    T = TypeVar("T")

__all__ = ["Server"]

_TELLING_PAUSE = 0.1
#: After the loss of a client that came through the owner of our port: so long it takes to see whether that
#: one has ended, too; and if so, to find the next owner.
_OWNERS_LAST_BREATH = 0.3
_TAKEOVER_SECONDS = 10.0
_TOLD = ("stopped", "continued")


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
        port: Port,
        binding: bytes | None,
        authority: str,
    ) -> None:
        self.loop = loop
        self.gate = gate
        self.sources = sources
        self.debugger = debugger
        self.asking = Asking(loop, debugger.own_threads)
        self._stop_teller = StopTeller(loop, debugger, self.publish)
        self.identity = identity
        self.port = port
        self.watchers = Watchers(port)
        self.binding = binding  # of TLS; None without it
        self.authority = authority  # of clients' certificates: a digest; "" for none
        self.host: Host | None = None  # of an agent, which is no program to be debugged itself
        self.is_local = False  # for clients of this machine only
        self.welcome: Callable[[Transport, Peer], None] = lambda transport, _peer: transport.abort()
        self.redirect_output = True
        self.delivery = Delivery(loop)
        self.input = ClientInput(self.publish)
        self.logs = LogRecords(self.publish, sources.display_path)
        self.driver: Attached | None = None
        self.since = 0.0
        self._held_for_next = self._inherited = False
        self._files: set[str] = set()
        self.waiters = Waiters()
        debugger.frames_gone = self._forget_values
        self._absent: Absent | None = None
        self._patience: Timer | None = None
        self._is_telling = False
        self._told = 0.0

    # -- what happens, on its way to the clients ----------------------------------------------------

    def publish(self, name: str, body: dict[str, Any]) -> None:
        """Tell everybody who is attached that something happened. On any thread."""
        self.delivery.publish(name, body)
        if name in _TOLD:
            self.loop.post(self.note_change)
        if name == "stopped" and self.waiters.awaits_stop:
            self.loop.post(self.waiters.stopped)
        hook = hooks.on_stop if name == "stopped" else None
        if hook is not None:
            self.loop.post(lambda: self._stop_teller.tell(hook, body))

    def tell_others(self, session: Attached, name: str, body: dict[str, Any]) -> None:
        """Tell everybody who is attached, but for one, that something happened."""
        self.delivery.tell_others(session, name, body)
        self.note_change()

    def _forget_values(self, thread_id: int | None) -> None:
        for each in self.delivery.attached:
            each.forget_values(thread_id)

    @property
    def is_attached(self) -> bool:
        """Whether a client that may act is attached and ready."""
        driver = self.driver
        return driver is not None and driver.is_configured

    # -- attaching --------------------------------------------------------------------------------

    def attached_by(self) -> str | None:
        """`who since when`, for the list of processes and for those who come too late."""
        if self.driver is None and self._absent is not None:
            until = time.strftime("%H:%M:%S", time.localtime(self._absent.until))
            return f"{self._absent.who} (lost, awaited until {until})"
        if self.driver is None:
            return None
        return f"{self.driver.who} since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(self.since))}"

    def look_for_place(self, session: Attached, *, force: bool, token: str) -> tuple[Attached | None, bool]:
        """Who would have to go for this session, and whether that is the same client. Changes nothing.

        Raises:
            RequestFailed: "already-attached".
        """
        previous = self.driver or self._absent
        if session.role != DRIVER_ROLE or previous is None:
            return None, False
        is_same = same_token(token, previous.token)
        if not is_same and not force:
            raise RequestFailed(
                "already-attached",
                f"{self.attached_by()} is attached to process {self.identity.pid}. "
                'Attach with "force" to take over.',
            )
        return previous, is_same

    def claim(self, session: Attached, *, force: bool = False, token: str = "") -> bool:
        """Make this session the one that debugs; an observer only looks on.

        Args:
            force: in place of whoever does now.
            token: of an earlier session of the same client, which was lost. Its breakpoints stay, too.

        Returns:
            Whether it goes on with that earlier session.

        Raises:
            RequestFailed: "already-attached".
        """
        previous, is_same = self.look_for_place(session, force=force, token=token)
        if session.role != DRIVER_ROLE:
            self.delivery.add(session)
            return False
        if previous is not None and is_same:
            self._replace(previous, session)
        elif previous is not None:
            self._take_over(previous, session)
        fresh = previous is None and not self._held_for_next
        self._inherited = not fresh
        self._held_for_next = False
        self.driver, self.since = session, time.time()
        self.delivery.add(session)
        if fresh:
            self.debugger.attach(self.publish)
        self.note_change()
        log.info(f"{session.who} {'came back' if is_same else 'attached'}")
        if is_same or previous is None:
            self._tell_observers(f"{session.who} {'is back' if is_same else 'debugs this program now'}.")
        return is_same

    def _replace(self, previous: Attached, session: Attached) -> None:
        """The same client again, on another connection: all stays as it was."""
        self._forget(previous)
        for name, body in previous.outbox.take():
            if name == "output":  # where it stopped it is told anyway
                session.outbox.put_event(name, body)
        session.flush()
        previous.expel("You are connected again, in another way.")

    def _forget(self, previous: Attached) -> None:
        self.delivery.remove(previous)
        self.driver = self._absent = None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _take_over(self, previous: Attached, session: Attached) -> None:
        """Let the previous client go. What it had stopped stays stopped, its breakpoints do not stay."""
        self._forget(previous)
        self.logs.stop()
        self.input.stop()
        self.clear_breakpoints()
        told = f"{session.who} took over the debugging of process {self.identity.pid}."
        previous.expel(told)
        self._tell_observers(told)

    def configured(self, session: Attached) -> None:
        """The client has said all it wants before the program goes on."""
        if session is not self.driver:
            return
        for waiter in self.waiters.take():
            waiter.arrive(on_entry=session.stops_on_entry)

    def make_waiter(self, call: Callable[[], None], *, will_stop: bool, can_stop: bool) -> Waiter:
        """Somebody who waits for a client; on any thread."""
        return Waiter(self, call, will_stop=will_stop, can_stop=can_stop)

    def close(self, farewell: str | None, exit_code: int | None) -> None:
        """The end of the server, with a few words to everybody who is attached."""
        for _ in range(2):  # the second says what was left out since the first
            self.delivery.pass_on()
        for session in self.delivery.attached:
            self.delivery.remove(session)
            session.say_farewell(farewell, exit_code)
        self.driver = self._absent = None
        self.stop_output()
        self.debugger.detach()
        for waiter in self.waiters.take():
            waiter.call()

    def await_return(self, session: Attached, seconds: float, owner: int | None = None) -> None:
        """The session is lost: for so long all stays as it is, and the client may come back to it.

        When the owner of our port, who had led it here, ends just now, the client is given the time to find
        the next one, whatever it had asked for.
        """
        self.delivery.remove(session)
        if session is not self.driver:
            return
        self.driver = None
        absent = self._absent = Absent(session.who, session.token, owner)
        self.delivery.add(absent)
        self._wait_for(absent, max(seconds, 0.0 if owner is None else _OWNERS_LAST_BREATH))
        self.note_change()

    def _wait_for(self, absent: Absent, seconds: float) -> None:
        absent.until = time.time() + seconds
        self._patience = self.loop.call_later(seconds, self._lose_patience)
        log.info(f"{absent.who} is awaited for {seconds:g} s")
        self._tell_observers(f"{absent.who} is lost, and awaited for {seconds:g} s.")

    def _lose_patience(self) -> None:
        absent = self._absent
        if absent is not None and absent.owner is not None and absent.owner != self.port.owner:
            absent.owner = None
            self._wait_for(absent, _TAKEOVER_SECONDS)
        elif absent is not None:
            log.info(f"{absent.who} did not come back")
            self._forget(absent)
            self._let_go(f"{absent.who} did not come back")

    def leave(self, session: Attached, *, keep_stopped: bool = False) -> None:
        """The session is over: nothing of it stays, unless the threads it stopped are to stay stopped."""
        self.delivery.remove(session)
        if session is not self.driver:
            return
        self.driver = None
        log.info(f"{session.who} detached")
        self._let_go(f"{session.who} detached", keep_stopped=keep_stopped)

    def _let_go(self, why: str, *, keep_stopped: bool = False) -> None:
        """Nobody debugs any more. Observers may look on, and see no more of what is printed."""
        self.note_change()
        self.stop_output()
        held = self.debugger.held()
        stays = keep_stopped and bool(held)
        self._tell_observers(f"{why}; the program {'stands still for the next one' if stays else 'runs on'}.")
        if stays:
            self._held_for_next = True
            self.clear_breakpoints()
        else:
            self._files.clear()
            self.debugger.detach()
            if held:  # observers have been told that it stands
                self.publish("continued", {"threadId": held[0][0], "allThreadsContinued": True})

    def _tell_observers(self, text: str) -> None:
        """Tell those who look on who drives from here on."""
        for each in self.delivery.attached:
            if each.role == OBSERVER_ROLE:
                each.outbox.put_event("output", {"category": "console", "output": f"{text}\n"})
                each.flush()

    def tell_stops(self, session: Attached) -> None:
        """Tell a client that came into a stop of somebody else's where the program stands."""
        if session.role == DRIVER_ROLE:
            if session is not self.driver or not self._inherited:
                return
            self._inherited = False
        held = sorted(self.debugger.held(), key=lambda each: (each[1].reason == "pause", each[0]))
        all_threads = self.debugger.all_are_stopped()
        for number, stop in held[:1] if all_threads else held:
            body = stop.body(number, None, all_threads=all_threads)
            session.outbox.put_event("stopped", {**body, "remora": {"wasThere": True}})
            session.flush()

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
        self.debugger.stop_at_exits(None)

    # -- output -----------------------------------------------------------------------------------

    def start_output(self) -> list[str]:
        """Copy what the program prints; the names of streams that cannot be copied."""
        return self.delivery.output.start()

    def stop_output(self) -> None:
        """Leave the program's streams alone, and its input, too."""
        self.delivery.output.stop()
        self.logs.stop()
        self.input.stop()

    def divert_output(self, call: Callable[[], T]) -> T:
        """Run evaluated code: what it prints goes to the client only. On the stopped thread."""
        return self.delivery.output.divert(call)

    # -- the process ------------------------------------------------------------------------------

    def describe(self) -> ProcessInfo:
        """This process, as lists of processes show it."""
        state = "stopped" if self.debugger.held() else "waiting" if self.waiters else "running"
        return self.identity.describe(state, self.attached_by(), self.port.address)

    def processes(self, peer: Peer) -> list[ProcessInfo]:
        """The processes that this peer can reach here: this one, and those who share a port that is ours."""
        gateway = self.port.gateway
        members = gateway.members if gateway is not None and not peer.is_relayed else []
        shown = [member.row for member in members if peer.is_local or not member.is_local]
        own = [self.describe()] if self.host is None else []
        return [*own, *cast("list[ProcessInfo]", shown)]

    def note_change(self) -> None:
        """What lists of processes say of us may have changed: have them told, but not at every step."""
        if not self._is_telling:
            self._is_telling = True
            self.loop.call_later(max(0.0, self._told + _TELLING_PAUSE - monotonic()), self._tell)

    def _tell(self) -> None:
        self._is_telling = False
        self._told = monotonic()
        self.port.tell()
