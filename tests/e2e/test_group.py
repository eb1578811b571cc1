"""Many processes with one client: breakpoints in all, stops from any, processes that come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from remora_client import ConnectError, ExceptionFilter, Gone, Sessions, attach, attach_all
from tests.support.program import runtime_folder
from tests.support.waiting import until
from tests.support.workers import Worker, workers


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime_folder())
    monkeypatch.setenv("REMORA_CONFIG_DIR", str(tmp_path))


def test_a_breakpoint_is_in_every_process_and_a_stop_is_one_of_them() -> None:
    with workers(3) as programs, attach_all(each.qualifier for each in programs) as group:
        assert {each.process["pid"] for each in group if each.process} == {each.pid for each in programs}
        made = group.break_at(str(programs[0].path), programs[0].line("work"), condition="job > 1")
        for each in group:
            assert [one.verified for one in each.breakpoints] == [True]

        programs[1].stdin_line("21")
        found = group.next_stop(10)
        assert found is not None
        session, stop = found
        assert session.process is not None and session.process["pid"] == programs[1].pid
        assert stop.reason == "breakpoint"
        assert session.evaluate("double").value == "42"

        programs[0].stdin_line("1")
        programs[0].wait_line("did 2")  # the others run on
        programs[2].stdin_line("4")
        found = group.next_stop(10)
        assert found is not None and found[0].process["pid"] == programs[2].pid  # type: ignore[index]
        assert session.step_over(10) is not None  # told here: no stop for the group any more
        group.go()
        programs[1].wait_line("did 42")
        programs[2].wait_line("did 8")
        with pytest.raises(TimeoutError):
            group.next_stop(0.3)

        group.clear([made.number])
        programs[0].stdin_line("5")
        programs[0].wait_line("did 10")


def test_a_temporary_breakpoint_hit_in_one_is_gone_in_all() -> None:
    with workers(2) as programs, attach_all(each.qualifier for each in programs) as group:
        group.break_at(str(programs[0].path), programs[0].line("work"), temporary=True)
        programs[0].stdin_line("1")
        assert group.next_stop(10) is not None
        assert group.breakpoints == ()
        group.go()
        programs[0].wait_line("did 2")
        programs[1].stdin_line("3")
        programs[1].wait_line("did 6")


def test_stops_end_when_the_last_process_has_gone() -> None:
    with workers(2) as programs, attach_all(each.qualifier for each in programs) as group:
        seen: list[tuple[str, int]] = []
        group.listen(lambda session, event, body: seen.append((event, session.process["pid"])))  # type: ignore[index]
        group.break_on_exceptions([ExceptionFilter("uncaught")])
        pids = []
        programs[0].stdin_line("none")
        programs[1].close_stdin()
        for session, stop in group.stops(10):
            assert stop.reason == "exception"
            pids.append(session.process["pid"])  # type: ignore[index]
            session.go()
        assert pids == [programs[0].pid]
        assert {each for each in seen if each[0] == "remora/left"} == {
            ("remora/left", each.pid) for each in programs
        }
        assert len(group) == 0


def test_processes_that_come_later_join_with_the_breakpoints_of_all() -> None:
    with Worker("early-one") as first:
        first.wait_line("worker")
        with attach_all(everyone=True, name="early-*") as group:
            assert pids(group) == [first.pid]
            group.break_at("work")
            with Worker("early-two") as second, Worker("other") as other:
                other.wait_line("worker")
                until(lambda: second.pid in pids(group), "the second")
                second.stdin_line("8")
                found = group.next_stop(20)
                assert found is not None and found[0].process["pid"] == second.pid  # type: ignore[index]
                assert other.pid not in pids(group)
                group.go()
                second.wait_line("did 16")
            until(lambda: second.pid not in pids(group), "the second to leave")


def pids(group: Sessions) -> list[int]:
    return [each.process["pid"] for each in group if each.process]


def test_all_or_none_and_what_there_is() -> None:
    with workers(1) as programs:
        dead = "tcp://127.0.0.1:1"
        with pytest.raises(ConnectError, match="refused"):
            attach_all([programs[0].qualifier, dead])
        with attach_all([programs[0].qualifier, dead], everyone=True) as group:
            assert pids(group) == [programs[0].pid]
        with pytest.raises(ConnectError, match="refused"):
            attach_all([dead], everyone=True)
        with attach(programs[0].qualifier), pytest.raises(ConnectError, match="attached"):
            attach_all([programs[0].qualifier])


def test_a_session_keeps_breakpoints_of_its_own() -> None:
    with workers(2) as programs, attach_all(each.qualifier for each in programs) as group:
        own = group[1].break_at("work")
        shared = group.break_at(str(programs[0].path), programs[0].line("work"))
        assert [[one.number for one in each.breakpoints] for each in group] == [
            [shared.number],
            [own.number, shared.number],
        ]
        group.clear()
        assert [[one.number for one in each.breakpoints] for each in group] == [[], [own.number]]


def test_sessions_end_with_their_group() -> None:
    with workers(1) as programs:
        with attach_all([programs[0].qualifier]) as group:
            (session,) = group
        with pytest.raises((Gone, RuntimeError)):
            session.evaluate("1")
        with attach(programs[0].qualifier) as again:  # nothing holds it any more
            assert again.process
