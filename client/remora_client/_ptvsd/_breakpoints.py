"""DAP's breakpoints, a file's at a time, on a server that knows single ones. Runs on the event loop.

A breakpoint's file goes out under a name that no loaded file has: the server then compares names only, the
last part and those of the packages around it. A name that it does know "binds" the breakpoint to what the
module calls its file, which need not be what its code calls it; such a breakpoint is never hit. What that
lets through too much, a file of the same name elsewhere, is sorted out when it is hit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from remora_client._ptvsd._records import BreakpointSpec, PassKind
from remora_protocol import RequestFailed, match_by_name

if TYPE_CHECKING:
    from remora_client._ptvsd._debuggee import Debuggee
    from remora_client._ptvsd._sources import Sources

__all__ = ["Breakpoints", "Placed", "pass_count"]

_NOWHERE = "/remora"
_HITS = re.compile(r"\s*(?P<operator>==|>=|<=|!=|>|<|=|%)?\s*(?P<count>\d{1,9})\s*\Z")


@dataclass(frozen=True)
class Placed:
    """A breakpoint that the server has."""

    spec: BreakpointSpec
    path: str  # as the person means it
    asked: dict[str, Any]  # DAP's SourceBreakpoint
    remote: tuple[str, ...]  # the loaded files it means; none yet: it waits
    message: str

    @property
    def log(self) -> str | None:
        """The text to tell instead of stopping."""
        text = self.asked.get("logMessage")
        return text if isinstance(text, str) and text else None

    def to_dap(self) -> dict[str, Any]:
        """DAP's Breakpoint."""
        body: dict[str, Any] = {
            "id": self.spec.ident,
            "verified": bool(self.remote),
            "line": self.spec.line,
        }
        path = self.remote[0] if self.remote else self.path
        body["source"] = {"name": path.replace("\\", "/").rpartition("/")[2], "path": path}
        if not self.remote:
            body["reason"] = "pending"
        if self.message:
            body["message"] = self.message
        return body


def pass_count(condition: str | None) -> tuple[PassKind, int]:
    """What the server can do of a hit condition. Raises `RequestFailed`."""
    if not condition:
        return PassKind.ALWAYS, 0
    match = _HITS.match(condition)
    if match is None:
        raise RequestFailed("bad-request", f"{condition!r} is no hit condition, as '>= 3' is.")
    operator, count = match["operator"] or ">=", int(match["count"])
    if operator in ("==", "=") and count:
        return PassKind.EQUAL, count
    if operator in (">=", ">"):
        least = count + (operator == ">")
        return (PassKind.FROM, least) if least > 1 else (PassKind.ALWAYS, 0)
    if operator == "%" and count:
        return PassKind.EVERY, count
    raise RequestFailed("not-supported", f"ptvsd counts hits with ==, >=, > and % only, not {condition!r}.")


class Breakpoints:
    """The breakpoints of one session."""

    def __init__(self, debuggee: Debuggee, sources: Sources) -> None:
        self._debuggee, self._sources = debuggee, sources
        self._by_path: dict[str, list[Placed]] = {}

    def find(self, ident: int) -> Placed | None:
        """The one that a hit names."""
        return next(
            (each for all_ in self._by_path.values() for each in all_ if each.spec.ident == ident), None
        )

    def is_meant(self, placed: Placed, file: str) -> bool:
        """Whether a hit in this file is one of that breakpoint, and not of a namesake."""
        return file in match_by_name(placed.path, [file, *self._sources.files()])

    async def replace(self, path: str, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """DAP's setBreakpoints: these and no others in that file."""
        before = self._by_path.get(path, [])
        kept = [each for each in before if each.asked in wanted]
        await self._debuggee.remove_breakpoints([each.spec for each in before if each not in kept])
        self._by_path[path] = list(kept)
        answers: list[dict[str, Any]] = []
        for asked in wanted:
            found = next((each for each in kept if each.asked == asked), None)
            if found is not None:
                kept.remove(found)  # two alike are two
                answers.append(found.to_dap())
                continue
            try:
                placed = await self._place(path, asked)
            except RequestFailed as refused:
                answers.append({"verified": False, "reason": "failed", "message": str(refused)})
                continue
            self._by_path[path].append(placed)
            answers.append(placed.to_dap())
        return answers

    async def _place(self, path: str, asked: dict[str, Any]) -> Placed:
        line = asked.get("line")
        if not isinstance(line, int) or isinstance(line, bool) or line < 1:
            raise RequestFailed("bad-request", "A breakpoint needs a line.")
        kind, count = pass_count(asked.get("hitCondition"))
        remote = tuple(self._sources.matches(path))
        placement = await self._sources.place(path, remote[0] if remote else None, line)
        notes = []
        if placement is None:
            notes.append("its line was not checked: the text is not at hand")
        elif placement.line is None:
            raise RequestFailed("not-found", placement.message)
        else:
            line = placement.line
            notes += [placement.message] if placement.message else []
        notes += self._told(path, remote)
        condition = asked.get("condition")
        spec = BreakpointSpec(
            self._debuggee.new_ident(),
            line,
            _sent_name(remote[0] if remote else path),
            condition if isinstance(condition, str) else "",
            kind,
            count,
        )
        await self._debuggee.set_breakpoint(spec)
        return Placed(spec, path, asked, remote, "; ".join(notes))

    def _told(self, path: str, remote: tuple[str, ...]) -> list[str]:
        if len(remote) > 1:
            return [f"binds to all of {', '.join(remote[:4])}"]
        if remote:
            return []
        near = self._sources.near(path)
        return ["no file of that name is loaded yet" + (f"; there is {', '.join(near)}" if near else "")]

    async def bind(self, file: str) -> list[dict[str, Any]]:
        """A module was loaded: the breakpoints that waited for it, as DAP's Breakpoint."""
        changed = []
        for path, all_ in self._by_path.items():
            for index, each in enumerate(all_):
                if each.remote or file not in match_by_name(path, [file, *self._sources.files()]):
                    continue
                bound = replace(each, remote=(file,), message="")
                name = _sent_name(file)
                if name.split("/")[-2:] != each.spec.file.split("/")[-2:]:
                    # The packages around it have other names than ours: the server would not let it match.
                    await self._debuggee.remove_breakpoints([each.spec])
                    bound = replace(bound, spec=replace(each.spec, file=name))
                    await self._debuggee.set_breakpoint(bound.spec)
                all_[index] = bound
                changed.append(bound.to_dap())
        return changed


def _sent_name(path: str) -> str:
    parts = [part.rstrip(":") for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join([_NOWHERE, *parts])
