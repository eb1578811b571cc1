"""An enabled process: the one thread that listens for it, and what that thread has to take away again.

It only listens, until somebody knocks: most programs are never debugged, and shall not pay for it.
`remora._assembly` is the rest of the server. Created on a thread of the program's; runs on its own.
"""

from __future__ import annotations

import sys

from remora._identity import Identity
from remora._interpreter._importing import importing
from remora._interpreter._originals import is_patched
from remora._interpreter._unseen import run_unseen
from remora._log import log
from remora._network._call import Call
from remora._network._loop import READ, Loop
from remora._network._registry import open_door
from remora._network._turning_away import turn_away

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora._assembly import Assembly
    from remora._crash import CrashHooks
    from remora._engine import Engine
    from remora._interpreter._originals import Socket
    from remora._network._login import Gate
    from remora._network._port import Port
    from remora._network._registry import Door
    from remora._opening import Tls
    from remora_protocol import ProcessInfo

__all__ = ["PATIENCE", "Enabled", "Settings"]

_FAREWELL = 0.5
_FORK_DELAY = 0.02
_KNOCK_AGAIN = 0.5
#: Seconds for a client that follows a forked child, to attach to it before it goes on.
PATIENCE = 3.0


class Settings:
    """The arguments of `enable_attach`, but not the secrets: those are used once and forgotten.

    Or those of `connect`: then `call` holds the seconds after which to give up, or None.
    """

    def __init__(  # noqa: PLR0917
        self,
        address: tuple[str, int],
        certfile: str | None,
        keyfile: str | None,
        redirect_output: bool,
        password: str | None,
        client_cafile: str | None,
        name: str | None,
        call: tuple[float | None] | None = None,
    ) -> None:
        self.address = address[0], address[1]
        self.certfile = certfile
        self.keyfile = keyfile
        self.redirect_output = redirect_output
        self.password = password
        self.client_cafile = client_cafile
        self.name = name
        self.call = call

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class Enabled:
    """An enabled process: one thread that listens, and all that has to be taken away again.

    Args:
        secrets: of drivers and of observers; or, in a forked child, the parent's gate.
        door: in the registry; a forked child opens its own on its own thread.
        is_inherited: the program has not asked for it in this process: it is a forked child.
        delay: seconds after which a forked child registers.
    """

    def __init__(  # noqa: PLR0917
        self,
        settings: Settings,
        secrets: tuple[str | None, str | None] | Gate,
        identity: Identity,
        port: Port,
        door: Door | None,
        tls: Tls | None,
        *,
        is_inherited: bool = False,
        delay: float = 0.0,
    ) -> None:
        self.settings = settings
        self.tls = tls
        self.identity = identity
        self.port = port
        self.door = door
        self.is_inherited = is_inherited
        self.engine = _make_engine_here()
        self.loop = Loop()
        self.is_closed = False
        self.crash_hooks: CrashHooks | None = None
        self._secrets: tuple[str | None, str | None] | Gate | None = secrets
        self._assembly: Assembly | None = None
        self._listening: list[Socket] = []
        self.loop.recover = self._recover
        if is_patched:
            _import_all()
        if is_inherited:
            # Not at once: many a child does nothing but execute another program.
            self.loop.call_later(delay, self._begin)
        else:
            self._begin()
        self.loop.start(run_unseen)

    def __repr__(self) -> str:
        return f"<Enabled at {self.address}>"

    @property
    def address(self) -> tuple[str, int]:
        """Where clients come to: the port that is bound here, or that of the sibling who has it."""
        return self.port.address

    def is_same(self, settings: Settings, secrets: tuple[str | None, str | None]) -> bool:
        """Whether it was enabled with these arguments."""
        if self.settings != settings:
            return False
        known = self.secrets
        return known == secrets if isinstance(known, tuple) else known.holds(*secrets)

    @property
    def secrets(self) -> tuple[str | None, str | None] | Gate:
        """What lets people in."""
        if self._assembly is not None:
            return self._assembly.gate
        assert self._secrets is not None
        return self._secrets

    @property
    def assembly(self) -> Assembly | None:
        """The rest of the server, once anybody has knocked."""
        return self._assembly

    # -- on the server's thread -------------------------------------------------------------------

    def _begin(self) -> None:
        if isinstance(self.port, Call):
            self.port.answered = lambda sock: self.assemble().take_call(sock)
            self.port.is_busy = self._is_attached
        if self.door is None and self.is_inherited:
            self.door = open_door()
        if self.door is not None:
            self._serve(self.door.socket)
        if self.door is not None or not self.is_inherited:
            self.port.start(self.loop, self.door, self._describe, self._serve)

    def _serve(self, sock: Socket) -> None:
        """Listen here: who knocks first has the rest of the server put together."""
        self._listening.append(sock)
        if self._assembly is None:
            self.loop.watch(sock, READ, self._on_knock)
        elif self.door is not None and sock is self.door.socket:
            self._assembly.listen(sock, self.door.identify)
        else:
            self._assembly.listen_at_port(sock)

    def _on_knock(self, events: int) -> None:
        if events:
            try:
                self.assemble()
            except Exception as error:
                # Its modules are gone or others by now, or there are no descriptors to read them. Whoever
                # knocks must not be left without an answer, and this must not be tried over and over.
                log.failure(error)
                for each in self._listening:
                    turn_away(self.loop, each, error)
                    self.loop.watch(each, 0, self._on_knock)
                self.loop.call_later(_KNOCK_AGAIN, self._listen_again)

    def _listen_again(self) -> None:
        for each in self._listening:
            self.loop.watch(each, READ, self._on_knock)

    def _recover(self) -> None:
        """The program has closed our descriptors: listen again."""
        self._listening = [each for each in self._listening if each.fileno() >= 0]
        if self.door is not None and self.door.socket.fileno() < 0:
            self.door.remove()
            self.door = open_door()
            if self.door is not None:
                self._serve(self.door.socket)
        self.port.recover(self.door)

    def assemble(self) -> Assembly:
        """Put the rest together, if that has not been done; it then listens in our place."""
        if self._assembly is None:
            with importing:
                from remora._assembly import Assembly

                assert self._secrets is not None
                self._assembly = Assembly(self, self._secrets)
                self._secrets = None
            listening, self._listening = self._listening, []
            for each in listening:
                self.loop.watch(each, 0, self._on_knock)
                self._serve(each)
        return self._assembly

    def _is_attached(self) -> bool:
        return self._assembly is not None and self._assembly.server.driver is not None

    def _describe(self) -> ProcessInfo:
        """Our row in the list of the sibling who owns the port."""
        if self._assembly is not None:
            return self._assembly.server.describe()
        return self.identity.describe()

    def _close(self, farewell: str | None, exit_code: int | None) -> None:
        self.port.close()
        if self.door is not None:
            self.loop.watch(self.door.socket, 0, self._on_knock)
            self.door.socket.close()
            self.door.remove()
        if self._assembly is not None:
            self._assembly.server.close(farewell, exit_code)
        self._stop_when_said(int(_FAREWELL / 0.01))

    def _stop_when_said(self, patience: int) -> None:
        """The last words need a moment: closed too early, a connection loses what is on its way."""
        if patience <= 0 or not self.loop.is_watching:
            self.loop.stop()
        else:
            self.loop.call_later(0.01, lambda: self._stop_when_said(patience - 1))

    # -- on the program's threads -----------------------------------------------------------------

    def close(self, farewell: str | None, exit_code: int | None = None) -> None:
        """End it; afterwards nothing of it is left."""
        if self.crash_hooks is not None:
            self.crash_hooks.remove()
        self.loop.post(lambda: self._close(farewell, exit_code))
        if not self.loop.join(_FAREWELL + 2.0):
            log.error("the server's thread did not end")
        self.is_closed = True

    def abandon(self) -> None:
        """In a forked child: what is open here belongs to the parent."""
        if self.crash_hooks is not None:
            self.crash_hooks.remove()
        self.is_closed = True
        self.loop.abandon()
        if self._assembly is not None:
            self._assembly.abandon()

    def is_followed(self) -> bool:
        """Whether a client is attached who attaches to forked children, too. On any thread."""
        driver = None if self._assembly is None else self._assembly.server.driver
        return driver is not None and driver.follows

    def make_heir(self, *, at_once: bool) -> Enabled:
        """In a forked child, once this is abandoned: the child can be debugged as its parent could."""
        identity = Identity(self.identity.given_name)
        heir = self.port.make_heir()
        delay = 0.0 if at_once else _FORK_DELAY
        return Enabled(
            self.settings, self.secrets, identity, heir, None, self.tls, is_inherited=True, delay=delay
        )


def _import_all() -> None:
    """Import here what our thread would import later, and could then wait for without end."""
    from remora._preload import preload

    preload()


def _make_engine_here() -> Engine | None:
    """PyPy's engine gets into the main thread by a signal, whose handler only that thread can install.

    And where green threads are at work, nothing is to be imported later.
    """
    if sys.implementation.name != "pypy" and not is_patched:
        return None
    from remora._engine import choose

    return choose()
