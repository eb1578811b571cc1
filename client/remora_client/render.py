"""Source, stacks, tables and values as formatted text: lists of (style class, text). Pure.

Everything that came from the debuggee goes through `visible`, so that no control character of the
program's reaches the terminal. Colours belong to the classes and are chosen in `repl/style.py`.
A long file of short functions that share how a stop, a stack or a table looks.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from pygments.lexers.python import PythonLexer

from remora_client._fragments import (
    Fragments,
    clip,
    clip_lines,
    clipped,
    per_line,
    plain,
    table,
    width_of,
    without_head,
)
from remora_client._text import visible, visible_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from remora_client._model import Breakpoint, Frame, Stop, Task, Thread, Variable

__all__ = [
    "breakpoint_lines",
    "folded",
    "line_count",
    "place",
    "placed_line",
    "python",
    "python_line",
    "source_lines",
    "stack_lines",
    "stop_line",
    "task_lines",
    "thread_lines",
    "value_line",
    "variable_lines",
]

_MARGIN = 2
_LOOK_BACK = 400  # lines before the shown ones that the lexer reads, so that it knows a docstring from code
_BLOCK = 32  # lines that are highlighted at once
_REPEATED = 3  # equal frames in a row that are still shown one by one
_SYMBOLS = {
    "breakpoint": ("class:stop.breakpoint", "●"),
    "function breakpoint": ("class:stop.breakpoint", "●"),
    "data breakpoint": ("class:stop.breakpoint", "●"),
    "exception": ("class:stop.exception", "✖"),
    "pause": ("class:stop.pause", "‖"),
    "entry": ("class:stop.pause", "‖"),
}
_STEP = ("class:stop.step", "→")


def python(text: str) -> Fragments:
    """Python text, highlighted. The text is shown as it is: make it visible first."""
    return [
        ("class:" + ".".join(("pygments", *kind)).lower(), part) for kind, part in _lexer().get_tokens(text)
    ]


def source_lines(
    text: str,
    first: int,
    last: int,
    *,
    current: int | None = None,
    breakpoints: Mapping[int, bool] | None = None,
    notes: Mapping[int, str] | None = None,
    width: int = 0,
    shift: int = 0,
) -> Fragments:
    """Lines of a file with their numbers: the current one marked, breakpoints in the margin.

    Args:
        text: the whole file.
        first: the first line to show, from 1.
        last: the last line to show.
        current: the line that runs next.
        breakpoints: lines that have one, and whether it is enabled and bound.
        notes: a remark behind a line, such as the values it uses.
        width: the terminal's; longer lines are clipped. 0: no limit.
        shift: how many columns at the left of the text are out of sight.
    """
    all_lines = _split(text)
    first, last = max(first, 1), min(last, len(all_lines))
    shown = _highlighted(text, first, last)
    digits = max(len(str(last)), 3)
    out: Fragments = []
    for number, line in enumerate(shown, first):
        here = number == current
        mark = ("class:source.current", "→") if here else ("", " ")
        bound = (breakpoints or {}).get(number)
        dot = (
            ("", " ")
            if bound is None
            else ("class:breakpoint", "●")
            if bound
            else ("class:breakpoint.off", "○")
        )
        out += [
            dot,
            mark,
            ("class:source.current" if here else "class:source.number", f" {number:>{digits}} "),
        ]
        out += [("class:source.bar", "│ ")]
        seen = without_head(line, shift) if shift else line
        out += clipped(seen, width - digits - 6) if width else seen
        if notes and number in notes:
            room = width - digits - 11 - width_of(plain(line)) if width else 60
            if room >= 12:
                out.append(("class:source.note", "  ┊ " + clip(visible(notes[number]), room)))
        out.append(("", "\n"))
    return out


def line_count(text: str) -> int:
    """How many lines a file has."""
    return len(_split(text))


def place(frame: Frame, *, full: bool = False) -> Fragments:
    """``guess.py:12``, or with the whole path."""
    name = frame.path if full else frame.source.name or frame.path
    return [("class:path", visible(name)), ("class:punctuation", ":"), ("class:line", str(frame.line))]


def stop_line(
    stop: Stop, *, thread: str = "", breakpoints: Sequence[Breakpoint] = (), note: str = ""
) -> Fragments:
    """One line that says why and where the program stands."""
    style, symbol = _SYMBOLS.get(stop.reason, _STEP)
    out: Fragments = [(style, f"{symbol} "), (style, _why(stop, breakpoints))]
    if stop.frame is not None:
        out += [("", "  "), ("class:function", visible(stop.frame.name)), ("class:punctuation", " at ")]
        out += place(stop.frame)
    if thread:
        out += [("class:dim", f"  in {visible(thread)}")]
    if stop.text and stop.reason == "exception":
        out += [("", "\n  "), ("class:stop.exception", visible(stop.text))]
    if note:
        out += [("class:dim", f"  {visible(note)}")]
    out.append(("", "\n"))
    return out


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


def task_lines(tasks: Sequence[Task], *, width: int = 0) -> Fragments:
    """The tasks, each with its state, what it waits for, and the line of the program that it is at."""
    rows: list[list[Fragments]] = []
    for task in tasks:
        row: list[Fragments] = [[("", str(task.id))], [("class:name", visible(task.name))]]
        row.append([(f"class:state.{'running' if task.state == 'running' else 'native'}", task.state)])
        at = next((each for each in task.frames if not each.subtle), None)
        cell: Fragments = []
        if at is not None:
            cell = [("class:function", visible(at.name)), ("class:punctuation", " at "), *place(at)]
        if task.waits_for:
            cell.append(("class:dim", f"  waits for {visible(task.waits_for)}"))
        rows.append([*row, cell])
    return clip_lines(table(rows), width)


def breakpoint_lines(
    breakpoints: Sequence[Breakpoint],
    *,
    hits: Mapping[int, int] | None = None,
    extra: Mapping[int, Sequence[str]] | None = None,
    width: int = 0,
) -> Fragments:
    """The breakpoints, each with its condition and, when it is not bound, why."""
    rows: list[list[Fragments]] = []
    notes: list[Fragments] = []
    for each in breakpoints:
        bound = each.verified and each.active
        dot: Fragments = [("class:breakpoint", "●")] if bound else [("class:breakpoint.off", "○")]
        told = _remarks(each)
        if (hits or {}).get(each.number):
            count = (hits or {})[each.number]
            told += [("", "  ") if told else ("", ""), ("class:dim", f"hit {count} time{'s' * (count > 1)}")]
        rows.append([[("", str(each.number))], dot, _breakpoint_place(each), told])
        under = [each.note()] if each.note() else []
        under += [f"on hit: {text}" for text in (extra or {}).get(each.number, ())]
        notes.append([("class:dim", "".join(f"\n       {visible(text)}" for text in under))])
    out: Fragments = []
    lines = per_line(table(rows, indent=1))
    for line, note in zip(lines, notes, strict=True):
        out += [*clipped(line, width or 10**6), *note, ("", "\n")]
    return out


def placed_line(each: Breakpoint, *, width: int = 0) -> Fragments:
    """A breakpoint that was just set."""
    bound = each.verified and each.active
    kind = "Logpoint" if each.log_message is not None else "Breakpoint"
    style, dot = ("class:breakpoint", "●") if bound else ("class:breakpoint.off", "○")
    out: Fragments = [
        (style, f"{dot} "),
        (style if bound else "", f"{kind} {each.number}"),
        ("class:dim", " in " if each.kind == "function" else " at "),
    ]
    out += _breakpoint_place(each) + _remarks(each, "  ")
    if each.note():
        out.append(("class:dim", f"\n  {visible(each.note())}"))
    return clip_lines([*out, ("", "\n")], width)


def variable_lines(variables: Sequence[Variable], *, width: int = 0, indent: int = 1) -> Fragments:
    """``name = value`` with the type behind, in columns; values are clipped to the width."""
    if not variables:
        return []
    names = min(max(width_of(visible(each.name)) for each in variables), 28)
    types = min(max((width_of(visible(each.type)) for each in variables), default=0), 20)
    out: Fragments = []
    for each in variables:
        room = max(width - indent - names - types - 6, 20) if width else 10**6
        name, kind = clip(visible(each.name), 60), clip(visible(each.type), 20)
        value = clip(visible(each.value), room)
        out += [("", " " * indent), ("class:name", name), ("", " " * max(names - width_of(name), 0))]
        out += [("class:punctuation", " = "), *python_line(value)]
        if kind:
            column = max(min(room, _value_column(variables, room)) - width_of(value), 0)
            out += [("", " " * (column + 2)), ("class:type", kind)]
        out.append(("", "\n"))
    return out


def value_line(value: str, kind: str = "") -> Fragments:
    """A value on a line of its own. A value of several lines stays so."""
    return [*python_line(visible_block(value) if "\n" in value else visible(value)), ("", "\n")]


def python_line(text: str) -> Fragments:
    """Highlighted Python without the newline that the lexer ends every text with."""
    if len(text) > 20_000:  # nobody reads it in colours, and the lexer would take its time
        return [("", text)]
    out = python(text)
    while out and out[-1][1].endswith("\n"):
        style, last = out.pop()
        if last[:-1]:
            out.append((style, last[:-1]))
            break
    return out


def _why(stop: Stop, breakpoints: Sequence[Breakpoint]) -> str:
    hit = [
        each for each in breakpoints if each.server_id is not None and each.server_id in stop.hit_breakpoints
    ]
    if hit:
        numbers = ", ".join(str(each.number) for each in hit)
        word = "Temporary breakpoint" if hit[0].temporary else "Breakpoint"
        return f"{word} {numbers}" + (f", {visible(stop.description)}" if stop.returned else "")
    text = stop.description or stop.reason or "stopped"
    return visible(text[:1].upper() + text[1:])


def _about(each: Breakpoint) -> Iterable[tuple[str, str]]:
    if each.temporary:
        yield "once", ""
    if each.condition:
        yield "if", each.condition
    if each.hit_condition:
        yield "on hit", each.hit_condition
    if each.log_message is not None:
        yield "log", each.log_message
    if each.thread:
        yield "thread", each.thread
    if each.task:
        yield "task", each.task
    if each.name:
        yield "name", each.name
    if each.after is not None:
        yield "after", f"{each.after} was hit" if each.armed else f"{each.after} is hit"
    if not each.enabled:
        yield "disabled", ""
    elif not each.active:
        return
    elif not each.verified:
        yield each.reason or "pending", ""


def _remarks(each: Breakpoint, before: str = "") -> Fragments:
    out: Fragments = []
    for word, text in _about(each):
        out += [("", "  " if out else before), ("class:dim", word + (" " if text else ""))]
        out += python_line(visible(text)) if word == "if" else [("", visible(text))]
    return out


def _breakpoint_place(each: Breakpoint) -> Fragments:
    if each.kind == "function":
        out: Fragments = [("class:dim", f"{each.at} of ")] if each.at != "call" else []
        out.append(("class:function", visible(each.function)))
        if each.bound_path and each.bound_line:
            name = visible(each.bound_path.replace("\\", "/").rpartition("/")[2])
            out += [("class:punctuation", " at "), ("class:path", name)]
            out += [("class:punctuation", ":"), ("class:line", str(each.bound_line))]
        return out
    path = each.bound_path or each.path
    name = visible(path.replace("\\", "/").rpartition("/")[2])
    return [
        ("class:path", name),
        ("class:punctuation", ":"),
        ("class:line", str(each.bound_line or each.line)),
    ]


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


def _value_column(variables: Sequence[Variable], room: int) -> int:
    """Where the types stand: behind the longest value that is not unusually long."""
    short = [width for each in variables if (width := width_of(visible(each.value[:200]))) <= 40]
    return min(max(short, default=0), room)


@lru_cache(maxsize=1)
def _lexer() -> PythonLexer:
    return PythonLexer(stripnl=False, stripall=False, ensurenl=True)


@lru_cache(maxsize=8)
def _split(text: str) -> list[str]:
    """Lines as Python counts them: form feeds and the like do not end one."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


