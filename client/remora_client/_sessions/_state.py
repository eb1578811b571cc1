"""What the client knows of the program, and how each event changes it. Pure: no I/O, no clock.

`reduce(state, event)` gives the next state. Phases: running -> stopped -> running … -> ended or gone.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Literal

from remora_client._model import Breakpoint, Source, Stop, Thread
from remora_client._records import record

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Phase", "State", "bind", "learn_hits", "named_breakpoints", "reduce", "resumed"]

#: No program has so many threads: a server that tells of more of them is up to something.
_MOST_THREADS = 5000

Phase = Literal["running", "stopped", "ended", "gone"]


@record
class State:
    """One moment of the session."""

    phase: Phase = "running"
    stop: Stop | None = None
    stops: int = 0  # how many there were: tells a new stop from an old one
    waiting: tuple[Stop, ...] = ()  # of other threads, each held for itself, that nobody looks at yet
    awaited: int | None = None  # the thread whose step is under way, while others may stop for themselves
    threads: Mapping[int, Thread] = field(default_factory=dict)
    breakpoints: tuple[Breakpoint, ...] = ()
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    last_words: str = ""  # the last thing that the server itself found important to tell

    @property
    def over(self) -> bool:
        """True when nothing more will come."""
        return self.phase in ("ended", "gone")

    def is_for_itself(self, stop: Stop) -> bool:
        """Whether a stop holds its own thread only, and others may be held besides."""
        return not stop.all_threads and bool(self.capabilities.get("supportsSingleThreadExecutionRequests"))


def resumed(state: State, thread: int | None = None, *, steps: bool = False) -> State:
    """The program runs (or is about to: called before the request is sent).

    Args:
        thread: only this one, of several that are each held for themselves.
        steps: what it stops for next is what is waited for.
    """
    if state.over:
        return state
    waiting = () if thread is None else _without(state.waiting, thread)
    return replace(state, phase="running", stop=None, waiting=waiting, awaited=thread if steps else None)


def _without(stops: tuple[Stop, ...], thread: int) -> tuple[Stop, ...]:
    return tuple(each for each in stops if each.thread_id != thread)


def bind(breakpoint_: Breakpoint, answer: Mapping[str, Any]) -> Breakpoint:
    """Put the server's answer (a DAP `Breakpoint`) into ours."""
    source = answer.get("source")
    path = source.get("path") if isinstance(source, dict) else None
    line, message, reason = answer.get("line"), answer.get("message"), answer.get("reason")
    column = answer.get("column")
    server_id = answer.get("id")
    return replace(
        breakpoint_,
        verified=answer.get("verified") is True,
        bound_line=line if isinstance(line, int) else breakpoint_.bound_line,
        bound_column=column if isinstance(column, int) and breakpoint_.column is not None else None,
        bound_path=path if isinstance(path, str) else breakpoint_.bound_path,
        bound_sha256=Source.from_dap(source).sha256 if isinstance(source, dict) else breakpoint_.bound_sha256,
        message=message if isinstance(message, str) else None,
        reason=reason if isinstance(reason, str) else None,
        server_id=server_id if isinstance(server_id, int) else breakpoint_.server_id,
    )


def reduce(state: State, event: str, body: Mapping[str, Any]) -> State:
    """The state after a DAP event. Unknown events, and all events after the end, change nothing."""
    if state.over and event != "exited":
        return state
    change = _CHANGES.get(event)
    return change(state, body) if change else state


def named_breakpoints(state: State, event: str, body: Mapping[str, Any]) -> list[Breakpoint] | None:
    """Those of ours that an event is about, which has the server's numbers; None: it is of no such kind."""
    if event == "stopped":
        return Stop.from_dap(body).hit(state.breakpoints)
    if event == "breakpoint":
        changed = body.get("breakpoint")
        ident = changed.get("id") if isinstance(changed, dict) else None
        return [each for each in state.breakpoints if ident is not None and each.server_id == ident]
    return None


