"""The bar at the bottom: where we are, what the program does, and what the line being typed will do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._fragments import clip, plain, width_of
from remora_client._records import record
from remora_client._text import visible
from remora_client.commands import CommandLine

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client._model import Frame
    from remora_client._sessions._state import State
    from remora_client.commands import Line

__all__ = ["About", "toolbar"]

_SEPARATOR = ("class:toolbar", " · ")
_EXPLANATION = 40  # columns that are kept for what the line being typed will do


@record
class About:
    """What stays the same for a session."""

    place: str  # host:port
    secure: bool
    pid: int | None
    name: str
    observes: bool = False


def toolbar(about: About, state: State, frame: Frame | None, line: Line | None, width: int) -> Fragments:
    """The parts that fit into the width, the most important ones first."""
    where, now = _connection(about), _state(state)
    room = width - width_of(plain(now)) - 4
    if width_of(plain(where)) > room:  # what it does is worth more than where it does it
        where = [("class:toolbar", clip(visible(about.name or about.place), max(room, 1)))]
    parts: list[Fragments] = [where, now]
    if state.phase == "stopped" and frame is not None:
        parts.append([("class:toolbar.strong", visible(frame.name))])
        parts[-1].append(("class:toolbar", f" {visible(frame.source.name)}:{frame.line}"))
    if state.breakpoints:
        parts.append([("class:toolbar", _breakpoints(state))])
    thread = _thread(state)
    if thread:
        parts.append([("class:toolbar", thread)])
    told = "" if line is None else _explained(line)
    out: Fragments = [("class:toolbar", " ")]
    used = 1
    for number, part in enumerate(parts):
        size = width_of(plain(part)) + (3 if number else 0)
        # What a line will do is worth more than a frame that the screen has above.
        if used + size > width - (min(width_of(told) + 3, _EXPLANATION) if told and number > 1 else 0):
            break
        out += [_SEPARATOR, *part] if number else part
        used += size
    if told:
        room = width - used - 3
        if room >= 12:
            text = clip(told, room)
            out += [
                ("class:toolbar", " " * max(width - used - width_of(text) - 1, 1)),
                ("class:line-hint", text),
            ]
    return out


def _connection(about: About) -> Fragments:
    out: Fragments = [("class:toolbar.secure", "🔒 ")] if about.secure else []
    out.append(("class:toolbar", visible(about.place)))
    if about.pid is not None:
        out.append(("class:toolbar", f" {about.pid}"))
    if about.name:
        out += [("class:toolbar", " "), ("class:toolbar.strong", clip(visible(about.name), 30))]
    if about.observes:
        out.append(("class:toolbar", " (looking on)"))
    return out


def _state(state: State) -> Fragments:
    if state.phase == "stopped" and state.stop is not None:
        more = f" (+{len(state.waiting)})" if state.waiting else ""
        return [("class:toolbar.stopped", f"stopped: {visible(state.stop.reason)}{more}")]
    if state.over:
        return [("class:toolbar.ended", state.phase)]
    return [("class:toolbar.running", state.phase)]


def _thread(state: State) -> str:
    if state.stop is None:
        return ""
    thread = state.threads.get(state.stop.thread_id)
    return visible(thread.name) if thread is not None and thread.name else f"thread {state.stop.thread_id}"


def _breakpoints(state: State) -> str:
    count = len(state.breakpoints)
    pending = sum(1 for each in state.breakpoints if each.enabled and not each.verified)
    text = f"{count} breakpoint{'s' * (count != 1)}"
    return f"{text}, {pending} pending" if pending else text


def _explained(line: Line) -> str:
    if isinstance(line, CommandLine):
        return f"{line.command.name}: {line.hint or line.command.summary}"
    return "Python"
