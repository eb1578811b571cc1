"""The items of containers, by the methods of their built-in classes: those of derived classes are not asked.

Pure reading, for the thread that is stopped or the server's.
"""

from __future__ import annotations

import array
import collections
import gc
import itertools
import types
from typing import TYPE_CHECKING, Any

from remora._inspection._statics import Known, is_a, mro, own_dict

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BRACKETS", "CONTAINERS", "MAPPINGS", "container_class", "length", "take"]

BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    dict: ("{", "}"),
    collections.deque: ("deque([", "])"),
    collections.OrderedDict: ("OrderedDict({", "})"),
    collections.defaultdict: ("defaultdict({", "})"),
    collections.Counter: ("Counter({", "})"),
    collections.UserDict: ("UserDict({", "})"),
    types.MappingProxyType: ("mappingproxy({", "})"),
    array.array: ("array([", "])"),
    type({}.keys()): ("dict_keys([", "])"),
    type({}.values()): ("dict_values([", "])"),
    type({}.items()): ("dict_items([", "])"),
}
CONTAINERS = Known(*BRACKETS)
_VIEWS = Known(type({}.keys()), type({}.values()), type({}.items()))
_HASH_QUIETLY = Known(int, float, complex, bool, type(None), str, bytes)
MAPPINGS = frozenset(
    {
        dict,
        collections.OrderedDict,
        collections.defaultdict,
        collections.Counter,
        collections.UserDict,
        types.MappingProxyType,
    }
)


def container_class(value: object) -> type | None:
    """The built-in container class that this value is, or is derived from."""
    found = next((base for base in mro(type(value)) if base in CONTAINERS), None)
    if found is types.MappingProxyType and not is_a(_behind(value), dict):
        return None  # only that mapping's own code knows what is in it
    return found


def _behind(value: Any) -> Any:
    """What a mappingproxy or a view stands for, whose code their own methods would call."""
    return next(iter(gc.get_referents(value)), None)


def _real(value: Any, kind: type) -> Any:
    """What holds the items: for a UserDict the dict inside it."""
    if kind is types.MappingProxyType:
        return _behind(value)
    if kind is collections.UserDict:
        inner = (own_dict(value) or {}).get("data")
        return inner if type(inner) is dict else {}
    return value


def length(value: Any, kind: type) -> int:
    """How many items, by the built-in class's own `__len__`."""
    value = _real(value, kind)
    if kind in _VIEWS and is_a(_behind(value), dict):
        value, kind = _behind(value), dict  # PyPy's asks a class that derives from it
    if kind in MAPPINGS and is_a(value, dict):
        return dict.__len__(value)
    return int(kind.__len__(value))  # type: ignore[attr-defined]


def take(value: Any, kind: type, start: int, count: int, *, user_code: bool = True) -> list[Any]:
    """So many items from `start`; (key, value) pairs of a mapping. Another thread may change it meanwhile.

    An OrderedDict hashes its keys on the way. Where no code may run, and a key has its own, the items come in
    the order in which they were put in, of which `move_to_end` knows nothing.
    """
    for _ in range(5):
        try:
            return _take(value, kind, start, count, user_code)
        except RuntimeError:
            continue  # it changed its size while we walked it
    return []


def _take(value: Any, kind: type, start: int, count: int, user_code: bool) -> list[Any]:
    value = _real(value, kind)
    if kind in (list, tuple, array.array):
        found: list[Any] = list(kind.__getitem__(value, slice(start, start + count)))
        return found
    return list(itertools.islice(_iterate(value, kind, user_code), start, start + count))


def _iterate(value: Any, kind: type, user_code: bool) -> Iterable[Any]:
    if kind in MAPPINGS:
        if is_a(value, collections.OrderedDict) and (
            user_code or all(type(key) in _HASH_QUIETLY for key in dict.keys(value))
        ):
            return collections.OrderedDict.items(value)
        return dict.items(value)
    iterator: Iterable[Any] = kind.__iter__(value)  # type: ignore[attr-defined]
    return iterator
