"""A value spread over lines, from its children as the server pages them out; asks for what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from remora_client._text import visible

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from remora_client._model import Value, Variable
    from remora_client._sessions._session import Session

    OwnText: TypeAlias = Callable[[Session, Value], Awaitable[str | None]]

__all__ = ["pretty"]

_DEPTH = 4
_CHILDREN = 50
_LINES = 400
_BRACKETS = {"list": "[]", "tuple": "()", "set": "{}", "frozenset": "{}", "deque": "[]", "dict": "{}"}
_MAPPINGS = ("dict", "OrderedDict", "defaultdict", "Counter", "mappingproxy", "ChainMap")


async def pretty(
    session: Session,
    value: Value,
    width: int = 100,
    own_text: OwnText | None = None,
) -> str:
    """The value's repr when it fits on a line, else its children, each on a line of its own.

    What `own_text` says of a value comes in its place; None, and it is shown like others.
    """
    return await _spread(session, value, width, 0, budget=[_LINES], own_text=own_text)


async def _spread(
    session: Session, value: Value, width: int, depth: int, *, budget: list[int], own_text: OwnText | None
) -> str:
    if own_text is not None and (own := await own_text(session, value)) is not None:
        return visible(own)
    text = visible(value.value)
    cut = "…" in text
    if (
        not value.reference
        or depth >= _DEPTH
        or budget[0] <= 0
        or (len(text) <= width - 4 * depth and not cut)
    ):
        return text
    kind = value.type.rpartition(".")[2]
    children, more = await _children(session, value, kind)
    if not children:
        return text
    pad = "    " * (depth + 1)
    lines: list[str] = []
    for child in children:
        budget[0] -= 1
        room = width - len(child.name) - 2
        inner = await _spread(session, child, room, depth + 1, budget=budget, own_text=own_text)
        lines.append(f"{pad}{_label(kind, child)}{inner},")
        if budget[0] <= 0:
            more = more or "more"
            break
    if more:
        lines.append(f"{pad}… {more}")
    opening, closing = _brackets(kind)
    return "\n".join([opening, *lines, "    " * depth + closing])


async def _children(session: Session, value: Value, kind: str) -> tuple[list[Variable], str]:
    """The first children, and what to say of the rest: items of a container, attributes of anything else."""
    items = kind in _BRACKETS or kind in _MAPPINGS
    if items and value.indexed:
        found = await session.variables(value.reference, 0, _CHILDREN, "indexed")
        return found, _rest(value.indexed - len(found))
    found = await session.variables(value.reference, 0, _CHILDREN + 1)
    found = [each for each in found if each.kind not in ("virtual", "class", "method") and not each.lazy]
    total = (value.named or 0) + (value.indexed or 0)
    shown = found[:_CHILDREN]
    if not total:  # debugpy counts nothing
        return shown, "more" if len(found) > len(shown) else ""
    return shown, _rest(max(total - len(shown), len(found) - len(shown)))


def _rest(count: int) -> str:
    return f"{count:,} more" if count > 0 else ""


def _label(kind: str, child: Variable) -> str:
    name = visible(child.name)
    if kind in _MAPPINGS:
        return f"{name}: "
    return "" if kind in _BRACKETS else f"{name}="


def _brackets(kind: str) -> tuple[str, str]:
    if kind in _BRACKETS:
        return _BRACKETS[kind][0], _BRACKETS[kind][1]
    if kind in _MAPPINGS:
        return f"{kind}({{", "})"
    return f"{visible(kind)}(", ")"
