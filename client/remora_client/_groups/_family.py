"""Which processes come of the one that is debugged: children, theirs, and what takes their place. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora_protocol import ProcessInfo

__all__ = ["Family"]

_Key = tuple[int, float]


class Family:
    """The process that somebody chose, and all that came of it.

    A child belongs to it, also when something else stands in between, and so does what replaces a member: the
    same number again (after an `exec`), or a new child of the same parent, as reloaders and prefork servers
    make them. Processes that were there before are none of it, unless they descend from it.
    """

    def __init__(self, first: ProcessInfo) -> None:
        self.pids = {first["pid"]}
        self._alive: dict[int, int] = {first["pid"]: first["ppid"]}
        self._vacant: set[int] = set()  # parents whose child has ended
        self._strangers: set[_Key] = set()

    def take(self, processes: Sequence[ProcessInfo]) -> list[ProcessInfo]:
        """What there is now; gives those of the family, in the order of their numbers."""
        there = {each["pid"] for each in processes}
        for pid in [pid for pid in self._alive if pid not in there]:
            parent = self._alive.pop(pid)
            if parent > 1:
                self._vacant.add(parent)
        found: dict[int, ProcessInfo] = {}
        grew = True
        while grew:
            ours = [each for each in processes if each["pid"] not in found and self._is_ours(each)]
            grew = bool(ours)
            for each in ours:
                found[each["pid"]] = each
                self.pids.add(each["pid"])
                self._alive[each["pid"]] = each["ppid"]
        self._strangers |= {_key(each) for each in processes if each["pid"] not in found}
        return [found[pid] for pid in sorted(found)]

    def _is_ours(self, process: ProcessInfo) -> bool:
        """Also what a process came of that is not in the list: a shell, or the server of forkserver."""
        if not self.pids.isdisjoint((process["pid"], process["ppid"], *process.get("ancestors", ()))):
            return True
        return process["ppid"] in self._vacant and _key(process) not in self._strangers


def _key(process: ProcessInfo) -> _Key:
    return process["pid"], process["started"]
