"""`@record`: a frozen dataclass that compiles nothing.

`@dataclass(frozen=True)` writes six methods as text and compiles them, for each class anew. For the records
that a prompt needs that was a tenth of its start. The methods here are one function each, shared by all of
them; `fields`, `replace`, `asdict`, `match` and type checkers see what they see of a dataclass. Pure.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

__all__ = ["record"]

_Class = TypeVar("_Class", bound=type)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: _Class) -> _Class:
    """Make the class a frozen dataclass. Methods that it has itself stay."""
    for method in (__init__, __repr__, __eq__, __hash__, __setattr__, __delattr__):
        if method.__name__ not in vars(cls):
            setattr(cls, method.__name__, method)
    dataclass(init=False, repr=False, eq=False)(cls)
    return cls


def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
    name = type(self).__name__
    given = iter(args)
    values = {}
    missing = []
    for each in fields(self):
        value = MISSING if each.kw_only else next(given, MISSING)
        if each.name in kwargs:
            if value is not MISSING:
                raise TypeError(f"{name}() got multiple values for argument {each.name!r}")
            value = kwargs.pop(each.name)
        elif value is MISSING and each.default_factory is not MISSING:
            value = each.default_factory()
        elif value is MISSING:
            value = each.default
        if value is MISSING:
            missing.append(each.name)
        values[each.name] = value
    if missing or kwargs or next(given, MISSING) is not MISSING:
        wrong = f"missing {missing}" if missing else f"too much: {[*given, *kwargs]}"
        raise TypeError(f"{name}() takes {[each.name for each in fields(self)]}; {wrong}")
    vars(self).update(values)


def __repr__(self: Any) -> str:
    shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({shown})"


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, each.name) for each in fields(self) if each.compare)


def __eq__(self: Any, other: object) -> Any:
    return _compared(self) == _compared(other) if type(self) is type(other) else NotImplemented


def __hash__(self: Any) -> int:
    return hash(_compared(self))


def __setattr__(self: Any, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
