"""How kinds of names are shown beside the others: where they are, in a group of their own, or not at all.

Editors ask for it with `variablePresentation`. Looks at names and types only, and so runs on any thread.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from remora._inspection import _statics
from remora._inspection._children import Child, Children, Group

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "WAYS", "Presentation"]

KINDS = ("special", "protected", "function", "class")
WAYS = ("inline", "group", "hide")

_FUNCTIONS = _statics.Known(
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodDescriptorType,
    types.WrapperDescriptorType, types.MethodWrapperType, types.ClassMethodDescriptorType,
)  # fmt: skip


@dataclass(frozen=True)
class Presentation:
    """Which kind is shown in which way; what is not named stays where it is."""

    ways: Mapping[str, str]

    def arrange(self, children: Children) -> Children:
        """The same children, those of some kinds behind the others in groups, or left out."""
        shown: list[Child] = []
        groups: dict[str, list[Child]] = {}
        for child in children.named:
            kind = _kind_of(child)
            way = "inline" if kind is None else self.ways.get(kind, "inline")
            if kind is not None and way == "group":
                groups.setdefault(kind, []).append(child)
            elif way == "inline":
                shown.append(child)
        for kind in KINDS:
            if kind in groups:
                # Its names belong to what is around it: its own text is nothing.
                shown.append(Child(f"{kind} variables", Group(groups[kind]), "", {"kind": "virtual"}))
        return replace(children, named=shown)


def _kind_of(child: Child) -> str | None:
    name = child.name
    if name.startswith("__") and name.endswith("__"):
        return "special"
    if name.startswith("_"):
        return "protected"
    if type(child.value) in _FUNCTIONS:
        return "function"
    return "class" if _statics.is_a(child.value, type) else None