@lru_cache(maxsize=256)
def _block(text: str, number: int) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The highlighted lines of one block: who steps or scrolls sees the same lines again and again."""
    lines = _split(text)
    first, last = number * _BLOCK + 1, min((number + 1) * _BLOCK, len(lines))
    start = _start_of_block(lines, first)
    shown = [visible_block(line) for line in lines[start - 1 : last]]
    lexed = per_line(python("\n".join(shown) + "\n"))
    return tuple(tuple(line) for line in lexed[first - start : last - start + 1])


def _highlighted(text: str, first: int, last: int) -> list[Fragments]:
    if last < first:
        return []
    blocks = range((first - 1) // _BLOCK, (last - 1) // _BLOCK + 1)
    lines = [line for number in blocks for line in _block(text, number)]
    skipped = first - 1 - blocks[0] * _BLOCK
    return [list(line) for line in lines[skipped : skipped + last - first + 1]]


def _start_of_block(lines: Sequence[str], first: int) -> int:
    """A line at or before `first` where the lexer can start: one that is not inside anything."""
    for number in range(first, max(first - _LOOK_BACK, 1), -1):
        if lines[number - 1].startswith(
            ("def ", "class ", "async def ", "@", "import ", "from ", "if ", "for ")
        ):
            return number
    return max(first - _LOOK_BACK, 1)
