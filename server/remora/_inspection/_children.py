"""What is inside a value, a page at a time: items, attributes, and properties that run only when asked for.

Runs on the stopped thread, or on the server's when none of the program's code may run. Items of huge
containers are never copied beyond the page; generators and other iterators are never advanced.
"""

from __future__ import annotations

import collections
import functools
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remora._inspection import _statics
from remora._inspection._containers import MAPPINGS, container_class, length, take
from remora._inspection._values import safe_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Child", "Children", "Group", "Lazy", "Names", "children_of", "has_children"]

#: Without paging by the client, so many items are shown and then one that holds the rest.
BLOCK = 100

_LEAVES = _statics.Known(
    int, float, complex, bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented),
    types.FunctionType, types.BuiltinFunctionType, range, slice,
)  # fmt: skip
_KEYS = _statics.Known(int, float, complex, bool, str, bytes, type(None))


@dataclass(frozen=True)
class Child:
    """One thing inside a value.

    Attributes:
        name: as the person sees it.
        value: the thing itself, or a `Lazy`.
        path: what follows the parent's expression to get here (`.x`, `[3]`); None: there is no such text.
        hints: DAP's presentationHint.
        assign: sets it to another value; None when it cannot be.
    """

    name: str
    value: Any = field(repr=False)
    path: str | None = None
    hints: dict[str, Any] | None = None
    assign: Callable[[Any], None] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Lazy:
    """A value that code of the program computes, and only when the person asks."""

    compute: Callable[[], Any] = field(repr=False)
    kind: str = "property"


@dataclass(frozen=True)
class Names:
    """A scope: names and values, some of which can be assigned."""

    names: dict[str, Any] = field(repr=False)
    assign: Callable[[str, Any], None] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Rest:
    """The items of a container from one on: the last child, for a client that does not page."""

    value: Any = field(repr=False)
    start: int = 0


@dataclass(frozen=True)
class Group:
    """Some of a value's children, gathered under a name of their own."""

    children: Sequence[Child] = field(repr=False)


@dataclass(frozen=True)
class Children:
    """Attributes, all of them, and items, of which any page can be had."""

    named: Sequence[Child]
    indexed: int
    page: Callable[[int, int], list[Child]]


def has_children(value: object) -> bool:
    """Whether there is anything to open; quick, and sometimes yes where there turns out to be nothing."""
    kind = type(value)
    if kind in _LEAVES:
        return False
    base = container_class(value)
    if base is kind and base is not collections.defaultdict:
        return length(value, base) > 0
    return True


def children_of(value: Any, *, user_code: bool = True) -> Children:
    """Everything inside a value.

    Args:
        user_code: whether code of the program, and of the libraries it uses, may run. Without it there is
            nothing inside what only such code could tell.
    """
    if type(value) is Names:
        return Children(_of_names(value), 0, _no_page)
    if type(value) is Group:
        return Children(value.children, 0, _no_page)
    if type(value) is Lazy:
        return Children([Child("value", value.compute())] if user_code else [], 0, _no_page)
    if type(value) is Rest:
        inner = children_of(value.value, user_code=user_code)
        return Children(
            [], inner.indexed - value.start, lambda start, count: inner.page(value.start + start, count)
        )
    base = container_class(value)
    named = list(_attributes(value))
    if base is not None:
        return Children(
            named, length(value, base), lambda start, count: _page(value, base, start, count, user_code)
        )
    special = _special(value, user_code)
    return special if special is not None else Children(named, 0, _no_page)


def _no_page(_start: int, _count: int) -> list[Child]:
    return []


# -- items ----------------------------------------------------------------------------------------


def _page(value: Any, base: type, start: int, count: int, user_code: bool) -> list[Child]:
    items = take(value, base, start, count, user_code=user_code)
    if base in MAPPINGS:
        return [_entry(value, key, item, user_code) for key, item in items]
    if base in (list, tuple, collections.deque) or base.__name__ == "array":
        return [_item(value, base, start + index, item) for index, item in enumerate(items)]
    return [Child(str(start + index), item) for index, item in enumerate(items)]


def _entry(value: Any, key: Any, item: Any, user_code: bool) -> Child:
    path = f"[{key!r}]" if _is_plain_key(key) else None
    assign = None
    if _statics.is_a(value, dict):

        def assign(new: Any) -> None:
            value[key] = new

    return Child(safe_repr(key, user_code=user_code), item, path, assign=assign)


def _item(value: Any, base: type, index: int, item: Any) -> Child:
    assign = None
    if base is not tuple:

        def assign(new: Any) -> None:
            value[index] = new

    return Child(f"[{index}]", item, f"[{index}]", assign=assign)


