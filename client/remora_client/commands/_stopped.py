"""What a person sees when the program stops: why, where, the source around it, what was returned."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError
from remora_client._finding._facts import unquoted
from remora_client._fragments import broken_at_blanks, clip
from remora_client._source._definitions import function_range
from remora_client._text import visible
from remora_client.commands._context import Seen
from remora_client.commands._own import rendered
from remora_client.commands._raised import raised_lines
from remora_client.render import line_count, place, python_line, source_lines, stop_line, value_line
from remora_protocol import RequestFailed, split_source

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from remora_client._fragments import Fragments
    from remora_client._model import Frame, Stop
    from remora_client._sessions._session import Session
    from remora_client.commands._context import Context, Display

__all__ = [
    "called_lines",
    "display_lines",
    "frame_lines",
    "is_silent",
    "line_texts",
    "marks",
    "stop_data",
    "stop_lines",
    "value_notes",
]

_SHORT = 40  # columns of a value beside the source
_STICKY = 60  # lines of a function that are shown at each stop
_NAME = re.compile(r"(?<![\w.\"'])[^\W\d]\w*")


def stop_data(session: Session, stop: Stop) -> dict[str, Any]:
    """The JSON form of a stop."""
    data: dict[str, Any] = {"reason": stop.reason, "thread": stop.thread_id}
    frame = stop.frame
    data["frame"] = {"name": frame.name, "path": frame.path, "line": frame.line} if frame else None
    data["breakpoints"] = [each.number for each in stop.hit(session.breakpoints)]
    if stop.text or stop.description:
        data["text"] = stop.text or stop.description
    if stop.instruction:
        data["instruction"] = stop.instruction
    return data


async def stop_lines(ctx: Context, stop: Stop) -> Fragments:
    """Everything that a stop shows. Asks the server only for what it needs."""
    session = ctx.session
    if is_silent(ctx, stop):
        return []
    thread = await _thread_name(ctx, stop.thread_id)
    if stop.reason == "step" and ctx.shown_thread == stop.thread_id:
        thread = ""  # step after step in one thread: it need not be said each time
    ctx.shown_thread = stop.thread_id
    raised = await _raised(ctx) if stop.reason == "exception" else []
    shown = replace(stop, text="") if raised else stop
    head = stop_line(shown, thread=thread, breakpoints=session.breakpoints)
    out = broken_at_blanks([*head, *raised], ctx.width, hang=2)
    if stop.reason == "step" or stop.returned:
        with contextlib.suppress(RequestFailed, ClientError):
            returned = await session.return_value()
            if returned is not None:
                did = "yielded:" if stop.description == "yielding" else "returned:"
                name = f"{stop.returned} {did}" if stop.returned else returned.name
                out += [("class:stop.step", "  ↩ "), ("class:dim", f"{visible(name)} ")]
                out += value_line(returned.value)
    if stop.returned:  # its next call begins anew
        ctx.seen = {key: seen for key, seen in ctx.seen.items() if key[1] != stop.returned}
    if stop.instruction:
        out += [("class:stop.step", "  → "), ("", f"{visible(stop.instruction)}\n")]
    path, rule = stop.passed
    if rule and ctx.interactive:
        short = "/".join(path.replace("\\", "/").rsplit("/", 2)[-2:])
        out.append(("class:dim", f"  passed {visible(short)} ({visible(rule)}); step! enters it\n"))
    if stop.frame is not None:
        out += await source_around(ctx, stop.frame)
    out += await display_lines(ctx)
    return out


def called_lines(body: Mapping[str, Any]) -> Fragments:
    """What came of a call of ours that the program had stopped in: the event `remora/called`."""
    out: Fragments = [("class:stop.step", "↩ "), *python_line(visible(str(body.get("expression", ""))))]
    if "error" in body:
        return [*out, ("", " "), ("class:error", f"{visible(str(body['error']))}\n")]
    return [*out, ("class:dim", " gave "), *value_line(str(body.get("value", "")))]


async def _raised(ctx: Context) -> Fragments:
    """The exception with its notes and its chain; nothing where the server cannot tell."""
    try:
        return raised_lines(await ctx.session.exception_info(), indent="  ")
    except (RequestFailed, ClientError, TimeoutError):
        return []


def is_silent(ctx: Context, stop: Stop) -> bool:
    """Is `silent` among the commands of each breakpoint that was hit?"""
    hit = stop.hit(ctx.session.breakpoints)
    return bool(hit) and all("silent" in ctx.on_hit.get(each.number, ()) for each in hit)


async def frame_lines(ctx: Context, frame: Frame) -> Fragments:
    """One frame: its place and the source around it."""
    out: Fragments = [("class:dim", f"#{frame.index}  "), ("class:function", visible(frame.name))]
    out += [("class:punctuation", " at "), *place(frame, full=True), ("", "\n")]
    return out + await source_around(ctx, frame)


async def source_around(ctx: Context, frame: Frame) -> Fragments:
    """The lines around a frame's, as many as the option `context` says; none where a pane shows them."""
    if ctx.sees_source:
        return []
    try:
        found = await ctx.session.source_text(frame.source)
    except (ClientError, RequestFailed):
        return [("class:dim", f"  no source text for {visible(frame.path)}\n")]
    if ctx.settings.sticky == "on":
        first, last = _function_around(found.text, frame.line)
    else:
        first, last = _lines_around(found.text, frame.line, ctx.settings.context)
    notes = await value_notes(ctx, frame, found.text)
    out: Fragments = []
    if found.differs and frame.source.sha256:
        out.append(("class:dim", "  the program's own text: your copy differs\n"))
    return out + source_lines(
        found.text,
        first,
        last,
        current=frame.line,
        breakpoints=marks(ctx, frame.path),
        notes=notes,
        width=ctx.width,
    )


