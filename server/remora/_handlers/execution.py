"""Going on: continue, the steps, pause, jump. Each is answered first and then done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._handlers._places import read_source
from remora._handlers._table import Deferred, handles
from remora._source._filters import Skip
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._handlers._arguments import Arguments
    from remora._sessions._session import Session
    from remora._stopping._stops import Stop

    Done = Callable[[Any, "BaseException | None"], None]

__all__ = ["continue_", "stops_all"]


@handles("continue")
def continue_(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Let all threads go on, or one: by default as many as a stop holds."""
    thread = arguments.number("threadId", 0)
    if _is_alone(session, arguments):
        _require_stopped(session, thread)
        _go_on(session, lambda: session.server.debugger.resume(thread), thread, alone=True)
        return {"allThreadsContinued": False}
    if not session.server.debugger.held():
        raise RequestFailed("not-stopped", "The program is running.")
    _go_on(session, lambda: session.server.debugger.resume(None), thread, alone=False)
    return {"allThreadsContinued": True}


def _step(session: Session, arguments: Arguments, kind: Any, line: int | None = None) -> None:
    thread = arguments.number("threadId")
    alone = _is_alone(session, arguments, steps=True)
    by_instruction = arguments.text("granularity", "") == "instruction"
    target = arguments.optional_number("targetId") if kind == "in" else None
    debugger = session.server.debugger
    stop = _require_stopped(session, thread)
    if stop.frame is None:
        raise RequestFailed(
            "not-stopped", f"Thread {thread} is inside native code; it stops when it returns."
        )
    if stop.traceback_frames:
        raise RequestFailed(
            "not-stopped",
            "The frames shown are those of an exception, and are left already. Only continue goes on.",
        )
    if target is not None and all(
        each.offsets.start != target for each in debugger.step_targets(debugger.frames(thread)[0])
    ):
        raise RequestFailed("not-found", "There is no such call on the line that the thread is at.")
    _go_on(
        session,
        lambda: debugger.step(
            thread,
            kind,
            line=line,
            single_thread=alone,
            target=target,
            by_instruction=by_instruction,
            everywhere=arguments.flag("everywhere"),
        ),
        thread,
        alone=alone,
    )


@handles("next")
def next_(session: Session, arguments: Arguments) -> None:
    """To the next line of this frame, or of its caller."""
    _step(session, arguments, "over")


@handles("stepIn")
def step_in(session: Session, arguments: Arguments) -> None:
    """To the next line, wherever it is, or into one call of several; `everywhere`: library code as well."""
    _step(session, arguments, "in")


@handles("stepInTargets", looks_only=True, capability="supportsStepInTargetsRequest")
def step_in_targets(session: Session, arguments: Arguments) -> dict[str, Any]:
    """The calls that are still to be made on the line of a frame."""
    debugger = session.server.debugger
    frame = debugger.frame(arguments.number("frameId"))
    stop = debugger.stop_info(frame.thread_id)
    if stop is None or stop.frame is not frame.frame or stop.traceback_frames:
        return {"targets": []}  # only from the newest frame does a step go in
    return {
        "targets": [
            {
                "id": each.offsets.start,
                "label": each.label,
                "line": each.line,
                "column": each.column,
                "endLine": each.end_line,
                "endColumn": each.end_column,
            }
            for each in debugger.step_targets(frame)
        ]
    }


@handles("stepOut")
def step_out(session: Session, arguments: Arguments) -> None:
    """To the caller."""
    _step(session, arguments, "out")


@handles("remora/return")
def run_to_return(session: Session, arguments: Arguments) -> None:
    """To the return of this frame, still in it."""
    _step(session, arguments, "return")


@handles("remora/until")
def run_until(session: Session, arguments: Arguments) -> None:
    """To a line greater than this one, or than a given one less one; or to the caller."""
    _step(session, arguments, "until", arguments.optional_number("line"))


