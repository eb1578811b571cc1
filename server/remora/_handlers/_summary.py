"""A value in a few words, as `variables` and `evaluate` show it.

`summarize` runs where the value may be rendered, on the stopped thread; `variable` on the server's, where
references are given out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remora._handlers._references import Held
from remora._inspection._children import Child, Group, Lazy, Rest, children_of, has_children
from remora._inspection._containers import container_class, length
from remora._inspection._values import Renderer, type_name

if TYPE_CHECKING:
    from remora._handlers._references import References
    from remora._interpreter._frames import Frame

__all__ = ["Summary", "summarize", "variable"]

_MOST_HEX = 4096


@dataclass(frozen=True)
class Summary:
    """What is shown of a value, and the value itself if it can be opened."""

    text: str
    type: str
    opens: bool
    value: Any = field(repr=False)
    named: int = 0
    indexed: int = 0


def summarize(value: Any, renderer: Renderer, *, as_hex: bool = False) -> Summary:
    """Render a value and count what is inside."""
    if type(value) is Lazy:
        return Summary("…", value.kind, True, value, named=1)
    if type(value) is Group:
        return Summary("", "", True, value, named=len(value.children))
    if type(value) is Rest:
        left = children_of(value, user_code=renderer.user_code).indexed
        return Summary(f"{left:,} more", "", True, value, indexed=left)
    text = _as_hex(value) if as_hex else None
    if text is None:
        text = renderer.render(value)
    base = container_class(value)
    named = indexed = 0
    if base is not None:
        indexed = length(value, base)
        if base is not type(value):
            named = len(children_of(value, user_code=renderer.user_code).named)
    opens = has_children(value)
    return Summary(text, type_name(value), opens, value if opens else None, named, indexed)


def _as_hex(value: Any) -> str | None:
    if type(value) is int:
        return hex(value)
    if (type(value) is bytes or type(value) is bytearray) and len(value) <= _MOST_HEX:
        return str(value.hex(" "))
    return None


def variable(child: Child, summary: Summary, parent: Held, references: References) -> dict[str, Any]:
    """One row of a `variables` response."""
    expression = _join(parent.expression, child.path)
    body: dict[str, Any] = {"name": child.name, **shown(summary, parent.frame, expression, references)}
    body["value"] = body.pop("result")
    if expression:
        body["evaluateName"] = expression
    if child.hints:
        body["presentationHint"] = child.hints
    return body


def shown(summary: Summary, frame: Frame, expression: str | None, references: References) -> dict[str, Any]:
    """The body of an `evaluate` response."""
    body: dict[str, Any] = {"result": summary.text, "type": summary.type, "variablesReference": 0}
    if summary.opens:
        body["variablesReference"] = references.add(Held(summary.value, frame, expression))
    if summary.named:
        body["namedVariables"] = summary.named
    if summary.indexed:
        body["indexedVariables"] = summary.indexed
    return body


def _join(parent: str | None, path: str | None) -> str | None:
    """`a` and `.b` make `a.b`; in a scope, where there is no parent expression, a name stands for itself."""
    if path is None or parent is None:
        return None
    return f"{parent}{path}"
