"""Which processes come of the one that somebody debugs."""

from __future__ import annotations

from typing import Any, cast

from remora_client._groups._family import Family
from remora_protocol import ProcessInfo


def process(pid: int, ppid: int, started: float = 0.0, **more: Any) -> ProcessInfo:
    row: dict[str, Any] = {"pid": pid, "ppid": ppid, "started": started, **more}
    return cast("ProcessInfo", row)


def pids(found: list[ProcessInfo]) -> list[int]:
    return [each["pid"] for each in found]


def test_children_and_theirs_belong_and_others_do_not() -> None:
    family = Family(process(10, 1))
    there = [process(12, 11), process(10, 1), process(11, 10), process(20, 1), process(21, 20)]
    assert pids(family.take(there)) == [10, 11, 12]
    assert family.pids == {10, 11, 12}


def test_what_came_of_one_by_way_of_a_process_that_is_not_told_of_belongs() -> None:
    family = Family(process(10, 1))
    shell, orphan = 15, 16
    there = [
        process(10, 1, ancestors=[9]),
        process(11, shell, ancestors=[shell, 10, 9]),
        process(12, 1, ancestors=[orphan, 11, shell, 10]),
        process(20, 9, ancestors=[9]),
    ]
    assert pids(family.take(there)) == [10, 11, 12]


def test_what_took_the_place_of_one_belongs_and_its_older_siblings_do_not() -> None:
    family = Family(process(11, 10))
    older = process(12, 10)
    assert pids(family.take([process(11, 10), older])) == [11]
    assert pids(family.take([older])) == []
    assert pids(family.take([older, process(13, 10, 5.0)])) == [13]


def test_a_second_child_of_the_same_parent_belongs_only_when_one_has_gone() -> None:
    family = Family(process(11, 10))
    assert pids(family.take([process(11, 10), process(12, 10)])) == [11]
    assert pids(family.take([process(12, 10)])) == []


def test_orphans_replace_nobody() -> None:
    family = Family(process(11, 1))
    family.take([process(11, 1)])
    assert family.take([]) == []
    assert family.take([process(30, 1)]) == []


def test_the_same_number_is_the_same_program_again() -> None:
    family = Family(process(11, 10))
    family.take([])
    assert pids(family.take([process(11, 10)])) == [11]
