"""An exception as a person reads it: what it is, its notes, and what it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._model import records
from remora_client._text import visible, visible_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remora_client._fragments import Fragments
    from remora_client._model import ExceptionInfo

__all__ = ["raised_lines"]

_DEEPEST = 10


def raised_lines(info: ExceptionInfo, *, full: bool = False, indent: str = "") -> Fragments:
    """The exception and its chain. `full`: with the stack of each."""
    details = dict(info.details or {})
    details.setdefault("fullTypeName", info.full_type or info.type)
    details.setdefault("message", info.description)
    shown = info.shown if details.get("innerException") else 0
    return [part for parts in _told(details, indent, "", full=full, shown=shown) for part in parts]


def _told(
    details: Mapping[str, Any], indent: str, link: str, *, full: bool, shown: int, depth: int = 0
) -> Iterator[Fragments]:
    name = str(details.get("fullTypeName") or details.get("typeName") or "exception")
    message = visible_block(str(details.get("message") or "")).replace("\n", f"\n{indent}  ")
    head: Fragments = [("class:dim", indent + link), ("class:stop.exception", visible(name))]
    yield [*head, ("", f": {message}" if message else ""), *_numbered(details, shown), ("", "\n")]
    for note in _notes(details):
        text = visible_block(note).replace("\n", f"\n{indent}        ")
        yield [("class:dim", f"{indent}  note: "), ("", f"{text}\n")]
    trace = details.get("stackTrace")
    if full and isinstance(trace, str):
        lines = visible_block(trace).rstrip("\n").split("\n")
        yield [("class:dim", "".join(f"{indent}  {line}\n" for line in lines))]
    if depth == _DEEPEST:
        return
    link = "holds " if name.endswith("Group") else "from "
    for inner in records(details, "innerException"):
        yield from _told(inner, indent + "  ", link, full=full, shown=shown, depth=depth + 1)


def _numbered(details: Mapping[str, Any], shown: int) -> Fragments:
    """The number that `exceptions` takes, where there are several; the one that is looked at stands out."""
    remora = details.get("remora")
    number = remora.get("number") if isinstance(remora, dict) else None
    if not shown or not isinstance(number, int):
        return []
    return (
        [("class:stop.exception", f"  [{number}] ←")] if number == shown else [("class:dim", f"  [{number}]")]
    )


def _notes(details: Mapping[str, Any]) -> list[str]:
    remora = details.get("remora")
    notes = remora.get("notes") if isinstance(remora, dict) else None
    return [each for each in notes if isinstance(each, str)] if isinstance(notes, list) else []
