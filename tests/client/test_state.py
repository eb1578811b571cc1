"""What each event makes of the state."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_client._model import Breakpoint, Stop
from remora_client._sessions._state import State, learn_hits, named_breakpoints, reduce, resumed

STOPPED = State("stopped", Stop("step", 1), 1)


@pytest.mark.parametrize(
    ("state", "event", "body", "phase"),
    [
        (State(), "stopped", {"reason": "pause", "threadId": 1}, "stopped"),
        (STOPPED, "continued", {"threadId": 1}, "running"),
        (STOPPED, "continued", {"threadId": 2, "allThreadsContinued": False}, "stopped"),
        (STOPPED, "continued", {"threadId": 1, "allThreadsContinued": False}, "running"),
        (STOPPED, "terminated", {}, "ended"),
        (STOPPED, "remora/gone", {}, "gone"),
        (State("ended"), "remora/gone", {}, "ended"),
        (State("ended"), "stopped", {"threadId": 1}, "ended"),
        (State("gone"), "continued", {}, "gone"),
        (STOPPED, "something/new", {}, "stopped"),
    ],
)
def test_phases(state: State, event: str, body: dict[str, object], phase: str) -> None:
    after = reduce(state, event, body)
    assert after.phase == phase
    assert (after.stop is not None) == (phase == "stopped")


def test_what_a_stop_tells() -> None:
    body = {
        "reason": "exception",
        "threadId": 3,
        "text": "ValueError",
        "allThreadsStopped": True,
        "hitBreakpointIds": [1, "x", 2],
        "remora": {"frame": {"name": "f", "path": "/app/a.py", "line": 4}},
    }
    stop = reduce(State(), "stopped", body).stop
    assert stop is not None
    assert (stop.thread_id, stop.text, stop.hit_breakpoints, stop.all_threads) == (
        3,
        "ValueError",
        (1, 2),
        True,
    )
    assert stop.frame is not None
    assert (stop.frame.name, stop.frame.path, stop.frame.line) == ("f", "/app/a.py", 4)


def test_events_name_breakpoints_by_the_servers_numbers() -> None:
    ours = Breakpoint(1, "line", "a.py", 3, server_id=7), Breakpoint(2, "line", "a.py", 4, server_id=8)
    state = State(breakpoints=ours)
    assert named_breakpoints(state, "stopped", {"hitBreakpointIds": [8, 99]}) == [ours[1]]
    assert named_breakpoints(state, "stopped", {"reason": "pause"}) == []
    assert named_breakpoints(state, "breakpoint", {"breakpoint": {"id": 7}}) == [ours[0]]
    assert named_breakpoints(State(breakpoints=(Breakpoint(1, "line", "a", 3),)), "breakpoint", {}) == []
    assert named_breakpoints(state, "output", {}) is None


def test_a_hit_may_be_known_only_later() -> None:
    single = {"supportsSingleThreadExecutionRequests": True}
    state = State(breakpoints=(Breakpoint(1, "line", "a.py", 3, server_id=7),), capabilities=single)
    for thread, hit in ((1, [7, 8]), (2, [8])):
        state = reduce(state, "stopped", {"threadId": thread, "hitBreakpointIds": hit})
    state, late = learn_hits(state)
    assert late == []
    bound = Breakpoint(2, "line", "a.py", 4, server_id=8)
    state, late = learn_hits(replace(state, breakpoints=(*state.breakpoints, bound)))
    assert late == [bound, bound]
    assert state.stop is not None
    assert [each.number for each in state.stop.known] == [1, 2]
    assert [each.number for each in state.waiting[0].known] == [2]
    assert learn_hits(state) == (state, [])


def test_threads_come_and_go() -> None:
    state = reduce(State(), "thread", {"reason": "started", "threadId": 5})
    assert list(state.threads) == [5]
    assert list(reduce(state, "thread", {"reason": "exited", "threadId": 5}).threads) == []


def test_breakpoint_events_find_theirs() -> None:
    state = State(
        breakpoints=(Breakpoint(1, "line", "a.py", 3, server_id=10), Breakpoint(2, "line", "b.py", 3))
    )
    body = {"reason": "changed", "breakpoint": {"id": 10, "verified": True, "line": 5}}
    first, second = reduce(state, "breakpoint", body).breakpoints
    assert (first.verified, first.bound_line, second.verified) == (True, 5, False)
    removed = reduce(state, "breakpoint", {**body, "reason": "removed"}).breakpoints[0]
    assert not removed.verified
    assert removed.message
    assert reduce(state, "breakpoint", {"breakpoint": {"id": 99}}) == state


def test_being_sent_away_is_no_end_of_the_program() -> None:
    state = reduce(State(), "output", {"category": "important", "output": "ada@host took over.\n"})
    assert reduce(state, "terminated", {}).phase == "gone"
    assert reduce(reduce(state, "exited", {"exitCode": 0}), "terminated", {}).phase == "ended"
    assert reduce(State(), "output", {"category": "stdout", "output": "x"}).last_words == ""


def test_the_exit_code_comes_in_either_order() -> None:
    for events in (["exited", "terminated"], ["terminated", "exited"]):
        state = State()
        for event in events:
            state = reduce(state, event, {"exitCode": 3} if event == "exited" else {})
        assert (state.phase, state.exit_code) == ("ended", 3)


NAMES = st.sampled_from(
    [
        "breakpoint",
        "capabilities",
        "continued",
        "exited",
        "remora/gone",
        "stopped",
        "terminated",
        "thread",
        "x",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["threadId", "reason", "breakpoint", "capabilities", "exitCode", "hitBreakpointIds", "remora", "text"]
)


@given(st.lists(st.tuples(NAMES, st.dictionaries(KEYS, JSON, max_size=4)), max_size=8))
def test_no_event_is_too_strange(events: list[tuple[str, dict[str, object]]]) -> None:
    state = State(breakpoints=(Breakpoint(1, "line", "a.py", 3, server_id=1),))
    for name, body in events:
        named_breakpoints(state, name, body)
        state = reduce(state, name, body)
        assert (state.stop is not None) == (state.phase == "stopped")
        assert resumed(state).phase != "stopped"


SINGLE = {"supportsSingleThreadExecutionRequests": True}


def stop_of(thread: int, *, everything: bool = False) -> dict[str, object]:
    return {"reason": "breakpoint", "threadId": thread, "allThreadsStopped": everything}


def shown_and_waiting(state: State) -> tuple[int | None, list[int]]:
    return state.stop.thread_id if state.stop else None, [each.thread_id for each in state.waiting]


def test_threads_that_are_each_held_for_themselves_wait_to_be_looked_at() -> None:
    state = State(capabilities=SINGLE)
    for thread in (3, 2, 4, 2):
        state = reduce(state, "stopped", stop_of(thread))
    assert (shown_and_waiting(state), state.stops) == ((3, [4, 2]), 1)
    assert shown_and_waiting(reduce(state, "continued", {"threadId": 4, "allThreadsContinued": False})) == (
        3,
        [2],
    )
    state = reduce(resumed(state, 3), "remora/next-stop", {})
    assert (shown_and_waiting(state), state.stops) == ((4, [2]), 2)
    assert shown_and_waiting(resumed(state)) == (None, [])
    assert shown_and_waiting(reduce(state, "stopped", stop_of(7, everything=True))) == (7, [])


def test_a_step_is_awaited_whoever_else_stops() -> None:
    state = reduce(State(capabilities=SINGLE), "stopped", stop_of(3))
    state = reduce(resumed(state, 3, steps=True), "stopped", stop_of(2))
    assert (state.phase, shown_and_waiting(state)) == ("running", (None, [2]))
    assert shown_and_waiting(reduce(state, "stopped", stop_of(3))) == (3, [2])


def test_a_server_that_cannot_let_one_thread_go_shows_its_last_stop() -> None:
    state = reduce(reduce(State(), "stopped", stop_of(3)), "stopped", stop_of(2))
    assert shown_and_waiting(state) == (2, [])
