"""Looking at an object without running any of its code: no property, no `__getattr__`, no `__class__`.

Pure reading, for the thread that is stopped or the server's. Everything goes through the descriptors of
`object` and `type` themselves, which a class cannot replace.
"""

from __future__ import annotations

import collections
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "Known",
    "attribute_names",
    "class_attributes",
    "class_name",
    "is_a",
    "lookup",
    "method_owner",
    "module_of",
    "mro",
    "namespace",
    "own_attributes",
    "own_dict",
    "parameters",
    "properties",
    "stored",
]

_MRO: Any = vars(type)["__mro__"]
_NAMESPACE: Any = vars(type)["__dict__"]
_QUALNAME: Any = vars(type)["__qualname__"]
_MODULE: Any = vars(type)["__module__"]
_FLAGS: Any = vars(type)["__flags__"]
_HEAP_TYPE = 1 << 9
_MODULE_DICT: Any = vars(types.ModuleType)["__dict__"]


class Known:
    """Some objects, classes mostly, that others are looked for among by identity.

    `in` of a tuple or a set would ask the class of a class to compare it, which the program may have written.
    """

    def __init__(self, *objects: object) -> None:
        self._by_id = {id(each): each for each in objects}

    def __contains__(self, wanted: object) -> bool:
        return id(wanted) in self._by_id


_C_DESCRIPTORS = Known(types.GetSetDescriptorType, types.MemberDescriptorType)
_TUPLE_GETTER = getattr(collections, "_tuplegetter", None)
# What reads a slot, or a field of a named tuple, by no code of the program's. PyPy has properties for fields.
_FIELDS = Known(types.MemberDescriptorType, *([_TUPLE_GETTER] if type(_TUPLE_GETTER) is type else []))
_MISSING = object()


def mro(kind: type) -> tuple[type, ...]:
    """The class and its bases, whatever its metaclass says."""
    found: tuple[type, ...] = _MRO.__get__(kind)
    return found


def namespace(kind: type) -> Mapping[str, Any]:
    """What the class itself defines."""
    found: Mapping[str, Any] = _NAMESPACE.__get__(kind)
    return found


def is_a(value: object, *kinds: type) -> bool:
    """`isinstance`, which would ask the object for its `__class__`."""
    bases = mro(type(value))
    return any(base is kind for kind in kinds for base in bases)


def class_name(kind: type) -> str:
    """The class's name with the classes around it."""
    name: str = _QUALNAME.__get__(kind)
    return name.rpartition("<locals>.")[2]


def module_of(kind: type) -> str:
    """The module that a class says it is from; an empty text when that is no text."""
    found = namespace(kind).get("__module__")
    if found is None and not _is_made_by_class(kind):
        found = _MODULE.__get__(kind)
    return found if type(found) is str else ""


def lookup(kind: type, name: str) -> Any:
    """What the class or a base defines under this name, as it lies there; None when nothing."""
    for base in mro(kind):
        if name in namespace(base):
            return namespace(base)[name]
    return None


def method_owner(kind: type, name: str) -> type | None:
    """The class in the MRO that defines this name."""
    return next((base for base in mro(kind) if name in namespace(base)), None)


def own_dict(value: object) -> dict[str, Any] | None:
    """The object's `__dict__`, if it has a real one."""
    if is_a(value, types.ModuleType):
        found = _MODULE_DICT.__get__(value)
        return found if type(found) is dict else None
    if is_a(value, type):
        return None
    descriptor = lookup(type(value), "__dict__")
    if type(descriptor) not in _C_DESCRIPTORS:
        return None
    try:
        found = descriptor.__get__(value)
    except AttributeError:
        return None
    return found if type(found) is dict else None