@handles("remora/skip")
def skip(session: Session, arguments: Arguments) -> dict[str, Any]:
    """What steps pass by: whether library code, and files, functions and modules by pattern. Replaces all."""
    filters = session.server.debugger.filters
    skips = [Skip(each.text("kind"), each.text("pattern")) for each in arguments.children("skips")]
    for each in skips:
        if each.kind not in ("file", "function", "module"):
            raise RequestFailed("bad-request", f"There is no kind {each.kind!r} to skip.")
    filters.skip(skips)
    filters.just_my_code = arguments.flag("justMyCode", True)
    return {}


@handles("remora/stopMode")
def stop_mode(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Whether a stop holds all threads or only the one that makes it, and a step lets all run or only it."""
    session.server.debugger.stops_all = stops_all(arguments.text("mode"))
    return {}


def stops_all(mode: str) -> bool:
    """What `remora/stopMode` and `attach` call a mode."""
    if mode not in ("all", "one"):
        raise RequestFailed("bad-request", f"A stop is one of all threads or of one, not of {mode!r}.")
    return mode == "all"


@handles("pause")
def pause(session: Session, arguments: Arguments) -> None:
    """Stop the program: at the next line of this thread, or of whichever comes first."""
    debugger = session.server.debugger
    meant = debugger.whom_to_pause(arguments.number("threadId", 0))
    session.after_response(lambda: debugger.pause(meant))


@handles("gotoTargets", capability="supportsGotoTargetsRequest")
def goto_targets(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Where the stopped thread can jump to."""
    server = session.server
    path = read_source(server.sources, arguments.child("source"))
    wanted = arguments.number("line")
    files = server.sources.resolve(path)
    for info in server.debugger.threads():
        stop = server.debugger.stop_info(info.id)
        if stop is None or stop.frame is None:
            continue
        frame = server.debugger.frames(info.id)[0]
        if stop.shown_error is not None and stop.shown_error.frames:
            continue  # the frames shown have been left
        if frame.filename not in files:
            continue
        lines = server.debugger.goto_lines(frame, wanted)
        return {"targets": [{"id": line, "label": f"line {line}", "line": line} for line in lines]}
    return {"targets": []}


@handles("goto")
def goto(session: Session, arguments: Arguments) -> Deferred:
    """Have the stopped thread go on at another line. The target's id is the line."""
    thread = arguments.number("threadId")
    line = arguments.number("targetId")
    _require_stopped(session, thread)
    return _jump(lambda done: session.server.debugger.goto(thread, line, done))


@handles("restartFrame", capability="supportsRestartFrame")
def restart_frame(session: Session, arguments: Arguments) -> Deferred:
    """Have the newest call of a stopped thread go on at its first line, with its variables as they are."""
    frame = session.server.debugger.frame(arguments.number("frameId"))
    _require_stopped(session, frame.thread_id)
    return _jump(lambda done: session.server.debugger.restart(frame, done))


def _jump(act: Callable[[Done], None]) -> Deferred:
    deferred = Deferred(answer_first=True)

    def done(_result: Any, error: BaseException | None) -> None:
        if error is None:
            deferred.resolve()
        elif isinstance(error, RequestFailed):
            deferred.fail(error)
        else:
            deferred.fail(RequestFailed("failed", str(error)))

    act(done)
    return deferred


def _is_alone(session: Session, arguments: Arguments, *, steps: bool = False) -> bool:
    by_default = not session.server.debugger.stops_all or (steps and session.steps_alone)
    return arguments.flag("singleThread", by_default)


def _require_stopped(session: Session, thread: int) -> Stop:
    stop = session.server.debugger.stop_info(thread)
    if stop is None:
        raise session.server.debugger.not_stopped(thread)
    return stop


def _go_on(session: Session, act: Callable[[], None], thread: int, *, alone: bool) -> None:
    def go_on() -> None:
        # Who asked knows by the answer; the others have to be told.
        body = {"threadId": thread, "allThreadsContinued": not alone}
        session.server.tell_others(session, "continued", body)
        act()

    session.after_response(go_on)