def _lines_around(text: str, line: int, count: int) -> tuple[int, int]:
    total = line_count(text)
    first = max(1, min(line - count // 2, total - count + 1))
    return first, first + count - 1


def _function_around(text: str, line: int) -> tuple[int, int]:
    """The whole function; of a very long one the part around the line."""
    first, last = function_range(text, line)
    if last - first < _STICKY:
        return first, last
    return max(first, line - _STICKY // 2), min(last, line + _STICKY // 2)


async def value_notes(ctx: Context, frame: Frame, text: str) -> dict[int, str]:
    """Values beside the source: what the current line names, and what has changed since the stop before.

    After a step these stand beside the line that changed them. After anything else nobody knows which that
    was, nor whether it is the same call of the function: they stand beside the current line.
    """
    if ctx.settings.notes != "on" or not ctx.interactive:
        return {}
    lines = split_source(text)
    if not 1 <= frame.line <= len(lines):
        return {}
    try:
        known = {each.name: each.value for each in await ctx.session.locals(frame)}
    except (RequestFailed, ClientError):
        return {}
    used = set(_NAME.findall(lines[frame.line - 1].partition("#")[0]))
    notes = {}
    before = _before(ctx, frame, known)
    if before is not None and before.line != frame.line:
        changed = {name: value for name, value in known.items() if before.values.get(name) != value}
        if ctx.session.stop is not None and ctx.session.stop.reason == "step":
            notes[before.line] = _told(
                {name: clip(value, _SHORT) for name, value in changed.items()}, changed
            )
            used -= set(changed)
        else:
            used |= set(changed)
    notes[frame.line] = _told(known, used)
    return {line: note for line, note in notes.items() if note}


def _before(ctx: Context, frame: Frame, values: dict[str, str]) -> Seen | None:
    """How it was when the program stood in this function last. Takes note of how it is now."""
    if frame.index:
        return None
    key, stops = (frame.path, frame.name), ctx.session.state.stops
    seen = ctx.seen.get(key)
    if seen is None or seen.stops != stops:
        last = None if seen is None else replace(seen, before=None)
        seen = ctx.seen[key] = Seen(stops, frame.line, values, last)
    return seen.before


def _told(values: Mapping[str, str], names: Collection[str]) -> str:
    """`guess = 42, name = 'Ada'`: a few of them, and only what is short and says something."""
    told = [
        f"{name} = {value}"
        for name, value in values.items()
        if name in names and len(value) <= _SHORT and not value.startswith("<")
    ]
    return ", ".join(told[:4])


def marks(ctx: Context, path: str) -> dict[int, bool]:
    """The lines of a file of the debuggee's that have breakpoints, and whether these are live."""
    return {
        each.bound_line or each.line: each.verified and each.enabled
        for each in ctx.session.breakpoints
        if (each.bound_path or each.path) == path
    }


async def line_texts(ctx: Context, frames: Sequence[Frame]) -> dict[int, str]:
    """The text of each frame's line, by the frame's number, where there is one."""
    found: dict[int, str] = {}
    texts: dict[str, list[str]] = {}
    for frame in frames:
        if frame.subtle:
            continue
        if frame.path not in texts:
            try:
                texts[frame.path] = split_source((await ctx.session.source_text(frame.source)).text)
            except (ClientError, RequestFailed):
                texts[frame.path] = []
        lines = texts[frame.path]
        if 1 <= frame.line <= len(lines):
            found[frame.index] = lines[frame.line - 1]
    return found


async def display_lines(ctx: Context) -> Fragments:
    """The displayed expressions with their values now. An error is shown in the value's place."""
    out: Fragments = []
    for each in list(ctx.displays.values()):
        out += await show_display(ctx, each)
    return out


async def show_display(ctx: Context, each: Display) -> Fragments:
    """One displayed expression."""
    now: str | None = None
    before: str | None = None
    try:
        value_now = await ctx.session.evaluate(each.python)
        text = unquoted(value_now.value) if each.form != "{}" else await rendered(ctx.session, value_now)
        text = visible(text)
    except (RequestFailed, ClientError) as error:
        value: Fragments = [("class:error", visible(str(error)))]
    else:
        now, value = text, python_line(text)
        before, each.last = each.last, text
    if now is not None and each.changed_only and before == now:
        return []
    out: Fragments = [("class:dim", f"  {each.number}: "), *python_line(each.expression)]
    out += [("class:punctuation", " = "), *value]
    if before is not None and before != now:
        out += [("class:dim", f"  (was {before if len(before) <= 60 else before[:60] + '…'})")]
    return [*out, ("", "\n")]


async def _thread_name(ctx: Context, ident: int) -> str:
    """The thread's name, where there is more than one thread."""
    threads = ctx.session.state.threads
    if ident not in threads or not threads[ident].name:
        with contextlib.suppress(RequestFailed, ClientError):
            await ctx.session.threads()
        threads = ctx.session.state.threads
    if len(threads) < 2 or ident not in threads:
        return ""
    return threads[ident].name