def own_attributes(value: object) -> dict[str, Any]:
    """What is stored in the object itself: in its `__dict__`, its slots and its fields."""
    found: dict[str, Any] = {}
    if is_a(value, type):
        return dict(namespace(value))  # type: ignore[arg-type]
    for base in reversed(mro(type(value))):
        if _is_made_by_class(base):  # only these have slots
            for name, descriptor in namespace(base).items():
                if type(descriptor) in _FIELDS and not name.startswith("__"):
                    try:
                        found[name] = descriptor.__get__(value)
                    except (AttributeError, IndexError, TypeError):
                        pass  # never assigned; or it reads values of another class
    stored = own_dict(value)
    if stored:
        for name, held in list(stored.items()):  # there may be thousands
            found[name if type(name) is str else _plain(name)] = held
    return found


def _plain(name: object) -> str:
    """A name that was put into a `__dict__`, where anything may be one."""
    return str.__str__(name) if is_a(name, str) else f"<{class_name(type(name))}>"


def class_attributes(value: object) -> dict[str, Any]:
    """Plain data that the object's class defines: no functions, descriptors or dunder names."""
    if is_a(value, type, types.ModuleType):
        return {}
    found: dict[str, Any] = {}
    for base in reversed(mro(type(value))):
        if not _is_made_by_class(base):
            continue
        for name, held in namespace(base).items():
            if not _is_dunder(name) and not name.startswith("_abc_") and not _is_descriptor(held):
                found[name] = held
            else:
                found.pop(name, None)
    return found


def properties(value: object) -> dict[str, Any]:
    """Names that run code when they are read: properties and their like."""
    found: dict[str, Any] = {}
    if is_a(value, type, types.ModuleType):
        return found
    for base in reversed(mro(type(value))):
        for name, held in namespace(base).items():
            if not _is_dunder(name) and _is_computed(held):
                found[name] = held
            else:
                found.pop(name, None)
    return found


def attribute_names(value: object) -> Iterator[tuple[str, Any]]:
    """Every name that `value.` can go on with, and what lies there, for completion; some come twice."""
    yield from own_attributes(value).items()
    kinds = mro(value) if is_a(value, type) else mro(type(value))  # type: ignore[arg-type]
    for base in kinds:
        yield from list(namespace(base).items())


def stored(value: object, name: str) -> Any:
    """The value under this name if it can be read without running code; raises LookupError.

    A function of a class is bound as reading it would do.
    """
    own = own_attributes(value)
    held = own.get(name, _MISSING)
    if held is _MISSING:
        kinds = mro(value) if is_a(value, type) else mro(type(value))  # type: ignore[arg-type]
        held = next((namespace(base)[name] for base in kinds if name in namespace(base)), _MISSING)
        if held is _MISSING or _is_computed(held):
            raise LookupError(name)
        if type(held) is types.FunctionType and not is_a(value, type):
            return types.MethodType(held, value)
    if type(held) is classmethod:
        return types.MethodType(held.__func__, value)
    return held.__func__ if type(held) is staticmethod else held


def _is_made_by_class(kind: type) -> bool:
    return bool(_FLAGS.__get__(kind) & _HEAP_TYPE)


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_descriptor(held: object) -> bool:
    return lookup(type(held), "__get__") is not None


def _is_computed(held: object) -> bool:
    """Whether reading this through an instance runs somebody's code and gives a value, not a method."""
    if type(held) in _FUNCTIONS or type(held) in _C_DESCRIPTORS:
        return False
    return _is_descriptor(held)


_FUNCTIONS = Known(
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodType,
    staticmethod,
    classmethod,
    type,
)


def parameters(called: object) -> list[str]:
    """The names that a function, method or class takes as keywords, from its code; [] when it has none."""
    skipped = 0
    if type(called) is types.MethodType:
        called, skipped = called.__func__, 1
    elif is_a(called, type):
        called, skipped = lookup(called, "__init__"), 1  # type: ignore[arg-type]
    code = called.__code__ if type(called) is types.FunctionType else None
    if code is None:
        return []
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    positional = getattr(code, "co_posonlyargcount", 0)
    return [name for name in names[max(skipped, positional) :] if not name.startswith(".")]
