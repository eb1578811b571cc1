"""The beginning and the end of debugging, and giving up what takes too long."""

from __future__ import annotations

import signal
import struct
import time
from typing import TYPE_CHECKING, Any

from remora._handlers._configuration import read_configuration
from remora._handlers._table import HANDLERS, Deferred, When, handles
from remora._handlers.execution import stops_all
from remora._handlers.login import reject
from remora._interpreter._subinterpreters import count_others
from remora._log import log
from remora._network._login import DRIVER_ROLE
from remora._owner._hooks import hooks
from remora_protocol import RequestFailed, __version__

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._sessions._session import Session

__all__ = ["initialize"]

_TYPES_OR_EXPRESSION = (
    "Names of exception types with commas between, patterns like json.* and !Name to leave one out; "
    "or an expression on $exc."
)
_FILTERS = [
    ("raised", "Raised exceptions", False, "Stops where an exception is raised."),
    ("uncaught", "Uncaught exceptions", True, "Stops when nothing has caught an exception."),
    ("userUnhandled", "User-unhandled exceptions", False, "Stops when an exception leaves your own code."),
]


@handles("initialize", When.CONNECTED)
def initialize(session: Session, arguments: Arguments) -> dict[str, Any]:
    """What this debugger can do. Nothing of ours is sent before this is answered."""
    if session.is_initialized:
        raise RequestFailed("bad-request", "The connection is initialized already.")
    session.is_initialized = True
    session.after_response(session.expect_attach)
    if not session.client_name:
        session.client_name = (arguments.text("clientName", "") or arguments.text("clientID", ""))[:80]
    return {
        **{handler.capability: True for handler in HANDLERS.values() if handler.capability},
        "supportsConditionalBreakpoints": True,
        "supportsHitConditionalBreakpoints": True,
        "supportsLogPoints": True,
        "supportsEvaluateForHovers": True,
        "supportsClipboardContext": True,
        "supportsValueFormattingOptions": True,
        "supportsExceptionFilterOptions": True,
        "supportsSingleThreadExecutionRequests": True,
        "supportsSteppingGranularity": True,
        "supportsDelayedStackTraceLoading": True,
        "supportTerminateDebuggee": True,
        "supportSuspendDebuggee": True,
        "completionTriggerCharacters": [".", "[", "'", '"'],
        "supportedChecksumAlgorithms": ["SHA256"],
        "exceptionBreakpointFilters": [
            {
                "filter": name,
                "label": label,
                "default": default,
                "description": description,
                "supportsCondition": True,
                "conditionDescription": _TYPES_OR_EXPRESSION,
            }
            for name, label, default, description in _FILTERS
        ],
        "remora": _ours(session),
    }


def _ours(session: Session) -> dict[str, Any]:
    """What DAP has no words for. Of the program itself strangers are told nothing."""
    ours: dict[str, Any] = {
        "version": __version__,
        "requests": sorted(name for name in HANDLERS if name.startswith("remora/")),
    }
    if session.role is not None:
        debugger = session.server.debugger
        ours["engine"] = debugger.engine_name
        ours["limits"] = [*debugger.limits, *_others_here()]
        ours["clock"] = time.time()
        ours["asksOwner"] = hooks.on_attach is not None
    return ours


def _others_here() -> list[str]:
    count = count_others()
    if not count:
        return []
    what = "another interpreter" if count == 1 else f"{count} other interpreters"
    return [f"There is {what} in this process: code that runs there is not debugged."]


@handles("attach", When.CONNECTED)
def attach(session: Session, arguments: Arguments) -> dict[str, Any] | None:
    """Begin to debug. A client that knows no other login may bring the secret along.

    With `stopOnEntry` a program that waits for a client stops where it goes on, and any other is paused.

    With `hold` the program is to wait so many seconds for this client whenever it is lost. The answer then
    has a token, by which the client comes back to the same stop and its breakpoints. A client that came
    through the owner of our port gets one in any case: that one's end is no fault of the client's.

    With `observe` a client that might drive looks on only.
    """
    if session.role is None:
        _log_in(session, arguments)
    if arguments.flag("observe"):
        session.look_on()
    server = session.server
    seconds = _read_hold(arguments)
    mode = stops_all(arguments.text("stopMode", "all"))
    wanted = read_configuration(arguments)
    came_back = session.attach(force=arguments.flag("force"), token=arguments.text("resume", ""))
    session.event("process", _describe(session))
    session.shows_returned, session.presentation = wanted.shows_returned, wanted.presentation
    if wanted.note:
        session.note(wanted.note)
    if session.role != DRIVER_ROLE:
        return None  # what the driver has asked for holds
    session.follows = arguments.flag("follow")
    session.stops_on_entry = arguments.flag("stopOnEntry") and not came_back
    server.debugger.filters.just_my_code = arguments.flag("justMyCode", True)
    server.debugger.filters.skip(())
    server.debugger.filters.set_rules(wanted.rules)
    if wanted.exits is not None and not came_back:
        server.debugger.stop_at_exits(wanted.exits)
    server.debugger.stops_all = mode
    session.steps_alone = wanted.steps_alone
    if arguments.flag("redirectOutput", server.redirect_output):
        for name in server.start_output():
            text = f"What the program prints to sys.{name} cannot be shown here: it has no room for a copy.\n"
            session.event("output", {"category": "console", "output": text})
    answer: dict[str, Any] = {"resumed": True} if came_back else {}
    if seconds or session.peer.is_relayed:
        answer = {"token": session.ask_to_wait(seconds), "resumed": came_back}
    return {"remora": answer} if answer else None