def learn_hits(state: State) -> tuple[State, list[Breakpoint]]:
    """After an answer that binds breakpoints: those that an earlier stop had named, now known to it."""
    late: list[Breakpoint] = []

    def told(stop: Stop) -> Stop:
        hit = stop.hit(state.breakpoints)
        new = hit[len(stop.known) :]
        late.extend(new)
        return replace(stop, known=tuple(hit)) if new else stop

    stop = None if state.stop is None else told(state.stop)
    return replace(state, stop=stop, waiting=tuple(map(told, state.waiting))), late


def _stopped(state: State, body: Mapping[str, Any]) -> State:
    stop = Stop.from_dap(body)
    stop = replace(stop, known=tuple(stop.hit(state.breakpoints)))
    others = () if stop.all_threads else _without(state.waiting, stop.thread_id)
    shown = state.awaited if state.stop is None else state.stop.thread_id
    if state.is_for_itself(stop) and shown not in (None, stop.thread_id):
        return replace(state, waiting=(*others, stop))
    return _show(state, stop, others)


def _show(state: State, stop: Stop, waiting: tuple[Stop, ...]) -> State:
    return replace(state, phase="stopped", stop=stop, stops=state.stops + 1, waiting=waiting, awaited=None)


def _next_stop(state: State, body: Mapping[str, Any]) -> State:
    if state.stop is not None or not state.waiting:
        return state
    return _show(state, state.waiting[0], state.waiting[1:])


def _continued(state: State, body: Mapping[str, Any]) -> State:
    stop, thread = state.stop, body.get("threadId")
    if body.get("allThreadsContinued", True) or not isinstance(thread, int):
        return resumed(state)
    if stop is not None and thread != stop.thread_id:
        # Another thread went on; the one we look at still stands.
        return replace(state, waiting=_without(state.waiting, thread))
    return resumed(state, thread)


def _thread(state: State, body: Mapping[str, Any]) -> State:
    ident = body.get("threadId")
    if not isinstance(ident, int):
        return state
    if ident not in state.threads and len(state.threads) >= _MOST_THREADS:
        return state
    threads = dict(state.threads)
    if body.get("reason") == "exited":
        threads.pop(ident, None)
    else:
        threads.setdefault(ident, Thread(ident, ""))
    return replace(state, threads=threads)


def _breakpoint(state: State, body: Mapping[str, Any]) -> State:
    answer = body.get("breakpoint")
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), int):
        return state
    if body.get("reason") == "removed":
        answer = {**answer, "verified": False, "message": answer.get("message") or "removed by the server"}
    return replace(
        state,
        breakpoints=tuple(
            bind(each, answer) if each.server_id == answer["id"] else each for each in state.breakpoints
        ),
    )


def _exited(state: State, body: Mapping[str, Any]) -> State:
    code = body.get("exitCode")
    return replace(state, exit_code=code if isinstance(code, int) else None)


def _output(state: State, body: Mapping[str, Any]) -> State:
    if body.get("category") != "important":
        return state
    return replace(state, last_words=str(body.get("output", "")).strip())


def _terminated(state: State, body: Mapping[str, Any]) -> State:
    # DAP says by this that debugging is over, not that the program is. A Remora tells the exit code
    # before where there is one, and otherwise why we have to go.
    phase: Phase = "gone" if state.exit_code is None and state.last_words else "ended"
    return replace(state, phase=phase, stop=None)


def _gone(state: State, body: Mapping[str, Any]) -> State:
    return replace(state, phase="gone", stop=None)


def _capabilities(state: State, body: Mapping[str, Any]) -> State:
    changed = body.get("capabilities")
    if not isinstance(changed, dict):
        return state
    return replace(state, capabilities={**state.capabilities, **changed})


def _away(state: State, body: Mapping[str, Any]) -> State:
    return resumed(state)


_CHANGES = {
    "breakpoint": _breakpoint,
    "capabilities": _capabilities,
    "continued": _continued,
    "exited": _exited,
    "output": _output,
    "remora/away": _away,  # ours, too: it ended, and we are on the way back
    "remora/next-stop": _next_stop,  # ours, too: what waited is looked at now
    "remora/gone": _gone,  # our own: the connection ended
    "stopped": _stopped,
    "terminated": _terminated,
    "thread": _thread,
}
