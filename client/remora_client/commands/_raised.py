"""An exception as a person reads it: what it is, its notes, and what it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    return [part for parts in _told(details, indent, "", full=full) for part in parts]


def _told(
    details: Mapping[str, Any], indent: str, link: str, *, full: bool, depth: int = 0
) -> Iterator[Fragments]:
    name = str(details.get("fullTypeName") or details.get("typeName") or "exception")
    message = visible_block(str(details.get("message") or "")).replace("\n", f"\n{indent}  ")
    head: Fragments = [("class:dim", indent + link), ("class:stop.exception", visible(name))]
    yield [*head, ("", f": {message}\n" if message else "\n")]
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
    for inner in details.get("innerException") or ():
        if isinstance(inner, dict):
            yield from _told(inner, indent + "  ", link, full=full, depth=depth + 1)


def _notes(details: Mapping[str, Any]) -> list[str]:
    remora = details.get("remora")
    notes = remora.get("notes") if isinstance(remora, dict) else None
    return [each for each in notes if isinstance(each, str)] if isinstance(notes, list) else []
