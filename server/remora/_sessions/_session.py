"""One client's connection: reads requests, has them answered, and sends what happens. On the server's thread.

    state        is left by                      what is taken
    CONNECTED    the login, or no secret asked   remora/hello, remora/authenticate, initialize, attach
    LOGGED_IN    attach                          the same, remora/processes, remora/open
    ATTACHED     disconnect, or the end          everything

Answer first, then act: what a handler gives to `after_response` runs when its response is on its way.

It is this long because it is the whole life of a connection, each part of it in a few lines.
"""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Any

from remora._handlers import HANDLERS, Arguments, Deferred, Handler, References, Results, When
from remora._log import log
from remora._network._login import DRIVER_ROLE, OBSERVER_ROLE
from remora._sessions._admission import Admission, NotAsked
from remora._sessions._silence import Silence
from remora._streams._outbox import Outbox
from remora_protocol import (
    AFTER_LOGIN_LIMIT,
    Connection,
    MalformedRequest,
    RemoteProtocolError,
    Request,
    RequestFailed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._inspection._presentation import Presentation
    from remora._network._login import Gate, Peer
    from remora._network._transport import Transport
    from remora._sessions._server import Server
    from remora_protocol import ScramServer

__all__ = ["Session"]

#: So many unsent bytes, and text is dropped and no request read; so many, and the client is given up.
CONGESTED = 1_000_000
HOPELESS = 256_000_000
#: What an owner wants to read who asked for a log: who was not let in, or not let do something, and why.
_TURNED_AWAY = frozenset(
    {
        "already-attached", "attach-refused", "auth-required", "auth-throttled", "not-supported",
        "tls-required", "version-mismatch",
    }
)  # fmt: skip
#: A login takes three requests. Whoever asks more before it is after something else.
_MOST_BEFORE_LOGIN = 16
#: However long somebody asks a program to wait for a client that was lost.
_LONGEST_HOLD = 24 * 3600.0
_INVITATION = 1.0


def _is_in(gate: Gate, peer: Peer) -> bool:
    """Whether nothing has to be proved."""
    return peer.is_same_user or (gate.is_open and not peer.is_another_users)


def _ignore(_data: bytes) -> None:
    """Nobody takes it yet."""


class Session:
    """One client.

    Args:
        settled: called once, when the client has shown that it may be here.
    """

    def __init__(self, server: Server, transport: Transport, peer: Peer, settled: Callable[[], None]) -> None:
        self.server = server
        self.peer = peer
        self.transport = transport
        self.role: str | None = DRIVER_ROLE if _is_in(server.gate, peer) else None
        self.is_attached = False
        self.is_configured = False
        self.follows = False  # it attaches to forked children, too
        self.is_initialized = False
        self.said_hello = False
        self._is_invited = False
        self.stops_on_entry = False  # it wants the program to stop before it goes on
        self.steps_alone = False  # a step lets no other thread run, unless it is said
        self.shows_returned = True  # what a function has returned is a scope
        self.presentation: Presentation | None = None
        self.hold = 0.0  # how long the program is to wait for this client when it is lost
        self.token = ""
        self._owner = server.port.owner  # of our port, who may be the one that leads this client here
        self.client_name = self.client_version = ""
        self.scram: ScramServer | None = None
        self.outbox = Outbox()
        self.references = References()
        self.results = Results()
        self.open: dict[int, tuple[Request, Deferred]] = {}
        self._connection = Connection()
        self._settled: Callable[[], None] | None = settled
        self._after: list[Callable[[], None]] = []
        self._ended = False
        self._is_leaving = False
        self._is_full = False
        self._is_asking = False  # the program's owner, about this client
        self._admission = Admission(self)
        self.silence = Silence(
            server.loop,
            lambda: self._ended,
            lambda: self._is_full,
            lambda: self._give_up("it said nothing for 15 seconds"),
        )
        self.asked = 0
        transport.receive = self.receive
        transport.lost = self._on_lost
        transport.drained = self._on_drained
        if self.role is not None:
            self._connection.limit = AFTER_LOGIN_LIMIT

    @property
    def binding(self) -> bytes | None:
        """The TLS connection, to which the login is bound; None: the client's words come in clear."""
        if self.peer.is_relayed:
            return self.peer.binding
        return self.server.binding if self.peer.tls else None

    @property
    def who(self) -> str:
        """The client as people know it."""
        return f"{self.client_name}@{self.peer.name}" if self.client_name else self.peer.name

    @property
    def may_run_code(self) -> bool:
        """Whether this client's requests may call the program's code."""
        return self.role == DRIVER_ROLE

    # -- requests ---------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        self.silence.heard()
        self._connection.receive_data(data)
        self._take_messages()

    def _take_messages(self) -> None:
        try:
            while not (self._ended or self._is_leaving or self._is_asking):
                if self.transport.pending > CONGESTED:
                    self._is_full = True
                    self.transport.pause()  # who does not read answers gets no more of them to keep here
                    return
                try:
                    message = self._connection.next_message()
                except MalformedRequest as error:
                    self._answer(error.request, None, RequestFailed(error.code, str(error)))
                    self._check_purpose()
                    continue
                if message is None:
                    return
                if isinstance(message, Request):
                    self._settle()
                    self._dispatch(message)
                    self._check_purpose()
        except RemoteProtocolError as error:
            log.warning(f"{self.who}: hung up on a malformed message: {error}")
            refusal = RequestFailed(error.code, str(error))
            self._send(self._connection.fail(Request(0, "", {}), refusal))
            self.end(f"it sent a malformed message: {error}")

    def _check_purpose(self) -> None:
        """Answers to a stranger cost memory until they are read: there are not many of them."""
        self.asked += 1
        if self.role is None and self.asked >= _MOST_BEFORE_LOGIN and not self._ended:
            log.warning(f"{self.who} refused: {self.asked} requests and no login")
            self.end("it asked too much before the login")

    def _settle(self) -> None:
        if self.role is not None and self._settled is not None:
            settled, self._settled = self._settled, None
            settled()

    def _dispatch(self, request: Request) -> None:
        try:
            handler = HANDLERS.get(request.command)
            if handler is None:
                raise RequestFailed("unknown-command", f"There is no request {request.command[:80]!r} here.")
            self._check_allowed(handler)
            log.debug(f"{self.who}: {handler.command}")
            result = handler.function(self, Arguments(request.command, request.arguments))
        except RequestFailed as error:
            self._answer(request, None, error)
        except NotAsked as question:
            self._ask_owner(request, question)
        except Exception:
            self._answer_mistake(request)
        else:
            if isinstance(result, Deferred):
                self.open[request.seq] = (request, result)
                result.then(lambda body, error: self._answer_deferred(request, result, body, error))
            else:
                self._answer(request, result, None)

    def _ask_owner(self, request: Request, question: NotAsked) -> None:
        """Hear nothing more of the client until the owner has answered, and then go on with its request."""

        def decided(refusal: str | None) -> None:
            self._is_asking = False
            if self._ended:
                return
            self.transport.resume()
            if refusal is None:
                self._admission.given = question
                self._dispatch(request)
                self._admission.given = None  # each attach is asked for anew
            else:
                self.after_response(lambda: self.end("the program refused it"))
                self._answer(request, None, RequestFailed("attach-refused", refusal))
            self._take_messages()

        self._is_asking = True
        self.transport.pause()
        self.server.asking.ask(question.hook, question.client, decided)

    def _check_allowed(self, handler: Handler) -> None:
        if self.peer.is_another_users and self.role is None:
            log.warning(f"{self.who} refused: another user's process, and there is no secret to ask for")
            raise RequestFailed(
                "auth-required",
                "This program asks for no secret, so only its own user may debug it, and you are another "
                "one. Give enable_attach a secret.",
            )
        if handler.when is not When.CONNECTED and self.role is None:
            raise RequestFailed(
                "auth-required",
                f"Log in first: {handler.command} needs this program's secret.",
            )
        if handler.when is When.ATTACHED:
            if not self.is_attached:
                self.attach()  # some editors configure first, and attach when they are done
            if self.role != DRIVER_ROLE and not handler.looks_only:
                raise RequestFailed(
                    "not-supported",
                    f"An observer may only look, and {handler.command} does more. "
                    "Who attaches to drive may do it.",
                )

    def _answer_deferred(
        self, request: Request, deferred: Deferred, body: Any, error: RequestFailed | None
    ) -> None:
        self.open.pop(request.seq, None)
        if not self._ended:
            self._answer(request, body, error, first=deferred.answer_first)

    def _answer(
        self, request: Request, body: Any, error: RequestFailed | None, *, first: bool = False
    ) -> None:
        if not first:
            self.flush()  # what happened before is told before
        try:
            if error is None:
                self._send(self._connection.respond(request, body))
            else:
                tell = log.warning if error.code in _TURNED_AWAY else log.debug
                tell(f"{self.who}: {request.command} refused: {error.code}: {error.text}")
                self._send(self._connection.fail(request, error))
        except Exception:
            self._answer_mistake(request)
        after, self._after = self._after, []
        for call in after:
            self._act(call)

    def _act(self, call: Callable[[], None]) -> None:
        """Do what was answered already. If it fails after all, an event is the only way left to say so."""
        try:
            call()
        except Exception as error:
            log.error(traceback.format_exc())
            self.event("output", {"category": "important", "output": f"{error}\n"})

    def _answer_mistake(self, request: Request) -> None:
        log.error(f"{request.command}:\n{traceback.format_exc()}")
        text = f"Remora itself made a mistake in {request.command}. REMORA_LOG=file shows more."
        self._send(self._connection.fail(request, RequestFailed("internal-error", text)))

    def after_response(self, call: Callable[[], None]) -> None:
        """Have `call` run once the response to the request in hand is on its way."""
        self._after.append(call)

    # -- to another process -----------------------------------------------------------------------

    def check_unused(self) -> None:
        """See that this connection may lead to another process.

        Raises:
            RequestFailed: "bad-request": it debugs this one.
        """
        if self.is_initialized or self.is_attached:
            raise RequestFailed(
                "bad-request",
                f"This connection debugs process {self.server.identity.pid} already. "
                "Open another process on a connection of its own.",
            )

    def prepare_to_leave(self) -> None:
        """What the client sends from now on may not be for us: keep it."""
        self._is_leaving = True

    def stay(self) -> None:
        """It is for us after all."""
        self._is_leaving = False
        self.server.loop.call_later(0, self._take_messages)

    def release(self) -> tuple[Transport, bytes]:
        """The connection, which is no business of this session any more; and what it has not read of it."""
        self._ended = True
        self.server.watchers.remove(self)  # an event of ours would be in the middle of the other one's bytes
        self.transport.receive, self.transport.drained = _ignore, None
        if self._settled is not None:
            settled, self._settled = self._settled, None
            settled()
        return self.transport, self._connection.take_rest()

    # -- what the handlers do with a session ---------------------------------------------------------

    def log_in(self, role: str) -> None:
        """The client has proved a secret."""
        self.role = role
        self._connection.limit = AFTER_LOGIN_LIMIT
        log.info(f"{self.who} logged in as {role}")
        self._settle()

    def look_on(self) -> None:
        """The client wants to be no more than an observer.

        Raises:
            RequestFailed: "bad-request", when it drives already.
        """
        if self.is_attached and self.role == DRIVER_ROLE:
            raise RequestFailed("bad-request", "attach: this connection drives; observe on another one.")
        self.role = OBSERVER_ROLE

    def attach(self, *, force: bool = False, token: str = "") -> bool:
        """Begin to debug. What happens is told from here on. Whether it goes on with what `token` is of."""
        if self.is_attached:
            return False
        self._admission.check(force=force, token=token)
        came_back = self.server.claim(self, force=force, token=token)
        self.is_attached = True
        self._invite()
        return came_back

    def expect_attach(self) -> None:
        """Some editors attach only when they have configured, and configure only when they are invited."""
        if not self.said_hello:
            self.server.loop.call_later(_INVITATION, self._invite)

    def _invite(self) -> None:
        """Tell the client, once, that it may set its breakpoints."""
        if not self._is_invited and not self._ended and self.role is not None:
            self._is_invited = True
            self.event("initialized", {})

    def ask_to_wait(self, seconds: float) -> str:
        """When this client is lost, keep all as it is for so long; who shows the token has come back."""
        self.hold = min(max(seconds, 0.0), _LONGEST_HOLD)
        self.token = os.urandom(24).hex()
        return self.token

    def event(self, name: str, body: dict[str, Any]) -> None:
        """Tell this client something, at once."""
        self.flush()
        self._send(self._connection.event(name, body))

    def note(self, text: str) -> None:
        """Tell this client something about what it asked for."""
        if not self._ended:
            self.event("output", {"category": "console", "output": f"{text}\n"})

    def forget_values(self, thread_id: int | None) -> None:
        """Let go of what was shown of the frames of this thread, or of all."""
        self.references.clear(thread_id)

    # -- sending ----------------------------------------------------------------------------------

    def _on_drained(self) -> None:
        self.flush()
        self._read_on()

    def _read_on(self) -> None:
        if self._is_full and not self._ended:
            self._is_full = False
            self.transport.resume()
            self._take_messages()

    def flush(self, *, last: bool = False) -> None:
        """Send what waits in the outbox. `last`: also how much was left out, if nothing comes after this."""
        if self._ended or self.transport.closed:
            return
        self.server.delivery.distribute()
        congested = self.transport.pending > CONGESTED and not last
        events = self.outbox.take(congested=congested)
        if events:  # all at once: each time costs a few system calls
            self._send(b"".join(self._connection.event(name, body) for name, body in events))
        if self.transport.pending > HOPELESS:
            self._give_up("it does not read what is sent to it")

    def _send(self, data: bytes) -> None:
        self.transport.send(data)
        if self._is_full and not self.transport.pending:
            self.server.loop.call_later(0, self._read_on)

    # -- the end ----------------------------------------------------------------------------------

    def expel(self, reason: str) -> None:
        """Tell the client why it has to go, and let it go."""
        self.event("output", {"category": "important", "output": f"{reason}\n"})
        self.event("terminated", {})
        self.end(reason)

    def say_farewell(self, text: str | None, exit_code: int | None) -> None:
        """The server ends, and perhaps the program."""
        self.flush(last=True)
        if text is not None:
            self.event("output", {"category": "important", "output": f"{text}\n"})
        if exit_code is not None:
            self.event("exited", {"exitCode": exit_code})
        self.event("terminated", {})
        self.end("the server ended")

    def end(self, reason: str, *, keep_stopped: bool = False) -> None:
        """Say goodbye: all that was sent arrives, then the connection closes."""
        self._finish(reason, keep_stopped=keep_stopped)
        self.transport.finish()

    def _give_up(self, reason: str) -> None:
        self.transport.abort()  # first: nothing more is to be sent there
        self._on_lost(reason)

    def _on_lost(self, reason: str) -> None:
        self._finish(reason, is_lost=True)

    def _finish(self, reason: str, *, keep_stopped: bool = False, is_lost: bool = False) -> None:
        if self._ended:
            return
        self.flush()
        self._ended = True
        log.info(f"{self.who} left: {reason}")
        for _, deferred in list(self.open.values()):
            if deferred.cancel is not None:
                deferred.cancel()
        self.open.clear()
        self.references.clear()
        self.server.watchers.remove(self)
        if self._settled is not None:
            settled, self._settled = self._settled, None
            settled()
        if self.is_attached:
            self.is_attached = False
            if is_lost and (self.hold or (self.peer.is_relayed and self.token)):
                self.server.await_return(self, self.hold, None if self.hold else self._owner)
            else:
                self.server.leave(self, keep_stopped=keep_stopped)
        self.results.clear()  # last: what a finalizer may wait for is held by no thread any more