def _is_plain_key(key: Any) -> bool:
    if type(key) is tuple:
        return len(key) <= 8 and all(_is_plain_key(each) for each in key)
    return type(key) in _KEYS and not (_statics.is_a(key, str, bytes) and len(key) > 200)


# -- attributes -----------------------------------------------------------------------------------


def _of_names(scope: Names) -> list[Child]:
    found = []
    for name, value in list(scope.names.items()):
        setter = scope.assign
        assign = None if setter is None else (lambda new, name=name, setter=setter: setter(name, new))
        found.append(Child(name, value, name, _visibility(name), assign))
    return found


def _attributes(value: Any) -> list[Child]:
    own = _statics.own_attributes(value)
    found = [_attribute(value, name, held) for name, held in own.items()]
    if type(value) is types.ModuleType or _statics.is_a(value, type):
        return [child for child in found if not (child.name.startswith("__") and child.name.endswith("__"))]
    for name, held in _statics.class_attributes(value).items():
        if name not in own and not _is_bookkeeping(value, name):
            found.append(_attribute(value, name, held, {"attributes": ["static"]}))
    computed = {} if _is_plain(value) else _statics.properties(value)
    for name in computed:
        if name not in own:
            hints = {"kind": "property", "lazy": True, **(_visibility(name) or {})}
            found.append(Child(name, Lazy(functools.partial(getattr, value, name)), f".{name}", hints))
    return found


def _attribute(value: Any, name: str, held: Any, hints: dict[str, Any] | None = None) -> Child:
    path = f".{name}" if name.isidentifier() else None
    merged = {**(_visibility(name) or {}), **(hints or {})}
    return Child(name, held, path, merged or None, functools.partial(setattr, value, name))


def _visibility(name: str) -> dict[str, Any] | None:
    return {"visibility": "private"} if name.startswith("_") else None


def _is_plain(value: Any) -> bool:
    """Library classes whose properties are noise: the value itself is shown already."""
    return _statics.module_of(type(value)) in ("enum", "datetime", "pathlib", "pathlib._local", "builtins")


def _is_bookkeeping(value: Any, name: str) -> bool:
    """What `enum`, `dataclass` and `namedtuple` keep in a class for themselves."""
    if any(_statics.class_name(base) == "Enum" for base in _statics.mro(type(value))):
        return True
    return _statics.is_a(value, tuple) and name in ("_fields", "_field_defaults")


# -- special kinds --------------------------------------------------------------------------------


def _special(value: Any, user_code: bool) -> Children | None:
    kind = type(value)
    name = f"{_statics.module_of(kind)}.{_statics.class_name(kind)}"
    if _statics.is_a(value, BaseException):
        return _exception(value)
    if kind is types.MethodType:
        return _fixed(
            [Child("__self__", value.__self__, ".__self__"), Child("__func__", value.__func__, ".__func__")]
        )
    if not user_code:
        return None
    if name == "numpy.ndarray":
        return _array(value)
    if name.endswith(("frame.DataFrame", "series.Series")):
        return _pandas(value)
    return None


def _fixed(named: list[Child]) -> Children:
    return Children(named, 0, _no_page)


def _exception(value: BaseException) -> Children:
    named = [Child("args", BaseException.__dict__["args"].__get__(value), ".args")]
    named.extend(_attributes(value))
    for name in ("__cause__", "__context__"):
        chained = BaseException.__dict__[name].__get__(value)
        if chained is not None:
            named.append(Child(name, chained, f".{name}"))
    return _fixed(named)


def _array(value: Any) -> Children:
    named = [Child(name, getattr(value, name), f".{name}") for name in ("shape", "dtype", "size", "nbytes")]
    count = int(value.shape[0]) if value.shape else 0

    def page(start: int, wanted: int) -> list[Child]:
        stop = min(start + wanted, count)
        return [Child(f"[{index}]", value[index], f"[{index}]") for index in range(start, stop)]

    return Children(named, count, page)


def _pandas(value: Any) -> Children:
    named = [Child("shape", value.shape, ".shape"), Child("index", value.index, ".index")]
    if len(value.shape) > 1:
        named.append(Child("columns", list(value.columns), ".columns.tolist()"))
        named.append(Child("dtypes", value.dtypes, ".dtypes"))
    count = int(value.shape[0])

    def page(start: int, wanted: int) -> list[Child]:
        stop = min(start + wanted, count)
        return [
            Child(f"[{index}]", value.iloc[index], f".iloc[{index}]", {"kind": "data"})
            for index in range(start, stop)
        ]

    return Children(named, count, page)