def _read_hold(arguments: Arguments) -> float:
    value = arguments.all.get("hold", 0)
    if type(value) not in (int, float) or not 0 <= value < 1e9:
        raise RequestFailed("bad-request", "attach: hold has to be a number of seconds.")
    return float(value)


def _log_in(session: Session, arguments: Arguments) -> None:
    secret = arguments.optional_text("secret")
    if secret is None:
        raise RequestFailed(
            "auth-required",
            'Log in first, with remora/hello and remora/authenticate; or attach with "secret".',
        )
    if not (session.peer.is_local or session.peer.tls):
        raise RequestFailed(
            "tls-required",
            "A secret in the attach arguments would travel in clear: use TLS, or log in by Remora.",
        )
    gate = session.server.gate
    gate.check_patience(session.peer)
    role = gate.role_of_secret(secret)
    if role is None:
        reject(session, "The secret is wrong.")
        raise RequestFailed("auth-failed", "The secret is wrong.")
    gate.succeeded(session.peer, role)
    session.log_in(role)


def _describe(session: Session) -> dict[str, Any]:
    identity = session.server.identity
    return {
        "name": identity.name,
        "systemProcessId": identity.pid,
        "isLocalProcess": False,
        "startMethod": "attach",
        "pointerSize": struct.calcsize("P") * 8,
    }


@handles("configurationDone", looks_only=True, capability="supportsConfigurationDoneRequest")
def configuration_done(session: Session, _arguments: Arguments) -> Deferred | None:
    """The client has set its breakpoints: whoever waits for it may go on.

    Where a crash has waited for it, or the client wants to begin with a stop, the answer waits, too: so that
    the client's next word finds the program stopped. One that nobody holds back is paused for that.
    """
    server = session.server
    is_first = session is server.driver and not session.is_configured
    enters = is_first and session.stops_on_entry and not server.debugger.held()
    stops = is_first and server.waiters.will_stop(on_entry=session.stops_on_entry)

    def act() -> None:
        session.is_configured = True
        server.configured(session)
        server.tell_stops(session)
        if enters and not stops:
            server.debugger.pause(None)

    if enters or stops:
        deferred = Deferred()
        server.waiters.expect_stop(server, deferred.resolve)
        act()
        return deferred
    session.after_response(act)
    return None


@handles("disconnect", When.CONNECTED)
def disconnect(session: Session, arguments: Arguments) -> None:
    """Detach. The program goes on, unless the client wants it ended or kept stopped."""
    is_driver = session.is_attached and session.role == DRIVER_ROLE
    terminate_it = arguments.flag("terminateDebuggee") and is_driver
    keep_stopped = arguments.flag("suspendDebuggee") and is_driver and not terminate_it
    debugger = session.server.debugger

    def act() -> None:
        who = session.who
        session.end("it disconnected", keep_stopped=keep_stopped)
        if terminate_it:
            log.info(f"{who} ended the program")
            # What `kill` does: the program's own handlers may clean up, and atexit is theirs to call.
            debugger.send_signal(signal.SIGTERM)

    session.after_response(act)


@handles("terminate", capability="supportsTerminateRequest")
def terminate(session: Session, _arguments: Arguments) -> None:
    """Ask the program to end: by the signal of Ctrl-C, which is a KeyboardInterrupt in most programs."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        raise RequestFailed(
            "failed",
            "The program ignores interrupts, as one that a shell started in the background. kill -9 ends it.",
        )
    server = session.server

    def act() -> None:
        if server.debugger.held():
            server.debugger.resume(None)
        server.debugger.send_signal(signal.SIGINT)

    session.after_response(act)


@handles("cancel", looks_only=True, capability="supportsCancelRequest")
def cancel(session: Session, arguments: Arguments) -> None:
    """Give up a request that has no answer yet. It is answered then, with the code "cancelled"."""
    waiting = session.open.get(arguments.number("requestId", 0))
    if waiting is not None and waiting[1].cancel is not None:
        give_up = waiting[1].cancel
        session.after_response(give_up)
