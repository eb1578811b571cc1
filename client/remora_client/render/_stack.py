"""Why and where a program stands: stops, stacks, threads, tasks. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from remora_client._fragments import Fragments, clip_lines, plain, table
from remora_client._text import visible
from remora_client.render._source import python_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remora_client._model import Breakpoint, Frame, Stop, Task, Thread

__all__ = ["folded", "place", "stack_lines", "stop_line", "task_lines", "thread_lines"]

_REPEATED = 3  # equal frames in a row that are still shown one by one
_SYMBOLS = {
    "breakpoint": ("class:stop.breakpoint", "●"),
    "function breakpoint": ("class:stop.breakpoint", "●"),
    "data breakpoint": ("class:stop.breakpoint", "●"),
    "exception": ("class:stop.exception", "✖"),
    "pause": ("class:stop.pause", "‖"),
    "entry": ("class:stop.pause", "‖"),
}
_UNKNOWN = "a future"  # what a task waits for that nothing more is known of
_STEP = ("class:stop.step", "→")


def place(frame: Frame, *, full: bool = False) -> Fragments:
    """``guess.py:12``, or with the whole path."""
    name = frame.path if full else frame.source.name or frame.path
    return [("class:path", visible(name)), ("class:punctuation", ":"), ("class:line", str(frame.line))]


def stop_line(stop: Stop, *, thread: str = "", breakpoints: Sequence[Breakpoint] = ()) -> Fragments:
    """One line that says why and where the program stands."""
    style, symbol = _SYMBOLS.get(stop.reason, _STEP)
    out: Fragments = [(style, f"{symbol} "), (style, _why(stop, breakpoints))]
    if stop.frame is not None:
        out += [("", "  "), ("class:function", visible(stop.frame.name)), ("class:punctuation", " at ")]
        out += place(stop.frame)
    if thread:
        out += [("class:dim", f"  in {visible(thread)}")]
    if stop.text:
        style = "class:stop.exception" if stop.reason == "exception" else "class:warning"
        out += [("", "\n  "), (style, visible(stop.text))]
    out.append(("", "\n"))
    return out


def _why(stop: Stop, breakpoints: Sequence[Breakpoint]) -> str:
    hit = stop.hit(breakpoints)
    if hit:
        numbers = ", ".join(str(each.number) for each in hit)
        word = "Temporary breakpoint" if all(each.temporary for each in hit) else "Breakpoint"
        word += "s" if len(hit) > 1 else ""
        return f"{word} {numbers}" + (f", {visible(stop.description)}" if stop.returned else "")
    text = stop.description or stop.reason or "stopped"
    return visible(text[:1].upper() + text[1:])


def stack_lines(
    frames: Sequence[Frame],
    *,
    current: int = 0,
    code: Mapping[int, str] | None = None,
    newest_last: bool = True,
    fold: bool = True,
    width: int = 0,
) -> Fragments:
    """A stack, a line a call. Library calls in a row, and the same call over and over, are folded.

    Args:
        frames: the frames, newest first; each one's `index` is its number.
        current: the number of the selected frame.
        code: by frame number, the text of its line.
        newest_last: pdb's order; else gdb's.
        fold: whether to fold.
        width: the terminal's. 0: no limit.
    """
    rows = folded(frames, current) if fold else [[frame] for frame in frames]
    cells: list[list[Fragments]] = []
    for row in reversed(rows) if newest_last else rows:
        frame = row[0]
        if len(row) > 1:
            cells.append([[("", " ")], [("", "")], [("class:dim", _fold_note(row))]])
            continue
        here = frame.index == current
        mark: Fragments = [("class:source.current", "→")] if here else [("", " ")]
        style = "class:dim" if frame.subtle else "class:function"
        cell: list[Fragments] = [mark, [("class:dim", f"#{frame.index}")], [(style, visible(frame.name))]]
        where: Fragments = place(frame)
        if frame.subtle:
            where = [("class:dim", plain(where))]
        cell.append(where)
        line = (code or {}).get(frame.index, "").strip()
        if line:
            cell.append([("class:source.bar", "│ "), *python_line(visible(line))])
        cells.append(cell)
    return clip_lines(table(cells), width)


def folded(frames: Sequence[Frame], current: int) -> list[list[Frame]]:
    """The frames in the rows that a folded stack has, newest first; several in one row are folded."""
    rows: list[list[Frame]] = []

    def key(frame: Frame) -> object:
        if frame.index in (current, 0):
            return frame.index
        return "subtle" if frame.subtle else (frame.name, frame.path, frame.line)

    for what, run in groupby(frames, key):
        group = list(run)
        if what == "subtle" and len(group) > 1:
            rows.append(group)
        elif len(group) > _REPEATED:
            rows += [[group[0]], group[1:-1], [group[-1]]]
        else:
            rows += [[frame] for frame in group]
    return rows


def _fold_note(row: Sequence[Frame]) -> str:
    first, last = row[0].index, row[-1].index
    if row[0].subtle:
        where = sorted({visible(frame.source.name) for frame in row})
        names = ", ".join(where[:3]) + ("…" if len(where) > 3 else "")
        return f"{len(row)} library calls, #{first} to #{last}: {names}"
    return f"{len(row)} more of {visible(row[0].name)}, #{first} to #{last}"


def thread_lines(
    threads: Sequence[tuple[Thread, Frame | None]], *, current: int | None = None, width: int = 0
) -> Fragments:
    """The threads, each with its state and the call it is in."""
    rows: list[list[Fragments]] = []
    for thread, frame in threads:
        mark: Fragments = [("class:source.current", "→")] if thread.id == current else [("", " ")]
        row = [mark, [("", str(thread.id))], [("class:name", visible(thread.name))]]
        row.append([(f"class:state.{thread.state or 'unknown'}", thread.state or "?")])
        if frame is not None:
            row.append(
                [("class:function", visible(frame.name)), ("class:punctuation", " at "), *place(frame)]
            )
        rows.append(row)
    return clip_lines(table(rows), width)


def task_lines(tasks: Sequence[Task], *, current: int | None = None, width: int = 0) -> Fragments:
    """The tasks, each with its state, what it waits for, and the line of the program that it is at."""
    rows: list[list[Fragments]] = []
    for task in tasks:
        mark: Fragments = [("class:source.current", "→")] if task.id == current else [("", " ")]
        row: list[Fragments] = [mark, [("", str(task.id))], [("class:name", visible(task.name))]]
        row.append([(f"class:state.{'running' if task.state == 'running' else 'native'}", task.state)])
        at = next((index for index, each in enumerate(task.frames) if not each.subtle), 0)
        cell: Fragments = []
        if task.frames:
            frame = task.frames[at]
            cell = [("class:function", visible(frame.name)), ("class:punctuation", " at "), *place(frame)]
        if at and task.waits_for in ("", _UNKNOWN):
            cell.append(("class:dim", f"  in {visible(task.frames[at - 1].name)}"))
        elif task.waits_for:
            cell.append(("class:dim", f"  waits for {visible(task.waits_for)}"))
        rows.append([*row, cell])
    return clip_lines(table(rows), width)
