"""Breakpoints: what was just set, and the list of them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._fragments import Fragments, broken_at_blanks, clip_lines, clipped, per_line, table
from remora_client._text import visible
from remora_client.render._source import python_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from remora_client._model import Breakpoint

__all__ = ["breakpoint_lines", "placed_line"]


def breakpoint_lines(
    breakpoints: Sequence[Breakpoint],
    *,
    hits: Mapping[int, int] | None = None,
    extra: Mapping[int, Sequence[str]] | None = None,
    among: Sequence[Breakpoint] = (),
    width: int = 0,
) -> Fragments:
    """The breakpoints, each with its condition and, when it is not bound, why.

    Files of one name are told apart by their folders; `among`: by those of these breakpoints, too.
    """
    paths = {_path(each) for each in (*breakpoints, *among)}
    rows: list[list[Fragments]] = []
    notes: list[Fragments] = []
    for each in breakpoints:
        bound = each.verified and each.active
        dot: Fragments = [("class:breakpoint", "●")] if bound else [("class:breakpoint.off", "○")]
        told = _remarks(each)
        if (hits or {}).get(each.number):
            count = (hits or {})[each.number]
            told += [("", "  ") if told else ("", ""), ("class:dim", f"hit {count} time{'s' * (count > 1)}")]
        rows.append([[("", str(each.number))], dot, _breakpoint_place(each, paths), told])
        under = [each.note()] if each.note() else []
        under += [f"on hit: {text}" for text in (extra or {}).get(each.number, ())]
        below = [("class:dim", "".join(f"       {visible(text)}\n" for text in under))]
        notes.append(broken_at_blanks(below, width))
    out: Fragments = []
    lines = per_line(table(rows, indent=1))
    for line, note in zip(lines, notes, strict=True):
        out += [*clipped(line, width or 10**6), ("", "\n"), *note]
    return out


def placed_line(each: Breakpoint, *, among: Sequence[Breakpoint] = (), width: int = 0) -> Fragments:
    """A breakpoint that was just set; `among` those."""
    paths = {_path(other) for other in among}
    bound = each.verified and each.active
    kind = "Logpoint" if each.log_message is not None else "Breakpoint"
    style, dot = ("class:breakpoint", "●") if bound else ("class:breakpoint.off", "○")
    out: Fragments = [
        (style, f"{dot} "),
        (style if bound else "", f"{kind} {each.number}"),
        ("class:dim", " in " if each.kind == "function" else " at "),
    ]
    out += _breakpoint_place(each, paths) + _remarks(each, "  ")
    if each.note():
        out.append(("class:dim", f"\n  {visible(each.note())}"))
    return clip_lines([*out, ("", "\n")], width)


def _about(each: Breakpoint) -> Iterable[tuple[str, str]]:
    if each.temporary:
        yield "once", ""
    if each.condition:
        yield "if", each.condition
    if each.hit_condition:
        yield "on hit", each.hit_condition
    if each.ignore:
        yield "ignores", f"{each.ignore} hit{'s' * (each.ignore != 1)} first"
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


def _breakpoint_place(each: Breakpoint, paths: Collection[str]) -> Fragments:
    if each.kind == "function":
        out: Fragments = [("class:dim", f"{each.at} of ")] if each.at != "call" else []
        out.append(("class:function", visible(each.function)))
        if each.bound_path and each.bound_line:
            out += [("class:punctuation", " at "), ("class:path", _short(each.bound_path, paths))]
            out += [("class:punctuation", ":"), ("class:line", str(each.bound_line))]
        return out
    return [
        ("class:path", _short(_path(each), paths)),
        ("class:punctuation", ":"),
        ("class:line", str(each.bound_line or each.line)),
        *([("class:dim", f":{each.bound_column}")] if each.bound_column else []),
    ]


def _path(each: Breakpoint) -> str:
    return each.bound_path or each.path


def _short(path: str, others: Collection[str]) -> str:
    """The end of a path, as long as it takes to tell it from the others."""
    parts = _parts(path)
    rest = [_parts(other) for other in others if _parts(other) != parts]
    length = next(
        (n for n in range(1, len(parts)) if all(other[-n:] != parts[-n:] for other in rest)), len(parts)
    )
    return visible("/".join(parts[-length:]))


def _parts(path: str) -> list[str]:
    return path.replace("\\", "/").split("/")
